"""Orders that earlier runs listed and did not draft, and that this run's listing does not show: what has become of
them. Each is named in every report, message and page until it is drafted or somebody ends it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

STATUS_NAMES: Final[Mapping[str, str]] = {
    "A": "Pending Approval",
    "B": "Pending Fulfillment",
    "C": "Cancelled",
    "D": "Partially Fulfilled",
    "E": "Pending Billing/Partially Fulfilled",
    "F": "Pending Billing",
    "G": "Billed",
    "H": "Closed",
}
"""NetSuite's sales order statuses by the letter that SuiteQL's transaction.status gives."""

_ENDED: Final = frozenset("CGH")
"""Cancelled, billed or closed: whoever did that in NetSuite has ended the order."""


@dataclass(frozen=True, slots=True)
class Carried:
    """An order that a run listed and did not draft. `period` is the one in which it was listed first, `content` what it
    said when it was last listed (see ended_orders; "" in a row of an earlier version)."""

    order_id: str
    number: str
    period: str
    reason: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as NetSuite has it now, whatever its status: the letter, and its date (YYYY-MM-DD)."""

    order_id: str
    number: str
    status: str
    date: str


@dataclass(frozen=True, slots=True)
class Outstanding:
    """An order that waits outside this run's listing. `period` is the one in which it was listed first, `reason` why it
    was not drafted then, `state` a sentence about how it is now."""

    order_id: str
    number: str
    period: str
    reason: str
    state: str


@dataclass(frozen=True, slots=True)
class CarriedGone:
    """An order that an earlier run listed and did not draft, and that was ended in NetSuite since. It is named once
    more, and leaves the list."""

    order_id: str
    number: str
    period: str
    state: str = ""


def not_asked(carried: Iterable[Carried], why: str) -> tuple[Outstanding, ...]:
    """Orders of which this run has not asked NetSuite, with the reason for that as their state."""
    return tuple(Outstanding(one.order_id, one.number, one.period, one.reason, why) for one in carried)


def outside_the_listing(
    carried: Iterable[Carried],
    states: Mapping[str, OrderState],
    statuses: Collection[str],
    listed_before: str,
) -> tuple[tuple[Outstanding, ...], tuple[CarriedGone, ...]]:
    """What has become of the orders that came back and were not listed: those that wait on, and those that were ended
    in NetSuite. `states` goes by internal id, `statuses` are the letters that are billed, `listed_before` (YYYY-MM-DD)
    is the listing's end."""
    waiting: list[Outstanding] = []
    gone: list[CarriedGone] = []
    for one in carried:
        now = states.get(one.order_id)
        if now is not None and now.status in _ENDED - set(statuses):
            said = f"{STATUS_NAMES[now.status]} in NetSuite."
            gone.append(CarriedGone(one.order_id, now.number or one.number, one.period, said))
            continue
        number = now.number if now is not None and now.number else one.number
        said = _said(now, statuses, listed_before)
        waiting.append(Outstanding(one.order_id, number, one.period, one.reason, said))
    return tuple(waiting), tuple(gone)


def _said(now: OrderState | None, statuses: Collection[str], listed_before: str) -> str:
    if now is None:
        return "NetSuite no longer shows it: it was deleted, or the role may not see it."
    if now.status not in statuses:
        name = STATUS_NAMES.get(now.status, now.status or "unknown")
        return f"Its status in NetSuite is {name}, which is not billed."
    if now.date >= listed_before:
        return f"It is dated {now.date} now, after this billing period: a later run lists it."
    return "It does not match this run's filter any more, and no other cycle has listed it."
