"""What changes a request while it waits: orders held back, the request passed on, deputies asked as well.

An entry is written once and never changed. What is asked, of whom, and which content a vote counts for follow from the
request as it was opened and its entries, in their order. Each approval counts for exactly the content it was given for:
a later hold changes the content, and the earlier approvals count again only if the hold is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Slot, is_barred
from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.ledger.ledger import Disposition

QUIET = timedelta(minutes=5)
"""After the last hold, before those are asked again who had signed: whoever holds orders back holds several."""


class EntryKind(StrEnum):
    """What an entry does."""

    HOLD = "hold"  # an order is held back
    RELEASE = "release"  # a hold is taken back
    DELEGATE = "delegate"  # somebody else stands in this person's slots
    ESCALATE = "escalate"  # deputies are asked as well
    QUESTION = "question"  # whoever started the run is asked something; it changes nothing


@dataclass(frozen=True, slots=True)
class Entry:
    """`by` is the person's address, "" for the run itself. `plans` are the plan keys that a hold or release is about,
    and `order` the order's number, with those that go with it; `people` those who are asked from now on: the delegate,
    or the deputies (none, if there was nobody to ask), with the slots that waited at that time."""

    kind: EntryKind
    by: str
    at: str
    reason: str = ""
    order: str = ""
    plans: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()


def holds(entries: Iterable[Entry]) -> dict[str, Entry]:
    """What is held back now: the plan's key, and the entry that holds it."""
    held: dict[str, Entry] = {}
    for entry in entries:
        for key in entry.plans:
            if entry.kind is EntryKind.HOLD:
                held.setdefault(key, entry)
            elif entry.kind is EntryKind.RELEASE:
                held.pop(key, None)
    return held


def with_the_same_orders(invoices: Iterable[BatchInvoice], number: str) -> tuple[BatchInvoice, ...]:
    """The invoices that bill an order, and every invoice that shares an order with one of them, in their order: nothing
    else can be held back without billing half an order. Empty if no invoice bills it. Letters' case does not count.
    """
    invoices = tuple(invoices)
    numbers = {
        order.number
        for invoice in invoices
        for order in invoice.plan.orders
        if order.number.casefold() == number.casefold()
    }
    while True:
        found = tuple(one for one in invoices if any(order.number in numbers for order in one.plan.orders))
        more = {order.number for one in found for order in one.plan.orders}
        if more <= numbers:
            return found
        numbers |= more


def request_hash(request_hash: str, held: Iterable[str]) -> str:
    """The hash of what is signed for: the batch's own while nothing is held back, else over it and the held keys."""
    keys = sorted(held)
    return sha256_hex(canonical_json([request_hash, keys])) if keys else request_hash


def passed_on(entries: Iterable[Entry]) -> dict[str, str]:
    """Who passed the request on, and to whom."""
    return {entry.by: entry.people[0] for entry in entries if entry.kind is EntryKind.DELEGATE}


def brought_in(entries: Iterable[Entry], address: str) -> Entry | None:
    """The entry by which somebody is asked who was not asked at first: passed on to them, or asked as a deputy."""
    found = [
        entry for entry in entries if entry.kind in (EntryKind.DELEGATE, EntryKind.ESCALATE) and address in entry.people
    ]
    # Whoever was asked as a deputy and then had it passed on to them as well has their right from the latter.
    return found[-1] if found else None


def escalated(entries: Iterable[Entry]) -> bool:
    """Whether deputies are asked."""
    return any(entry.kind is EntryKind.ESCALATE for entry in entries)


def slots_now(slots: Iterable[Slot], entries: Iterable[Entry]) -> tuple[Slot, ...]:
    """The slots with delegates in the place of those who passed on, and with the deputies in all of them: a hold may
    open any slot again, and nobody fills two.

    A deputy who has passed the request on is out, and is not put back.
    """
    present, out = tuple(slots), set[str]()
    for entry in entries:
        if entry.kind is EntryKind.DELEGATE:
            out.add(entry.by)
            present = tuple(
                replace(slot, people=tuple(dict.fromkeys(_replaced(slot.people, entry.by, entry.people))))
                for slot in present
            )
        elif entry.kind is EntryKind.ESCALATE:
            deputies = [one for one in entry.people if one not in out]
            present = tuple(replace(slot, people=tuple(dict.fromkeys((*slot.people, *deputies)))) for slot in present)
    return present


def request_now(request: ApprovalRequest, entries: Iterable[Entry]) -> ApprovalRequest:
    """The request as it stands: its people (never the barred one), its content and its number of invoices."""
    entries = tuple(entries)
    held = holds(entries)
    return replace(
        request,
        slots=not_barred(slots_now(request.slots, entries), request.barred),
        request_hash=request_hash(request.request_hash, held),
        invoices=request.invoices - len(held),
    )


def not_barred(slots: Iterable[Slot], barred: str) -> tuple[Slot, ...]:
    """The slots without the person whose approver id this is."""
    return tuple(
        replace(slot, people=tuple(one for one in slot.people if not is_barred(one, barred))) for slot in slots
    )


def quiet_until(entries: Iterable[Entry]) -> datetime | None:
    """Until when those whose approval was voided are left alone; None if nothing was held back or taken in again."""
    at = max((entry.at for entry in entries if _changes_content(entry)), default=None, key=datetime.fromisoformat)
    return datetime.fromisoformat(at) + QUIET if at else None


def run_must_look(entries: Iterable[Entry], votes_at: Iterable[str], now: datetime) -> bool:
    """Whether a hold that is written now has to wake the run, which then looks again when it is quiet. Not if nobody
    has signed; and not if another hold woke it a moment ago: it looks anyway. `votes_at` is when people signed."""
    signed_at = min(map(datetime.fromisoformat, votes_at), default=None)
    if signed_at is None:
        return False
    changed = [datetime.fromisoformat(entry.at) for entry in entries if _changes_content(entry)]
    return not any(signed_at <= at and now < at + QUIET for at in changed)


def _changes_content(entry: Entry) -> bool:
    return entry.kind in (EntryKind.HOLD, EntryKind.RELEASE)


def _replaced(people: Iterable[str], gone: str, instead: Iterable[str]) -> Iterator[str]:
    for one in people:
        if one == gone:
            yield from instead
        else:
            yield one


def with_holds(batch: Batch, entries: Iterable[Entry]) -> Batch:
    """The batch with what is held back out of what will be drafted, each with who holds it and why."""
    held = holds(entries)
    return replace(
        batch,
        invoices=tuple(
            replace(invoice, disposition=Disposition.HOLD, reason=held_reason(held[invoice.plan.key]))
            if invoice.plan.key in held
            else invoice
            for invoice in batch.invoices
        ),
    )


HELD_BY = "Held back by "
"""How the reason begins of what an approver holds back, as against what the run itself holds."""


def held_reason(entry: Entry) -> str:
    """For the approvers and the report."""
    reason = entry.reason if entry.reason.endswith((".", "!", "?", "…")) else f"{entry.reason}."
    return f"{HELD_BY}{entry.by}: {reason} It comes back in the next run."
