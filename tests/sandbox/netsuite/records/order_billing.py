"""What an invoice over a sales order, or over a part of it, holds: NetSuite's own arithmetic.

The part is made as an order of its own, with smaller quantities, and goes through the same rows as a whole order:
percentages, subtotals and taxes follow by themselves. Oracle's help: section_159795520083, section_157901123882.
What is not known of NetSuite (how fixed discounts, shipping and tax are shared) is an option of the stand-in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.sandbox.netsuite.options import Options
from tests.sandbox.netsuite.order_rows import LineNumbers, Lists, OrderRows, Row, Stamps, WorldIndex, order_rows
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.model import ZERO, Line, LineKind
from tests.sandbox.netsuite.world import (
    Charge,
    DiscountLine,
    GroupLine,
    HeaderDiscount,
    ItemLine,
    Order,
    SubtotalLine,
)
from tests.sandbox.netsuite.world import Line as OrderLine

Wish = Mapping[str, Any]
"""A line of the request's `item.items`, such as {"orderLine": 2, "quantity": Decimal("1.5")}."""

_TEXT_TYPES = frozenset({"Group", "EndGroup", "Subtotal", "Description"})
_COPIED_FIELDS = frozenset({"revRecStartDate", "revRecEndDate", "class", "department", "location"})


@dataclass(frozen=True)
class BilledOrder:
    """`lines` of the invoice; `quantities` newly billed by the order's line id; `left` = something stays open."""

    lines: list[Line]
    quantities: dict[int, Decimal]
    left: bool


@dataclass(frozen=True)
class Surroundings:
    """What a bill is made from besides the order: `billed` gives the amount that invoices of the record API
    have billed of an order's line so far (None: nothing)."""

    index: WorldIndex
    lists: Lists
    numbers: LineNumbers
    options: Options
    today: date
    billed: Callable[[int], Decimal | None]


@dataclass
class _Share:
    """Amounts of one stretch of an order: ordered, still open before this bill, and on this bill."""

    ordered: Decimal = ZERO
    open: Decimal = ZERO
    part: Decimal = ZERO

    def add(self, other: _Share) -> None:
        self.ordered += other.ordered
        self.open += other.open
        self.part += other.part

    @property
    def completes(self) -> bool:
        return self.part == self.open


def bill_order(order: Order, wishes: Sequence[Wish], around: Surroundings) -> BilledOrder:
    """Refused if NetSuite would not make this invoice. The order itself is not changed."""
    named: dict[int, Wish] = {}
    for wish in wishes:
        named[int(wish["orderLine"])] = wish
    partial = _Partial(order, named, around)
    part = partial.order()
    unknown = sorted(set(named) - partial.seen)
    if unknown:
        raise refusals.no_matching_line("item", "orderLine", str(unknown[0]))
    rows = _rows(part, around)
    tax_amounts = partial.tax_amounts(rows)
    if tax_amounts:
        part = replace(part, tax_amounts=tax_amounts)
        rows = _rows(part, around)
    lines = [
        _line(place, row, around, named)
        for place, row in enumerate((row for row in rows.lines if row["mainline"] == "F"), 1)
    ]
    _point_at_kits(lines, rows)
    return BilledOrder(lines, partial.quantities, partial.left)


def _rows(order: Order, around: Surroundings) -> OrderRows:
    by_line = around.options.tax_rounding == "line"
    numbers = copy.deepcopy(around.numbers)
    return order_rows(around.index, order, numbers, around.lists, around.today, Stamps("", ""), by_line)


class _Partial:
    """Cuts an order down to what is billed now."""

    def __init__(self, order: Order, named: dict[int, Wish], around: Surroundings) -> None:
        self._order = order
        self._named = named
        self._around = around
        currency = around.index.currencies.get(order.currency or "")
        self._unit = currency.minor_unit if currency else Decimal("0.01")
        self.seen: set[int] = set()
        self.quantities: dict[int, Decimal] = {}
        self.left = False
        self._total = _Share()

    def order(self) -> Order:
        lines: list[OrderLine] = []
        above = _Share()
        since_subtotal = _Share()
        for line in self._order.lines:
            if isinstance(line, SubtotalLine):
                above, since_subtotal = since_subtotal, _Share()
                self.seen.add(line.id)
                if above.part:
                    lines.append(line)
                continue
            kept, share = self._cut(line, above)
            lines.extend(kept)
            since_subtotal.add(share)
            if isinstance(line, (ItemLine, GroupLine)):
                self._total.add(share)
                above = share
        if not any(isinstance(line, (ItemLine, GroupLine)) for line in lines):
            raise refusals.access("You must enter at least one line item for this transaction.")
        options = self._around.options
        return replace(
            self._order,
            lines=tuple(lines),
            total=None,
            discount=self._header_discount(options.discount_sharing),
            shipping=self._charge("shipping", self._order.shipping),
            handling=self._charge("handling", self._order.handling),
            tax_amounts={},
        )

    def tax_amounts(self, part: OrderRows) -> dict[str, Decimal]:
        """An order whose tax was written down keeps that tax, in proportion to the taxed net."""
        if not self._order.tax_amounts:
            return {}
        whole = _rows(replace(self._order, tax_amounts={}), self._around).taxable
        found: dict[str, Decimal] = {}
        for code, amount in self._order.tax_amounts.items():
            net = whole.get(code, ZERO)
            found[code] = self._round(amount * part.taxable.get(code, ZERO) / net) if net else amount
        return found

    def _cut(self, line: OrderLine, above: _Share) -> tuple[list[OrderLine], _Share]:
        self.seen.add(line.id)
        if isinstance(line, ItemLine):
            kept, share = self._item(line)
            return ([kept] if kept else []), share
        if isinstance(line, DiscountLine):
            return self._discount(line, above)
        if isinstance(line, GroupLine):
            return self._group(line)
        return [line], _Share()

    def _group(self, line: GroupLine) -> tuple[list[OrderLine], _Share]:
        members: list[ItemLine | DiscountLine] = []
        whole, above = _Share(), _Share()
        for member in line.members:
            kept, share = self._cut(member, above)
            members.extend(each for each in kept if isinstance(each, (ItemLine, DiscountLine)))
            whole.add(share)
            if isinstance(member, ItemLine):
                above = share
        return ([replace(line, members=tuple(members))] if members else []), whole

    def _item(self, line: ItemLine) -> tuple[ItemLine | None, _Share]:
        amount = line.amount or ZERO
        kind = self._around.index.item_types[line.item]
        sign = -1 if kind in ("Payment", "Discount") else 1
        asked = self._asked(line.id)
        if line.quantity is None:
            return self._without_quantity(line, amount * sign, asked)
        open_quantity = ZERO if line.closed else max(line.quantity - line.billed, ZERO)
        available = min(open_quantity, self._shipped(line))
        quantity = available if asked is None else asked
        self._check_quantity(line, quantity, open_quantity, available)
        if quantity < open_quantity:
            self.left = True
        share = _Share(
            sign * amount,
            sign * self._line_part(line, amount, open_quantity),
            sign * self._line_part(line, amount, quantity),
        )
        if quantity <= 0:
            return None, share
        self.quantities[line.id] = quantity
        wish = self._named.get(line.id, {})
        if wish.get("amount") is not None:
            share.part = sign * abs(Decimal(wish["amount"]))
        elif wish.get("rate") is not None:
            share.part = sign * self._round(Decimal(wish["rate"]) * quantity)
        rate = line.rate if wish.get("rate") is None else Decimal(wish["rate"])
        fulfilled = line.fulfilled
        part = replace(line, quantity=quantity, amount=abs(share.part), rate=rate, billed=ZERO, fulfilled=fulfilled)
        return part, share

    def _shipped(self, line: ItemLine) -> Decimal:
        """What may be billed of a line for being fulfilled: all of it, but for goods on a partly shipped order."""
        waits = self._order.status in ("B", "D", "E") and line.item in self._around.index.fulfillable
        if not waits or self._around.options.advance_billing or line.fulfilled is None:
            return line.quantity or ZERO
        return max(line.fulfilled - line.billed, ZERO)

    def _check_quantity(self, line: ItemLine, quantity: Decimal, open_quantity: Decimal, available: Decimal) -> None:
        if quantity < 0:
            raise refusals.invalid_value(quantity, "quantity", "item.items.quantity")
        if quantity > open_quantity:
            raise refusals.access(
                f"Line {line.id} of the sales order has {_plain(open_quantity)} left to bill, not {_plain(quantity)}: "
                "the rest has already been processed."
            )
        if quantity > available:
            raise refusals.access(
                f"Line {line.id} of the sales order has {_plain(available)} fulfilled and not billed; "
                "Invoice in Advance of Fulfillment is off."
            )

    def _without_quantity(
        self, line: ItemLine, amount: Decimal, asked: Decimal | None
    ) -> tuple[ItemLine | None, _Share]:
        """An amount without a quantity is billed whole, once."""
        if line.closed or self._around.billed(line.id) is not None:
            return None, _Share(amount)
        if asked == 0:
            self.left = True
            return None, _Share(amount, amount)
        self.quantities[line.id] = ZERO
        return line, _Share(amount, amount, amount)

    def _line_part(self, line: ItemLine, amount: Decimal, quantity: Decimal) -> Decimal:
        """Quantity x rate, as NetSuite computes a line; by proportion where a person wrote another amount."""
        ordered = line.quantity or ZERO
        if quantity <= 0:
            return ZERO
        if quantity == ordered or ordered == 0:
            return amount
        if line.rate is not None and self._round(line.rate * ordered) == amount:
            return self._round(line.rate * quantity)
        return self._round(amount * quantity / ordered)

    def _asked(self, line_id: int) -> Decimal | None:
        wish = self._named.get(line_id)
        if wish is None or wish.get("quantity") is None:
            return None
        return Decimal(wish["quantity"])

    def _discount(self, line: DiscountLine, above: _Share) -> tuple[list[OrderLine], _Share]:
        options = self._around.options
        full = line.amount
        if full is None:
            full = self._round(above.ordered * (line.percent or ZERO) / 100)
            part = self._round(above.part * (line.percent or ZERO) / 100)
        else:
            part = self._shared(full, above, self._around.billed(line.id), options.discount_sharing)
        if line.closed or self._asked(line.id) == 0 or (above.ordered and not above.part):
            part = ZERO
        wish = self._named.get(line.id, {})
        if wish.get("amount") is not None:
            part = abs(Decimal(wish["amount"]))
            line = replace(line, percent=None)
        if not part:
            return [], _Share(-full)
        kept = line if line.percent is not None else replace(line, amount=part)
        open_part = self._round(full * above.open / above.ordered) if above.ordered else part
        return [kept], _Share(-full, -open_part, -part)

    def _header_discount(self, sharing: str) -> HeaderDiscount | None:
        discount = self._order.discount
        if discount is None or discount.percent is not None:
            return discount
        billed = self._around.billed(self._around.numbers.of("discount"))
        part = self._shared(discount.amount or ZERO, self._total, billed, sharing)
        return replace(discount, amount=part) if part else None

    def _charge(self, name: str, charge: Charge | None) -> Charge | None:
        if charge is None:
            return None
        billed = self._around.billed(self._around.numbers.of(name))
        part = self._shared(charge.amount, self._total, billed, self._around.options.shipping_sharing)
        return replace(charge, amount=part) if part else None

    def _shared(self, amount: Decimal, goods: _Share, billed: Decimal | None, sharing: str) -> Decimal:
        """This bill's part of a fixed amount that belongs to `goods`. `billed` of it was billed before."""
        before = abs(billed) if billed is not None else ZERO
        if sharing == "first":
            started = billed is not None or goods.open != goods.ordered
            return ZERO if started else amount
        if sharing == "last":
            return amount - before if goods.completes else ZERO
        if not goods.ordered or goods.part == goods.ordered:
            return amount - before
        if billed is None:
            before = self._round(amount * (goods.ordered - goods.open) / goods.ordered)
        if goods.completes:
            return amount - before
        return min(self._round(amount * goods.part / goods.ordered), amount - before)

    def _round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self._unit, rounding=ROUND_HALF_UP)


def _line(place: int, row: Row, around: Surroundings, named: Mapping[int, Wish]) -> Line:
    """One row of the part as a line of the invoice, numbered from 1."""
    order_line = int(str(row["id"]))
    kind, item_type = _kind(row, around)
    wish = named.get(order_line, {})
    fields = {name: value for name, value in row.items() if name.startswith("custcol")}
    fields |= {name: value for name, value in wish.items() if name.startswith("custcol") or name in _COPIED_FIELDS}
    amount = _number(row["foreignamount"])
    quantity = _number(row.get("quantity"))
    rate = row.get("rate")
    description = wish.get("description", row.get("memo"))
    return Line(
        line=place,
        kind=kind,
        item=int(str(row["item"])) if row["item"] is not None else None,
        item_type=item_type,
        amount=None if amount is None else -amount,
        quantity=None if quantity is None else -quantity,
        rate=None if rate is None else str(rate),
        description=None if description is None else str(description),
        tax_code=str(row["memo"]) if kind is LineKind.TAX else None,
        order_line=order_line,
        fields=fields,
    )


def _kind(row: Row, around: Surroundings) -> tuple[LineKind, str]:
    if row["taxline"] == "T":
        return LineKind.TAX, "TaxItem"
    item_type = _item_type(row, around.index)
    if row["transactiondiscount"] == "T":
        return LineKind.HEADER_DISCOUNT, item_type
    if row.get("kitmemberof") is not None:
        return LineKind.COMPONENT, item_type
    if item_type in _TEXT_TYPES:
        return LineKind.TEXT, item_type
    if item_type == "ShipItem" and row.get("quantity") is None:
        handling = row["id"] == around.numbers.by_name.get("handling")
        return (LineKind.HANDLING if handling else LineKind.SHIPPING), item_type
    return LineKind.ITEM, item_type


def _item_type(row: Row, index: WorldIndex) -> str:
    built_in = {-2: "Subtotal", -3: "Description", 0: "EndGroup"}
    item = int(str(row["item"])) if row["item"] is not None else -3
    if item in built_in:
        return built_in[item]
    return index.type_of(item)


def _point_at_kits(lines: list[Line], rows: OrderRows) -> None:
    new_numbers = {line.order_line: line.line for line in lines}
    for line, row in zip(lines, (row for row in rows.lines if row["mainline"] == "F"), strict=True):
        member_of = row.get("kitmemberof")
        if member_of is not None:
            line.kit_of = new_numbers[int(str(member_of))]


def _number(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise refusals.invalid_value(value, "amount") from None


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
