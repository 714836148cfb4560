"""The pages behind an approval link: the one to sign on, the one that says how it stands, and the two that say no.

The forms' fields, for whoever reads the POST: `content` (hidden: the hash of what the page showed), `answer` (from the
button: "approve", "reject", "hold", "release" or "delegate"), `invoices` (typed, to approve), `number` (the same, to
reject or to pass on), `reason` (typed, to reject, hold or release), `comment` (may be typed, to approve), `order`
(typed, to hold or release) or `picked` (hidden, the plan whose row was clicked: then `number` is typed), `together`
(typed, how many orders are held at once, where one invoice bills several), `delegate` (typed, an address), and `note`,
which people neither see nor hear: whatever fills it is a machine. Nothing typed is filled in beforehand but what was
typed before.
Links and forms stay on the page's own path, so the token belongs into the path and never into the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from billing.domain.approval.approval_entries import HELD_BY, EntryKind, with_the_same_orders
from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome, RunEnd
from billing.domain.approval.approvers import Answer, Outcome, Tally, Vote
from billing.domain.batch.batch import Batch, totals
from billing.domain.batch.drafting import Drafting
from billing.domain.ledger.ledger import Disposition
from billing.domain.period_name import period_name
from billing.domain.text import clean
from billing.pages.approval.approval_view import (
    answer_of,
    checked_count,
    currencies_gone,
    currency_totals,
    frame_notes,
    newest_first,
    orders_not_billed,
    rejects,
    slot_states,
)
from billing.pages.approval.batch_csv import batch_csv
from billing.pages.approval.batch_table import Pages, lookup, page_of
from billing.pages.approval.drafting_section import DraftingSection, drafting_section
from billing.pages.approval.review_first import groups, unbilled
from billing.pages.approval.table_choice import LONGEST_QUERY, SHOWN, Choice
from billing.pages.approval.table_rows import table_rows
from billing.pages.approval.unbilled import cause_title
from billing.pages.formatting import counted, instant_words, money_words, people_words, remaining_words
from billing.pages.rendering import Shown, kept_page
from billing.pages.rendering import page as render_page
from billing.pages.report.beside_the_listing import batch_notes, done_note
from billing.pages.report.run_end_words import ended_before_words, ended_words, no_end_words, stopped_words

__all__ = [
    "Posted",
    "RequestView",
    "Shown",
    "approval_page",
    "batch_csv",
    "csv_parts_page",
    "expired_inbox_page",
    "invalid_link_page",
    "status_page",
    "trouble_page",
    "wrong_method_page",
]

LONGEST_REASON: Final = 1_000

_FIELDS: Final[Mapping[str, str]] = {
    str(Answer.REJECT): "reason",
    str(EntryKind.HOLD): "hold-order",
    str(EntryKind.RELEASE): "release-order",
    str(EntryKind.DELEGATE): "delegate",
    str(EntryKind.QUESTION): "question",
}
"""The field to look at first after a mistake, by what was tried."""

_NOTHING: Final = "Nothing is drafted and nothing is billed."
_ASKED_ANEW: Final = (
    "This request was replaced by a newer one. Use the link in the most recent email to decide; this one no longer can."
)
_INVALID: Final = (
    "It may be incomplete, it may have ended, or it may never have been valid.",
    (
        "Approval links are personal and work only for a limited time. Open the link from your own email again: some "
        "mail programs break long links over two lines."
    ),
    "If it still does not work, ask whoever sent you the email. Nothing was changed by opening this page.",
)
_INBOX_EXPIRED: Final = (
    (
        "It opened everything waiting for you, and it lasted as long as the request it was mailed for, and as you "
        "are listed among those who sign."
    ),
    "Each newer email about an approval has a newer link. Links to individual requests still show how those ended.",
)
_TAKEN_OFF: Final = (
    "You were removed from the list of approvers, so you can no longer respond, and this link shows nothing of the "
    "request."
)
_LINK_OVER: Final = "This link expired on {when}, as its email said. It no longer shows what was requested."
_WHERE_ELSE: Final = "To see what was billed, ask the billing team for the run’s report."
_ALTERED: Final = (
    (
        "Someone changed it directly in the database: it no longer matches what was sent. So no one can "
        "respond to it, and nothing will be billed from it."
    ),
    (
        "The billing team has been told. Once they know what happened, they will start the run again, and "
        "you will get a new email with a new link."
    ),
)
_UNTOUCHED: Final = "Nothing was changed by opening this page. Nothing is billed without every signature it needs."
_UNCERTAIN: Final = (
    "We do not know whether your answer was recorded. Nothing is billed without every signature it needs."
)
_TROUBLE: Final = (
    (
        "Please open the link from your email again in a few minutes. The page shows whether your answer was recorded; "
        "answering again is safe."
    ),
    "If this continues, give the reference below to the billing team.",
)


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request at one moment (`now`, in UTC), as the person `approver` may see it.

    `votes` are the answers to its present content, `voided` everyone's answers to other content. `changes` tells what
    happened since the request was opened, `end` how the run ended, and `asked_anew` says that the run asks under a
    newer request now. `held` are the orders that approvers hold back, `delegate_domains` where this person may pass the
    request on to, `passed_to` to whom they did; `signed_before` says that they signed for other content. `finalizes`
    says that the stack lets Stripe finalize and send automatically; `drafting` is how far an approved run has come.
    `seen` is what the forms carry along to say when they were shown, "" where that does not matter; `ask_to`
    is who gets a question, "" for nobody; `origins` are the votes whose origin this person may see.
    """

    request: ApprovalRequest
    approver: str
    votes: Sequence[Vote]
    tally: Tally
    now: datetime
    outcome: RecordedOutcome | None = None
    voided: Sequence[Vote] = ()
    changes: Sequence[str] = ()
    end: RunEnd | None = None
    asked_anew: bool = False
    held: Sequence[str] = ()
    delegate_domains: Sequence[str] = ()
    passed_to: str = ""
    signed_before: bool = False
    finalizes: bool = False
    drafting: Drafting | None = None
    seen: str = ""
    ask_to: str = ""
    origins: Sequence[Vote] = ()

    @property
    def late(self) -> bool:
        """Whether its time is over and nothing was decided."""
        return self.outcome is None and self.now >= datetime.fromisoformat(self.request.expires_at)


@dataclass(frozen=True, slots=True)
class Posted:
    """What the person's own POST came to; without one, nothing.

    `mistake` says why it was not recorded, `said` what it has done, `just_signed` that it was an answer and is
    recorded. `typed` is what it held, `together` the orders that a hold takes along and whose number has to be typed.
    `awake` is False if the run did not wait when the decision was to wake it.
    """

    mistake: str = ""
    said: str = ""
    just_signed: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    together: Sequence[str] = ()
    awake: bool = True


NOT_POSTED: Final = Posted()
NO_CHOICE: Final = Choice()


@dataclass(frozen=True, slots=True)
class OneOrder:
    """The order whose row was clicked, to hold it or to release it: `kind` is one of the two, `key` the plan's, and
    `others` are the orders that go with it."""

    kind: str
    key: str
    number: str
    others: tuple[str, ...]
    client: str
    amount: str


def approval_page(view: RequestView, batch: Batch, posted: Posted = NOT_POSTED, *, choice: Choice = NO_CHOICE) -> Shown:
    """The page to sign on, for an approver who has not answered while the request is open.

    Of what was typed, a reason is kept and a number never is. Raises CountDiffers if the request does not fit the
    batch.
    """
    return render_page("approval_page.html.j2", _approval_values(view, batch, posted, choice, kept=False))


def approval_preview(view: RequestView, batch: Batch) -> str:
    """The same page as a file that is kept, for a dry run: every row is on it, and nothing that a file cannot do."""
    return kept_page("approval_page.html.j2", _approval_values(view, batch, NOT_POSTED, NO_CHOICE, kept=True))


def _approval_values(view: RequestView, batch: Batch, posted: Posted, choice: Choice, *, kept: bool) -> dict[str, Any]:
    request, typed = view.request, posted.typed
    known = lookup(batch, batch.day_of(view.now))
    pages = page_of(known, choice, kept=kept)
    count = checked_count(request, batch)
    drafts = len(batch.to_draft)
    asked = typed.get("answer", "")
    rejecting = asked == Answer.REJECT
    one = _one_order(batch, choice, typed)
    picked = one is not None and bool(typed.get("picked"))
    what = f"{counted(drafts, 'invoice')} for {period_name(request.period)}"
    return {
        **_frame(view),
        "title": f"Dry run: {what} would be drafted" if kept else f"Approve {what}?",
        "kept": kept,
        "batch": batch,
        "count": count,
        "drafts": drafts,
        "signed_earlier": drafts - count,
        "totals": (*currency_totals(batch), *currencies_gone(batch)),
        "last_month": period_name(batch.past.last_month) if batch.past else "",
        "notes": (*frame_notes(batch.run, batch.absent_columns), *batch_notes(batch), *done_note(batch)),
        "unbilled": unbilled(known),
        "groups": groups(known),
        "new_customers": len(
            {
                invoice.plan.client.netsuite_id
                for invoice in batch.to_draft
                if invoice.customer is not None and invoice.customer.id is None
            }
        ),
        "not_billed": orders_not_billed(batch),
        "pages": pages,
        "choice": choice,
        "table_title": _table_title(pages, drafts),
        "rows": table_rows(pages, known, can_hold=not kept and drafts > 1),
        "shown_kinds": [(show, words, pages.kinds[show]) for show, words in SHOWN.items() if show in pages.kinds],
        "invoice_day": batch.run.invoice_date,
        "other_days": any(
            days.invoice != batch.run.invoice_date for days in map(batch.days_of, batch.to_draft) if days is not None
        ),
        "today": known.today,
        "longest_query": LONGEST_QUERY,
        "longest_reason": LONGEST_REASON,
        "slots": slot_states(request, view.votes, view.voided),
        "still_to_sign": view.tally.reason,
        "left": remaining_words(datetime.fromisoformat(request.expires_at) - view.now),
        "mistake": posted.mistake,
        "rejecting": rejecting,
        "approving": asked == Answer.APPROVE,
        "asked": asked if asked in _FIELDS and not picked else "",
        "field": _field(asked, picked=picked, together=bool(posted.together)),
        "seen": view.seen,
        "ask_to": view.ask_to,
        "typed_question": _kept(typed.get("question", "")),
        "typed_comment": _kept(typed.get("comment", "")),
        "typed_reason": _kept(typed.get("reason", "")),
        "typed_order": " ".join(typed.get("order", "").split())[:60],
        "said": posted.said,
        "changes": newest_first(view.changes),
        "together": posted.together,
        "one": one,
        "picked": picked,
        "stopped": stopped_words(view.end) if view.end else "",
        "held_orders": view.held,
        "delegate_domains": view.delegate_domains,
        "signed_before": view.signed_before,
        "finalizes": view.finalizes,
    }


def _table_title(pages: Pages, drafts: int) -> str:
    """What the table shows, and how many rows it has in all."""
    choice, found = pages.choice, pages.found
    if not choice.narrows:
        return f"{counted(drafts, 'invoice')} to be drafted"
    kind = cause_title(choice.cause) if choice.cause else next((w for s, w in SHOWN.items() if s == choice.show), "")
    parts = [kind or "Found", choice.currency.upper()]
    return f"{' in '.join(part for part in parts if part)}: {counted(found, 'row')}"


def _one_order(batch: Batch, choice: Choice, typed: Mapping[str, str]) -> OneOrder | None:
    """The order whose row was clicked, if it can (still) be held or released."""
    answer = typed.get("answer", "")
    picked = typed.get("picked", "") if answer in (EntryKind.HOLD, EntryKind.RELEASE) else ""
    kind = EntryKind(answer) if picked else EntryKind.RELEASE if choice.release else EntryKind.HOLD
    key = picked or choice.release or choice.hold
    held = [one for one in batch.of(Disposition.HOLD) if one.reason.startswith(HELD_BY)]
    among = batch.to_draft if kind is EntryKind.HOLD else held
    meant = next((one.plan.orders[0].number for one in among if one.plan.key == key), "")
    if not meant or (kind is EntryKind.HOLD and len(among) == 1):
        return None
    found = with_the_same_orders(among, meant)
    numbers = dict.fromkeys(order.number for one in found for order in one.plan.orders)
    return OneOrder(
        str(kind),
        key,
        meant,
        tuple(each for each in numbers if each != meant),
        found[0].plan.client.name,
        ", ".join(money_words(total, currency) for currency, total in totals(found).items()),
    )


def _field(asked: str, *, picked: bool, together: bool) -> str:
    """The id of the field to look at first after a mistake."""
    if picked:
        return "one-reason"
    return "hold-together" if together else _FIELDS.get(asked, "typed-invoices")


def status_page(view: RequestView, batch: Batch | None, posted: Posted = NOT_POSTED) -> Shown:
    """How the request stands, for whoever cannot (any more) answer: what was signed, by whom, when, why, and what next.

    The confirmation of an answer comes first. Without `batch` (its file is gone) the totals are left out.
    """
    request, votes = view.request, view.votes
    mine = answer_of(view.approver, votes)
    headline, tone, explanation = _headline(view, mine)
    return render_page(
        "status_page.html.j2",
        {
            **_frame(view),
            "title": headline,
            "tone": tone,
            "explanation": explanation,
            "next_title": "What happened next" if view.end and not view.asked_anew else "What happens next",
            "next_step": _next_step(view, posted.awake),
            "drafting": _drafting(view),
            "origins": view.origins,
            "mistake": posted.mistake,
            "said": posted.said,
            "earlier": next((vote for vote in reversed(view.voided) if vote.approver == view.approver), None),
            "mine": mine,
            "just_signed": posted.just_signed and mine is not None,
            "changes": newest_first(view.changes),
            "passed_to": view.passed_to,
            "listed": any(view.approver in slot.people for slot in request.slots),
            "count": request.invoices,
            "totals": currency_totals(batch) if batch else None,
            "notes": frame_notes(batch.run, ()) if batch else (),
            "not_billed": orders_not_billed(batch) if batch else 0,
            "others": [vote for vote in votes if not any(vote.approver in slot.people for slot in request.slots)],
            "outcome": view.outcome,
            "slots": slot_states(request, votes, view.voided),
            "waiting": view.outcome is None and view.tally.outcome is Outcome.UNDECIDED and not view.late,
        },
    )


def ended_page(view: RequestView, mine: Vote | None, posted: Posted = NOT_POSTED, *, taken_off: bool) -> Shown:
    """What a link shows when it has ended: how the request ended, and no name, no address and no amount of it.

    It ended because its time is over, or because its holder was taken off the list of those who sign (`taken_off`).
    `mine` is its holder's own answer, the last one that they gave; of the view's votes nothing is shown.
    """
    request, outcome = view.request, view.outcome
    headline, _, _ = _headline(replace(view, votes=()), None)
    why = _TAKEN_OFF if taken_off else _LINK_OVER.format(when=instant_words(request.expires_at))
    waiting = outcome is None and not view.late
    own = "You did not answer."
    if mine is not None:
        what = mine.answer.past if mine.request_hash == request.request_hash else f"{mine.answer.past} other content"
        own = f"You {what} on {instant_words(mine.at)}."
    how = f"{headline}." if taken_off and not waiting else ""
    next_step = "" if waiting else _next_step(view, posted.awake)
    told = (posted.mistake, posted.said, why, how, own, next_step, _WHERE_ELSE)
    return render_page(
        "message_page.html.j2",
        {
            "title": "This link no longer works" if taken_off else headline,
            "paragraphs": [one for one in told if one],
            "reference": "",
        },
    )


def altered_page() -> Shown:
    """For a request whose row in the table is not what was signed when it was opened."""
    return render_page(
        "message_page.html.j2",
        {"title": "This request can no longer be decided", "paragraphs": _ALTERED, "reference": ""},
    )


def invalid_link_page() -> Shown:
    """For unknown, forged, cut and foreign links: the same bytes for all of them, and no hint which it was."""
    return render_page(
        "message_page.html.j2",
        {
            "title": "This link cannot be used",
            "paragraphs": _INVALID,
            "reference": "",
        },
    )


def expired_inbox_page() -> Shown:
    """For a link to an inbox that we signed and that is over."""
    return render_page(
        "message_page.html.j2", {"title": "This link has expired", "paragraphs": _INBOX_EXPIRED, "reference": ""}
    )


def csv_parts_page(approver: str, count: int) -> Shown:
    """For a table that is too large for one download: links to its `count` parts."""
    return render_page(
        "parts_page.html.j2", {"title": "The table comes in parts", "approver": approver, "count": count}
    )


def wrong_method_page() -> Shown:
    """For a request that no browser sends: the same bytes whatever the link."""
    return render_page(
        "message_page.html.j2",
        {
            "title": "This page cannot do that",
            "paragraphs": ("Open the link from your email in a browser. Nothing was changed.",),
            "reference": "",
        },
    )


def trouble_page(reference: str, answering: bool = False) -> Shown:
    """For a failure on our side. `reference` is the request's id, by which the logs are searched; `answering` says that
    an answer was sent, of which nobody knows yet how far it came."""
    return render_page(
        "message_page.html.j2",
        {
            "title": "Something went wrong on our side",
            "paragraphs": (_UNCERTAIN if answering else _UNTOUCHED, *_TROUBLE),
            "reference": reference,
        },
    )


def _drafting(view: RequestView) -> DraftingSection | None:
    if view.drafting is None or view.outcome is None:
        return None
    end = view.end if view.end is not None and view.end.at >= view.outcome.at else None
    return drafting_section(view.drafting, end, report=end is not None)


def _kept(reason: str) -> str:
    """What was typed, in its lines, to go on from."""
    return "\n".join(clean(line) for line in reason[:LONGEST_REASON].splitlines())


def _frame(view: RequestView) -> dict[str, Any]:
    return {
        "request": view.request,
        "approver": view.approver,
        "period_text": period_name(view.request.period),
    }


def _headline(view: RequestView, mine: Vote | None) -> tuple[str, str, str]:
    """The page's title, its tone (good, bad, calm), and the sentence that explains it."""
    request, outcome, tally = view.request, view.outcome, view.tally
    what = f"{counted(request.invoices, 'invoice')} for {period_name(request.period)}"
    ended = outcome.outcome if outcome else ""
    if ended == Outcome.APPROVED or (not ended and tally.outcome is Outcome.APPROVED):
        return f"Approved: {what}", "good", "Everyone required has signed."
    if ended == Outcome.REJECTED or (not ended and tally.outcome is Outcome.REJECTED):
        people = people_words([vote.approver for vote in rejects(view.votes)])
        return f"Rejected: {what}", "bad", f"Rejected by {people}." if people else "An approver rejected the batch."
    if ended == Outcome.EXPIRED or view.late:
        when = instant_words(request.expires_at)
        return f"Expired: {what}", "bad", f"Not everyone required had signed by {when}."
    if ended == Outcome.UNDELIVERABLE:
        return (
            f"Undeliverable: {what}",
            "bad",
            "Too few of the required approvers can be reached by email, or are still listed.",
        )
    if ended:
        return f"Ended ({ended}): {what}", "bad", outcome.reason if outcome else ""
    if mine is not None:
        return f"You approved {what}", "calm", tally.reason
    return f"Waiting: {what}", "calm", tally.reason


def _next_step(view: RequestView, awake: bool) -> str:
    if view.asked_anew:
        return _ASKED_ANEW
    request, outcome, end = view.request, view.outcome, view.end
    ended = outcome.outcome if outcome else str(view.tally.outcome)
    if ended == Outcome.APPROVED:
        sending = (
            "Stripe finalizes and sends them automatically."
            if view.finalizes
            else "Drafts stay drafts until a person finalizes them there; nothing is sent to clients before that."
        )
        if end is not None and outcome is not None and end.at < outcome.at:
            return ended_before_words(end)
        if end is not None:
            return f"{ended_words(end)} {sending} The run’s summary in Slack names every draft and what failed."
        how = no_end_words(outcome.at if outcome else view.now.isoformat(), view.now, awake)
        return f"{how} {sending} The run’s summary, with every draft and what failed, goes to Slack when it is done."
    if ended == Outcome.REJECTED:
        return f"{_NOTHING} The orders stay open in NetSuite and can be billed by another run."
    if ended == Outcome.EXPIRED or view.late:
        return (
            f"{_NOTHING} To continue, the billing team starts the run again; you will get a new email with a new link."
        )
    if outcome is not None:
        return f"{_NOTHING} The billing team has been told."
    if end is not None:
        return stopped_words(end)
    return (
        "Nothing is drafted until everyone has signed. If that does not happen by "
        f"{instant_words(request.expires_at)}, the request expires and nothing is billed. "
        "This link always shows the current status."
    )
