"""What NetSuite should hold: records to be, and what keeps one from being written. No amounts are floats: an amount is
an integer of Stripe's minor units of the record's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class RecordType(StrEnum):
    """NetSuite's record types, as REST's paths write them."""

    INVOICE = "invoice"
    CREDIT_MEMO = "creditMemo"
    PAYMENT = "customerPayment"
    REFUND = "customerRefund"
    DEPOSIT = "deposit"


class Phase(StrEnum):
    """The order in which a pass writes: nothing is applied to what does not exist yet."""

    INVOICES = "invoices"
    CREDITS = "credits"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    DEPOSIT = "deposit"


PHASES: tuple[Phase, ...] = tuple(Phase)


class ItemRole(StrEnum):
    """Which of the policy's items a line uses."""

    PRICE = "price"  # the item of the Stripe price
    ORDER_LINE = "order_line"  # the item of a sales order's line; `stripe_id` is "order id/line's unique key"
    ONE_TIME = "one_time"
    UNLINKED = "unlinked"
    SHIPPING = "shipping"
    DISCOUNT = "discount"
    TAX = "tax"
    BALANCE = "balance"
    BALANCE_DEBIT = "balance_debit"
    PARTIAL_REFUND = "partial_refund"
    DISPUTE = "dispute"
    CUSTOM_CREDIT = "custom_credit"
    BAD_DEBT = "bad_debt"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True)
class ItemRef:
    """An item by the policy's role and, for prices, discounts and taxes, by Stripe's id of it. `item_id` is NetSuite's
    internal id where the plan knows it already (a line of an invoice that exists)."""

    role: ItemRole
    stripe_id: str = ""
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One item line. `amount` is signed. `rev_rec` is the first and the last day of the service, both included.
    `taxable` is set on a line of tax: the amount it was worked out from; `stripe_line` is then the line it taxes."""

    item: ItemRef
    amount: int
    description: str = ""
    quantity: str | None = None
    rev_rec: tuple[date, date] | None = None
    stripe_line: str = ""
    taxable: int = 0


@dataclass(frozen=True, slots=True)
class TransformLine:
    """What an invoice takes from one line of its sales order: the line's number (`orderLine`), its key that never moves
    (`lineUniqueKey`), the quantity billed (None: the line has none), the amount that Stripe bills for it, and the
    internal id of its item ("" where our ledger did not keep it)."""

    order_line: str
    unique_key: str
    quantity: str | None
    amount: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class Transform:
    """An invoice made from a sales order. `other_lines` is what Stripe bills beside the order's goods, by kind (tax,
    shipping, discount, payment): NetSuite works them out again, and the preview must give the same sums. `kept` are the
    unique keys of discount and payment lines that Stripe bills: the transform leaves them to NetSuite."""

    order_id: str
    order_number: str
    lines: tuple[TransformLine, ...]
    other_lines: tuple[tuple[str, int], ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Apply:
    """`amount` (above zero) of this record is applied to the record with that externalId."""

    external_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class WriteBack:
    """NetSuite's internal id goes into this Stripe object's metadata under this key, once the record exists. Several
    records may share one key (the orders of a grouped invoice): see write_backs."""

    stripe_object: str
    key: str


@dataclass(frozen=True, slots=True)
class DepositPayment:
    """A payment (above zero) or a customer refund (below zero) that a deposit takes out of Undeposited Funds. `amount`
    is in the payout's currency; `external_id` names the record in NetSuite."""

    external_id: str
    amount: int
    movement: str


@dataclass(frozen=True, slots=True)
class DepositLine:
    """A line on an account: `amount` above zero adds to the deposit (Other Deposits), below zero takes from it (Cash
    Back). `account` is NetSuite's internal id."""

    account: str
    amount: int
    memo: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """What a deposit is made of. Its total is the sum of both."""

    payments: tuple[DepositPayment, ...]
    lines: tuple[DepositLine, ...] = ()

    @property
    def total(self) -> int:
        """Minor units of the payout's currency."""
        return sum(one.amount for one in self.payments) + sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class NetSuiteRecord:
    """A record that must exist, with what it is applied to.

    `amount` is the record's total, never below zero. `applies` is the whole truth, also for a record that exists: what
    is not in it is not applied (a payment that failed later is unapplied again; a memo may wait until its invoice is
    paid). `credits` is the invoice that a memo is about; a memo without `lines` takes that invoice's lines in
    proportion. `account` is "" for the account that the record type uses by itself.
    """

    type: RecordType
    phase: Phase
    external_id: str
    stripe_customer: str
    currency: str
    amount: int
    on: date
    memo: str
    netsuite_customer: str | None = None
    lines: tuple[RecordLine, ...] = ()
    applies: tuple[Apply, ...] = ()
    transform: Transform | None = None
    credits: str | None = None
    deposit: Deposit | None = None
    account: str = ""
    number: str | None = None
    due: date | None = None
    fields: tuple[tuple[str, str], ...] = ()
    write_backs: tuple[WriteBack, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Something a person decides. `name` is stable and has a paragraph in the runbook; `columns` are (what, in Stripe,
    in NetSuite) as a person reads them. `about` is the object that it is about, "" for the root itself."""

    name: str
    reason: str
    columns: tuple[tuple[str, str, str], ...] = ()
    about: str = ""

    @property
    def key(self) -> str:
        """What a person writes to say that it is settled: the name, or "name:object" (see resolved_holds)."""
        return f"{self.name}:{self.about}" if self.about else self.name


@dataclass(frozen=True, slots=True)
class SettlementPlan:
    """Everything about one root object. With a hold, records are still written as far as they do not depend on it:
    `records` never holds one that a hold forbids. `nothing_because` says why there is nothing to write."""

    root: str
    records: tuple[NetSuiteRecord, ...] = ()
    holds: tuple[Hold, ...] = ()
    nothing_because: str = ""
    waits_for: tuple[str, ...] = field(default=())

    def of(self, phase: Phase) -> tuple[NetSuiteRecord, ...]:
        """The records of one phase, in the order in which they are written."""
        return tuple(record for record in self.records if record.phase is phase)
