"""What NetSuite's books say of the settlement's records, row by row. Filled by the adapter from SuiteQL.

Amounts are Decimals in major units of the record's currency; ids are NetSuite's internal ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from billing.domain.settlement.records import RecordType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BookedRecord:
    """A transaction. `total` is never below zero. `due` is what is open of an invoice, `unused` what is left of a
    payment or a memo. `account` is where its main line posts: receivables, Undeposited Funds, a bank. `currency` and
    `customer` are internal ids, `modified` is UTC (ISO), `period` the first and last day of its posting period.
    `posting` is false while an invoice waits for approval."""

    internal_id: str
    type: RecordType
    external_id: str
    customer: str
    currency: str
    total: Decimal
    on: date
    due: Decimal = Decimal(0)
    unused: Decimal = Decimal(0)
    account: str = ""
    modified: str = ""
    posting: bool = True
    voided: bool = False
    period: tuple[date, date] | None = None
    number: str = ""
    memo: str = ""


@dataclass(frozen=True, slots=True)
class BookedLines:
    """The lines of an invoice or a memo that share an item, added up: above zero is revenue, below zero takes it away.
    `item` is "" for lines without one."""

    record: str
    item: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedApply:
    """`amount` of the record is applied to the document."""

    record: str
    document: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedDepositPayment:
    """A payment or a refund that a deposit took out of Undeposited Funds. `deposit_external_id` is "" for a deposit
    that a person made."""

    deposit: str
    deposit_external_id: str
    payment: str


@dataclass(frozen=True, slots=True)
class BookedDepositLine:
    """Lines of a deposit on one account, added up: above zero is a cost (Cash Back), below zero adds to the deposit."""

    deposit: str
    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """A sales order: its status (a letter) and the quantity that was billed of all of its lines."""

    order_id: str
    status: str
    billed: Decimal


@dataclass(frozen=True, slots=True)
class BookedOrderInvoice:
    """What one invoice bills of a sales order: the quantity of all lines."""

    order_id: str
    invoice: str
    external_id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A transaction without an externalId that says it is of the same Stripe object: by its memo ("Stripe: in_..."), or
    by the Stripe number of an invoice that is there (`like`, its internal id)."""

    internal_id: str
    type: RecordType
    memo: str
    like: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that was read."""

    records: tuple[BookedRecord, ...] = ()
    lines: tuple[BookedLines, ...] = ()
    applies: tuple[BookedApply, ...] = ()
    deposited: tuple[BookedDepositPayment, ...] = ()
    deposit_lines: tuple[BookedDepositLine, ...] = ()
    orders: tuple[BookedOrder, ...] = ()
    order_invoices: tuple[BookedOrderInvoice, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()

    def and_also(self, more: Books) -> Books:
        """Both; a row that is in both counts once."""
        return Books(
            _once(self.records, more.records),
            _once(self.lines, more.lines),
            _once(self.applies, more.applies),
            _once(self.deposited, more.deposited),
            _once(self.deposit_lines, more.deposit_lines),
            _once(self.orders, more.orders),
            _once(self.order_invoices, more.order_invoices),
            _once(self.lookalikes, more.lookalikes),
        )

    def named(self, deposits: Mapping[str, str]) -> Books:
        """With deposits that people made under the name of their payout ({internal id: payout}), as if it were their
        externalId; one that has an externalId keeps it."""

        def name(internal_id: str, external_id: str) -> str:
            return external_id or deposits.get(internal_id, "")

        return replace(
            self,
            records=tuple(
                replace(one, external_id=name(one.internal_id, one.external_id))
                if one.type is RecordType.DEPOSIT
                else one
                for one in self.records
            ),
            deposited=tuple(
                replace(one, deposit_external_id=name(one.deposit, one.deposit_external_id)) for one in self.deposited
            ),
        )


def _once(mine: tuple[T, ...], theirs: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*mine, *theirs)))
