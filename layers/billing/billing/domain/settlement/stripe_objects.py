"""What Stripe says, as far as the settlement needs it. Filled by the adapter; the plan knows nothing else of Stripe.

Source: Stripe's API reference (Invoice, InvoicePayment, CreditNote, Refund, Dispute, BalanceTransaction, Payout,
CustomerBalanceTransaction). Amounts are integers of minor units, times are epoch seconds, ids are Stripe's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void", "deleted"]


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax on a line or on shipping. `inclusive` tax is part of the line's amount. `rate` is the tax rate's id, and
    country and jurisdiction are what it says of itself."""

    amount: int
    taxable: int
    inclusive: bool
    rate: str = ""
    country: str = ""
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on one line: `amount` above zero lowers it. `coupon` is the coupon's id ("" for none)."""

    amount: int
    discount: str
    coupon: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line of an invoice. `amount` is before discounts and exclusive tax, and includes inclusive tax."""

    id: str
    amount: int
    description: str = ""
    quantity: str | None = None
    period: tuple[int, int] | None = None
    price: str = ""
    one_time: bool = False
    proration: bool = False
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. `starting_balance` is the customer's balance before it: below zero is credit that it used up, above
    zero is debt that it collects. `paid_off_stripe` was paid out of band."""

    id: str
    status: InvoiceStatus
    customer: str
    currency: str
    live: bool
    number: str | None
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    created: int
    finalized_at: int | None = None
    effective_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    uncollectible_at: int | None = None
    due_date: int | None = None
    starting_balance: int = 0
    ending_balance: int = 0
    overpaid: int = 0
    paid_off_stripe: int = 0
    pre_payment_credit: int = 0
    post_payment_credit: int = 0
    revises: str | None = None
    revised_by: str | None = None
    shipping: int = 0
    shipping_taxes: tuple[Tax, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """A movement of the Stripe balance, in the currency in which it settles. `fees` are (type, amount)."""

    id: str
    type: str
    amount: int
    fee: int
    net: int
    currency: str
    created: int
    source: str = ""
    reporting_category: str = ""
    fees: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund of a charge. It has taken money only once it has a balance transaction (a pending one may have none),
    and money of a failed one is back only with its failure's balance transaction."""

    id: str
    charge: str
    amount: int
    currency: str
    created: int
    status: str
    balance_transaction: str | None = None
    failure_balance_transaction: str | None = None
    failed_at: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute. Only its balance transactions move money: an inquiry (`warning_*`, `prevented`) has none."""

    id: str
    charge: str
    amount: int
    currency: str
    created: int
    status: str
    movements: tuple[BalanceTransaction, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def withdrawn(self) -> BalanceTransaction | None:
        """The movement that took the money, if there was one."""
        return next((one for one in self._by_time() if one.amount < 0), None)

    @property
    def reinstated(self) -> BalanceTransaction | None:
        """The movement that brought it back, if there was one."""
        return next((one for one in self._by_time() if one.amount > 0), None)

    @property
    def moved_again(self) -> bool:
        """Whether money was taken or brought back more than once, which no rule here is made for."""
        taken = [one for one in self.movements if one.amount < 0]
        back = [one for one in self.movements if one.amount > 0]
        return len(taken) > 1 or len(back) > 1

    def _by_time(self) -> list[BalanceTransaction]:
        return sorted(self.movements, key=lambda one: (one.created, one.id))


@dataclass(frozen=True, slots=True)
class Charge:
    """A successful charge. `failed_later_at` is set where the money was taken back after it had succeeded (an ACH debit
    that was returned); the movement's type is `payment_failure_refund`."""

    id: str
    customer: str | None
    amount: int
    currency: str
    created: int
    live: bool = True
    method: str = "card"
    email: str | None = None
    name: str | None = None
    failed_later_at: int | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """What an invoice was paid with. `amount` is what of it went to this invoice; `charge` is None for a payment that
    Stripe did not process (a payment record)."""

    id: str
    amount: int
    paid_at: int
    charge: Charge | None


@dataclass(frozen=True, slots=True)
class CreditNoteLine:
    """A line of a credit note: of an invoice's line, or custom (`invoice_line` is "")."""

    amount: int
    description: str = ""
    invoice_line: str = ""
    taxes: tuple[Tax, ...] = ()
    discount: int = 0


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A credit note. `pre_payment` lowered what was due; of `post_payment`, `refunds` is what was refunded,
    `to_balance` became the customer's credit balance and `out_of_band` was given back outside Stripe."""

    id: str
    number: str
    status: Literal["issued", "void"]
    total: int
    pre_payment: int
    post_payment: int
    created: int
    effective_at: int | None = None
    voided_at: int | None = None
    out_of_band: int = 0
    to_balance: int = 0
    refunds: tuple[tuple[str, int], ...] = ()
    lines: tuple[CreditNoteLine, ...] = ()
    shipping: int = 0
    shipping_taxes: tuple[Tax, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BalanceEntry:
    """An entry of the customer's balance. Below zero is credit for the customer."""

    id: str
    type: str
    amount: int
    created: int
    credit_note: str | None = None
    invoice: str | None = None


@dataclass(frozen=True, slots=True)
class BilledLine:
    """What our own ledger says an invoice bills of one sales order line. `kind` is item, tax, shipping, discount or
    payment; `order_line` is NetSuite's line number then, `item` its item's internal id ("" where it is not known)."""

    line_id: str
    kind: str
    order_line: str
    quantity: str | None
    amount: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class BilledOrder:
    """A sales order of ours and its share of one Stripe invoice, from the metadata of the invoice's lines. For the
    revision of an invoice it is the order's share of the invoice that was drafted first. `billed_again` says that a
    later invoice of ours bills the same goods, because this one was voided."""

    order_id: str
    order_number: str
    netsuite_customer: str
    lines: tuple[BilledLine, ...]
    billed_again: bool = False

    @property
    def total(self) -> int:
        """Minor units."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """Everything about one invoice. `balance` are the entries of the customer's balance that belong to it, and
    `balance_history` all of the customer's, oldest first, read only where the invoice used credit. `orders` is empty
    for an invoice that is not of our monthly run."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]
    payments: tuple[InvoicePayment, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()
    balance: tuple[BalanceEntry, ...] = ()
    balance_history: tuple[BalanceEntry, ...] = ()
    orders: tuple[BilledOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """A charge that pays no invoice."""

    charge: Charge


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout. `amount` is what reached the bank (below zero: what was taken from it), in the bank's currency."""

    id: str
    amount: int
    currency: str
    status: str
    automatic: bool
    reconciliation_status: str
    arrival_date: int
    created: int
    live: bool = True
    method: str = "standard"
    destination: str = ""
    original_payout: str | None = None
    trace_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RootOfCharge:
    """What a charge belongs to: the invoice that it pays, or itself; with the metadata that the block and allow lists
    look at."""

    root: str
    metadata: Mapping[str, str]
    charge_metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PayoutMember:
    """One movement inside a payout, with the metadata of its charge. `root` (the invoice or the charge that it belongs
    to) and `blocked` (whether that is kept out of the settlement) are found out only where NetSuite lacks the member's
    record: see Planner."""

    movement: BalanceTransaction
    root: str = ""
    refund: str = ""
    charge: str = ""
    dispute: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class PayoutFacts:
    """A payout and every movement in it but its own row. `earlier` are payouts to the same bank account that were not
    above zero and wait for this one, oldest first; `members` has their movements too. Only under the policy
    negative_payout = "group". `deposited`: NetSuite has its deposit, or may have it."""

    payout: Payout
    members: tuple[PayoutMember, ...]
    earlier: tuple[Payout, ...] = ()
    deposited: bool = False
