"""NetSuite's tax lines on an invoice, by the policy: NetSuite's own, Stripe's automatic tax, or none."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from billing.domain.invoices.billing_policy import TaxMode
from billing.domain.money.price_text import plain
from billing.domain.orders.row_values import CellUnreadable, number
from billing.domain.orders.sales_order import LineRole, SalesOrder, SalesOrderLine

_TAXABLE = frozenset({LineRole.GOODS, LineRole.DISCOUNT, LineRole.MARKUP, LineRole.SHIPPING})


def bills_tax_lines(mode: TaxMode) -> bool:
    """Whether NetSuite's tax lines become invoice lines.

    "netsuite": they do, and Stripe computes nothing. "stripe": they stay out, Stripe adds its own, and
    what is approved is net. "none": neither. No mode bills both.
    """
    return mode == "netsuite"


def tax_code(line: SalesOrderLine) -> str:
    """The tax item's code as NetSuite names it ("GST-AU"), or "Tax"."""
    return line.item_code or line.text or "Tax"


def tax_rate(line: SalesOrderLine, order: SalesOrder) -> str | None:
    """The rate as per cent, "10%" or "8.875%"; None when NetSuite gave none.

    A rate with a per cent sign is taken as it is. A bare number may be a fraction (0.1) or per cent (10),
    NetSuite's answers leave that open [unsure]; the reading closer to tax divided by net is taken.
    """
    if line.rate is None:
        return None
    try:
        rate = number({"rate": line.rate.removesuffix("%").strip()}, "rate")
    except CellUnreadable:
        return None
    if rate is None:
        return None
    percent = abs(rate)
    if not line.rate.endswith("%") and _reads_as_fraction(percent, line, order):
        percent *= 100
    return f"{plain(percent)}%"


def _reads_as_fraction(rate: Decimal, line: SalesOrderLine, order: SalesOrder) -> bool:
    net = sum(other.amount for other in order.lines if other.role in _TAXABLE)
    if net <= 0:
        return rate < 1
    actual = Fraction(abs(line.amount), net)
    return abs(actual - Fraction(rate)) < abs(actual - Fraction(rate) / 100)
