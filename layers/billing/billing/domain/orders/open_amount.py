"""How much of an order is still to be billed, line by line, in minor units.

The rules and their reasons: docs/decisions/0003-open-amount.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.domain.money.money import rule_of
from billing.domain.orders.row_values import CellUnreadable, number
from billing.domain.orders.sales_order import LineRole, SalesOrder, SalesOrderLine
from billing.domain.orders.tax_base import TAXABLE, Parts, round_to, tax_choices, tax_parts

_EVERYTHING_IS_FULFILLED: Final = "F"
"""Status Pending Billing: whatever of the order is fulfilled at all has been."""

_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line with its open part: `amount` in minor units (signed), `quantity` what is open of it or None."""

    line: SalesOrderLine
    amount: int
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What is to be billed of an order now; `lines` is empty when nothing is. `notes` are (code, message) pairs.

    `undelivered` names what is not billed because it was not delivered, line by line. `tax_unknown` are tax lines
    whose open part nobody can tell; they are not in `lines`. `unholdable` are lines whose open part, in minor units,
    Stripe cannot hold; they are in `lines` with an amount that must not be billed. `tax_choices` are the open parts, in
    minor units, that a tax line of unknown base may have. `in_part` says that something of the order is not billed now.
    """

    lines: tuple[OpenLine, ...]
    notes: tuple[tuple[str, str], ...]
    undelivered: tuple[str, ...] = ()
    tax_unknown: tuple[SalesOrderLine, ...] = ()
    unholdable: tuple[tuple[SalesOrderLine, Fraction], ...] = ()
    tax_choices: tuple[tuple[str, tuple[Fraction, ...]], ...] = ()
    in_part: bool = False


def open_quantity(line: SalesOrderLine) -> Decimal | None:
    """|quantity| less what NetSuite has billed, never below zero; None when nothing is measured.

    Source: SuiteQL transaction lines, where quantity is negative and quantitybilled positive on a sales
    order [likely]; both are magnitudes here.
    """
    if line.quantity is None:
        return None
    return max(line.quantity - line.billed, Decimal(0))


def undelivered_quantity(line: SalesOrderLine, status: str) -> Decimal:
    """What of the open quantity NetSuite would not bill yet, because it has not been fulfilled.

    Source: NetSuite bills what is fulfilled of an order in "Pending Billing/Partially Fulfilled", unless the
    accounting preference "Invoice in Advance of Fulfillment" is on; items that are not fulfilled at all, as services
    mostly are, are billed without. In "Pending Billing" nothing waits for fulfillment any more. SuiteQL's
    quantityshiprecv is positive [likely].
    """
    if status == _EVERYTHING_IS_FULFILLED or not line.fulfillable or line.closed or line.quantity is None:
        return Decimal(0)
    return max(line.quantity - max(line.fulfilled, line.billed), Decimal(0))


def open_fraction(line: SalesOrderLine) -> Fraction:
    """Between 0 and 1, exactly. A closed line is 0; a line that measures nothing is 1 until it is closed."""
    if line.closed:
        return Fraction(0)
    remaining = open_quantity(line)
    if remaining is None or not line.quantity:
        return Fraction(1)
    return Fraction(remaining) / Fraction(line.quantity)


def open_share(amount: int, fraction: Fraction, step: int | Fraction) -> Fraction:
    """The open part of `amount` (minor units), rounded half up to `step`, NetSuite's smallest amount.

    The part that is not open is by definition the rest, amount - open_share(...). So parts that are
    billed one after another are differences of one falling function and add up to the amount, never to
    more. For a negative amount the magnitude is rounded.
    """
    return round_to(amount * fraction, Fraction(step))


def netsuite_step(order: SalesOrder) -> Fraction:
    """NetSuite's smallest amount in this currency, in Stripe's minor units: 1 for USD, KWD and JPY, 100 for ISK.

    From the currency's own precision in NetSuite where it came with the order and the order's amounts have no more
    decimals than that; else from the decimals that the currency has. It may be finer than what Stripe holds (0.001
    KWD, 0.01 JPY).
    """
    rule = rule_of(order.currency)
    usual = Fraction(10 ** (rule.exponent - rule.decimals))
    if order.precision is None:
        return usual
    said = Fraction(10) ** (rule.exponent - order.precision)
    return said if all(line.amount % said == 0 for line in order.lines) else usual


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


def open_order(order: SalesOrder, in_advance: bool = False) -> OpenOrder:
    """What is to be billed of `order` now, in its own order of lines; amounts of 0 stay only for goods.

    `in_advance` says that NetSuite bills before it fulfils. Where it does not, what waits for fulfillment stays open:
    what is billed now is what is open less what stays open, each rounded as if it were all there is (open_share).
    """
    step = netsuite_step(order)
    goods = [line for line in order.lines if line.role is LineRole.GOODS]
    waiting = {line.id: _NONE if in_advance else undelivered_quantity(line, order.status) for line in goods}
    of_goods = {line.id: Parts(open_fraction(line), _share_of(line, waiting[line.id])) for line in goods}
    undelivered = tuple(_undelivered(line, waiting[line.id]) for line in goods if waiting[line.id])
    if goods and not any(_is_billed_now(of) for of in of_goods.values()):
        # Nothing that was sold is billed, so there is nothing for shipping, tax or a discount to go with.
        return OpenOrder((), (), undelivered)
    parts = _parts(order.lines, of_goods, step)
    taxes = tax_parts(order.lines, parts, _weighted(goods, parts), step)
    known = parts | {line_id: of for line_id, of in taxes.items() if of is not None}
    lines: list[OpenLine] = []
    unholdable: list[tuple[SalesOrderLine, Fraction]] = []
    for line in order.lines:
        if line.id not in known or not _is_billed_now(known[line.id]):
            continue
        exact = _amount_now(line, known[line.id], step)
        if exact % rule_of(order.currency).step:
            unholdable.append((line, exact))
        if line.role is LineRole.GOODS:
            remaining = open_quantity(line)
            lines.append(OpenLine(line, int(exact), None if remaining is None else remaining - waiting[line.id]))
        elif exact:
            lines.append(OpenLine(line, int(exact), None))
    unknown = tuple(line for line in order.lines if line.id in taxes and taxes[line.id] is None)
    taxed = [line for line in order.lines if line.role in TAXABLE and line.amount]
    choices = {line.id: tax_choices(line, taxed, parts, step) or [] for line in unknown}
    return OpenOrder(
        lines=tuple(lines),
        notes=tuple(_notes(order, known, undelivered, step)),
        undelivered=undelivered,
        tax_unknown=unknown,
        unholdable=tuple(unholdable),
        tax_choices=tuple((line.id, tuple(_amount_now(line, of, step) for of in choices[line.id])) for line in unknown),
        in_part=bool(unknown) or any(of.left - of.waits < 1 for of in known.values()),
    )


def needs_preview(order: SalesOrder, in_advance: bool) -> bool:
    """Whether only a part of `order` is billed now, so that NetSuite's own amounts of that part tell more than ours."""
    opened = open_order(order, in_advance)
    return bool(opened.lines) and opened.in_part and not billing_schedules(order, opened)


def billing_schedules(order: SalesOrder, opened: OpenOrder) -> list[str]:
    """The billing schedules by which something that is open is billed: the order's, else those of its lines."""
    if order.billing_schedule is not None:
        return [order.billing_schedule]
    found = {
        line.line.billing_schedule: f"{line.line.billing_schedule} on line {line.line.line or line.line.id}"
        for line in opened.lines
        if line.line.billing_schedule is not None
    }
    return list(found.values())


def _share_of(line: SalesOrderLine, quantity: Decimal) -> Fraction:
    return Fraction(quantity) / Fraction(line.quantity) if quantity and line.quantity else Fraction(0)


def _is_billed_now(of: Parts) -> bool:
    return of.left > of.waits


def _amount_now(line: SalesOrderLine, of: Parts, step: Fraction) -> Fraction:
    return open_share(line.amount, of.left, step) - open_share(line.amount, of.waits, step)


def _parts(lines: tuple[SalesOrderLine, ...], of_goods: dict[str, Parts], step: Fraction) -> dict[str, Parts]:
    """The parts of every line that can be billed but tax, by line id."""
    parts = dict(of_goods)
    whole_order = _weighted([line for line in lines if line.role is LineRole.GOODS], parts)
    bases = _bases_of_discounts(lines, step)
    for line in lines:
        if line.role in {LineRole.DISCOUNT, LineRole.MARKUP}:
            base = bases[line.id]
            follows = _weighted(base, parts) if base else whole_order
            parts[line.id] = _own_or(line, follows)
        elif line.role in {LineRole.SHIPPING, LineRole.PAYMENT}:
            parts[line.id] = _own_or(line, whole_order)
    return parts


def _own_or(line: SalesOrderLine, follows: Parts) -> Parts:
    """NetSuite's own word on the line where it has one (closed, or a billed quantity), else `follows`."""
    if line.closed or (line.quantity is not None and line.billed):
        left = open_fraction(line)
        return Parts(left, min(left, follows.waits))
    return follows


def _weighted(lines: list[SalesOrderLine], parts: Mapping[str, Parts]) -> Parts:
    """The parts of several lines together, by the size of their amounts; all of it is open when there are none."""
    weight = sum(abs(line.amount) for line in lines)
    if weight:
        return Parts(
            sum((abs(line.amount) * parts[line.id].left for line in lines), Fraction(0)) / weight,
            sum((abs(line.amount) * parts[line.id].waits for line in lines), Fraction(0)) / weight,
        )
    return Parts(Fraction(not lines or any(parts[line.id].left for line in lines)), Fraction(0))


def _bases_of_discounts(lines: tuple[SalesOrderLine, ...], step: Fraction) -> dict[str, list[SalesOrderLine]]:
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


def _is_of_whole_order(line: SalesOrderLine, above: list[SalesOrderLine], net: int, last: bool, step: Fraction) -> bool:
    """NetSuite's word where it came with the row. Else, below the last of the goods, the percentage tells:
    the discount is the order's when that share of the order's `net` so far gives its amount and that share
    of the line above does not."""
    if line.whole_order is not None:
        return line.whole_order
    percentage = percentage_of(line.rate)
    if not last or percentage is None:
        return False
    of_order = round_to(net * percentage, step)
    of_line = round_to(sum(each.amount for each in above) * percentage, step)
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


def _notes(
    order: SalesOrder, parts: Mapping[str, Parts], undelivered: tuple[str, ...], step: Fraction
) -> list[tuple[str, str]]:
    """What the approver must know of how the amounts came about."""
    notes: list[tuple[str, str]] = []
    now = {line_id: of.left - of.waits for line_id, of in parts.items()}
    if undelivered:
        notes.append(
            (
                "not_delivered",
                (
                    f"Not billed yet, because it was not delivered: {', '.join(undelivered)}. It is billed when "
                    "NetSuite shows it as fulfilled."
                ),
            )
        )
    if any(now.get(line.id, Fraction(1)) < 1 for line in order.lines):
        notes += _notes_on_part(order.lines, now)
    return notes + _notes_on_lines(order, parts, step)


def _notes_on_part(lines: tuple[SalesOrderLine, ...], now: Mapping[str, Fraction]) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    shared = [
        _named(line)
        for line in lines
        if line.role is not LineRole.GOODS and line.amount and 0 < now.get(line.id, Fraction(0)) < 1
    ]
    if shared:
        notes.append(
            (
                "shared_in_proportion",
                f"Only part of the order is billed; shared in proportion to that part: {', '.join(shared)}.",
            )
        )
    placed = [
        _named(line) for line in lines if line.role is LineRole.DISCOUNT and line.whole_order is None and line.amount
    ]
    if placed and len({now[line.id] for line in lines if line.role is LineRole.GOODS}) > 1:
        notes.append(
            (
                "discount_placed",
                (
                    "Only part of the order is billed and NetSuite did not say what these discounts apply to; "
                    f"each was taken with the line above it: {', '.join(placed)}."
                ),
            )
        )
    return notes


def _notes_on_lines(order: SalesOrder, parts: Mapping[str, Parts], step: Fraction) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    for line in order.lines:
        if line.role is not LineRole.GOODS:
            continue
        if line.quantity is not None and line.billed > line.quantity:
            notes.append(("billed_too_much", f"NetSuite has billed more than was ordered on {_named(line)}."))
        if line.fulfillable is None and order.status != _EVERYTHING_IS_FULFILLED and _is_billed_now(parts[line.id]):
            notes.append(
                (
                    "delivery_unknown",
                    (
                        f"NetSuite did not say whether {_named(line)} has to be delivered before it is billed; "
                        "it is billed in full."
                    ),
                )
            )
        of = parts[line.id]
        if any((line.amount * part / step).denominator == 2 for part in (of.left, of.waits)):
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


def _undelivered(line: SalesOrderLine, quantity: Decimal) -> str:
    return f"{quantity:f} of {line.quantity:f} on {_named(line)}"


def _named(line: SalesOrderLine) -> str:
    text = line.text or line.item_code or line.role.value
    return f"line {line.line or line.id} ({text[:60]})"
