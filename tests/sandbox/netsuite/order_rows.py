"""Turns an order as a person writes it into NetSuite's transaction and line rows, with NetSuite's signs.

On a sales order in SuiteQL: `quantity` and `foreignamount` of item, shipping and tax lines are negative,
those of discount and payment lines positive; `quantitybilled` and `quantityshiprecv` are positive; the line
with mainline='T' carries the positive total, so that all lines that bill sum to zero. (Production SuiteQL
over transactionline; the record API shows the same lines positive.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.sandbox.netsuite.world import (
    Charge,
    Currency,
    DiscountLine,
    GroupLine,
    HeaderDiscount,
    Item,
    ItemLine,
    Line,
    Order,
    RawValue,
    SubtotalLine,
    TextLine,
    World,
    WorldDate,
    resolve_date,
)

Row = dict[str, RawValue]

SUBTOTAL_ITEM = -2
"""NetSuite's built-in Subtotal item; it has no row in `item`."""
DESCRIPTION_ITEM = -3
"""NetSuite's built-in Description item."""
END_OF_GROUP_ITEM = 0
"""The item number NetSuite writes on the line that ends a group."""

_UNIQUE_KEY_SPACE = 10_000


@dataclass
class LineNumbers:
    """Keeps the `id` of rows that NetSuite adds by itself (tax, shipping, end of group) stable over edits."""

    highest: int = 0
    by_name: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        if name not in self.by_name:
            self.highest += 1
            self.by_name[name] = self.highest
        return self.by_name[name]

    def raise_to(self, written: Iterable[int]) -> None:
        self.highest = max(self.highest, *written, 0)


@dataclass(frozen=True)
class OrderRows:
    """`total` is what the lines sum to, whatever the header says; `taxable` the net amount of each tax code."""

    header: Row
    lines: list[Row]
    total: Decimal
    taxable: dict[str, Decimal]


@dataclass(frozen=True)
class Stamps:
    """Created and last modified, as session-zone texts "YYYY-MM-DD HH:MM:SS"."""

    created: str
    modified: str


class Lists:
    """Numbers the names of simple lists (category, subsidiary, department, ...) in order of appearance."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, int]] = {}

    def id_of(self, record: str, name: str | None) -> int | None:
        if name is None:
            return None
        names = self._names.setdefault(record, {})
        return names.setdefault(name, len(names) + 1)

    def rows(self) -> dict[str, list[Row]]:
        return {
            record: [{"id": number, "name": name, "isinactive": "F"} for name, number in names.items()]
            for record, names in self._names.items()
        }


def midnight(day: date | None) -> str | None:
    return None if day is None else f"{day.isoformat()} 00:00:00"


def _on(day: WorldDate | None, today: date) -> str | None:
    return None if day is None else midnight(resolve_date(day, today))


def number_of(value: Decimal) -> str:
    """As NetSuite writes numbers: no trailing zeros, no exponent."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class WorldIndex:
    """The lists of a world by the names that orders use."""

    def __init__(self, world: World) -> None:
        self.customers = {customer.number: customer for customer in world.customers}
        self.terms = {term.name: term for term in world.terms}
        self.currencies = {currency.symbol: currency for currency in world.currencies}
        self.tax_rates = {code.name: code.rate for code in world.tax_codes}
        self.fulfillable = {item.name for item in world.items if item.fulfillable}
        self.item_types = {item.name: item.type for item in world.items}
        self.item_ids = {item.name: item.id for item in world.items}
        self.item_ids.update({code.name: code.id for code in world.tax_codes})
        self._types_by_id = {item.id: item.type for item in world.items}

    def add_item(self, item: Item) -> None:
        """Let orders and invoices name an item that was added after the world was loaded."""
        self.item_types[item.name] = item.type
        self.item_ids[item.name] = item.id
        self._types_by_id[item.id] = item.type
        if item.fulfillable:
            self.fulfillable.add(item.name)

    def type_of(self, item_id: int) -> str:
        """The type of an item by its id."""
        return self._types_by_id[item_id]


def order_rows(
    index: WorldIndex,
    order: Order,
    numbers: LineNumbers,
    lists: Lists,
    today: date,
    stamps: Stamps,
    tax_by_line: bool = False,
) -> OrderRows:
    """The rows of one order. `numbers` is updated with the ids of the rows that NetSuite adds.

    Tax is rounded once a code, or on each line if `tax_by_line`.
    """
    builder = _Builder(index, order, numbers, lists, today, tax_by_line)
    lines = builder.lines()
    header_total = builder.total if order.total is None else order.total
    customer = index.customers.get(order.customer or "")
    term = index.terms.get(order.terms or "")
    currency = index.currencies.get(order.currency or "")
    header: Row = {
        "id": order.id,
        "tranid": order.number,
        "type": "SalesOrd",
        "recordtype": "salesorder",
        "abbrevtype": "SALESORD",
        "trandisplayname": f"Sales Order #{order.number}",
        "status": order.status,
        "trandate": midnight(resolve_date(order.date, today)),
        "createddate": stamps.created,
        "lastmodifieddate": stamps.modified,
        "entity": customer.id if customer else None,
        "currency": currency.id if currency else None,
        "exchangerate": number_of(builder.exchange_rate),
        "foreigntotal": number_of(header_total),
        "terms": term.id if term else None,
        "otherrefnum": order.po_number,
        "memo": order.memo,
        "email": order.email,
        "externalid": order.external_id,
        "startdate": _on(order.start_date, today),
        "enddate": _on(order.end_date, today),
        "billingschedule": lists.id_of("billingschedule", order.billing_schedule),
        "nextbilldate": _on(order.next_bill, today),
        "posting": "F",
        "voided": "F",
        **order.custom,
        **order.raw,
    }
    main = builder.row("mainline", 0, None, header_total, mainline="T")
    main["memo"] = order.memo
    main["linesequencenumber"] = 0
    return OrderRows(header, [main, *lines], builder.total, builder.taxable)


class _Builder:
    """Collects one order's lines; `total` grows with every line that bills."""

    def __init__(
        self, index: WorldIndex, order: Order, numbers: LineNumbers, lists: Lists, today: date, tax_by_line: bool
    ) -> None:
        self.order = order
        self.numbers = numbers
        self.lists = lists
        self.today = today
        self.item_ids = index.item_ids
        self.currency = index.currencies.get(order.currency or "") or Currency(0, "", "", 2)
        self.exchange_rate = order.exchange_rate or self.currency.exchange_rate
        self.total = Decimal(0)
        self._rates = index.tax_rates
        self._types = index.item_types
        self.taxable: dict[str, Decimal] = {}
        self._tax_by_line = tax_by_line
        self._line_taxes: dict[str, Decimal] = {}
        self._sequence = 0
        customer = index.customers.get(order.customer or "")
        subsidiary = order.subsidiary or (customer.subsidiary if customer else None)
        self._subsidiary = lists.id_of("subsidiary", subsidiary)

    def lines(self) -> list[Row]:
        written: list[int] = []
        for line in self.order.lines:
            written.append(line.id)
            if isinstance(line, GroupLine):
                written.extend(member.id for member in line.members)
        self.numbers.raise_to(written)
        rows: list[Row] = []
        since_subtotal = Decimal(0)
        above: Decimal = Decimal(0)
        for line in self.order.lines:
            before = self.total
            if isinstance(line, SubtotalLine):
                rows.append(self._subtotal(line, since_subtotal))
                above, since_subtotal = since_subtotal, Decimal(0)
                continue
            rows.extend(self._rows(line, above))
            since_subtotal += self.total - before
            if not isinstance(line, (TextLine, DiscountLine)):
                above = self.total - before
        if self.order.discount:
            rows.append(self._header_discount(self.order.discount, self.total))
        for name, charge in (("shipping", self.order.shipping), ("handling", self.order.handling)):
            if charge:
                rows.append(self._charge(name, charge))
        rows.extend(self._taxes())
        return rows

    def row(
        self,
        name: str,
        line_id: int,
        item: int | None,
        amount: Decimal | None,
        **more: RawValue,
    ) -> Row:
        """One row with every flag at its default. `amount` is signed as NetSuite signs it."""
        base = None
        if amount is not None:
            base = (amount * self.exchange_rate).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        row: Row = {
            "transaction": self.order.id,
            "id": line_id,
            "uniquekey": self.order.id * _UNIQUE_KEY_SPACE + line_id,
            "linesequencenumber": self._sequence,
            "item": item,
            "foreignamount": None if amount is None else number_of(amount),
            "netamount": None if base is None else number_of(base),
            "isclosed": "F",
            "mainline": "F",
            "taxline": "F",
            "iscogs": "F",
            "donotdisplayline": "F",
            "transactiondiscount": "F",
            "kitcomponent": "F",
            "assemblycomponent": "F",
            "subsidiary": self._subsidiary,
        }
        row.update(more)
        if name != "mainline":
            self._sequence += 1
            row["linesequencenumber"] = self._sequence
        return row

    def _rows(self, line: Line, above: Decimal) -> list[Row]:
        if isinstance(line, ItemLine):
            return self._item(line)
        if isinstance(line, DiscountLine):
            return [self._discount(line, above)]
        if isinstance(line, GroupLine):
            return self._group(line)
        assert isinstance(line, TextLine)
        return [self.row("text", line.id, DESCRIPTION_ITEM, None, memo=line.text)]

    def _item(self, line: ItemLine) -> list[Row]:
        kind = self._types[line.item]
        sign = 1 if kind in ("Payment", "Discount") else -1
        amount = None if line.amount is None else sign * line.amount
        fulfilled = line.fulfilled
        if fulfilled is None:
            # "Pending Billing" and later: whatever is fulfilled at all has been.
            fulfilled = line.quantity if self.order.status in "FG" and line.quantity is not None else line.billed
        has_quantity = line.quantity is not None
        row = self.row(
            "item",
            line.id,
            self.item_ids[line.item],
            amount,
            memo=line.description,
            quantity=None if line.quantity is None else number_of(sign * line.quantity),
            rate=None if line.rate is None else number_of(-sign * line.rate),
            quantitybilled=number_of(line.billed) if has_quantity else None,
            quantityshiprecv=number_of(fulfilled) if has_quantity else None,
            isclosed="T" if line.closed else "F",
            department=self.lists.id_of("department", line.department),
            location=self.lists.id_of("location", line.location),
            units=self.lists.id_of("unitstypeuom", line.unit),
            revrecstartdate=_on(line.service_start, self.today),
            revrecenddate=_on(line.service_end, self.today),
            billingschedule=self.lists.id_of("billingschedule", line.billing_schedule),
            **self._taxed_by(line.tax_code),
        )
        row["class"] = self.lists.id_of("classification", line.class_name)
        row.update(line.custom)
        row.update(line.raw)
        if amount is not None:
            self._count(-amount, line.tax_code)
        components = [
            self.row(
                "component",
                self.numbers.of(f"component {line.id}.{place}"),
                self.item_ids[component.item],
                None if component.amount is None else -component.amount,
                quantity=number_of(-component.quantity * (line.quantity or Decimal(1))),
                quantitybilled="0",
                quantityshiprecv="0",
                kitcomponent="T" if kind == "Kit" else "F",
                assemblycomponent="T" if kind == "Assembly" else "F",
                kitmemberof=line.id,
            )
            for place, component in enumerate(line.components, 1)
        ]
        return [row, *components]

    def _discount(self, line: DiscountLine, above: Decimal) -> Row:
        amount = self._discounted(line.percent, line.amount, above)
        self._count(-amount, line.tax_code)
        return self.row(
            "discount",
            line.id,
            self.item_ids[line.item],
            amount,
            memo=line.description,
            rate=_discount_rate(line.percent, amount),
            isclosed="T" if line.closed else "F",
            **self._taxed_by(line.tax_code),
            **line.raw,
        )

    def _header_discount(self, discount: HeaderDiscount, lines_total: Decimal) -> Row:
        amount = self._discounted(discount.percent, discount.amount, lines_total)
        self._count(-amount, discount.tax_code)
        return self.row(
            "discount",
            self.numbers.of("discount"),
            self.item_ids[discount.item],
            amount,
            memo=discount.item,
            rate=_discount_rate(discount.percent, amount),
            transactiondiscount="T",
            **self._taxed_by(discount.tax_code),
        )

    def _discounted(self, percent: Decimal | None, amount: Decimal | None, base: Decimal) -> Decimal:
        if amount is not None:
            return amount
        return self._round(base * (percent or Decimal(0)) / 100)

    def _group(self, line: GroupLine) -> list[Row]:
        before = self.total
        quantity = number_of(-line.quantity)
        rows = [self.row("group", line.id, self.item_ids[line.item], None, memo=line.description, quantity=quantity)]
        above = Decimal(0)
        for member in line.members:
            start = self.total
            rows.extend(self._rows(member, above))
            if not isinstance(member, DiscountLine):
                above = self.total - start
        end = self.numbers.of(f"end of group {line.id}")
        rows.append(self.row("end", end, END_OF_GROUP_ITEM, -(self.total - before), memo=f"End of {line.item}"))
        return rows

    def _subtotal(self, line: SubtotalLine, amount: Decimal) -> Row:
        return self.row("subtotal", line.id, SUBTOTAL_ITEM, -amount, memo=line.description or "Subtotal")

    def _charge(self, name: str, charge: Charge) -> Row:
        self._count(charge.amount, charge.tax_code)
        return self.row(
            name,
            self.numbers.of(name),
            self.item_ids[charge.item],
            -charge.amount,
            memo=charge.item,
            rate=number_of(charge.amount),
            **self._taxed_by(charge.tax_code),
        )

    def _taxed_by(self, code: str | None) -> Row:
        """The columns by which a line says how it is taxed."""
        if code is None:
            return {}
        return {"taxcode": self.item_ids[code], "taxrate1": f"{number_of(self._rates[code])}%"}

    def _taxes(self) -> Sequence[Row]:
        rows: list[Row] = []
        for code in dict.fromkeys([*self.taxable, *self.order.tax_amounts]):
            rate = self._rates[code]
            amount = self.order.tax_amounts.get(code)
            if amount is None:
                amount = self._line_taxes[code] if self._tax_by_line else self._tax(code, self.taxable[code])
            self.total += amount
            rows.append(
                self.row(
                    "tax",
                    self.numbers.of(f"tax {code}"),
                    self.item_ids[code],
                    -amount,
                    memo=code,
                    rate=f"{number_of(rate)}%",
                    taxline="T",
                )
            )
        return rows

    def _count(self, amount: Decimal, tax_code: str | None) -> None:
        self.total += amount
        if tax_code is not None:
            self.taxable[tax_code] = self.taxable.get(tax_code, Decimal(0)) + amount
            own = self._tax(tax_code, amount)
            self._line_taxes[tax_code] = self._line_taxes.get(tax_code, Decimal(0)) + own

    def _tax(self, code: str, amount: Decimal) -> Decimal:
        return self._round(amount * self._rates[code] / 100)

    def _round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self.currency.minor_unit, rounding=ROUND_HALF_UP)


def _discount_rate(percent: Decimal | None, amount: Decimal) -> str:
    return number_of(-amount) if percent is None else f"-{number_of(percent)}%"
