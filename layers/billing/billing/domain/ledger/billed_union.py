"""What has been billed of an order by us and in NetSuite, each hour counted once. Pure.

A draft of ours and an invoice in NetSuite may be about the same goods: an accountant bills there what we drafted, or a
settlement does it for us. Both numbers stand on the same line, and to subtract both from what was ordered would leave
goods unbilled without a word. So the ledger keeps, with the lines of each draft, what NetSuite had billed of them when
they were listed:

- what NetSuite had billed before our draft, the draft did not contain: the two add up;
- what NetSuite bills after it is the same goods as ours, as far as ours go; what goes beyond is NetSuite's alone.

`readings_of` gives the order as it would be had NetSuite billed only its own part. Its open part is then compared with
what we drafted (supplement), so that ordered = NetSuite's own + ours + still to bill.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import chain

from billing.domain.ledger.ledger import BilledInvoice, OrderRecord
from billing.domain.money.price_text import plain
from billing.domain.orders.open_amount import lines_of_unknown_state, netsuite_step, open_share
from billing.domain.orders.sales_order import LineRole, SalesOrder, SalesOrderLine

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Readings:
    """An order with NetSuite's own part alone as billed: `least` if that is as little as it can be, `most` if it is as
    much as it can be. The two are equal where it is certain."""

    least: SalesOrder
    most: SalesOrder

    @property
    def certain(self) -> bool:
        return self.least == self.most


def netsuite_billed(order: SalesOrder) -> tuple[tuple[str, str], ...]:
    """What NetSuite has billed of each line of which it has billed something: (line id, quantity as a plain decimal).
    It is kept with a draft of this order."""
    return tuple((line.id, plain(line.billed)) for line in order.lines if line.billed)


def readings_of(order: SalesOrder, record: OrderRecord | None, removed: Collection[str]) -> Readings:
    """`order` without what NetSuite has billed of our own drafts. `removed` are drafts that a person deleted or voided;
    what NetSuite billed of them is NetSuite's alone.
    """
    live = {} if record is None else {id_: one for id_, one in record.billed.items() if id_ not in removed}
    if record is None or not live or _may_have_billed_what_has_no_quantity(order, live):
        return Readings(order, order)
    step = max(netsuite_step(order), Fraction(1))
    least, most = [], []
    for line in order.lines:
        own_least, own_most = _netsuites_own(line, order.id, record, live)
        least.append(_with_own_part(line, own_least, step))
        most.append(_with_own_part(line, own_most, step))
    return Readings(_with_lines(order, least), _with_lines(order, most))


def _with_lines(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> SalesOrder:
    """What NetSuite would bill next (its preview) is no more the open part, once the lines are other ones."""
    same = tuple(lines) == order.lines
    return replace(order, lines=tuple(lines), preview=order.preview if same else None)


def both_numbers(order: SalesOrder, record: OrderRecord, removed: Collection[str]) -> str:
    """What NetSuite and we have each billed, line by line, for a person who has to judge; "" if NetSuite has billed
    nothing of the order."""
    live = {id_: one for id_, one in record.billed.items() if id_ not in removed}
    if not any(line.billed for line in order.lines):
        return ""
    said = []
    for line in order.lines:
        ours = [one[1] for invoice in live.values() for one in _lines(invoice, line.id, order.id)]
        if line.quantity is None or not (line.billed or ours):
            continue
        drafted = sum((Fraction(quantity) for quantity in ours if quantity is not None), Fraction(0))
        said.append(
            f"line {line.line or line.id}: {plain(line.quantity)} ordered, {plain(line.billed)} billed in NetSuite, "
            f"{_decimal(drafted)} drafted by us"
        )
    left = len(said) - _MOST_NAMED
    more = [f"and {left} more lines"] if left > 0 else []
    return f"Billed so far: {'; '.join([*said[:_MOST_NAMED], *more])}." if said else ""


def _may_have_billed_what_has_no_quantity(order: SalesOrder, live: Mapping[str, BilledInvoice]) -> bool:
    """A line without a quantity that we did not draft may be on the invoice that NetSuite made of our other lines."""
    return any(
        not any(_lines(invoice, line.id, order.id) for invoice in live.values())
        for line in order.lines
        if line.role is LineRole.GOODS and line.quantity is None and line.amount and not line.closed
    ) and bool(lines_of_unknown_state(order))


@dataclass(frozen=True, slots=True)
class _Draft:
    """One draft's part of a line: quantities; `before` is what NetSuite had billed by then, None if nobody noted it."""

    drafted: Fraction
    before: Fraction | None
    live: bool
    mirrored: bool


def _netsuites_own(
    line: SalesOrderLine, order_id: str, record: OrderRecord, live: Mapping[str, BilledInvoice]
) -> tuple[Decimal, Decimal]:
    """The least and the most that NetSuite can have billed of the line beside what we drafted of it."""
    billed = Fraction(line.billed)
    drafts = list(chain.from_iterable(_drafts(line, order_id, id_, one, live) for id_, one in record.billed.items()))
    ours = sum((draft.drafted for draft in drafts if draft.live), Fraction(0))
    if not billed or not ours:
        return line.billed, line.billed
    mirrored = sum((draft.drafted for draft in drafts if draft.live and draft.mirrored), Fraction(0))
    noted = [draft for draft in drafts if draft.before is not None]
    events = sorted((draft.before or Fraction(0), draft.drafted) for draft in noted)
    if len(noted) < len(drafts) or (events and events[-1][0] > billed):
        # Of an older version, or NetSuite has taken something back: only these bounds are certain.
        return _decimal(max(Fraction(0), billed - ours)), _decimal(max(Fraction(0), billed - min(billed, mirrored)))
    own = same = drafted = before = Fraction(0)
    for then, quantity in (*events, (billed, Fraction(0))):
        onto_ours = min(then - before, drafted - same)
        own, same, before = own + (then - before) - onto_ours, same + onto_ours, then
        drafted += quantity
    # What NetSuite billed of a draft that is gone is NetSuite's own. With others alive, nobody can say of which it was.
    gone = drafted - ours
    least, most = own + max(Fraction(0), same - ours), own + min(same, gone)
    return _decimal(least), _decimal(max(least, most))


def _drafts(
    line: SalesOrderLine, order_id: str, invoice_id: str, invoice: BilledInvoice, live: Mapping[str, BilledInvoice]
) -> list[_Draft]:
    noted = invoice.netsuite_billed
    before = None if noted is None else Fraction(noted.get(line.id, "0"))
    return [
        _Draft(
            # Discounts and the like are drafted by amount: whatever of them was open.
            Fraction(quantity)
            if quantity is not None
            else max(Fraction(0), Fraction(line.quantity or 0) - (before or 0)),
            before,
            invoice_id in live,
            bool(invoice.mirrored_as),
        )
        for _, quantity, _, _ in _lines(invoice, line.id, order_id)
    ]


def _lines(invoice: BilledInvoice, line_id: str, order_id: str) -> Sequence[tuple[str, str | None, int, str]]:
    """The draft's lines for this line of the order; on a client's invoice the id may bear the order's (grouping)."""
    return [one for one in invoice.lines if one[0] in (line_id, f"{order_id}-{line_id}")]


def _with_own_part(line: SalesOrderLine, own: Decimal, step: Fraction) -> SalesOrderLine:
    """The line had NetSuite billed `own` of it. What was billed of a closed line stays ordered; the rest is not."""
    if own == line.billed:
        return line
    # What NetSuite has billed waits for no delivery, whichever part of it is ours.
    fulfilled = max(line.fulfilled, line.billed)
    if not line.closed or not line.quantity:
        return replace(line, billed=own, fulfilled=fulfilled)
    kept = min(line.billed, line.quantity)
    rest = open_share(line.amount, Fraction(line.quantity - kept) / Fraction(line.quantity), step)
    return replace(line, quantity=kept, amount=line.amount - int(rest), billed=own, fulfilled=fulfilled, closed=False)


def _decimal(value: Fraction) -> Decimal:
    """A sum of plain decimals, exactly."""
    places = 0
    while value.denominator != 1:
        value, places = value * 10, places + 1
    return Decimal(f"{value.numerator}e-{places}")
