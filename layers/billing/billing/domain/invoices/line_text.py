"""What the client reads on an invoice line."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.domain.money.money import round_half_up, rule_of, terminating_decimal
from billing.domain.money.price_text import decimal_places, plain, price_text
from billing.domain.orders.open_amount import OpenLine
from billing.domain.orders.row_values import CellUnreadable, number
from billing.domain.orders.sales_order import LineRole
from billing.domain.text import truncate

LONGEST_LINE: Final = 5_000
LONGEST_DESCRIPTION: Final = 1_500
LONGEST_FOOTER: Final = 5_000
LONGEST_FIELD_VALUE: Final = 140
"""Stripe's limits: line description, invoice description, footer, custom field value."""

_PLACES_THAT_READ_PLAIN: Final = 4
_PLACES_OF_A_RATE: Final = 8
"""NetSuite rounds rates to eight decimals."""

_TEXT_OF_ROLE: Final[dict[LineRole, str]] = {
    LineRole.GOODS: "Item",
    LineRole.DISCOUNT: "Discount",
    LineRole.MARKUP: "Surcharge",
    LineRole.PAYMENT: "Payment received",
    LineRole.SHIPPING: "Shipping and handling",
    LineRole.TAX: "Tax",
}


def unit_price(line: OpenLine, currency: str) -> Decimal | None:
    """The price of one unit in major units, or None where there is none that a client could check.

    Two candidates: the row's `rate`, then NetSuite's amount divided by the quantity where that ends
    within eight decimals. NetSuite's `rate` may be in another currency or a percentage, so neither
    candidate is believed: quantity times price, rounded half up to the currency's smallest amount, must
    be NetSuite's amount for the whole line and again the billed amount for its open part. Lines of zero
    or less have no unit price.
    """
    quantity, opened = line.line.quantity, line.quantity
    if not quantity or not opened or line.amount <= 0:
        return None
    rule = rule_of(currency)
    minor_units = int(10**rule.exponent)
    derived = terminating_decimal(Fraction(line.line.amount, minor_units) / Fraction(quantity), _PLACES_OF_A_RATE)
    for price in (_rate(line.line.rate), derived):
        if price is None:
            continue
        minor = Fraction(price) * minor_units
        whole = round_half_up(minor * Fraction(quantity), rule.step)
        part = round_half_up(minor * Fraction(opened), rule.step)
        if whole == line.line.amount and part == line.amount:
            return price
    return None


def _rate(written: str | None) -> Decimal | None:
    try:
        rate = number({"rate": written}, "rate") if written is not None else None
    except CellUnreadable:
        return None
    if rate is None or decimal_places(plain(rate)) > _PLACES_OF_A_RATE:
        return None
    return abs(rate)


def describe(line: OpenLine, currency: str, show_quantity: bool) -> str:
    """ "Senior consultant — 7.25 h × 187.50".

    Quantity and price appear where both are plain (at most four decimals) and `show_quantity` is set.
    The unit appears only when NetSuite's unit name came with the row: a quantity alone does not say
    whether it counts hours. A single unit is not written as "1 × 100.00".
    """
    text = line.line.text or _TEXT_OF_ROLE[line.line.role]
    price = unit_price(line, currency)
    if show_quantity and price is not None and line.quantity is not None and line.quantity != 1:
        quantity = plain(line.quantity)
        rate = price_text(price, currency)
        if decimal_places(quantity) <= _PLACES_THAT_READ_PLAIN and decimal_places(rate) <= _PLACES_THAT_READ_PLAIN:
            unit = f" {line.line.unit}" if line.line.unit else ""
            return truncate(text, LONGEST_LINE - 100) + f" — {quantity}{unit} × {rate}"
    return truncate(text, LONGEST_LINE)
