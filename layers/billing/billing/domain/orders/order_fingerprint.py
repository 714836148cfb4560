"""Whether an order is still what was approved. A cheap mark of its state, taken at listing and again before
drafting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True, slots=True)
class OrderFingerprint:
    """What any edit, invoice or closing in NetSuite moves: the time of the last change, the status, and how much of its
    lines is billed and closed. `spread` weighs what is billed by the line's id, so that hours billed on one line and
    taken back on another do not cancel each other out. Whether billing moves the time of the last change is not
    certain, so it is not relied on.
    """

    last_modified: str
    status: str
    billed: Decimal
    closed: int
    spread: Decimal = Decimal(0)


def fingerprints_of_rows(rows: Iterable[Mapping[str, str]]) -> dict[str, OrderFingerprint]:
    """Stamps by order id, from the listing's rows (one row a line)."""
    heads: dict[str, tuple[str, str]] = {}
    billed: dict[str, Decimal] = {}
    spread: dict[str, Decimal] = {}
    closed: dict[str, int] = {}
    for row in rows:
        order_id = row.get("id", "")
        heads[order_id] = (row.get("lastmodified", ""), row.get("status", ""))
        quantity = number_in(row.get("quantitybilled"))
        billed[order_id] = billed.get(order_id, Decimal(0)) + quantity
        spread[order_id] = spread.get(order_id, Decimal(0)) + quantity * number_in(row.get("line"))
        closed[order_id] = closed.get(order_id, 0) + (row.get("isclosed") == "T")
    return {
        order_id: OrderFingerprint(head[0], head[1], billed[order_id], closed[order_id], spread[order_id])
        for order_id, head in heads.items()
    }


def only_billed(before: OrderFingerprint, now: OrderFingerprint | None) -> bool:
    """Whether something was billed of the order and its status and closed lines are what they were. The time of the
    last change may have moved by that."""
    if now is None or (now.status, now.closed) != (before.status, before.closed):
        return False
    return (now.billed, now.spread) != (before.billed, before.spread)


def what_changed(before: OrderFingerprint, now: OrderFingerprint | None) -> str | None:
    """A sentence about what happened since the listing, or None if nothing did. `now` is None for an order that
    NetSuite no longer has."""
    if now is None:
        return "It was deleted in NetSuite after it was listed."
    if now.status != before.status:
        return f"Its status in NetSuite went from {before.status} to {now.status} after it was listed."
    if (now.billed, now.spread) != (before.billed, before.spread):
        return "It was billed in NetSuite after it was listed."
    if now.closed != before.closed:
        return "Lines of it were closed or opened in NetSuite after it was listed."
    if now.last_modified != before.last_modified:
        return "It was edited in NetSuite after it was listed."
    return None


def number_in(text: str | None) -> Decimal:
    """The number in a SuiteQL value; an absent or unreadable one counts as nothing here."""
    try:
        value = Decimal(text or 0)
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)
