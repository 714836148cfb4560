"""One fault ends the reading of one order: what it is, and the problem that a person gets to read."""

from __future__ import annotations

from typing import Final

from billing.domain.money.money import AmountNotRepresentable, CurrencyUnknown, rule_of, to_minor
from billing.domain.orders import row_values
from billing.domain.orders.row_values import CellUnreadable, Row
from billing.domain.orders.sales_order import Problem, Reason
from billing.domain.text import one_line, truncate

_LONGEST_KEPT: Final = 80


class Unbillable(Exception):
    """Ends the reading of one order.

    `what` and `to_do` complete the sentence "Order SO-1001 <what>: <to_do>."
    """

    def __init__(self, field: str, reason: Reason, what: str, to_do: str) -> None:
        super().__init__(what)
        self.field = field
        self.reason = reason
        self.what = what
        self.to_do = to_do


def amount_in(row: Row, column: str, currency: str, which: str) -> int | None:
    """The cell in minor units, None when absent. Raises Unbillable naming `which` amount it is."""
    try:
        amount = row_values.number(row, column)
    except CellUnreadable as cell:
        raise Unbillable(
            column,
            Reason.AMOUNT_UNREADABLE,
            f"has an amount on {which} that {cell.what}",
            "correct it in NetSuite",
        ) from cell
    if amount is None:
        return None
    try:
        return to_minor(amount, currency)
    except AmountNotRepresentable as refused:
        # Without NetSuite's sign, which says nothing to a person who reads the order on the screen.
        written = f"{abs(refused.amount):f} {currency.upper()}"
        raise Unbillable(
            column,
            Reason.AMOUNT_NOT_REPRESENTABLE,
            f"has an amount of {written} on {which}, and {refused.why}",
            "change the amount in NetSuite, or bill it outside Stripe",
        ) from refused


def problem_of(order_id: str, header: Row, fault: Unbillable) -> Problem:
    """The problem of an order, as far as its header can be read."""
    number = briefly(header.get("tranid", ""))
    called = f"Order {number}" if number else f"The order with internal id {order_id or '(none)'}"
    currency, total = _readable_total(header)
    return Problem(
        order_id=order_id,
        order_number=number,
        field=fault.field,
        reason_code=fault.reason.value,
        message=f"{called} {fault.what}: {fault.to_do}.",
        currency=currency,
        total_minor=total,
        client_id=briefly(header["entity"]) if "entity" in header else None,
        client_name=briefly(header["clientname"]) if "clientname" in header else None,
    )


def briefly(text: str) -> str:
    """NetSuite's text, short and on one line, for a sentence."""
    return truncate(one_line(text), _LONGEST_KEPT)


def _readable_total(header: Row) -> tuple[str | None, int | None]:
    """Currency and header total as far as they can be read, for the report's sums."""
    currency = header.get("currencycode", "").lower()
    try:
        rule_of(currency)
        total = row_values.number(header, "foreigntotal")
        return currency, to_minor(total, currency) if total is not None else None
    except CurrencyUnknown:
        return None, None
    except (CellUnreadable, AmountNotRepresentable):
        return currency, None
