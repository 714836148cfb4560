"""How much of an order is still to be billed, line by line, in minor units.

The rules and their reasons: docs/decisions/0003-open-amount.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.domain.money import round_half_up
from billing.domain.row_values import CellUnreadable, number
from billing.domain.sales_order import LineRole, SalesOrder, SalesOrderLine


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line with its open part: `amount` in minor units (signed), `quantity` what is open of it or None."""

    line: SalesOrderLine
    amount: int
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What is open of an order; `lines` is empty when nothing is. `notes` are (code, message) pairs."""

    lines: tuple[OpenLine, ...]
    notes: tuple[tuple[str, str], ...]


def open_quantity(line: SalesOrderLine) -> Decimal | None:
    """|quantity| less what NetSuite has billed, never below zero; None when nothing is measured.

    Source: SuiteQL transaction lines, where quantity is negative and quantitybilled positive on a sales
    order [likely]; both are magnitudes here.
    """
    if line.quantity is None:
        return None
    return max(line.quantity - line.billed, Decimal(0))


def open_fraction(line: SalesOrderLine) -> Fraction:
    """Between 0 and 1, exactly. A closed line is 0; a line that measures nothing is 1 until it is closed."""
    if line.closed:
        return Fraction(0)
    remaining = open_quantity(line)
    if remaining is None or not line.quantity:
        return Fraction(1)
    return Fraction(remaining) / Fraction(line.quantity)


def open_share(amount: int, fraction: Fraction, step: int) -> int:
    """The open part of `amount` (minor units), rounded half up to the currency's `step`.

    The part that is not open is by definition the rest, amount - open_share(...). So parts that are
    billed one after another are differences of one falling function and add up to the amount, never to
    more. For a negative amount the magnitude is rounded.
    """
    return round_half_up(amount * fraction, step)


def lines_of_unknown_state(order: SalesOrder) -> tuple[str, ...]:
    """The lines of which nobody can tell whether NetSuite has billed them already.

    A line without a quantity has no billed quantity either. That is harmless while NetSuite has billed
    nothing of the order; once it has, such a line may be on that invoice, and billing it could be billing
    it twice.
    """
    goods = [line for line in order.lines if line.role is LineRole.GOODS]
    if not any(line.billed for line in goods):
        return ()
    return tuple(_named(line) for line in goods if line.quantity is None and line.amount and not line.closed)


def open_order(order: SalesOrder, step: int) -> OpenOrder:
    """The open lines of `order` in its own order of lines; amounts of 0 stay only for goods."""
    fractions = _fractions(order.lines, step)
    partly = any(0 < fraction < 1 for fraction in fractions.values())
    lines: list[OpenLine] = []
    notes: list[tuple[str, str]] = []
    for line in order.lines:
        if line.id not in fractions or not fractions[line.id]:
            continue
        amount = open_share(line.amount, fractions[line.id], step)
        if line.role is LineRole.GOODS:
            lines.append(OpenLine(line, amount, open_quantity(line)))
        elif amount:
            lines.append(OpenLine(line, amount, None))
    if not any(open_line.line.role is LineRole.GOODS for open_line in lines) and _has_goods(order.lines):
        # Nothing that was sold is open, so there is nothing for shipping, tax or a discount to go with.
        return OpenOrder((), ())
    if partly or any(fractions.get(line.id) == 0 for line in order.lines):
        notes += _notes_on_part(order.lines, fractions)
    notes += _notes_on_lines(order.lines, fractions, step)
    return OpenOrder(tuple(lines), tuple(notes))


def _has_goods(lines: tuple[SalesOrderLine, ...]) -> bool:
    return any(line.role is LineRole.GOODS for line in lines)


def _fractions(lines: tuple[SalesOrderLine, ...], step: int) -> dict[str, Fraction]:
    """The open fraction of every line that can be billed, by line id."""
    goods = [line for line in lines if line.role is LineRole.GOODS]
    fractions = {line.id: open_fraction(line) for line in goods}
    whole_order = _weighted(goods, fractions)
    bases = _bases_of_discounts(lines, step)
    for line in lines:
        if line.role in {LineRole.DISCOUNT, LineRole.MARKUP}:
            base = bases[line.id]
            follows = _weighted(base, fractions) if base else whole_order
            fractions[line.id] = _own_or(line, follows)
        elif line.role in {LineRole.SHIPPING, LineRole.PAYMENT}:
            fractions[line.id] = _own_or(line, whole_order)
    net = _net_fraction(lines, fractions, whole_order)
    for line in lines:
        if line.role is LineRole.TAX:
            fractions[line.id] = net
    return fractions


def _own_or(line: SalesOrderLine, follows: Fraction) -> Fraction:
    """NetSuite's own word on the line where it has one (closed, or a billed quantity), else `follows`."""
    if line.closed or (line.quantity is not None and line.billed):
        return open_fraction(line)
    return follows


def _weighted(lines: list[SalesOrderLine], fractions: dict[str, Fraction]) -> Fraction:
    """The open fraction of several lines together, by the size of their amounts; 1 when there are none."""
    weight = sum(abs(line.amount) for line in lines)
    if not weight:
        return Fraction(1) if not lines or any(fractions[line.id] for line in lines) else Fraction(0)
    return sum((abs(line.amount) * fractions[line.id] for line in lines), Fraction(0)) / weight


def _net_fraction(lines: tuple[SalesOrderLine, ...], fractions: dict[str, Fraction], otherwise: Fraction) -> Fraction:
    """The open fraction of the net amount (goods, markups and discounts), which tax follows."""
    taxed = [line for line in lines if line.role in {LineRole.GOODS, LineRole.DISCOUNT, LineRole.MARKUP}]
    whole = sum(line.amount for line in taxed)
    if whole <= 0:
        return otherwise
    part = sum((line.amount * fractions[line.id] for line in taxed), Fraction(0)) / whole
    return part if 0 <= part <= 1 else otherwise


def _bases_of_discounts(lines: tuple[SalesOrderLine, ...], step: int) -> dict[str, list[SalesOrderLine]]:
    """What each discount or markup applies to; an empty list is the whole order.

    Source: NetSuite help, "Discount Items" and "Subtotal Items": a discount applies to the line directly
    above it; below a subtotal, to the lines that the subtotal adds up; below an item group's end, to the
    group. A second discount in a row applies to the same lines as the first. A discount of the whole order
    is a line like any other, below the last of the goods (see _is_of_whole_order).
    """
    bases: dict[str, list[SalesOrderLine]] = {}
    above: list[SalesOrderLine] = []
    since_subtotal: list[SalesOrderLine] = []
    group: list[SalesOrderLine] = []
    net = 0
    goods_to_come = sum(line.role is LineRole.GOODS for line in lines)
    for line in lines:
        if line.role is LineRole.GOODS:
            above = [line]
            since_subtotal.append(line)
            group.append(line)
            goods_to_come -= 1
        elif line.role is LineRole.SUBTOTAL:
            above, since_subtotal = since_subtotal, []
        elif line.role is LineRole.GROUP_START:
            group = []
        elif line.role is LineRole.GROUP_END:
            above, group = group, []
        elif line.role in {LineRole.DISCOUNT, LineRole.MARKUP}:
            last = goods_to_come == 0
            bases[line.id] = [] if _is_of_whole_order(line, above, net, last, step) else above
        if line.role in {LineRole.GOODS, LineRole.DISCOUNT, LineRole.MARKUP}:
            net += line.amount
    return bases


def _is_of_whole_order(line: SalesOrderLine, above: list[SalesOrderLine], net: int, last: bool, step: int) -> bool:
    """NetSuite's word where it came with the row. Else, below the last of the goods, the percentage tells:
    the discount is the order's when that share of the order's `net` so far gives its amount and that share
    of the line above does not."""
    if line.whole_order is not None:
        return line.whole_order
    percentage = percentage_of(line.rate)
    if not last or percentage is None:
        return False
    of_order = round_half_up(net * percentage, step)
    of_line = round_half_up(sum(each.amount for each in above) * percentage, step)
    return abs(line.amount) == of_order != of_line


def percentage_of(rate: str | None) -> Fraction | None:
    """A written percentage ("-10.0%") as a fraction without its sign; None for anything else."""
    if rate is None or not rate.endswith("%"):
        return None
    try:
        percent = number({"rate": rate[:-1].strip()}, "rate")
    except CellUnreadable:
        return None
    return None if percent is None else abs(Fraction(percent)) / 100


def _notes_on_part(lines: tuple[SalesOrderLine, ...], fractions: dict[str, Fraction]) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    shared = [
        _named(line)
        for line in lines
        if line.role is not LineRole.GOODS and line.amount and 0 < fractions.get(line.id, Fraction(0)) < 1
    ]
    if shared:
        notes.append(
            (
                "shared_in_proportion",
                f"The order is partly billed; shared in proportion to what is open: {', '.join(shared)}.",
            )
        )
    placed = [
        _named(line) for line in lines if line.role is LineRole.DISCOUNT and line.whole_order is None and line.amount
    ]
    if placed and len({fractions[line.id] for line in lines if line.role is LineRole.GOODS}) > 1:
        notes.append(
            (
                "discount_placed",
                (
                    "The order is partly billed and NetSuite did not say what these discounts apply to; "
                    f"each was taken with the line above it: {', '.join(placed)}."
                ),
            )
        )
    return notes


def _notes_on_lines(
    lines: tuple[SalesOrderLine, ...], fractions: dict[str, Fraction], step: int
) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    for line in lines:
        if line.quantity is not None and line.billed > line.quantity and line.role is LineRole.GOODS:
            notes.append(("billed_too_much", f"NetSuite has billed more than was ordered on {_named(line)}."))
        exact = line.amount * fractions.get(line.id, Fraction(0)) / step
        if exact.denominator == 2 and line.role is LineRole.GOODS:
            notes.append(
                (
                    "half_rounded_up",
                    (
                        f"The open share of {_named(line)} ends in half a smallest unit and was rounded up; "
                        "if NetSuite's own invoice was rounded up too, the two exceed the line by that unit."
                    ),
                )
            )
    return notes


def _named(line: SalesOrderLine) -> str:
    text = line.text or line.item_code or line.role.value
    return f"line {line.line or line.id} ({text[:60]})"
