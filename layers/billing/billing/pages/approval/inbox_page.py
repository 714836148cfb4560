"""The inbox: what waits for one person, what they decided, and how those runs stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.domain.approval.approval_inbox import InboxItem
from billing.domain.approval.approvers import Outcome
from billing.domain.period_name import period_name
from billing.pages.formatting import counted, instant_words, remaining_words
from billing.pages.rendering import Shown
from billing.pages.rendering import page as render_page
from billing.pages.report.run_end_words import LONG_FOR_DRAFTING, short_end_words

_ENDED = {
    str(Outcome.APPROVED): "Approved: the invoices are being drafted in Stripe.",
    str(Outcome.REJECTED): "Rejected: nothing was drafted.",
    str(Outcome.EXPIRED): "Expired: nothing was drafted.",
    str(Outcome.UNDELIVERABLE): "Undeliverable: nothing was drafted.",
}


def inbox_page(approver: str, items: Sequence[InboxItem], now: datetime) -> Shown:
    """The page. Links lead to the person's own pages, which ask for what they need before anything is decided."""
    return render_page(
        "inbox_page.html.j2",
        {
            "title": "Your approvals",
            "approver": approver,
            "waiting": [(item, _what(item), _left(item, now)) for item in items if item.waits],
            "others": [(item, _what(item), _state(item, now)) for item in items if not item.waits],
        },
    )


def _what(item: InboxItem) -> str:
    return f"{counted(item.request.invoices, 'invoice')} for {period_name(item.request.period)}"


def _left(item: InboxItem, now: datetime) -> str:
    left = remaining_words(datetime.fromisoformat(item.request.expires_at) - now)
    stopped = f" The run stopped on {instant_words(item.end.at)}." if item.end else ""
    return f"Open for {left}, until {instant_words(item.request.expires_at)}.{stopped}"


def _state(item: InboxItem, now: datetime) -> str:
    outcome, end = item.outcome, item.end
    if outcome is not None and outcome.outcome == Outcome.APPROVED and end is not None and end.at >= outcome.at:
        closed = f"Closed on {instant_words(outcome.at)}, run ended on {instant_words(end.at)}."
        return f"Approved: {short_end_words(end)}. {closed}"
    if outcome is not None:
        stopped = f" The run stopped on {instant_words(end.at)}." if end and end.at < outcome.at else ""
        how = _ENDED.get(outcome.outcome, outcome.outcome)
        if outcome.outcome == Outcome.APPROVED and now - datetime.fromisoformat(outcome.at) > LONG_FOR_DRAFTING:
            how = "Approved: the run has reported no end."
        return f"{how} Closed on {instant_words(outcome.at)}.{stopped}"
    if now >= datetime.fromisoformat(item.request.expires_at):
        return "This request has expired."
    return item.tally.reason
