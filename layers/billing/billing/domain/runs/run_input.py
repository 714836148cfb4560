"""What a run is started with, by the schedule or by hand.

    {"scheduledAt": "2026-06-01T13:00:00Z"}
    {"period": "2026-05", "dryRun": true, "filter": {"orderNumbers": ["SO-1001"], "atMost": 1}}
    {"period": "2026-05", "requestedBy": "ann@firm.example"}
    {"scheduledAt": "...", "cycle": "apac", "timeZone": "Australia/Sydney", "filter": {"subsidiaries": ["3"]}}

The last is how a second schedule bills a cycle of its own. Everything is optional but one of `scheduledAt` and
`period`. Anything else in the input is refused by name: a mistyped `fliter` must never bill the whole month.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.domain.email_address import is_address
from billing.domain.errors import InputInvalid
from billing.domain.orders.order_filter import FILTER, FILTER_FIELDS, FieldKind, OrderFilter
from billing.domain.runs.period import BillingPeriod
from billing.domain.text import has_control, truncate

MAX_FILTER_VALUES = 1000  # SuiteQL takes at most 1,000 values in one IN list.
MAX_ORDERS = 1_000_000  # Far above any month; a number that every JSON reader on the way keeps exactly.
_FIELDS = ("scheduledAt", "period", "dryRun", "cycle", "timeZone", "filter", "requestedBy")
_CYCLE = re.compile(r"[a-z][a-z0-9-]{0,29}")
# AWS's own way of starting a run by hand adds this key to the input; it says nothing about billing.
_TOLERATED_FIELDS = ("AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID",)


@dataclass(frozen=True, slots=True)
class RunInput:
    """A validated input. `cycle` and `zone` are the stack's own unless the input names others."""

    period: BillingPeriod
    scheduled_at: datetime | None
    dry_run: bool
    filter: OrderFilter
    cycle: str
    zone: ZoneInfo
    requested_by: str = ""


def parse_run_input(raw: object, zone: ZoneInfo, cycle: str) -> RunInput:
    """Validate the execution's input. Raises InputInvalid with a sentence that names the field."""
    fields = _object(raw, "The input")
    unknown = sorted(set(fields) - set(_FIELDS) - set(_TOLERATED_FIELDS))
    if unknown:
        raise InputInvalid(
            f"The input has a field {_shown(unknown[0])} that a run does not know. Known are {', '.join(_FIELDS)}."
        )
    scheduled_at = _instant(fields["scheduledAt"], "scheduledAt") if "scheduledAt" in fields else None
    if "timeZone" in fields:
        zone = _zone(fields["timeZone"])
    if "cycle" in fields:
        named = fields["cycle"]
        if not isinstance(named, str) or not _CYCLE.fullmatch(named):
            raise InputInvalid(
                f'The field "cycle" must be a name of up to 30 small letters, digits and hyphens, not {_shown(named)}.'
            )
        cycle = named
    if "period" in fields:
        period = _period(fields["period"])
    elif scheduled_at is not None:
        period = BillingPeriod.before(scheduled_at, zone)
    else:
        raise InputInvalid(
            'The input needs "scheduledAt" (the schedule gives it) or "period", for instance {"period": "2026-05"}.'
        )
    dry_run = fields.get("dryRun", False)
    if not isinstance(dry_run, bool):
        raise InputInvalid(f'The field "dryRun" must be true or false, not {_shown(dry_run)}.')
    requested_by = fields.get("requestedBy", "")
    if "requestedBy" in fields and not (isinstance(requested_by, str) and is_address(requested_by.strip())):
        raise InputInvalid(f'The field "requestedBy" must be an e-mail address, not {_shown(requested_by)}.')
    return RunInput(
        period, scheduled_at, dry_run, parse_filter(fields.get("filter", {})), cycle, zone, requested_by.strip().lower()
    )


def parse_filter(raw: object) -> OrderFilter:
    """Validate the input's `filter`. Raises InputInvalid with a sentence that names the field."""
    fields = _object(raw, 'The field "filter"')
    unknown = sorted(set(fields) - set(FILTER_FIELDS))
    if unknown:
        raise InputInvalid(
            f'The field "filter" has a field {_shown(unknown[0])} that it does not know. '
            f"Known are {', '.join(FILTER_FIELDS)}."
        )
    chosen = OrderFilter(
        **{one.attribute: _READ[one.kind](fields[one.name], one.name) for one in FILTER if one.name in fields}
    )
    if chosen.from_date and chosen.to_date and chosen.from_date >= chosen.to_date:
        raise InputInvalid('The field "filter.fromDate" must be before "filter.toDate" (which is not included).')
    return chosen


def _count(raw: object, name: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MAX_ORDERS:
        raise InputInvalid(
            f'The field "filter.{name}" must be a whole number from 1 to {MAX_ORDERS:,}, not {_shown(raw)}.'
        )
    return raw


def _ids(raw: object, name: str) -> tuple[str, ...]:
    ids = _texts(raw, name)
    for one in ids:
        # Python's \d takes the digits of every script; NetSuite's ids are ASCII.
        if not re.fullmatch(r"-?[0-9]{1,18}", one):
            raise InputInvalid(f'The field "filter.{name}" takes NetSuite internal ids (digits), not {_shown(one)}.')
    return ids


def _custom_fields(raw: object, _: str) -> tuple[tuple[str, str], ...]:
    fields = _object(raw, 'The field "filter.customFields"')
    for name, value in fields.items():
        # The name becomes part of a query: nothing but a custom field's own spelling may get there.
        if not re.fullmatch(r"custbody[a-z0-9_]{1,60}", str(name)):
            raise InputInvalid(
                f'The field "filter.customFields" takes order fields named custbody..., not {_shown(name)}.'
            )
        if not isinstance(value, str) or not value or has_control(value):
            raise InputInvalid(
                f'The field "filter.customFields.{name}" must be a text that can be typed, not {_shown(value)}.'
            )
    return tuple(sorted(fields.items()))


def _zone(raw: object) -> ZoneInfo:
    try:
        return ZoneInfo(raw if isinstance(raw, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputInvalid(
            f'The field "timeZone" must name an IANA time zone such as Europe/Berlin, not {_shown(raw)}.'
        ) from None


def _object(raw: object, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise InputInvalid(f"{name} must be a JSON object, not {_shown(raw)}.")
    return raw


def _period(raw: object) -> BillingPeriod:
    try:
        return BillingPeriod.parse(raw if isinstance(raw, str) else repr(raw))
    except ValueError as error:
        raise InputInvalid(f'The field "period" {error}.') from None


def _instant(raw: object, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(raw if isinstance(raw, str) and raw.isascii() else "")
    except ValueError:
        instant = None
    # No calendar reaches beyond these years in every zone.
    if instant is None or instant.tzinfo is None or not 2000 <= instant.year <= 9000:
        raise InputInvalid(
            f'The field "{name}" must be an instant with its zone, for instance "2026-06-01T13:00:00Z", '
            f"not {_shown(raw)}."
        )
    return instant


def _day(raw: object, name: str) -> date:
    if isinstance(raw, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            pass
    raise InputInvalid(f'The field "{name}" must be a day written as "2026-05-31", not {_shown(raw)}.')


def _texts(raw: object, name: str) -> tuple[str, ...]:
    values = raw if isinstance(raw, list) else []
    if not 1 <= len(values) <= MAX_FILTER_VALUES or any(
        not isinstance(value, str) or not value.strip() or has_control(value) for value in values
    ):
        raise InputInvalid(
            f'The field "filter.{name}" must be a list of 1 to {MAX_FILTER_VALUES} texts, not {_shown(raw)}.'
        )
    return tuple(dict.fromkeys(value.strip() for value in values))


def _shown(value: object) -> str:
    return truncate(repr(value), 60)


_READ: Final[Mapping[FieldKind, Callable[[object, str], Any]]] = {
    FieldKind.TEXTS: _texts,
    FieldKind.IDS: _ids,
    FieldKind.CUSTOM: _custom_fields,
    FieldKind.DAY: lambda raw, name: _day(raw, f"filter.{name}"),
    FieldKind.COUNT: _count,
}
