"""An approver's own links, and the tags by which a bounced mail is known again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.signed_links import InboxLink, Link

_AFTER_THE_END = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ApproverLinks:
    """Makes the addresses that mails carry. `public_url` is the page's base address."""

    public_url: str
    sign_link: Callable[[Link], str]
    sign_inbox: Callable[[InboxLink], str]

    def to_decide(self, opened: ApprovalRequest, approver: str) -> str:
        """Where this person decides. `opened` is the request as it was opened: the link outlives holds, a vote does
        not."""
        link = Link(opened.id, approver_id(approver), opened.request_hash, _expiry(opened))
        return f"{self.public_url.rstrip('/')}/approvals/{self.sign_link(link)}"

    def to_inbox(self, opened: ApprovalRequest, approver: str) -> str:
        """Where this person sees everything that waits for them. It ends with the request it was mailed for."""
        return self._inbox(approver, _expiry(opened))

    def to_inbox_after(self, opened: ApprovalRequest, approver: str, now: datetime) -> str:
        """The same for a notice of how the request ended: good for a week from `now` on. Longer, and last month's mail
        would open this month's requests."""
        return self._inbox(approver, max(_expiry(opened), int((now + _AFTER_THE_END).timestamp())))

    def _inbox(self, approver: str, expires_at: int) -> str:
        link = InboxLink(approver_id(approver), expires_at)
        return f"{self.public_url.rstrip('/')}/approvals/inbox/{self.sign_inbox(link)}"


def mail_tags(request_id: str, person: str) -> dict[str, str]:
    """SES allows only plain characters in tags, an execution's name more."""
    return {"request": base64.urlsafe_b64encode(request_id.encode()).decode().rstrip("="), "approver": person}


def request_of_tag(value: str) -> str | None:
    """The request's id, or None for a tag that is none of ours."""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except ValueError:
        return None


def _expiry(request: ApprovalRequest) -> int:
    return int(datetime.fromisoformat(request.expires_at).timestamp())
