"""An order that was invoiced before and whose content has changed since: what of it is newly open, if that is clear.

What was billed is never billed again. Either the difference can be told for certain, and is billed on an invoice of its
own; or a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.domain.invoices.charge_limits import CHARGE_WARNINGS, with_charge_warnings
from billing.domain.invoices.line_text import LONGEST_LINE
from billing.domain.invoices.plan_record import InvoicePlan, PlanLine, PlanWarning, with_lines
from billing.domain.money.money import Money, round_half_up, rule_of
from billing.domain.money.price_text import plain
from billing.domain.text import truncate

NEWLY_OPEN: Final = "newly_open"
WHAT_TO_DO: Final = "Compare the two, bill or credit the difference by hand, and end the order with that reason."
"""How a person ends an order is in the runbook."""

_QUANTITY: Final = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")
_LONGEST_SHOWN: Final = 60
_MOST_SENTENCES: Final = 8


class BilledUnreadable(ValueError):
    """What was billed before cannot be read: altered, or of another version."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """What was billed of one line so far: `amount` in minor units, signed; `quantity` a plain decimal, None where
    nothing is measured. `text` is only for naming the line to a person."""

    id: str
    quantity: str | None
    amount: int
    text: str = ""

    def __post_init__(self) -> None:
        if self.quantity is not None and not _QUANTITY.fullmatch(self.quantity):
            raise BilledUnreadable(f"line {self.id}: quantity {self.quantity[:_LONGEST_SHOWN]!r} is no plain decimal")

    @classmethod
    def of(cls, line: PlanLine) -> BilledLine:
        """What an invoice bills by this line."""
        return cls(line.id, line.quantity, line.amount, line.description)


@dataclass(frozen=True, slots=True)
class BilledBefore:
    """Everything that our drafted, live invoices of an order have billed, one entry per line id.

    `client_id` is NetSuite's internal id; `invoices` are Stripe's ids.
    """

    client_id: str
    currency: str
    lines: tuple[BilledLine, ...]
    invoices: tuple[str, ...]

    @property
    def total(self) -> int:
        """What they come to, in minor units."""
        return sum(line.amount for line in self.lines)

    @classmethod
    def from_lines(
        cls, client_id: str, currency: str, lines: Iterable[BilledLine], invoices: Iterable[str] = ()
    ) -> BilledBefore:
        """The sum of `lines` per id. A line that is measured on one invoice and not on another has no quantity."""
        return cls(client_id, currency, _summed(lines), tuple(dict.fromkeys(invoices)))


@dataclass(frozen=True, slots=True)
class MoreToBill:
    """`plan` bills only what is newly open, under a key of its own; `changes` are sentences for the approver."""

    plan: InvoicePlan
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """A person must decide: `changes` says what changed, `reason` why it is not billed by itself, and what to do."""

    changes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class NothingNew:
    """All of it is billed. `changes` are those that no invoice is written for."""

    changes: tuple[str, ...]


def plan_supplement(plan: InvoicePlan, before: BilledBefore, number: int) -> MoreToBill | Unclear | NothingNew:
    """What is newly open of `plan`, the order as it is now, beyond `before`. Pure.

    `number` counts the additional invoices of the plan from 1: "order-500-more-1". It must be one that the ledger has
    not drafted yet. Raises ValueError below 1.

    What is billed is, line by line, what the line is now less what was billed of it, so that both together are what the
    order says. It is clear under these rules, and a person decides otherwise:

    1. Client and currency are those of the invoices before: amounts of others have no difference.
    2. Every line that was billed is still there. One that vanished may have been taken back, replaced, or billed in
       NetSuite; the order does not say which.
    3. A line of goods that has grown has grown in quantity, at the price that it had: one unit price, rounded half up
       to the currency's smallest amount, gives both amounts. At the same quantity, more money is another price, and
       whether that holds for what was billed already is not ours to say. Goods without a quantity cannot show why
       they cost more.
    4. A line that is new is billed whole, unless it reduces the invoice: that may be meant for what was billed before.
    5. Nothing has shrunk: less is a credit note, which is no invoice.
    6. Tax, shipping and discounts follow goods. They may change, or be new, only together with goods that grew, tax and
       shipping only upwards, a discount only downwards (more discount).
    7. Payments received have not changed: one received since may be meant for the invoice that exists.
    8. What comes out is above zero. Stripe would mark another one paid or turn it into credit.
    9. The order is on one invoice. Of one in parts (more than 250 lines), a new line moves others from part to part,
       and a line that is new here may be billed there.

    Where nothing is billed differently but texts, terms or lines without a price, nothing is billed again.

    `plan` must leave out what NetSuite alone has billed and nothing else: what NetSuite has billed of what we drafted
    is the same goods, and would be subtracted twice (billed_union).
    """
    if number < 1:
        raise ValueError(f"the number of an additional invoice counts from 1, not {number}")
    named = _order_of(plan)
    other = _other_payer(plan, before)
    if other is not None:
        return Unclear((other,), _ask(named, [other], (), plan, before))
    compared = _Compared(plan.currency)
    compared.compare(plan, before)
    changes = tuple(compared.changes)
    if not compared.doubts:
        compared.doubts += _doubts_on_the_whole(plan, compared)
    if compared.doubts:
        clear = [one for one in changes if one not in compared.doubts]
        return Unclear(changes, _ask(named, compared.doubts, clear, plan, before))
    if not compared.goods_grew:
        return NothingNew(changes or ("Lines, quantities and amounts are those that were billed.",))
    return MoreToBill(_additional(plan, compared.more, before, number, compared.changes), changes)


@dataclass(slots=True)
class _Compared:
    """The lines of an order as it is now against what was billed of them. `more` is the difference, line by line;
    `doubts` are sentences about what is not clear."""

    currency: str
    changes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    more: list[PlanLine] = field(default_factory=list)
    goods_grew: bool = False
    others_changed: bool = False

    def compare(self, plan: InvoicePlan, before: BilledBefore) -> None:
        known = {line.id: line for line in before.lines}
        for line in plan.lines:
            billed = known.pop(line.id, None)
            if billed is None:
                self._new(line)
            elif line.kind == "item":
                self._goods(line, billed)
            else:
                self._follower(line, billed.amount, _name(line))
        for vanished in known.values():
            # Its number was the order's then, and its key is none that a person sees: its text says which it was.
            name = f"The line {_quoted(vanished.text)}" if vanished.text else "A line"
            self._doubt(f"{name}: {self._money(vanished.amount)} was billed, and it is no longer open on the order.")

    def _new(self, line: PlanLine) -> None:
        name = _name(line)
        if line.kind != "item":
            self._follower(line, 0, f"{name} is new")
        elif line.amount < 0:
            self._doubt(f"{name} is new and reduces the invoice by {self._money(-line.amount)}.")
        else:
            self.changes.append(f"{name} is new: {self._money(line.amount)}.")
            self._add(line, line.amount > 0)

    def _goods(self, line: PlanLine, billed: BilledLine) -> None:
        name, grown = _name(line), line.amount - billed.amount
        was, now = _quantity(billed.quantity), _quantity(BilledLine.of(line).quantity)
        amounts = f"{self._money(billed.amount)} was billed, it is {self._money(line.amount)} now"
        if grown == 0 and was == now:
            return
        if was is None or now is None:
            self._doubt(f"{name}: {amounts}, and there is no quantity on both to tell why.")
        elif grown < 0 or now < was:
            self._doubt(f"{name} has shrunk: {amounts}, for {billed.quantity} then and {line.quantity} now.")
        elif now == was:
            self._doubt(f"{name} has another price: {amounts}, for the same quantity of {line.quantity}.")
        elif not _one_price(billed.amount, was, line.amount, now, rule_of(self.currency).step):
            self._doubt(f"{name} has another price: {amounts}, for {billed.quantity} then and {line.quantity} now.")
        else:
            self.changes.append(f"{name} has grown from {billed.quantity} to {line.quantity}: {amounts}.")
            self._add(_additional_goods(line, now - was, grown, self.currency), grown > 0)

    def _follower(self, line: PlanLine, billed: int, name: str) -> None:
        """Tax, shipping, discount, payment; `billed` is 0 for a new one."""
        changed = line.amount - billed
        if changed == 0:
            return
        was = f"{name}: {self._money(billed)} was billed, it is {self._money(line.amount)} now."
        if line.kind == "payment":
            self._doubt(f"{was} A payment may be meant for the invoice that exists.")
        elif (changed > 0) == (line.kind == "discount"):
            self._doubt(f"{was} That is less {'discount' if line.kind == 'discount' else line.kind} than before.")
        else:
            self.changes.append(was)
            self.others_changed = True
            self._add(_additional_amount(line, changed) if billed else line, False)

    def _add(self, line: PlanLine, grew: bool) -> None:
        self.more.append(line)
        self.goods_grew = self.goods_grew or grew

    def _doubt(self, sentence: str) -> None:
        self.changes.append(sentence)
        self.doubts.append(sentence)

    def _money(self, minor: int) -> str:
        return str(Money(minor, self.currency))


def _doubts_on_the_whole(plan: InvoicePlan, compared: _Compared) -> list[str]:
    """What is wrong although every line for itself is clear (rules 6, 8 and 9)."""
    if len({line.id for line in plan.lines}) < len(plan.lines):
        return ["The order names a line twice."]
    if compared.others_changed and not compared.goods_grew:
        return ["Tax, shipping or a discount changed, and no goods with it."]
    if not compared.goods_grew:
        return []
    total = sum(line.amount for line in compared.more)
    if total <= 0:
        return [f"What is new comes to {Money(total, plan.currency)}, which is no invoice."]
    if plan.parts > 1:
        return [f"It is billed in {plan.parts} parts, and a new line moves others from part to part."]
    return []


def _first(sentences: Sequence[str]) -> str:
    """As many as a person reads at once; all of them are in `changes`."""
    left = len(sentences) - _MOST_SENTENCES
    return " ".join([*sentences[:_MOST_SENTENCES], *([f"(And {left} more.)"] if left > 0 else [])])


def _other_payer(plan: InvoicePlan, before: BilledBefore) -> str | None:
    if plan.client.netsuite_id != before.client_id:
        return f"It was billed to the client {before.client_id} and is now for {plan.client.netsuite_id}."
    if plan.currency != before.currency:
        return f"It was billed in {before.currency.upper()} and is now in {plan.currency.upper()}."
    return None


def _ask(named: str, doubts: Sequence[str], clear: Sequence[str], plan: InvoicePlan, before: BilledBefore) -> str:
    """What a person has to judge, each thing once: why, what else changed, both amounts, and what to do."""
    invoices = ", ".join(before.invoices) or "an earlier invoice"
    why = _first(doubts) + (f" Also changed: {_first(clear)}" if clear else "")
    drafted = Money(before.total, before.currency)
    now = Money(plan.total, plan.currency)
    return (
        f"{named} was billed as {invoices} and has changed in a way that only a person can judge. {why} "
        f"We have billed {drafted} of it; without what NetSuite alone has billed it comes to {now} now. {WHAT_TO_DO}"
    )


def _quoted(text: str) -> str:
    return f'"{truncate(text, _LONGEST_SHOWN)}"'


def _order_of(plan: InvoicePlan) -> str:
    numbers = ", ".join(order.number for order in plan.orders)
    return f"{'Order' if len(plan.orders) == 1 else 'Orders'} {numbers[:200]}"


def _name(line: PlanLine) -> str:
    """ "line 2 (Consulting — 10 h × 100.00)": the order's own line number, never its key, which nobody sees."""
    text = truncate(line.description, _LONGEST_SHOWN)
    return f"line {line.netsuite.line} ({text})" if line.netsuite.line else f'the line "{text}"'


def _quantity(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _one_price(amount: int, quantity: Fraction, later_amount: int, later_quantity: Fraction, step: int) -> bool:
    """Whether one unit price gives both amounts, each rounded half up to `step`.

    An amount a of quantity q stands for the prices from (a - step/2) / q to (a + step/2) / q; the question is whether
    the two ranges overlap. The upper end does not belong to its range (half rounds up), so to touch is not enough. A
    quantity of 0 has no price.
    """
    if quantity <= 0 or later_quantity <= 0:
        return False
    apart = abs(amount * later_quantity - later_amount * quantity)
    return 2 * apart < step * (quantity + later_quantity)


def _additional_goods(line: PlanLine, quantity: Fraction, amount: int, currency: str) -> PlanLine:
    """`line` over the additional quantity and amount. Its unit price is said, or sent to Stripe, only where quantity
    times price is the amount (the former rounding may have left a smallest unit over)."""
    # A difference of two plain decimals is one: its denominator divides a power of ten.
    written = plain(_exact_decimal(quantity))
    rule = rule_of(currency)
    price = line.unit_amount
    if price is not None and round_half_up(Fraction(price) * 10**rule.exponent * quantity, rule.step) != amount:
        price = None
    minor = line.unit_amount_minor_decimal
    if minor is not None:
        product = Fraction(minor) * quantity
        # A half is accepted only where half up and half to even agree, as in order_plan.
        if round_half_up(product) != amount or round(product) != amount:
            minor = None
    return replace(
        line,
        description=_additional_text(line, written, price, sent_as_quantity=minor is not None),
        amount=amount,
        quantity=written,
        unit_amount=price,
        unit_amount_minor_decimal=minor,
    )


def _additional_amount(line: PlanLine, amount: int) -> PlanLine:
    return replace(line, description=truncate(line.description, LONGEST_LINE - 20) + " (additional)", amount=amount)


def _additional_text(line: PlanLine, quantity: str, price: str | None, sent_as_quantity: bool) -> str:
    """ "Consulting — 15 h × 100.00" becomes "Consulting — additional 5 h × 100.00": the line's text ends in its whole
    quantity where line_text.describe wrote it there, and the client must not read that as what is billed now."""
    text, unit = line.description, ""
    if line.quantity is not None and line.unit_amount is not None:
        end = re.compile(f" — {re.escape(line.quantity)}( [^×]{{1,20}})? × {re.escape(line.unit_amount)}$")
        found = end.search(text)
        if found is not None:
            text, unit = text[: found.start()], found.group(1) or ""
    text = truncate(text, LONGEST_LINE - 120)
    if sent_as_quantity:
        return f"{text} (additional)"
    if price is not None:
        return f"{text} — additional {quantity}{unit} × {price}"
    return f"{text} — additional {quantity}{unit}"


def _additional(
    plan: InvoicePlan, more: Sequence[PlanLine], before: BilledBefore, number: int, changes: Sequence[str]
) -> InvoicePlan:
    """An invoice over `more` alone, which says to the approver that it is one. Warnings about the whole order's total
    are replaced by those about its own."""
    said = PlanWarning(
        NEWLY_OPEN,
        f"{_order_of(plan)} was billed as {', '.join(before.invoices) or 'an earlier invoice'}; only what is new since "
        f"is billed: {_first(changes)}",
    )
    kept = tuple(warning for warning in plan.warnings if warning.code not in CHARGE_WARNINGS)
    additional = replace(plan, key=f"{plan.key}-more-{number}", warnings=(said, *kept))
    return with_charge_warnings(with_lines(additional, more))


def _summed(lines: Iterable[BilledLine]) -> tuple[BilledLine, ...]:
    sums: dict[str, BilledLine] = {}
    for line in lines:
        known = sums.get(line.id)
        if known is None:
            sums[line.id] = line
            continue
        was, more = _quantity(known.quantity), _quantity(line.quantity)
        quantity = None if was is None or more is None else plain(_exact_decimal(was + more))
        sums[line.id] = replace(known, quantity=quantity, amount=known.amount + line.amount)
    return tuple(sums.values())


def _exact_decimal(value: Fraction) -> Decimal:
    """A sum or difference of plain decimals, exactly: the context's precision must not cut it."""
    places = 0
    while value.denominator != 1:
        value, places = value * 10, places + 1
    digits = tuple(int(digit) for digit in str(abs(value.numerator)))
    return Decimal((1 if value < 0 else 0, digits, -places))
