"""The transactions that the record API writes, as the stand-in keeps them.

Amounts are Decimal in the transaction's currency. On a line an amount is positive if it raises the total of an
invoice or of a credit memo, as the record API shows it; SuiteQL's signs are made in `suiteql_rows`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Self

ZERO = Decimal(0)


class LineKind(Enum):
    """What a line does. TEXT lines (group headers and ends, subtotals, descriptions) and COMPONENT lines
    repeat or explain; only the others post."""

    ITEM = "item"
    HEADER_DISCOUNT = "header discount"
    SHIPPING = "shipping"
    HANDLING = "handling"
    TAX = "tax"
    COMPONENT = "component"
    TEXT = "text"

    @property
    def posts(self) -> bool:
        return self not in (LineKind.COMPONENT, LineKind.TEXT)


@dataclass
class Line:
    """A line of an invoice or a credit memo. `order_line` is the sales order's line it bills."""

    line: int
    kind: LineKind
    item: int | None
    item_type: str
    amount: Decimal | None
    quantity: Decimal | None = None
    rate: str | None = None
    description: str | None = None
    tax_code: str | None = None
    order_line: int | None = None
    kit_of: int | None = None
    tax_reference: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class CashLine:
    """A line of a deposit's Other (raises the total) or Cash Back (lowers it); `amount` is positive."""

    account: int
    amount: Decimal
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Transaction:
    """One saved (or, with id 0, previewed) transaction.

    `total` is what it is over: invoice and memo total, payment, refund or deposit amount. `account` is the A/R
    account of an invoice or memo, else where the money is. `receivable` is the A/R account in every case but a
    deposit's. `applies` says on a credit or a refund how much of which document it takes up. `deposited` maps
    a payment to its amount in the bank's currency (negative for a refund). `rate` is base units per unit.
    """

    record: str
    id: int
    currency: int
    subsidiary: int
    account: int
    date: date
    period: int
    rate: Decimal
    total: Decimal
    status: str | None
    entity: int | None = None
    receivable: int | None = None
    external_id: str | None = None
    tran_id: str | None = None
    created_from: int | None = None
    lines: list[Line] = field(default_factory=list)
    applies: dict[int, Decimal] = field(default_factory=dict)
    deposited: dict[int, Decimal] = field(default_factory=dict)
    other: list[CashLine] = field(default_factory=list)
    cashback: list[CashLine] = field(default_factory=list)
    tax_details: list[dict[str, Any]] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    created: datetime | None = None
    modified: datetime | None = None
    order_status_before: str | None = None

    def copy(self) -> Self:
        return copy.deepcopy(self)

    @property
    def pending(self) -> bool:
        return self.status in ("D", "E") and self.record == "invoice"


TYPE_OF = {
    "invoice": "CustInvc",
    "creditMemo": "CustCred",
    "customerPayment": "CustPymt",
    "customerRefund": "CustRfnd",
    "deposit": "Deposit",
    "salesOrder": "SalesOrd",
}
"""NetSuite's transaction type id, as SuiteQL's `type` shows it."""

NAME_OF = {
    "invoice": "Invoice",
    "creditMemo": "Credit Memo",
    "customerPayment": "Payment",
    "customerRefund": "Customer Refund",
    "deposit": "Deposit",
    "salesOrder": "Sales Order",
}

STATUS_WORDS = {
    "invoice": {"A": "Open", "B": "Paid In Full", "D": "Pending Approval", "E": "Rejected", "V": "Voided"},
    "creditMemo": {"A": "Open", "B": "Fully Applied", "V": "Voided"},
    "customerPayment": {"A": "Unapproved Payment", "B": "Not Deposited", "C": "Deposited", "R": "Rejected"},
    "customerRefund": {"R": "Rejected", "V": "Voided"},
    "deposit": {},
}
"""The status letters. A payment's letters are enumerated by the REST API Browser; their meanings are likely."""
