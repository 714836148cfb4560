"""What a run is started with, by the schedule or by hand.

    {"scheduledAt": "2026-06-01T13:00:00Z"}
    {"period": "2026-05", "dryRun": true, "filter": {"orderNumbers": ["SO-1001"], "atMost": 1}}

Everything is optional but one of `scheduledAt` and `period`. Anything else in the input is refused by name: a mistyped
`fliter` must never bill the whole month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing.domain.errors import InputInvalid
from billing.domain.period import BillingPeriod

MAX_FILTER_VALUES = 1000  # SuiteQL takes at most 1,000 values in one IN list.
_FIELDS = ("scheduledAt", "period", "dryRun", "filter")
_FILTER_FIELDS = ("orderNumbers", "customerIds", "fromDate", "toDate", "atMost")
# AWS's own way of starting a run by hand adds this key to the input; it says nothing about billing.
_TOLERATED_FIELDS = ("AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID",)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Narrows a run to a trial. Empty fields do not narrow.

    order_numbers: NetSuite's tranid; customer_ids: NetSuite internal ids; dates: half-open, from_date <= trandate <
    to_date, narrower than the period; at_most: the first N orders by internal id.
    """

    order_numbers: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    from_date: date | None = None
    to_date: date | None = None
    at_most: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, and read back by `parse_filter`."""
        return {
            **({"orderNumbers": list(self.order_numbers)} if self.order_numbers else {}),
            **({"customerIds": list(self.customer_ids)} if self.customer_ids else {}),
            **({"fromDate": self.from_date.isoformat()} if self.from_date else {}),
            **({"toDate": self.to_date.isoformat()} if self.to_date else {}),
            **({"atMost": self.at_most} if self.at_most is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class RunInput:
    """A validated input."""

    period: BillingPeriod
    scheduled_at: datetime | None
    dry_run: bool
    filter: OrderFilter


def parse_run_input(raw: object, zone: ZoneInfo, lookback_months: int) -> RunInput:
    """Validate the execution's input. Raises InputInvalid with a sentence that names the field."""
    fields = _object(raw, "The input")
    unknown = sorted(set(fields) - set(_FIELDS) - set(_TOLERATED_FIELDS))
    if unknown:
        raise InputInvalid(
            f"The input has a field {_shown(unknown[0])} that a run does not know. Known are {', '.join(_FIELDS)}."
        )
    scheduled_at = _instant(fields["scheduledAt"], "scheduledAt") if "scheduledAt" in fields else None
    if "period" in fields:
        period = _period(fields["period"], lookback_months)
    elif scheduled_at is not None:
        period = BillingPeriod.before(scheduled_at, zone, lookback_months)
    else:
        raise InputInvalid(
            'The input needs "scheduledAt" (the schedule gives it) or "period", for instance {"period": "2026-05"}.'
        )
    dry_run = fields.get("dryRun", False)
    if not isinstance(dry_run, bool):
        raise InputInvalid(f'The field "dryRun" must be true or false, not {_shown(dry_run)}.')
    return RunInput(period, scheduled_at, dry_run, parse_filter(fields.get("filter", {})))


def parse_filter(raw: object) -> OrderFilter:
    """Validate the input's `filter`. Raises InputInvalid with a sentence that names the field."""
    fields = _object(raw, 'The field "filter"')
    unknown = sorted(set(fields) - set(_FILTER_FIELDS))
    if unknown:
        raise InputInvalid(
            f'The field "filter" has a field {_shown(unknown[0])} that it does not know. '
            f"Known are {', '.join(_FILTER_FIELDS)}."
        )
    from_date = _day(fields["fromDate"], "filter.fromDate") if "fromDate" in fields else None
    to_date = _day(fields["toDate"], "filter.toDate") if "toDate" in fields else None
    if from_date and to_date and from_date >= to_date:
        raise InputInvalid('The field "filter.fromDate" must be before "filter.toDate" (which is not included).')
    at_most = fields.get("atMost")
    if "atMost" in fields and (isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1):
        raise InputInvalid(f'The field "filter.atMost" must be a whole number from 1, not {_shown(at_most)}.')
    customer_ids = _texts(fields, "customerIds")
    for customer_id in customer_ids:
        if not re.fullmatch(r"-?\d{1,18}", customer_id):
            raise InputInvalid(
                f'The field "filter.customerIds" takes NetSuite internal ids (digits), not {_shown(customer_id)}.'
            )
    return OrderFilter(_texts(fields, "orderNumbers"), customer_ids, from_date, to_date, at_most)


def _object(raw: object, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise InputInvalid(f"{name} must be a JSON object, not {_shown(raw)}.")
    return raw


def _period(raw: object, lookback_months: int) -> BillingPeriod:
    try:
        return BillingPeriod.parse(raw if isinstance(raw, str) else repr(raw), lookback_months)
    except ValueError as error:
        raise InputInvalid(f'The field "period" {error}.') from None


def _instant(raw: object, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(raw if isinstance(raw, str) else "")
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
    if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            pass
    raise InputInvalid(f'The field "{name}" must be a day written as "2026-05-31", not {_shown(raw)}.')


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    raw = fields.get(name, [])
    values = raw if isinstance(raw, list) else None
    if (
        values is None
        or any(not isinstance(value, str) or not value.strip() for value in values)
        or len(values) > MAX_FILTER_VALUES
        or (name in fields and not values)
    ):
        raise InputInvalid(
            f'The field "filter.{name}" must be a list of 1 to {MAX_FILTER_VALUES} texts, not {_shown(raw)}.'
        )
    return tuple(dict.fromkeys(value.strip() for value in values))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
