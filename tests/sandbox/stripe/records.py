"""What the stand-in stores: invoices and invoice items as records, simple objects as Stripe's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class TaxAmount:
    """A tax that the caller worked out: amount and base in minor units, under a tax rate of the store."""

    tax_rate: str
    amount: int
    taxable_amount: int
    taxability_reason: str


@dataclass(frozen=True)
class DiscountAmount:
    """What one discount takes off one line, in minor units; `whole_invoice` if the invoice carries the discount."""

    discount: str
    amount: int
    whole_invoice: bool


@dataclass
class Item:
    """An invoice item; on an invoice it shows as the line `line_id`. Money in minor units of `currency`.

    `unit_amount` may have a fraction of a minor unit. Lines of an invoice are sorted by `batch` (newest
    first), then by `place`. A deleted item stays, because Stripe still answers for it.
    """

    id: str
    line_id: str
    customer: str
    invoice: str | None
    created: int
    currency: str
    amount: int
    unit_amount: Decimal
    quantity: Decimal
    price: str
    product: str
    description: str | None
    discountable: bool
    metadata: dict[str, str]
    period_start: int
    period_end: int
    tax_rates: list[str] | None = None
    tax_amounts: list[TaxAmount] | None = None
    tax_behavior: str = "unspecified"
    discounts: list[DiscountAmount] = field(default_factory=list)
    subscription: str | None = None
    subscription_item: str | None = None
    proration: bool = False
    batch: int = 0
    place: int = 0
    deleted: bool = False

    @property
    def charged(self) -> int:
        """The amount after discounts, which tax is worked out on."""
        return self.amount - sum(discount.amount for discount in self.discounts)


@dataclass
class Invoice:
    """An invoice without its lines and totals, which are worked out from the items.

    `customer_frozen` holds the customer's printed data once finalized; before that they are read live.
    `amount_due` is what credit notes before payment have left of it; `amount_paid` never exceeds it, because what was
    paid beyond is `amount_overpaid` and on the customer's balance.
    """

    id: str
    created: int
    customer: str
    currency: str
    collection_method: str
    status: str = "draft"
    auto_advance: bool = False
    automatic_tax: bool = False
    automatically_finalizes_at: int | None = None
    custom_fields: list[Json] | None = None
    days_until_due: int | None = None
    default_tax_rates: list[str] = field(default_factory=list)
    description: str | None = None
    due_date: int | None = None
    effective_at: int | None = None
    footer: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    number: str | None = None
    payment_settings: Json = field(default_factory=dict)
    rendering: Json | None = None
    shipping_details: Json | None = None
    statement_descriptor: str | None = None
    customer_frozen: Json | None = None
    starting_balance: int = 0
    ending_balance: int | None = None
    amount_due: int = 0
    amount_paid: int = 0
    amount_overpaid: int = 0
    amount_paid_off_stripe: int = 0
    pre_payment_credit: int = 0
    post_payment_credit: int = 0
    attempt_count: int = 0
    shipping_cost: Json | None = None
    from_invoice: str | None = None
    latest_revision: str | None = None
    subscription: str | None = None
    billing_reason: str = "manual"
    attempted: bool = False
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    marked_uncollectible_at: int | None = None
    sent_at: list[int] = field(default_factory=list)

    @property
    def amount_remaining(self) -> int:
        """What is still to be paid of a finalized invoice."""
        return self.amount_due - self.amount_paid
