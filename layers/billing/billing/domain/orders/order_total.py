"""The order's own arithmetic: its lines must add up to its header."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.money.money import Money
from billing.domain.orders.sales_order import LineRole, SalesOrderLine

_COUNTED = frozenset(
    {
        LineRole.GOODS,
        LineRole.DISCOUNT,
        LineRole.MARKUP,
        LineRole.PAYMENT,
        LineRole.SHIPPING,
        LineRole.TAX,
    }
)


class HeaderDiffers(ValueError):
    """Lines, discount, shipping, handling and tax do not add up to the header's total."""


def in_invoice_sense(lines: tuple[SalesOrderLine, ...], total: Money) -> tuple[SalesOrderLine, ...]:
    """`lines` with the signs of an invoice: sales positive, discounts and payments negative.

    The check: lines + discount + shipping + handling + tax must equal the header's total to the minor
    unit (what the NetSuite Sales Order record defines as `total`).

    The sign: on a sales order SuiteQL's transaction lines carry the opposite sign of the header, REST's
    do not [likely, from several clients' production queries]. Since the header's total is positive, only
    one of the two readings can agree with it, so the arithmetic decides.

    Closed lines: whether a closed line stays in the header's total is [unsure], so an order passes when
    it adds up with them or without them; with them is tried first. Where it adds up only without them,
    NetSuite's shipping, discount and tax are for the other lines too, so the closed ones are left out of
    the answer. Closed lines are not billed either way.

    Raises HeaderDiffers with by how much.
    """
    still_open = tuple(line for line in lines if not line.closed)
    for counted in (lines, still_open):
        written = _sum(counted)
        for sign in (-1, 1):
            if sign * written == total.minor:
                return tuple(replace(line, amount=sign * line.amount) for line in counted)
    with_closed = _sum(lines)
    lines_total = min(-with_closed, with_closed, key=lambda candidate: abs(total.minor - candidate))
    difference = Money(abs(total.minor - lines_total), total.currency)
    side = "more" if lines_total > total.minor else "less"
    raise HeaderDiffers(
        f"has a header total of {total}, but its lines, discount, shipping, handling and tax add up to "
        f"{Money(lines_total, total.currency)}, which is {difference} {side}"
    )


def _sum(lines: tuple[SalesOrderLine, ...]) -> int:
    return sum(line.amount for line in lines if line.role in _COUNTED)
