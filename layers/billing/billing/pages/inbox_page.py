"""The inbox: what waits for one person, what they decided, and how those runs stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.domain.approval_inbox import InboxItem
from billing.domain.approvers import Outcome
from billing.domain.period_name import period_name
from billing.pages.rendering import Shown
from billing.pages.rendering import page as render_page
from billing.pages.wording import counted, instant_words, remaining_words

_ENDED = {
    str(Outcome.APPROVED): "Approved: the invoices are drafted in Stripe.",
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
    return f"Open for {left}, until {instant_words(item.request.expires_at)}."


def _state(item: InboxItem, now: datetime) -> str:
    if item.outcome is not None:
        return f"{_ENDED.get(item.outcome.outcome, item.outcome.outcome)} Closed on {instant_words(item.outcome.at)}."
    if now >= datetime.fromisoformat(item.request.expires_at):
        return "Its time is over."
    return item.standing.reason
