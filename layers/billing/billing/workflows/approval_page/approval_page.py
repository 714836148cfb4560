"""The approval page: a GET shows, a POST decides. The order is vote, outcome, callback; each can be repeated.

GET and HEAD change nothing in any store: mail scanners open every link. A POST decides only with something typed that a
machine would not type: the number of invoices to approve, to reject or to pass the request on, an order's number to
hold it back; and nothing in the field that people do not see, which a machine fills like any other. And only about the
content that its form was shown with: the form carries that content's hash, which is no secret, and another hash decides
nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from billing.domain.approval.approval_entries import (
    Entry,
    EntryKind,
    holds,
    passed_on,
    request_hash,
    run_must_look,
    with_holds,
    with_the_same_orders,
)
from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome
from billing.domain.approval.approvers import Answer, Outcome, Tally, Vote, approver_id
from billing.domain.approval.signed_links import Link
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.batch.batch import Batch, BatchInvoice, read_batch
from billing.domain.ledger.ledger import Disposition
from billing.domain.records import to_record
from billing.domain.text import clean
from billing.pages.approval.approval_page import LONGEST_REASON
from billing.workflows.approval.present_request import PresentRequest, SignedTexts, present_request
from billing.workflows.approval.votes import vote_fields
from billing.workflows.approval.who_may_sign import WhoMaySign
from billing.workflows.ports import ReadableFiles

_THOUSANDS = re.compile(r"(?<=\d)[ ,.'\u2019\u00a0\u202f](?=\d{3}(?!\d))")
"""What stands between thousands, as the page's button writes it and as others do."""
_UNSEEN = ("Cf", "Mn", "Me", "Co", "Cn")
_MOST_NAMED = 20
_MOST_QUESTIONS = 10
"""Of one person about one request: each is a mail."""
QUESTION_KEPT = "Your question is on record."
UNKNOWN = "-"
"""No request has this id: a run's name stands before the number of each."""
TRAP = "note"
"""The name of the field that nobody sees and nobody fills."""
_TRAPPED = (
    "A field that people do not see was filled in, as mail scanners do, so nothing was recorded. If you did not do "
    "that, something in your browser fills in forms by itself: switch it off for this page, and answer again."
)
_CHANGED_SINCE = (
    "What you are asked to sign has changed since you opened it, so nothing was recorded. Please review the "
    "current version, then respond."
)
_DAYS_MOVED = (
    "A day has passed since you opened this page, and with it due dates have moved, so nothing was recorded. Look at "
    "the dates as they are now, and answer then."
)
_NO_REASON = "Please give a reason in words: the other approvers see it, and it is kept on record."
_CHANGED = (
    "Someone else changed the request at the same moment, so nothing was recorded. Please review it again, then "
    "respond."
)


class Requests(Protocol):
    """The approvals table."""

    def read(self, request_id: str) -> StoredRequest | None: ...
    def vote(self, request_id: str, approver: str, signed: str, content: str) -> bool: ...
    def append(self, request_id: str, seen: int, signed: str, content: str) -> bool: ...
    def conclude(self, request_id: str, outcome: RecordedOutcome, seen: int) -> bool: ...


class Signing(SignedTexts, Protocol):
    """Signs and verifies."""

    def read_link(self, text: str) -> Link | None: ...
    def sign_vote(self, vote: Mapping[str, str]) -> str: ...
    def sign_entry(self, request_id: str, number: int, entry: Mapping[str, Any]) -> str: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A link that is good, and where its request stands. `approver` is the address of the person who holds the link,
    `taken_off` says that they may not sign for it now, and `over` that their link has ended and reads nothing any more:
    its time is over, or the stack no longer lists them."""

    present: PresentRequest
    approver: str
    expired: bool
    taken_off: bool
    over: bool

    @property
    def request(self) -> ApprovalRequest:
        """The request as it stands now."""
        return self.present.request

    @property
    def tally(self) -> Tally:
        """What the votes come to."""
        return self.present.tally

    @property
    def own_vote(self) -> Vote | None:
        """What this person has answered about the present content, if anything."""
        return next((vote for vote in self.present.counted if vote.approver == self.approver), None)

    @property
    def passed_to(self) -> str:
        """Whom this person passed the request on to, "" if nobody."""
        return passed_on(self.present.entries).get(self.approver, "")

    @property
    def open(self) -> bool:
        """Whether this person may answer now."""
        return (
            not self.present.decided
            and not self.expired
            and not self.taken_off
            and self.present.trustworthy
            and not self.passed_to
            and self.own_vote is None
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """What a POST came to: a mistake to correct, in which case nothing was recorded; a vote that stands (`signed`); an
    order held or taken back, or the request passed on (`said`, in words). `late` says why an answer after the end was
    not recorded. `together` are the orders that a hold takes along and that have to be confirmed. `wake` says that the
    run has somebody to ask."""

    mistake: str = ""
    late: str = ""
    together: tuple[str, ...] = ()
    signed: bool = False
    said: str = ""
    wake: bool = False


def look(link: str, requests: Requests, signing: Signing, who: WhoMaySign, now: datetime) -> Seen | None:
    """Who holds the link and where the request stands. Changes nothing. None for a link that is forged, cut, of an
    unknown request, of somebody who is not asked, or for another content than the request's: all of them look alike.

    A forged link costs the same read as an unknown one, so that the time of the answer does not tell them apart."""
    signed = signing.read_link(link)
    stored = requests.read(signed.request_id if signed else UNKNOWN)
    if signed is None or stored is None:
        return None
    present = present_request(stored, signing)
    if signed.request_hash != present.stored.request.request_hash:
        return None
    known = {approver_id(address): address for address in (*passed_on(present.entries), *present.people)}
    approver = known.get(signed.approver)
    if approver is None:
        return None
    expired = present.expired(now) or now.timestamp() >= signed.expires_at
    taken_off = not who.may_sign(approver, present)
    # Whoever passed it on may not sign, and has not lost their place in the parameters by that.
    off_the_list = not who.is_listed(approver) if approver in passed_on(present.entries) else taken_off
    return Seen(present, approver, expired, taken_off, expired or off_the_list)


def intended(
    seen: Seen, form: Mapping[str, str], batch: Batch, shown: str, who: WhoMaySign, now: datetime
) -> Answered | Vote | Entry:
    """What this person's form would record; or what it came to at once, with nothing to record. It writes nothing.

    `batch` is what is asked about now, and `shown` what the page sums up of it.
    """
    asked = form.get("answer", "")
    if not seen.open:
        if stands_already(seen, asked):
            return Answered(wake=seen.present.decided)
        why = _why_closed(seen)
        if seen.present.decided or seen.expired:
            return Answered(late=why, wake=seen.present.decided)
        return Answered(mistake=why)
    if form.get(TRAP):
        return Answered(mistake=_TRAPPED)
    if form.get("content", "") != seen.request.request_hash:
        return Answered(mistake=_CHANGED_SINCE)
    if asked == EntryKind.DELEGATE:
        return _delegation(seen, form, who, now)
    if asked == EntryKind.QUESTION:
        return _question(seen, form, now)
    if asked in (EntryKind.HOLD, EntryKind.RELEASE):
        return _hold(seen, EntryKind(asked), form, batch, now)
    if asked == Answer.APPROVE and _days_moved(batch, form.get("day", ""), now):
        return Answered(mistake=_DAYS_MOVED)
    vote = _vote(seen, form, shown, now)
    if isinstance(vote, str):
        return Answered(mistake=vote)
    return replace(vote, slots=who.slots_of(seen.approver, seen.present))


def record(seen: Seen, what: Vote | Entry, batch: Batch, requests: Requests, signing: Signing) -> Answered:
    """Write what was intended. Safe to repeat: the first answer of a person about a content stands. A repeated POST
    after the decision asks for the run to be woken again, so that a lost callback is sent."""
    if isinstance(what, Entry):
        answered = _append(seen, what, requests, signing)
        # The run writes at once that a hold takes an earlier approval away: it may be aborted before it looks again.
        return replace(answered, wake=True) if answered.said and _objects(what, batch) else answered
    signed = signing.sign_vote(vote_fields(seen.request.id, what))
    if not requests.vote(seen.request.id, approver_id(seen.approver), signed, what.request_hash):
        return Answered(mistake=_CHANGED)
    return Answered(signed=True)


def stands_already(seen: Seen, asked: str) -> bool:
    """Whether exactly this answer of this person is on record: a second click, which is no mistake."""
    return seen.own_vote is not None and seen.own_vote.answer == asked


def conclude(seen: Seen, requests: Requests, now: datetime) -> bool:
    """Write the outcome that the votes give, once. Answers False if the picture has changed: look again."""
    if not seen.present.trustworthy:
        return True
    if seen.present.stored.outcome is not None or seen.tally.outcome is Outcome.UNDECIDED or seen.expired:
        return True
    return requests.conclude(
        seen.request.id,
        RecordedOutcome(str(seen.tally.outcome), seen.tally.reason, now.isoformat()),
        seen.present.stored.changes,
    )


def batch_of(seen: Seen, files: ReadableFiles) -> Batch:
    """Exactly the content that the request asks about now. Raises OurFault if it is missing or altered."""
    opened = seen.present.stored.request
    return with_holds(read_batch(files.read_json(opened.batch_key, opened.request_hash)), seen.present.entries)


def _why_closed(seen: Seen) -> str:
    """Why this person's answer was not recorded."""
    if seen.own_vote is not None:
        return "You have already responded, and your first answer counts. This one was not recorded."
    if seen.present.decided or seen.expired:
        return "The request had ended before you responded. Your answer was not recorded."
    if seen.taken_off:
        return "You were removed from the list of approvers, so you can no longer respond."
    return f"You delegated this request to {seen.passed_to}, so you can no longer respond. Nothing was recorded."


def _append(seen: Seen, entry: Entry, requests: Requests, signing: Signing) -> Answered:
    """Write the entry, and say what it came to. The run has somebody to ask if a vote lost its effect or a new person
    is to be mailed."""
    seen.present.refuse_blind_changes()
    entries = (*seen.present.entries, entry)
    content = request_hash(seen.present.stored.request.request_hash, holds(entries))
    signed = signing.sign_entry(seen.request.id, seen.present.stored.changes + 1, to_record(entry))
    if not requests.append(seen.request.id, seen.present.stored.changes, signed, content):
        return Answered(mistake=_CHANGED)
    said = {
        EntryKind.HOLD: f"Order {entry.order} is on hold.",
        EntryKind.RELEASE: f"Order {entry.order} is no longer on hold.",
        EntryKind.QUESTION: QUESTION_KEPT,
    }.get(entry.kind, "The request was delegated.")
    if entry.kind is EntryKind.QUESTION:
        return Answered(said=said)
    must_look = run_must_look(
        seen.present.entries, [vote.at for vote in seen.present.votes], datetime.fromisoformat(entry.at)
    )
    return Answered(said=said, wake=entry.kind is EntryKind.DELEGATE or must_look)


def _days_moved(batch: Batch, shown_on: str, now: datetime) -> bool:
    """Whether drafts would be due on other days than the page showed, which names its own day in its form. A page that
    names none is of a version that showed the days by the terms alone."""
    try:
        before = date.fromisoformat(shown_on)
    except ValueError:
        before = date.min
    return batch.due_days(before) != batch.due_days(batch.day_of(now))


def _hold(seen: Seen, kind: EntryKind, form: Mapping[str, str], batch: Batch, now: datetime) -> Entry | Answered:
    """The entry that holds an order back or takes that back, or the sentence that says what is missing."""
    typed = " ".join((form.get("order") or _number_of(form.get("picked", ""), batch)).split())
    reason = _reason(form, typed)
    held = holds(seen.present.entries)
    if kind is EntryKind.HOLD:
        found = with_the_same_orders(batch.to_draft, typed)
        if (
            not found
            and reason
            and with_the_same_orders((one for one in batch.invoices if one.plan.key in held), typed)
        ):
            # Pressed again after an error: it is on record, and the run may not have been woken.
            return Answered(said=f"Order {typed} is on hold.", wake=True)
        if not found:
            return Answered(mistake="To hold an order, type its number as shown among the invoices on this page.")
        if len(found) == len(batch.to_draft):
            return Answered(mistake="Nothing would be left to bill. Reject the batch instead.")
    else:
        found = with_the_same_orders((one for one in batch.invoices if one.plan.key in held), typed)
        if not found:
            return Answered(mistake="To release an order, type its number as shown among the held orders on this page.")
    if not reason:
        return Answered(mistake=_NO_REASON)
    if not form.get("order"):
        # Its row was clicked, so its number was not typed: the number of invoices is, as for every other answer.
        wrong = _wrong_number(seen, form, "number", str(kind))
        if wrong or not _reason(form, form.get("number", "").strip()):
            return Answered(mistake=wrong or _NO_REASON)
    number, others = _together(found, typed)
    if kind is EntryKind.HOLD and others and form.get("together", "").strip() != str(len(others) + 1):
        return Answered(
            mistake=f"{number} is billed on one invoice with {_list(others)}, so all {len(others) + 1} orders would be "
            f"held. If that is what you want, type how many orders are held.",
            together=(number, *others),
        )
    order = f"{number} (with {_list(others)})" if others else number
    plans = tuple(one.plan.key for one in found)
    return Entry(kind, seen.approver, now.isoformat(), reason=reason, order=order, plans=plans)


def _number_of(key: str, batch: Batch) -> str:
    """The number of a plan's first order, "" if the batch has no such plan."""
    return next((one.plan.orders[0].number for one in batch.invoices if key and one.plan.key == key), "")


def _objects(entry: Entry, batch: Batch) -> bool:
    """Whether it holds back what was signed for in an earlier run."""
    signed_before = {one.plan.key for one in batch.of(Disposition.FINISH)}
    return entry.kind is EntryKind.HOLD and not signed_before.isdisjoint(entry.plans)


def _together(found: Sequence[BatchInvoice], typed: str) -> tuple[str, tuple[str, ...]]:
    """(the order that was meant, as NetSuite writes it; the others that go with it)."""
    numbers = dict.fromkeys(order.number for one in found for order in one.plan.orders)
    meant = next(number for number in numbers if number.casefold() == typed.casefold())
    return meant, tuple(number for number in numbers if number != meant)


def _list(numbers: Sequence[str]) -> str:
    named = ", ".join(numbers[:_MOST_NAMED])
    return f"{named} and {len(numbers) - _MOST_NAMED:,} more" if len(numbers) > _MOST_NAMED else named


def _delegation(seen: Seen, form: Mapping[str, str], who: WhoMaySign, now: datetime) -> Entry | Answered:
    """The entry that passes the request on, or the sentence that says why it cannot be."""
    to = form.get("delegate", "").strip().lower()
    mistake = who.why_not_to(to, seen.approver, seen.present) or _wrong_number(seen, form, "number", "delegate")
    if mistake:
        return Answered(mistake=mistake)
    return Entry(EntryKind.DELEGATE, seen.approver, now.isoformat(), people=(to,))


def _question(seen: Seen, form: Mapping[str, str], now: datetime) -> Entry | Answered:
    """The entry that puts a question on record, or the sentence that says what is missing. The same question again is
    on record already: it may not have been mailed."""
    text = _reason({"reason": form.get("question", "")}, form.get("number", "").strip())
    own = [entry for entry in seen.present.entries if entry.kind is EntryKind.QUESTION and entry.by == seen.approver]
    if not text:
        return Answered(mistake="Please put your question in words.")
    mistake = _wrong_number(seen, form, "number", "send the question")
    if mistake:
        return Answered(mistake=mistake)
    if any(entry.reason == text for entry in own):
        return Answered(said=QUESTION_KEPT)
    if len(own) >= _MOST_QUESTIONS:
        return Answered(mistake=f"You have put {len(own)} questions about this request: please ask by other means.")
    return Entry(EntryKind.QUESTION, seen.approver, now.isoformat(), reason=text)


def _reason(form: Mapping[str, str], beside: str) -> str:
    """Why, in one line; "" if it says nothing, or what stands in the field `beside` it, as of a machine that types the
    same everywhere."""
    reason = " ".join(form.get("reason", "").split())[:LONGEST_REASON]
    visible = [sign for sign in clean(reason) if not sign.isspace() and unicodedata.category(sign) not in _UNSEEN]
    says_nothing = len(visible) < 3 or reason.casefold() == beside.casefold() or not any(map(str.isalpha, visible))
    return "" if says_nothing else reason


def _comment(form: Mapping[str, str]) -> str:
    """What may be said with an approval, in one line; "" for nothing that can be seen."""
    comment = " ".join(form.get("comment", "").split())[:LONGEST_REASON]
    return comment if clean(comment) else ""


def _wrong_number(seen: Seen, form: Mapping[str, str], field: str, to_do: str) -> str:
    """The sentence for a number of invoices that was not typed, or "" if it was."""
    typed = form.get(field, "").strip()
    if _THOUSANDS.sub("", typed) == str(seen.request.invoices):
        return ""
    wanted = f"To {to_do}, type the number of invoices shown on this page."
    return f"{wanted} You typed {typed[:20]!r}." if typed else wanted


def _vote(seen: Seen, form: Mapping[str, str], shown: str, now: datetime) -> Vote | str:
    """The vote that the form gives, or the sentence that says what is missing."""
    asked = form.get("answer", "")
    if asked not in (Answer.APPROVE, Answer.REJECT):
        return "Nothing was decided: choose approve or reject, and fill in its field."
    reason = _reason(form, form.get("number", "").strip()) if asked == Answer.REJECT else _comment(form)
    if asked == Answer.REJECT and not reason:
        return "To reject, please give a reason in words: the team sees it, and it is kept on record."
    mistake = _wrong_number(seen, form, "invoices" if asked == Answer.APPROVE else "number", asked)
    if mistake:
        return mistake
    return Vote(seen.approver, Answer(asked), seen.request.request_hash, now.isoformat(), reason, shown=shown)
