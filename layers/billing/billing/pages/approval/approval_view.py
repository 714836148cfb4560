"""What the approval page says about a batch, put together from the domain's records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from billing.domain.approval.approval_entries import Entry, EntryKind, holds
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Answer, Slot, Vote, places
from billing.domain.batch.batch import Batch, BatchInvoice, totals
from billing.domain.ledger.ledger import Disposition
from billing.domain.money.money import CurrencyUnknown
from billing.domain.money.rough_worth import largest_first
from billing.domain.orders.order_filter import FieldKind, OrderFilter
from billing.domain.orders.sales_order import Problem
from billing.domain.run import RunFrame
from billing.pages.bar_line import BarLine, bar_line
from billing.pages.formatting import counted, day_words, instant_words, money_words, share_words

_MOST_FOLDED: Final = 50
"""Of what happened before that, behind a click."""

MOST_CHANGES: Final = 3
"""Shown at once of what happened since the request was opened."""


class CountDiffers(ValueError):
    """A request asks for another number of invoices than its batch holds: it must not be shown, let alone signed."""


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What is drafted in one currency. `total` and `last`, last month's, in minor units; `last` is None where it is not
    known, and `bars` then are. Where an earlier run of this month has drafted `before`, it is that and `total` which is
    compared with last month."""

    currency: str
    total: int
    invoices: int
    last: int | None = None
    before: int = 0
    bars: BarLine | None = None

    @property
    def change(self) -> str:
        """ "+73%", "new", "" where last month is not known."""
        return "" if self.last is None else share_words(self.before + self.total, self.last)


@dataclass(frozen=True, slots=True)
class SlotState:
    """A slot and who of it has answered. `state` is "rejected", "done" (enough have signed) or "waits"; `voided` are
    answers to other content, which a hold changed after they were given."""

    slot: Slot
    votes: tuple[Vote, ...]
    state: str
    voided: tuple[Vote, ...] = ()


def currency_totals(batch: Batch) -> tuple[CurrencyTotal, ...]:
    """What will be drafted, by currency, the one that is worth about the most first."""
    sums = largest_first(totals(batch.to_draft))
    return tuple(_currency_total(batch, currency, total) for currency, total in sums.items())


def currencies_gone(batch: Batch) -> tuple[CurrencyTotal, ...]:
    """Currencies that last month had and this batch has not: nothing, beside what it was."""
    sums = totals(batch.to_draft)
    last = {currency: months[-2] for currency, months in (batch.past.totals if batch.past else {}).items()}
    gone = largest_first({currency: total for currency, total in last.items() if total and currency not in sums})
    return tuple(_currency_total(batch, currency, 0) for currency in gone)


def _currency_total(batch: Batch, currency: str, total: int) -> CurrencyTotal:
    invoices = sum(1 for invoice in batch.to_draft if invoice.plan.currency == currency)
    if batch.past is None:
        return CurrencyTotal(currency, total, invoices)
    months = batch.past.of_all(currency, total)
    bars = bar_line(batch.past.periods, months, currency)
    return CurrencyTotal(currency, total, invoices, months[-2], months[-1] - total, bars)


def orders_not_billed(batch: Batch) -> int:
    """How many orders have a problem, or are held: each once, however many invoices it is on."""
    held = {order.id for invoice in batch.of(Disposition.HOLD) for order in invoice.plan.orders}
    return len(held | {problem.order_id for problem in batch.problems})


def checked_count(request: ApprovalRequest, batch: Batch) -> int:
    """The number to type. Raises CountDiffers unless it counts what will be drafted, or the part that is new."""
    if request.invoices not in (len(batch.to_draft), len(batch.of(Disposition.ASK))):
        raise CountDiffers(
            f"The request {request.id} asks for {request.invoices} invoices and its batch holds {len(batch.to_draft)}."
        )
    return request.invoices


def frame_notes(run: RunFrame, absent_columns: Sequence[str]) -> tuple[str, ...]:
    """What is unusual about the whole run: a dry run, a narrowed one, columns that NetSuite did not give."""
    notes: list[str] = []
    if run.dry_run:
        notes.append("This is a dry run: nothing is written to Stripe, and no one is asked.")
    narrowed = filter_words(run.filter)
    if narrowed:
        notes.append(f"This run is narrowed to {narrowed}. Other orders of the month are not in it.")
    if absent_columns:
        notes.append(
            f"NetSuite did not give {counted(len(absent_columns), 'column')} that this run asks for: "
            f"{', '.join(absent_columns)}. Those values are missing below."
        )
    return tuple(notes)


def changes_words(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What happened to the request while it waited, one sentence each, in its order."""
    return tuple(_change_words(entry) for entry in entries)


def held_orders(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Numbers of the orders that are held back now, each with those that are held with it."""
    return tuple(dict.fromkeys(entry.order for entry in holds(entries).values()))


def _change_words(entry: Entry) -> str:
    when, people = instant_words(entry.at), ", ".join(entry.people)
    why = f": {entry.reason}" if entry.reason else "."
    if entry.kind is EntryKind.ESCALATE and not entry.people:
        return f"No deputy could be asked on {when}{why}"
    return {
        EntryKind.HOLD: f"{entry.by} put {entry.order} on hold on {when}{why}",
        EntryKind.RELEASE: f"{entry.by} released {entry.order} on {when}{why}",
        EntryKind.DELEGATE: f"{entry.by} delegated the request to {people} on {when}{why}",
        EntryKind.QUESTION: f"{entry.by} asked whoever started the run on {when}{why}",
        EntryKind.ESCALATE: f"{people} {'is' if len(entry.people) == 1 else 'are'} asked as well, since {when}{why}",
    }[entry.kind]


def slot_states(request: ApprovalRequest, votes: Sequence[Vote], voided: Sequence[Vote] = ()) -> tuple[SlotState, ...]:
    """Each slot with the answers of its people to exactly this content; an approval stands in the slot for which it
    counts, and in each of its person's if it is needed for none. With them answers to other content, of people who have
    not answered to this one."""
    content = request.request_hash
    filled = places(request.slots, votes, content)
    placed = {person for people in filled.values() for person in people}
    return tuple(
        replace(
            _slot_state(
                slot,
                [
                    v
                    for v in votes
                    if v.approver in slot.people
                    and v.request_hash == content
                    and (v.approver in filled[slot.name] or v.approver not in placed)
                ],
                len(filled[slot.name]),
            ),
            voided=_newest_of([vote for vote in voided if vote.approver in slot.people], votes),
        )
        for slot in request.slots
    )


def _newest_of(voided: Sequence[Vote], votes: Sequence[Vote]) -> tuple[Vote, ...]:
    answered = {vote.approver for vote in votes}
    return tuple({vote.approver: vote for vote in voided if vote.approver not in answered}.values())


def newest_first(changes: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """What happened to the request, the newest first: (what is shown at once, what is folded away, how many more there
    are). A month with two hundred holds must not push the warnings off the page."""
    newest = tuple(reversed(changes))
    folded = newest[MOST_CHANGES : MOST_CHANGES + _MOST_FOLDED]
    return newest[:MOST_CHANGES], folded, max(0, len(newest) - MOST_CHANGES - len(folded))


def answer_of(approver: str, votes: Sequence[Vote]) -> Vote | None:
    """This person's own answer."""
    return next((vote for vote in votes if vote.approver == approver), None)


def rejects(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    """Everybody who rejected, first come first."""
    return tuple(sorted((v for v in votes if v.answer is Answer.REJECT), key=lambda v: (v.at, v.approver)))


def problem_amount(problem: Problem) -> str:
    """ "USD 1,200.00", or "" where the amount or its currency cannot be read."""
    if problem.total_minor is None or not problem.currency:
        return ""
    try:
        return money_words(problem.total_minor, problem.currency)
    except CurrencyUnknown:
        return ""


def order_numbers(invoice: BatchInvoice) -> str:
    """The numbers of an invoice's orders, and its part where it has several."""
    plan = invoice.plan
    numbers = ", ".join(order.number for order in plan.orders)
    return f"{numbers} (part {plan.part} of {plan.parts})" if plan.parts > 1 else numbers


def _slot_state(slot: Slot, votes: Sequence[Vote], signed: int) -> SlotState:
    if rejects(votes):
        return SlotState(slot, tuple(votes), "rejected")
    return SlotState(slot, tuple(votes), "done" if signed >= slot.need else "waits")


def filter_words(chosen: OrderFilter) -> str:
    """Everything that a run is narrowed to, "" if to nothing."""
    return " and ".join(
        one.words.format(told) for one, value in chosen.narrowing for told in _value_words(one.kind, value)
    )


def _value_words(kind: FieldKind, value: Any) -> Iterable[str]:
    if kind is FieldKind.CUSTOM:
        return (f"{name} is {wanted}" for name, wanted in value)
    if kind is FieldKind.DAY:
        return (day_words(value.isoformat()),)
    if kind is FieldKind.COUNT:
        return (counted(value, "order"),)
    return (", ".join(value),)
