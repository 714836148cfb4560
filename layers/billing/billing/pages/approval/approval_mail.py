"""Mails to approvers: the request to sign, and the notice of how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billing.domain.approval.approval_entries import Entry, EntryKind
from billing.domain.approval.approval_request import ApprovalRequest, FormerRequest, RecordedOutcome
from billing.domain.approval.approvers import Answer, Outcome, Vote, everybody
from billing.domain.batch.batch import Batch, BatchInvoice, totals
from billing.domain.ledger.customer_match import How
from billing.domain.ledger.ledger import Disposition
from billing.domain.mail import Importance, MailContent
from billing.domain.money.rough_worth import largest_first
from billing.domain.orders.sales_order import Problem
from billing.domain.period_name import period_name
from billing.domain.runs.period import BillingPeriod
from billing.domain.text import shown
from billing.pages.approval.approval_view import (
    CurrencyTotal,
    checked_count,
    currency_totals,
    frame_notes,
    problem_amount,
    rejects,
)
from billing.pages.approval.first_look import first_looks, no_last_month
from billing.pages.email import Email, Figure, Listing, mail_of
from billing.pages.formatting import (
    change_words,
    counted,
    day_words,
    local_words,
    money_words,
    people_words,
    remaining_words,
    slot_words,
    sums_words,
)
from billing.pages.report.beside_the_listing import batch_notes

_MOST_CURRENCIES = 5
_MOST_LOOKS = 3
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
    that says how long is left; `last` says that no other comes after it.
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
    last: bool = False


def approval_mail(asked: Invitation, finalizes: bool = False, importance: Importance = "normal") -> MailContent:
    """Asks one approver to sign, by a link of their own. It says what is new: totals beside last month's, the three
    things to look at first, what is not billed. Clients are named where one of these is about them, and where neither
    NetSuite nor an earlier month says who they are in Stripe; all else is behind the link.

    `finalizes` says that the stack lets Stripe finalize and send automatically; `importance` is the stack's, and the
    last reminder's is always high. Raises CountDiffers if the request does not fit the batch.
    """
    request, batch, approver, left = asked.request, asked.batch, asked.approver, asked.left
    importance = "high" if asked.last else importance
    count = checked_count(request, batch)
    expires = local_words(request.expires_at, batch.run.zone)
    what = f"{counted(count, 'invoice')} for {period_name(request.period)}"
    looks = first_looks(batch, _month_before(request.period))
    sending = (
        "Once everyone has signed, the invoices are drafted in Stripe, which finalizes and sends them automatically."
        if finalizes
        else "Once everyone has signed, the invoices are drafted in Stripe. Nothing is sent to clients."
    )
    figures = _figures(batch, request.period)
    return mail_of(
        Email(
            subject=f"{_asks(asked, what, importance)}: {_subject_sums(batch)}",
            heading=f"Approve {what}?",
            preview="; ".join([*(one.beside for one in figures[:1] if one.beside), *(one.said for one in looks[:2])]),
            opening=(
                *([_why_asked(asked.because)] if asked.because else []),
                *([_reminder(left, asked.last)] if left else []),
                *(
                    [f"{asked.again} Your earlier signature does not count for the current version."]
                    if asked.again
                    else []
                ),
                *([_anew(asked.former, batch.run.zone)] if asked.former else []),
                f"Please review what will be billed, then approve or reject it by {expires}.",
                *frame_notes(batch.run, ()),
            ),
            amounts=figures,
            first=Listing(
                "Look at these first",
                tuple(one.said for one in looks[:_MOST_LOOKS]),
                max(0, len(looks) - _MOST_LOOKS),
                "on the page",
            )
            if looks
            else None,
            facts=[fact for fact in _facts(asked, count) if fact is not None],
            listings=[*_customers_to_look_at(batch), *_outside(batch)],
            link=("Review and decide", asked.link),
            references=_references(asked.inbox),
            closing=(
                f"{sending} Opening the link does not change anything.",
                f"This link is personal to {approver}: please do not forward it. It expires on {expires}.",
                f"If you did not expect this email, ignore it: nothing is billed without {_whose(request, approver)}.",
                f"Run {request.run_id}. Fingerprint of the content (SHA-256): {request.request_hash}",
            ),
            importance=importance,
        )
    )


def _asks(asked: Invitation, what: str, importance: Importance) -> str:
    """The subject's first half. Its first word says that it is urgent."""
    if asked.left:
        return f"{'Urgent reminder' if importance == 'high' else 'Reminder'}: approve {what}"
    asks = f"Approval needed again: {what}" if asked.former else f"Approve {what}"
    return f"Urgent: {asks[0].lower()}{asks[1:]}" if importance == "high" else asks


def _subject_sums(batch: Batch) -> str:
    """The totals, the one that is worth the most first. Of many the smallest are counted, and never a single one."""
    sums = largest_first(totals(batch.to_draft))
    named = list(sums)[: _MOST_CURRENCIES if len(sums) > _MOST_CURRENCIES + 1 else len(sums)]
    rest = len(sums) - len(named)
    words = sums_words({currency: sums[currency] for currency in named})
    return f"{words} and {rest} smaller totals" if rest else words


def _figures(batch: Batch, period: str) -> list[Figure]:
    """Each currency's total beside last month's, the one that is worth the most first; after them those currencies
    that only last month had."""
    last_month = period_name(_month_before(period))
    sums = {one.currency: one for one in currency_totals(batch)}
    months = _months(batch)
    figures = [
        Figure(
            money_words(sums[currency].total, currency),
            counted(sums[currency].invoices, "invoice"),
            _beside(sums[currency], months, last_month),
        )
        for currency in largest_first({name: one.total for name, one in sums.items()})
    ]
    gone = largest_first({name: last for name, (last, _) in (months or {}).items() if name not in sums and last})
    return [
        *figures,
        *(
            Figure(money_words(0, name), "no invoices", f"{last_month} had {money_words(last, name)}")
            for name, last in gone.items()
        ),
    ]


def _months(batch: Batch) -> dict[str, tuple[int, int]] | None:
    """By currency, what last month billed and what earlier runs have drafted for this one, in minor units. None where
    the batch has no last month to be compared with, which one sentence says for all of them."""
    if batch.past is None or no_last_month(batch):
        return None
    return {currency: (sums[-2], sums[-1]) for currency, sums in batch.past.totals.items()}


def _beside(total: CurrencyTotal, months: Mapping[str, tuple[int, int]] | None, last_month: str) -> str:
    if months is None:
        return ""
    last, drafted = months.get(total.currency, (0, 0))
    if last <= 0:
        return f"Nothing in {last_month}"
    earlier = f", with {money_words(drafted, total.currency)} drafted before" if drafted else ""
    change = change_words(total.total + drafted, last)
    return f"{_capital(change)} from {last_month} ({money_words(last, total.currency)}){earlier}"


def _facts(asked: Invitation, count: int) -> list[tuple[str, str] | None]:
    request, batch, left = asked.request, asked.batch, asked.left
    drafts, zone = batch.to_draft, batch.run.zone
    new = {i.plan.client.netsuite_id for i in drafts if i.customer is not None and i.customer.id is None}
    sent = datetime.fromisoformat(request.expires_at) - left if left else datetime.fromisoformat(request.opened_at)
    today = batch.day_of(sent)
    passed = sum(1 for days in map(batch.days_of, drafts) if days is not None and days.passed(today))
    ended = sum(1 for one in batch.ended if one.first_named_in(batch.run.id))
    compared = no_last_month(batch)
    return [
        ("To sign", counted(count, "invoice")) if len(drafts) > count else None,
        ("Signed for earlier", f"{counted(len(drafts) - count, 'invoice')}, drafted with these")
        if len(drafts) > count
        else None,
        ("Last month", compared) if compared else None,
        ("New in Stripe", f"{counted(len(new), 'customer')} will be created") if new else None,
        ("Due at once", f"{counted(passed, 'invoice')}, whose due date by the terms has passed") if passed else None,
        ("Not billed", _not_billed(batch.problems)) if batch.problems else None,
        ("Held", _held(batch.of(Disposition.HOLD))) if batch.of(Disposition.HOLD) else None,
        ("Ended by a person", f"{counted(ended, 'order')} since the last report") if ended else None,
        ("Run started", _started(request, batch)) if batch.run.started or request.requested_by else None,
        ("Requested", local_words(request.opened_at, zone)),
        ("Cycle", request.cycle),
        ("Covers", _scope(batch)) if batch.run.listed_from and batch.run.listed_before else None,
        ("Must sign", "; ".join(f"{slot.name}: {slot_words(slot)}" for slot in request.slots)),
        ("Open until", local_words(request.expires_at, zone)),
    ]


def _not_billed(problems: Sequence[Problem]) -> str:
    """How many orders cannot be billed, and how much that is, as far as their amounts can be read."""
    sums: dict[str, int] = {}
    unknown = 0
    for one in problems:
        if one.total_minor is None or not one.currency or not problem_amount(one):
            unknown += 1
        else:
            sums[one.currency] = sums.get(one.currency, 0) + one.total_minor
    words = [
        *([sums_words(largest_first(sums))] if sums else []),
        *([f"{counted(unknown, 'order')} of an unknown amount"] if unknown else []),
    ]
    return f"{counted(len(problems), 'order')} with a problem: {' and '.join(words)}"


def _held(held: Sequence[BatchInvoice]) -> str:
    sums: dict[str, int] = {}
    for one in held:
        sums[one.plan.currency] = sums.get(one.plan.currency, 0) + one.total
    return f"{counted(len(held), 'invoice')}: {sums_words(largest_first(sums))}"


def _started(request: ApprovalRequest, batch: Batch) -> str:
    """Who or what started the run."""
    if request.requested_by:
        return f"by {request.requested_by}"
    return f"{batch.run.started}; no name was given" if batch.run.started == "by hand" else batch.run.started


def _scope(batch: Batch) -> str:
    """Which orders were listed."""
    last = date.fromisoformat(batch.run.listed_before) - timedelta(days=1)
    return f"open orders dated {day_words(batch.run.listed_from)} to {day_words(last.isoformat())}"


def _outside(batch: Batch) -> list[Listing]:
    """Orders that are not in this request, and why."""
    notes = batch_notes(batch)
    return [Listing("Not in this request", notes)] if notes else []


def _reminder(left: timedelta, last: bool) -> str:
    left_words = f"{remaining_words(left)} left."
    if last:
        return f"This is the last reminder. We are still waiting for your decision: {left_words}"
    return f"We are still waiting for your decision. {_capital(left_words)}"


def _month_before(period: str) -> str:
    """ "2026-05" as "2026-04"; anything else as it is: a mail is written whatever a request says."""
    try:
        return BillingPeriod.parse(period).previous.name
    except ValueError:
        return period


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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


def _anew(former: FormerRequest, zone: str) -> str:
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
        f"This request replaces the one sent on {local_words(former.opened_at, zone)}, which {ended}. Nothing was "
        f"drafted. {content}{held} Decisions on that request do not carry over, and its links no longer work for "
        "deciding."
    )


def bounce_mail(request: ApprovalRequest, lost: str, approver: str, inbox: str = "", zone: str = "UTC") -> MailContent:
    """Tells one approver that mail does not reach another one. Its only link shows what waits for them, and decides
    nothing. `zone` is the cycle's."""
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
            facts=[("Their slot", ", ".join(slots)), ("Open until", local_words(request.expires_at, zone))],
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
    zone: str = "UTC",
) -> MailContent:
    """Tells one approver how the request ended: which of the ends it was, by whom and why, and what was drafted.

    `votes` are all that were given; those for other content than the request's count for nothing and are told apart.
    `inbox` is the link to everything that waits for them, `zone` the cycle's.
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
        *[
            ("Comment", f"{vote.approver}: {vote.reason}")
            for vote in votes
            if vote.answer is Answer.APPROVE and vote.reason
        ],
        *[("Signed an earlier version", words) for words in _voided_words(voided, votes, zone)],
        ("No response from", people_words(silent)) if silent and outcome.outcome == Outcome.EXPIRED else None,
        ("When", local_words(outcome.at, zone)),
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


def _voided_words(voided: Sequence[Vote], votes: Sequence[Vote], zone: str) -> list[str]:
    """For each person who signed, but not what was asked in the end: what, and when."""
    answered = {vote.approver for vote in votes}
    newest = {vote.approver: vote for vote in voided if vote.approver not in answered}
    return [
        f"{vote.approver}{f' ({vote.shown})' if vote.shown else ''} on {local_words(vote.at, zone)}; "
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
