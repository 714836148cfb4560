"""What the approval page says about a batch, put together from the domain's records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from billing.domain.approval.approval_entries import Entry, EntryKind, holds
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Answer, Slot, Vote, places
from billing.domain.batch.batch import Batch, BatchInvoice, totals
from billing.domain.batch.month_comparison import BatchWarning
from billing.domain.ledger.ended_orders import EndedListed
from billing.domain.ledger.ledger import Disposition
from billing.domain.money.money import CurrencyUnknown
from billing.domain.orders.order_filter import FieldKind, OrderFilter
from billing.domain.orders.sales_order import Problem
from billing.domain.period_name import period_name
from billing.domain.run import RunFrame
from billing.pages.approval.batch_search import matches
from billing.pages.formatting import counted, day_words, due_words, instant_words, money_words, sums_words
from billing.pages.report.beside_the_listing import GONE_TITLE, OUTSTANDING_TITLE, gone_words, outstanding_words

MOST_ROWS: Final = 50
"""Of one group of warnings on the page; the rest is found by the search and in the CSV."""

MOST_CHANGES: Final = 3
"""Shown at once of what happened since the request was opened."""

_NEW: Final = "New."


class CountDiffers(ValueError):
    """A request asks for another number of invoices than its batch holds: it must not be shown, let alone signed."""


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What is drafted in one currency. `total` in minor units."""

    currency: str
    total: int
    invoices: int


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to be seen: whose, which order, how much, and what about it."""

    client: str
    orders: str
    amount: str
    message: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind under a heading, what it means. `tone` is "bad" (not billed), "warn" or "calm"."""

    id: str
    title: str
    meaning: str
    tone: str
    rows: tuple[Row, ...]
    more: int


@dataclass(frozen=True, slots=True)
class SlotState:
    """A slot and who of it has answered. `state` is "rejected", "done" (enough have signed) or "waits"; `voided` are
    answers to other content, which a hold changed after they were given."""

    slot: Slot
    votes: tuple[Vote, ...]
    state: str
    voided: tuple[Vote, ...] = ()


def currency_totals(batch: Batch) -> tuple[CurrencyTotal, ...]:
    """What will be drafted, by currency."""
    drafts = batch.to_draft
    return tuple(
        CurrencyTotal(currency, total, sum(1 for invoice in drafts if invoice.plan.currency == currency))
        for currency, total in totals(drafts).items()
    )


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
        notes.append("This is a dry run: nothing is written to Stripe, whatever is answered here.")
    narrowed = filter_words(run.filter)
    if narrowed:
        notes.append(f"This run is narrowed to {narrowed}. Other orders of the month are not in it.")
    if absent_columns:
        notes.append(
            f"NetSuite did not give {counted(len(absent_columns), 'column')} that this run asks for: "
            f"{', '.join(absent_columns)}. Those values are missing below."
        )
    return tuple(notes)


def groups(batch: Batch, today: date, query: str = "") -> tuple[Group, ...]:
    """What an approver must see before the invoices. With a query: only what it finds. `today` is the day in the
    cycle's zone: due days that have passed move to it."""
    found = [invoice for invoice in batch.invoices if matches(invoice, query)]
    drafts = [invoice for invoice in found if invoice.disposition in (Disposition.ASK, Disposition.FINISH)]
    new = [invoice for invoice in drafts if invoice.customer is not None and invoice.customer.id is None]
    of_client: dict[str, list[BatchInvoice]] = {}
    for invoice in new:
        of_client.setdefault(invoice.plan.client.netsuite_id, []).append(invoice)
    asked_again = [i for i in drafts if i.disposition is Disposition.ASK and i.reason not in ("", _NEW)]
    candidates = (
        _group(
            "problems",
            "Not billed: problems in NetSuite",
            "Nothing is drafted for these orders now. Corrected in NetSuite, they are billed by the next run.",
            [_problem_row(problem) for problem in batch.problems if matches(problem, query)],
            tone="bad",
        ),
        _group(
            "held",
            "Not billed: held for a person",
            "Nothing is drafted for these orders until someone has reviewed them.",
            [_row(i, i.reason) for i in found if i.disposition is Disposition.HOLD],
            tone="bad",
        ),
        _group(
            "compared",
            "Double-check these totals",
            "Compared with last month, and with the firm's own upper bounds.",
            [Row("", "", "", warning.message) for warning in batch.warnings if _says(warning, query)],
        ),
        _group(
            "carried",
            "Carried over from an earlier month",
            "An earlier run listed these orders and did not draft them.",
            [
                _row(i, f"First listed for {period_name(i.carried_from)}. {i.reason}".strip())
                for i in drafts
                if i.carried_from is not None
            ],
        ),
        _group(
            "warnings",
            "Billed, with a warning",
            "These invoices will be drafted as shown below. Please double-check them.",
            [_row(i, " ".join(w.message for w in i.plan.warnings)) for i in drafts if i.plan.warnings],
        ),
        _group(
            "due-passed",
            "Due at once",
            "The due date by their terms has passed. Stripe takes none in the past: drafted today they are due today, "
            f"{day_words(today.isoformat())}, and drafted later on that later day.",
            [
                _row(i, due_words(i.plan.due, days, today) + ".")
                for i, days in ((i, batch.days_of(i)) for i in drafts)
                if days is not None and days.passed(today)
            ],
        ),
        _group(
            "again",
            "Up for approval again",
            "An approver has already seen these orders.",
            [_row(i, i.reason) for i in asked_again],
        ),
        _group(
            "new-customers",
            "New customers in Stripe",
            "Stripe does not know these clients. Signing creates them.",
            [_customer_row(theirs) for theirs in of_client.values()],
        ),
        _group(
            "finished",
            "Approved earlier, drafted now",
            "These were signed for in an earlier run that could not draft them.",
            [_row(i, i.reason) for i in drafts if i.disposition is Disposition.FINISH],
            tone="calm",
        ),
        _group(
            "outstanding",
            OUTSTANDING_TITLE,
            "Nothing is drafted of these orders now. NetSuite does not list them as billable, or only in part, or our "
            "invoice bills something else: each line says which. They are named until they are drafted or ended.",
            [
                Row("", one.number, "", outstanding_words(one))
                for one in batch.outstanding
                if query.strip().casefold() in one.number.casefold()
            ],
        ),
        _group(
            "carried-gone",
            GONE_TITLE,
            "Earlier runs listed these orders and did not draft them. They are not billed by this stack any more.",
            [
                Row("", gone.number, "", gone_words(gone))
                for gone in batch.carried_gone
                if query.strip().casefold() in gone.number.casefold()
            ],
            tone="calm",
        ),
        _group(
            "ended",
            "Ended by a person, and not billed",
            "Someone recorded that nothing more should be billed for these orders. They come back if they change.",
            [
                _ended_row(one)
                for one in batch.ended
                if one.first_named_in(batch.run.id) and _finds(query, one.ended.number, one.client)
            ],
        ),
        _group(
            "skipped",
            "Already drafted",
            "An earlier run has drafted these, and something about them has changed since. They are not drafted again "
            "and not part of the totals.",
            [_row(i, i.reason) for i in found if i.disposition is Disposition.SKIP],
            tone="calm",
        ),
    )
    return tuple(group for group in candidates if group.rows)


def _ended_row(one: EndedListed) -> Row:
    readable = one.currency is not None and one.total is not None
    amount = money_words(one.total or 0, one.currency or "") if readable else ""
    return Row(one.client, one.ended.number, amount, one.ended.words)


def _finds(query: str, *texts: str) -> bool:
    return any(query.strip().casefold() in text.casefold() for text in texts)


def _says(warning: BatchWarning, query: str) -> bool:
    return query.strip().casefold() in warning.message.casefold()


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
    folded = newest[MOST_CHANGES : MOST_CHANGES + MOST_ROWS]
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


def _group(group_id: str, title: str, meaning: str, rows: Sequence[Row], tone: str = "warn") -> Group:
    return Group(
        group_id, f"{title} ({len(rows):,})", meaning, tone, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS)
    )


def _row(invoice: BatchInvoice, message: str) -> Row:
    plan = invoice.plan
    return Row(plan.client.name, order_numbers(invoice), money_words(invoice.total, plan.currency), message)


def _customer_row(theirs: Sequence[BatchInvoice]) -> Row:
    client = theirs[0].plan.client
    return Row(
        client.name,
        ", ".join(order_numbers(invoice) for invoice in theirs),
        sums_words(totals(theirs)),
        f"Created with the e-mail address {client.email}" if client.email else "Created without an e-mail address",
    )


def _problem_row(problem: Problem) -> Row:
    return Row(problem.client_name or "", problem.order_number, problem_amount(problem), problem.message)


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
