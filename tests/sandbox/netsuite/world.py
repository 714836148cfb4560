"""What a world file says, typed: customers, items, currencies, terms, tax codes and sales orders.

Amounts are `Decimal` in the order's currency, positive as a person writes them; `order_rows` turns them into
NetSuite's rows and signs. Reading a file is `world_loader`.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

RawValue = str | int | Decimal | None
"""A column's value put in as it is, past every rule; None makes the column null."""


@dataclass(frozen=True)
class RelativeDate:
    """A day counted from the month of the world's clock: month -1, day 12 = the 12th of last month.

    A day the month lacks becomes its last day.
    """

    month: int
    day: int

    def on(self, today: date) -> date:
        months = today.year * 12 + today.month - 1 + self.month
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(self.day, last))


WorldDate = date | RelativeDate


def resolve_date(value: WorldDate, today: date) -> date:
    """The calendar day that a world's date means on `today`."""
    return value.on(today) if isinstance(value, RelativeDate) else value


@dataclass(frozen=True)
class Currency:
    """`symbol` is the ISO code, `name` what NetSuite shows ("US Dollar"), `decimals` those of its amounts."""

    id: int
    symbol: str
    name: str
    decimals: int
    exchange_rate: Decimal = Decimal(1)

    @property
    def minor_unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.decimals)


@dataclass(frozen=True)
class Term:
    """Payment terms: net days, or due on a day of the month (`date_driven`)."""

    id: int
    name: str
    days_until_net_due: int | None = None
    date_driven: bool = False
    day_of_month_net_due: int | None = None
    due_next_month_if_within_days: int | None = None


@dataclass(frozen=True)
class Customer:
    """`number` is NetSuite's entityid; `category` and `subsidiary` are names, shown by BUILTIN.DF.

    `currencies` are the ISO codes the customer may be billed in; None: all of the account.
    """

    id: int
    number: str
    name: str | None
    is_person: bool = False
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    category: str | None = None
    subsidiary: str | None = None
    inactive: bool = False
    custom: Mapping[str, RawValue] = field(default_factory=dict)
    currencies: tuple[str, ...] | None = None
    receivables_account: str | None = None


@dataclass(frozen=True)
class Item:
    """`type` is NetSuite's item type id: Service, InvtPart, NonInvtPart, OthCharge, Kit, Discount, ...

    `fulfillable` is its "Can be Fulfilled/Received". `income_account` is the account's name; None takes the chart's
    account for that type. The amount of a `non_posting` discount lowers the income of the line above instead of going
    to an account of its own.
    """

    id: int
    name: str
    type: str
    display_name: str | None = None
    description: str | None = None
    fulfillable: bool = False
    custom: Mapping[str, RawValue] = field(default_factory=dict)
    income_account: str | None = None
    non_posting: bool = False


@dataclass(frozen=True)
class TaxCode:
    """`rate` in per cent: Decimal("8.25")."""

    id: int
    name: str
    rate: Decimal


@dataclass(frozen=True)
class Component:
    """A member of a kit. `amount` is what NetSuite's component row carries; it would double the bill."""

    item: str
    quantity: Decimal
    amount: Decimal | None = None


@dataclass(frozen=True)
class ItemLine:
    """An ordinary line. `amount` is None only in a lenient order; `billed` and `fulfilled` are quantities."""

    id: int
    item: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    billed: Decimal = Decimal(0)
    fulfilled: Decimal | None = None
    closed: bool = False
    tax_code: str | None = None
    description: str | None = None
    components: tuple[Component, ...] = ()
    department: str | None = None
    class_name: str | None = None
    location: str | None = None
    unit: str | None = None
    service_start: WorldDate | None = None
    service_end: WorldDate | None = None
    billing_schedule: str | None = None
    custom: Mapping[str, RawValue] = field(default_factory=dict)
    raw: Mapping[str, RawValue] = field(default_factory=dict)


@dataclass(frozen=True)
class DiscountLine:
    """A discount on the line above: `percent` of it, or `amount`. Both positive."""

    id: int
    item: str
    percent: Decimal | None
    amount: Decimal | None
    closed: bool = False
    tax_code: str | None = None
    description: str | None = None
    raw: Mapping[str, RawValue] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupLine:
    """An item group: a header without an amount, its members, and an end that repeats their sum."""

    id: int
    item: str
    members: tuple[ItemLine | DiscountLine, ...]
    quantity: Decimal = Decimal(1)
    description: str | None = None


@dataclass(frozen=True)
class SubtotalLine:
    """Repeats the sum of the lines above it, back to the subtotal before."""

    id: int
    description: str | None = None


@dataclass(frozen=True)
class TextLine:
    """A description line: words, no amount."""

    id: int
    text: str


Line = ItemLine | DiscountLine | GroupLine | SubtotalLine | TextLine


@dataclass(frozen=True)
class Charge:
    """Shipping or handling: a positive amount, with the name of the method."""

    amount: Decimal
    item: str
    tax_code: str | None = None


@dataclass(frozen=True)
class HeaderDiscount:
    """A discount on the whole order: `percent` of its lines, or `amount`. Both positive."""

    item: str
    percent: Decimal | None
    amount: Decimal | None
    tax_code: str | None = None


@dataclass(frozen=True)
class Order:
    """One sales order. `customer` is the customer's number, `terms` the terms' name, `currency` ISO.

    `tax_amounts` overrides the computed tax per code; `total` the computed header total. `raw` puts values
    into the transaction's row as they are. `billing_schedule` is a name, `next_bill` the day that it says next.
    """

    id: int
    number: str
    status: str
    date: WorldDate
    customer: str | None
    currency: str | None
    lines: tuple[Line, ...]
    terms: str | None = None
    exchange_rate: Decimal | None = None
    po_number: str | None = None
    memo: str | None = None
    email: str | None = None
    external_id: str | None = None
    start_date: WorldDate | None = None
    end_date: WorldDate | None = None
    created: WorldDate | None = None
    modified: str | None = None
    subsidiary: str | None = None
    shipping: Charge | None = None
    handling: Charge | None = None
    discount: HeaderDiscount | None = None
    tax_amounts: Mapping[str, Decimal] = field(default_factory=dict)
    total: Decimal | None = None
    billing_schedule: str | None = None
    next_bill: WorldDate | None = None
    lenient: bool = False
    custom: Mapping[str, RawValue] = field(default_factory=dict)
    raw: Mapping[str, RawValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Subsidiary:
    """`currency` is the ISO code of its books."""

    name: str
    currency: str


@dataclass(frozen=True)
class GLAccount:
    """An account of the general ledger. `type` is NetSuite's: Bank, AcctRec, OthCurrAsset, Income, ...

    `currency` (ISO) binds a bank account; `subsidiary` (a name) binds any account; None binds nothing.
    """

    number: str
    name: str
    type: str
    currency: str | None = None
    subsidiary: str | None = None
    id: int | None = None


@dataclass(frozen=True)
class PeriodState:
    """What is closed of one month; `month` is its first day, or counted from the month of the world's clock."""

    month: WorldDate
    closed: bool = False
    ar_locked: bool = False
    allow_non_gl_changes: bool = False


@dataclass(frozen=True)
class ExchangeRate:
    """Units of the first currency's per one of `currency` (ISO), from `day` on."""

    currency: str
    day: WorldDate
    rate: Decimal


@dataclass(frozen=True)
class PaymentMethod:
    name: str


@dataclass(frozen=True)
class World:
    """A whole account. `orders` in the file's order; `order_sources` keeps each order as it was written,
    with the line ids filled in, so that an edit can be merged into it and checked again."""

    account: str
    time_zone: str
    currencies: tuple[Currency, ...]
    terms: tuple[Term, ...]
    customers: tuple[Customer, ...]
    items: tuple[Item, ...]
    tax_codes: tuple[TaxCode, ...]
    orders: tuple[Order, ...]
    order_sources: Mapping[str, Mapping[str, object]]
    options: Mapping[str, object] = field(default_factory=dict)
    subsidiaries: tuple[Subsidiary, ...] = ()
    accounts: tuple[GLAccount, ...] = ()
    accounting_periods: tuple[PeriodState, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()
    payment_methods: tuple[PaymentMethod, ...] = ()
