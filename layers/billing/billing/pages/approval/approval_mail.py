"""Mails to approvers: the request to sign, and the notice of how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.domain.approval.approval_entries import Entry, EntryKind
from billing.domain.approval.approval_request import ApprovalRequest, FormerRequest, RecordedOutcome
from billing.domain.approval.approvers import Answer, Outcome, Vote, everybody
from billing.domain.batch.batch import Batch, totals
from billing.domain.ledger.customer_match import How
from billing.domain.ledger.ledger import Disposition
from billing.domain.mail import MailContent
from billing.domain.period_name import period_name
from billing.domain.text import shown
from billing.pages.approval.approval_view import checked_count, currency_totals, frame_notes, rejects
from billing.pages.email import Email, Listing, mail_of
from billing.pages.formatting import (
    counted,
    instant_words,
    money_words,
    people_words,
    remaining_words,
    slot_words,
    sums_words,
)
from billing.pages.report.beside_the_listing import batch_notes

_MOST_CURRENCIES = 4
_MOST_CUSTOMERS = 20
_TO_LOOK_AT = {
    How.EMAIL: "found by the e-mail address",
    How.NEW: "is created when this is signed",
    How.SETTLED: "settled by a person",
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """What one approver is asked, and why.

    `link` is their own link to decide, `inbox` the one to everything that waits for them. `again` says why they are
    asked once more about the same request, `because` is the entry by which they are asked if they were not at first,
    `former` is the request that ended without an answer and that this one replaces, and with `left` it is a reminder
    that says how long is left.
    """

    request: ApprovalRequest
    batch: Batch
    approver: str
    link: str
    inbox: str = ""
    again: str = ""
    because: Entry | None = None
    former: FormerRequest | None = None
    left: timedelta | None = None


def approval_mail(asked: Invitation, finalizes: bool = False) -> MailContent:
    """Asks one approver to sign, by a link of their own. It tells totals and counts, and names those customers
    only of whom neither NetSuite nor an earlier month says who they are in Stripe; all else is behind the link.

    `finalizes` says that the stack lets Stripe finalize and send automatically. Raises CountDiffers if the request does
    not fit the batch.
    """
    request, batch, approver, left = asked.request, asked.batch, asked.approver, asked.left
    count = checked_count(request, batch)
    expires = instant_words(request.expires_at)
    what = f"{counted(count, 'invoice')} for {period_name(request.period)}"
    drafts = batch.to_draft
    new = {i.plan.client.netsuite_id for i in drafts if i.customer is not None and i.customer.id is None}
    sent = datetime.fromisoformat(request.expires_at) - left if left else datetime.fromisoformat(request.opened_at)
    today = batch.day_of(sent)
    passed = sum(1 for days in map(batch.days_of, drafts) if days is not None and days.passed(today))
    warned = sum(1 for invoice in drafts if invoice.plan.warnings)
    ended = sum(1 for one in batch.ended if one.first_named_in(batch.run.id))
    facts = [
        ("To sign", counted(count, "invoice")),
        ("Signed for earlier", f"{counted(len(drafts) - count, 'invoice')}, drafted with these")
        if len(drafts) > count
        else None,
        ("New in Stripe", f"{counted(len(new), 'customer')} will be created") if new else None,
        ("Due at once", f"{counted(passed, 'invoice')}, whose due date by the terms has passed") if passed else None,
        ("With a warning", counted(warned, "invoice")) if warned else None,
        ("Not billed", f"{counted(len(batch.problems), 'order')} with a problem") if batch.problems else None,
        ("Held", counted(len(batch.of(Disposition.HOLD)), "invoice")) if batch.of(Disposition.HOLD) else None,
        ("Ended by a person", f"{counted(ended, 'order')} since the last report") if ended else None,
        ("Must sign", "; ".join(f"{slot.name}: {slot_words(slot)}" for slot in request.slots)),
        ("Open until", expires),
    ]
    sending = (
        "Once everyone has signed, the invoices are drafted in Stripe, which finalizes and sends them automatically."
        if finalizes
        else "Once everyone has signed, the invoices are drafted in Stripe. Nothing is sent to clients."
    )
    asks = (
        f"Reminder: approve {what}" if left else f"Approval needed again: {what}" if asked.former else f"Approve {what}"
    )
    return mail_of(
        Email(
            subject=f"{asks}: {sums_words(totals(drafts), _MOST_CURRENCIES)}",
            heading=f"Approve {what}?",
            opening=(
                *([_why_asked(asked.because)] if asked.because else []),
                *(
                    [f"We are still waiting for your decision. {remaining_words(left)} left, until {expires}."]
                    if left
                    else []
                ),
                *(
                    [f"{asked.again} Your earlier signature does not count for the current version."]
                    if asked.again
                    else []
                ),
                *([_anew(asked.former)] if asked.former else []),
                "Please review what will be billed, then approve or reject it.",
                *frame_notes(batch.run, ()),
                *batch_notes(batch),
            ),
            amounts=[
                (money_words(total.total, total.currency), counted(total.invoices, "invoice"))
                for total in currency_totals(batch)
            ],
            facts=[fact for fact in facts if fact is not None],
            listings=_customers_to_look_at(batch),
            link=("Review and decide", asked.link),
            references=_references(asked.inbox),
            closing=(
                f"{sending} Opening the link does not change anything.",
                f"This link is personal to {approver}: please do not forward it. It expires on {expires}.",
                f"If you did not expect this email, ignore it: nothing is billed without {_whose(request, approver)}.",
                f"Run {request.run_id}. Fingerprint of the content (SHA-256): {request.request_hash}",
            ),
        )
    )


def _customers_to_look_at(batch: Batch) -> list[Listing]:
    """Whom Stripe would bill, as Stripe itself calls them, where neither NetSuite nor an earlier month says so: found
    by the e-mail address alone, settled by a person, or new."""
    found: dict[str, tuple[How, str]] = {}
    for invoice in batch.to_draft:
        match, client = invoice.customer, invoice.plan.client
        if match is None or match.how not in _TO_LOOK_AT:
            continue
        if match.id is None:
            whom = f"a new customer with {match.email or 'no e-mail address'}"
        else:
            name = shown(match.stripe_name) if match.stripe_name else "a customer without a name"
            whom = f"{name}, {match.stripe_email or 'without an e-mail address'} ({match.id})"
        found.setdefault(client.netsuite_id, (match.how, f"{shown(client.name)}: {whom}; {_TO_LOOK_AT[match.how]}"))
    order = list(_TO_LOOK_AT)
    items = tuple(said for _, said in sorted(found.values(), key=lambda one: order.index(one[0])))
    if not items:
        return []
    return [
        Listing(
            "Customers to look at: NetSuite's client, and whom Stripe would bill",
            items[:_MOST_CUSTOMERS],
            max(0, len(items) - _MOST_CUSTOMERS),
            "on the page",
        )
    ]


def _anew(former: FormerRequest) -> str:
    """That this takes the place of a request that ended without an answer, and what that means for the reader."""
    ended = (
        "expired before everyone had signed"
        if former.outcome == Outcome.EXPIRED
        else "could not be delivered to enough of the approvers"
    )
    content = (
        "The orders and amounts have not changed."
        if former.same_content
        else "What will be billed has changed since then."
    )
    held = (
        f" {counted(former.held_back, 'invoice was', 'invoices were')} held then: "
        "hold again whatever must not be billed."
        if former.held_back
        else ""
    )
    return (
        f"This request replaces the one sent on {instant_words(former.opened_at)}, which {ended}. Nothing was drafted. "
        f"{content}{held} Decisions on that request do not carry over, and its links no longer work for deciding."
    )


def bounce_mail(request: ApprovalRequest, lost: str, approver: str, inbox: str = "") -> MailContent:
    """Tells one approver that mail does not reach another one. Its only link shows what waits for them, and decides
    nothing."""
    what = f"{counted(request.invoices, 'invoice')} for {period_name(request.period)}"
    slots = [slot.name for slot in request.slots if lost in slot.people]
    return mail_of(
        Email(
            subject=f"Email to an approver is bouncing: {what}",
            heading="Email to an approver is bouncing",
            opening=(
                f"Email to {lost} is bouncing. The approval of {what} continues with those who can be reached.",
                "If you know another way to reach them, please use it, and let the billing team know.",
            ),
            facts=[("Their slot", ", ".join(slots)), ("Open until", instant_words(request.expires_at))],
            references=_references(inbox),
            closing=(f"You are receiving this because {approver} is also asked to sign. Run {request.run_id}.",),
        )
    )


def decided_mail(
    request: ApprovalRequest,
    outcome: RecordedOutcome,
    approver: str,
    votes: Sequence[Vote] = (),
    inbox: str = "",
) -> MailContent:
    """Tells one approver how the request ended: which of the ends it was, by whom and why, and what was drafted.

    `votes` are all that were given; those for other content than the request's count for nothing and are told apart.
    `inbox` is the link to everything that waits for them.
    """
    what = f"{counted(request.invoices, 'invoice')} for {period_name(request.period)}"
    votes, voided = (
        [vote for vote in votes if vote.request_hash == request.request_hash],
        [vote for vote in votes if vote.request_hash != request.request_hash],
    )
    rejecters = people_words([vote.approver for vote in rejects(votes)])
    signed = [vote.approver for vote in votes if vote.answer is Answer.APPROVE]
    silent = _silent(request, [*votes, *voided])
    nothing = "Nothing was drafted and nothing is billed. The orders stay open in NetSuite."
    why = ("Reason", outcome.reason) if outcome.reason else None
    by: tuple[str, str] | None = None
    if outcome.outcome == Outcome.APPROVED:
        ended, opening = "Approved", "Everyone required has signed. The invoices are being drafted in Stripe."
        why = None
    elif outcome.outcome == Outcome.REJECTED:
        ended, opening = "Rejected", f"The batch was rejected. {nothing}"
        by = ("Rejected by", rejecters) if rejecters else None
    elif outcome.outcome == Outcome.EXPIRED:
        ended, opening = (
            "Expired",
            f"It was not rejected, but not everyone required signed in time. {nothing}",
        )
    elif outcome.outcome == Outcome.UNDELIVERABLE:
        ended, opening = (
            "Undeliverable",
            f"Too few of the required approvers can be reached, or are still listed. {nothing}",
        )
    else:
        ended, opening = f"Ended ({outcome.outcome})", nothing
    facts = [
        by,
        why,
        ("Signed by", people_words(signed)) if signed else None,
        *[("Signed an earlier version", words) for words in _voided_words(voided, votes)],
        ("No response from", people_words(silent)) if silent and outcome.outcome == Outcome.EXPIRED else None,
        ("When", instant_words(outcome.at)),
    ]
    return mail_of(
        Email(
            subject=f"{ended}: {what}",
            heading=f"{ended}: {what}",
            opening=(opening,),
            facts=[fact for fact in facts if fact is not None],
            references=_references(inbox),
            closing=(
                f"You are receiving this because {approver} was asked to sign. No action is needed.",
                f"Run {request.run_id}. Fingerprint of the content (SHA-256): {request.request_hash}",
            ),
        )
    )


def _whose(request: ApprovalRequest, approver: str) -> str:
    """Whose signature it cannot go without: theirs, unless others of their slots can do it for them."""
    needed = any(slot.need == len(slot.people) for slot in request.slots if approver in slot.people)
    return "your signature" if needed else "a signature from your group"


def _silent(request: ApprovalRequest, votes: Sequence[Vote]) -> list[str]:
    answered = {vote.approver for vote in votes}
    return [person for person in everybody(request.slots) if person not in answered]


def _voided_words(voided: Sequence[Vote], votes: Sequence[Vote]) -> list[str]:
    """For each person who signed, but not what was asked in the end: what, and when."""
    answered = {vote.approver for vote in votes}
    newest = {vote.approver: vote for vote in voided if vote.approver not in answered}
    return [
        f"{vote.approver}{f' ({vote.shown})' if vote.shown else ''} on {instant_words(vote.at)}; "
        "orders were held or released after that"
        for vote in newest.values()
    ]


def _why_asked(because: Entry) -> str:
    """For somebody who was not asked at first."""
    reason = f" Their reason: {because.reason}" if because.reason else ""
    if because.kind is EntryKind.DELEGATE:
        return f"{because.by} delegated this request to you, so you decide in their place.{reason}"
    return "You are asked as a deputy: not everyone who was asked first has responded in time."


def _references(inbox: str) -> Sequence[tuple[str, str]]:
    return [("Everything waiting for you", inbox)] if inbox else ()
