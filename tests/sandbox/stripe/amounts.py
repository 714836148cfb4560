"""Stripe's arithmetic: line amounts, taxes, totals. Integers are minor units.

Line rounding: quantity times unit amount is rounded once, per line, to a whole minor unit, halves up ("0.05 *
30 = 1.5, which is then rounded up to 2 cents", Stripe's docs on decimal amounts). For negative products
nothing is documented; here halves go away from zero, so that a discount mirrors its charge.

Tax rounding: per line, halves up. Stripe can also round on the subtotal (an account setting); not modelled.
Automatic tax is not Stripe's: a flat rate of `AUTOMATIC_PERCENTAGE` wherever the customer's country is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tests.sandbox.stripe import currencies
from tests.sandbox.stripe.records import Invoice, Item, Json
from tests.sandbox.stripe.store import Store

AUTOMATIC_PERCENTAGE = Decimal(10)


@dataclass(frozen=True)
class Tax:
    """One tax on one line; `inclusive` means that the line's amount already holds it."""

    tax_rate: str
    amount: int
    taxable_amount: int
    inclusive: bool
    reason: str


@dataclass(frozen=True)
class Totals:
    """An invoice's sums, in minor units."""

    subtotal: int
    inclusive_tax: int
    exclusive_tax: int
    taxes: tuple[Tax, ...]
    invoice_discounts: int = 0
    """What discounts of the whole invoice take off; those of single lines are in the subtotal already."""
    shipping: int = 0
    """With its tax."""

    @property
    def total(self) -> int:
        return self.subtotal - self.invoice_discounts + self.exclusive_tax + self.shipping

    @property
    def total_excluding_tax(self) -> int:
        return self.total - self.inclusive_tax - self.exclusive_tax


def to_minor(amount: Decimal, step: int = 1) -> int:
    """Round halves away from zero to a multiple of `step` minor units."""
    return int((amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step


def line_amount(unit_amount: Decimal, quantity: Decimal) -> int:
    """A line's amount from its unit amount (minor units, up to 12 decimals) and quantity."""
    return to_minor(unit_amount * quantity)


def automatic_rate(store: Store, invoice: Invoice) -> tuple[Decimal, str] | None:
    """Percentage and reason for automatic tax, or None if the customer's place is not known."""
    customer = store.customers[invoice.customer]
    address = customer.get("address") or {}
    if not address.get("country"):
        return None
    exempt = customer.get("tax_exempt")
    if exempt == "exempt":
        return Decimal(0), "customer_exempt"
    if exempt == "reverse":
        return Decimal(0), "reverse_charge"
    return AUTOMATIC_PERCENTAGE, "standard_rated"


def automatic_tax_rate(store: Store, invoice: Invoice, inclusive: bool) -> str:
    """The id of the tax rate that automatic tax shows; made at need by `ensure_automatic_rates`."""
    rate = automatic_rate(store, invoice)
    percentage = rate[0] if rate else Decimal(0)
    country = (store.customers[invoice.customer].get("address") or {}).get("country") or "none"
    return f"txr_auto_{country}_{percentage:f}_{'inclusive' if inclusive else 'exclusive'}"


def line_taxes(store: Store, invoice: Invoice, item: Item) -> list[Tax]:
    """The taxes of one line: given amounts, else automatic tax, else the line's or the invoice's rates."""
    if item.tax_amounts is not None:
        return [
            Tax(tax.tax_rate, tax.amount, tax.taxable_amount,
            bool(store.tax_rates[tax.tax_rate]["inclusive"]),
                tax.taxability_reason)
            for tax in item.tax_amounts
        ]  # fmt: skip
    step = currencies.step(item.currency)
    if invoice.automatic_tax:
        found = automatic_rate(store, invoice)
        if found is None:
            return []
        inclusive = item.tax_behavior == "inclusive"
        base = 100 + found[0] if inclusive else Decimal(100)
        amount = to_minor(item.charged * found[0] / base, step)
        identifier = automatic_tax_rate(store, invoice, inclusive)
        return [Tax(identifier, amount, item.charged - (amount if inclusive else 0), inclusive, found[1])]
    rates = [store.tax_rates[identifier] for identifier in item.tax_rates or invoice.default_tax_rates]
    inside = sum((Decimal(str(rate["percentage"])) for rate in rates if rate["inclusive"]), Decimal(0))
    taxes: list[Tax] = []
    for rate in rates:
        percentage = Decimal(str(rate["percentage"]))
        base = 100 + inside if rate["inclusive"] else Decimal(100)
        taxes.append(_rated(item, rate, to_minor(item.charged * percentage / base, step), inside))
    return taxes


def _rated(item: Item, rate: Json, amount: int, inside: Decimal) -> Tax:
    taxable = to_minor(item.charged * 100 / (100 + inside)) if rate["inclusive"] else item.charged
    reason = "zero_rated" if rate["percentage"] == 0 else "standard_rated"
    return Tax(str(rate["id"]), amount, taxable, bool(rate["inclusive"]), reason)


def totals(store: Store, invoice: Invoice) -> Totals:
    """An invoice's sums over all its lines; taxes are joined per tax rate, as Stripe shows them."""
    items = store.lines(invoice.id)
    joined: dict[tuple[str, bool, str], Tax] = {}
    for item in items:
        for tax in line_taxes(store, invoice, item):
            key = (tax.tax_rate, tax.inclusive, tax.reason)
            sofar = joined.get(key)
            joined[key] = tax if sofar is None else Tax(
                tax.tax_rate, sofar.amount + tax.amount, sofar.taxable_amount + tax.taxable_amount,
                tax.inclusive, tax.reason,
            )  # fmt: skip
    taxes = tuple(joined.values())
    return Totals(
        subtotal=sum(item.amount for item in items) - _discounted(items, whole_invoice=False),
        inclusive_tax=sum(tax.amount for tax in taxes if tax.inclusive),
        exclusive_tax=sum(tax.amount for tax in taxes if not tax.inclusive),
        taxes=taxes,
        invoice_discounts=_discounted(items, whole_invoice=True),
        shipping=invoice.shipping_cost["amount_total"] if invoice.shipping_cost else 0,
    )


def _discounted(items: list[Item], *, whole_invoice: bool) -> int:
    return sum(one.amount for item in items for one in item.discounts if one.whole_invoice == whole_invoice)
