"""A sales order as NetSuite has it, in the domain's signs and units, and what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.domain.money.money import Money
from billing.domain.orders.due_date import DayOfMonth, NetDays
from billing.domain.orders.invoice_preview import InvoicePreview


class Reason(StrEnum):
    """Why an order is not billed by this run. The text is the reason code of a Problem."""

    ORDER_ID_UNREADABLE = "order_id_unreadable"
    ORDER_TWICE = "order_twice"
    EDITED_WHILE_LISTED = "edited_while_listed"
    FIELD_UNREADABLE = "field_unreadable"
    NUMBER_MISSING = "number_missing"
    DATE_MISSING = "date_missing"
    CUSTOMER_MISSING = "customer_missing"
    CURRENCY_MISSING = "currency_missing"
    CURRENCY_UNKNOWN = "currency_unknown"
    TOTAL_MISSING = "total_missing"
    AMOUNT_MISSING = "amount_missing"
    AMOUNT_UNREADABLE = "amount_unreadable"
    AMOUNT_NOT_REPRESENTABLE = "amount_not_representable"
    LINE_UNIDENTIFIED = "line_unidentified"
    LINE_TWICE = "line_twice"
    ITEM_TYPE_UNKNOWN = "item_type_unknown"
    QUANTITY_ZERO = "quantity_zero"
    NO_LINES = "no_lines"
    HEADER_DIFFERS = "header_differs"
    BILLED_PART_UNKNOWN = "billed_part_unknown"
    BILLING_SCHEDULE = "billing_schedule"
    NOT_DELIVERED = "not_delivered"
    TAX_BASE_UNKNOWN = "tax_base_unknown"
    SHARE_NOT_REPRESENTABLE = "share_not_representable"
    NOTHING_OPEN = "nothing_open"
    TOTAL_ZERO = "total_zero"
    TOTAL_NEGATIVE = "total_negative"
    PREVIEW_DIFFERS = "preview_differs"
    PART_NOT_POSITIVE = "part_not_positive"


class LineRole(StrEnum):
    """What a line does to the invoice; follows from its item type."""

    GOODS = "goods"
    DISCOUNT = "discount"
    MARKUP = "markup"
    PAYMENT = "payment"
    SHIPPING = "shipping"
    TAX = "tax"
    SUBTOTAL = "subtotal"
    GROUP_START = "group_start"
    GROUP_END = "group_end"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Client:
    """The order's customer. `emails` are the header's e-mail columns that hold something, by column name."""

    netsuite_id: str
    number: str
    name: str
    stripe_id: str | None
    emails: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """NetSuite's terms of payment. `due` is None when the row did not say when payment is due."""

    id: str | None
    name: str | None
    due: NetDays | DayOfMonth | None


@dataclass(frozen=True, slots=True)
class SalesOrderLine:
    """One line of an order.

    `id` is stable for the line's life (NetSuite's line unique key, else order id and line id). `amount`
    is in minor units of the order's currency, in the sense of an invoice: a sale is positive, a discount
    or payment negative, whatever sign NetSuite wrote. `quantity` and `billed` are magnitudes; `quantity`
    None means NetSuite measures nothing on this line. `whole_order` is True when NetSuite says that a
    discount belongs to the order and not to a line, None when it does not say. `tax_code` is the internal id
    of the code or group that the line is taxed by, `tax_rate` its rate in per cent; None when NetSuite does
    not say. `fulfillable` tells whether the item is fulfilled at all, None when that is not known; `fulfilled`
    is how much of it has been. `billing_schedule` names the line's own schedule (see order_lines).
    """

    id: str
    line: str
    role: LineRole
    item_id: str | None
    item_code: str | None
    text: str
    amount: int
    quantity: Decimal | None
    billed: Decimal
    closed: bool
    unit: str | None
    rate: str | None
    start: date | None
    end: date | None
    whole_order: bool | None
    tax_code: str | None = None
    tax_rate: Decimal | None = None
    fulfillable: bool | None = False
    fulfilled: Decimal = Decimal(0)
    billing_schedule: str | None = None


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """A readable order whose lines add up to its header.

    `total` is NetSuite's header total (transaction currency, with tax and shipping); `notes` are
    (code, message) pairs that the approver must see. `billing_schedule` names the schedule of the whole
    order, `next_bill` is the day on which NetSuite would bill it next. `precision` is how many decimals
    NetSuite's amounts of this currency have, None when it did not say. `preview` is the invoice that NetSuite
    would make of it now, where it was asked.
    """

    id: str
    number: str
    status: str
    ordered_on: date
    last_modified: str
    client: Client
    currency: str
    total: Money
    terms: Terms | None
    po_number: str | None
    memo: str | None
    start: date | None
    end: date | None
    lines: tuple[SalesOrderLine, ...]
    notes: tuple[tuple[str, str], ...]
    billing_schedule: str | None = None
    next_bill: date | None = None
    precision: int | None = None
    preview: InvoicePreview | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """An order that this run does not bill, with a sentence that names field, order and what to do.

    The message may hold amounts and names: it belongs in the report, never in a log. `total_minor` is
    what would have been billed where that is known, else the header's total, else None.
    """

    order_id: str
    order_number: str
    field: str
    reason_code: str
    message: str
    currency: str | None = None
    total_minor: int | None = None
    client_id: str | None = None
    client_name: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Every order that NetSuite listed, once: readable, or a problem."""

    orders: tuple[SalesOrder, ...]
    problems: tuple[Problem, ...]
