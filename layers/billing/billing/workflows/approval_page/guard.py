"""What stands between a form that is right and its record: a least time on the page, and the second factor. And what is
kept with a vote: from where it came, and by which factor it was confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from billing.domain.approval.approval_entries import Entry
from billing.domain.approval.approvers import Vote, approver_id
from billing.domain.approval.origin import Origin
from billing.domain.email_address import mailbox_of
from billing.pages.formatting import counted
from billing.workflows.approval_page.approval_page import Seen
from billing.workflows.approval_page.confirming import Asked, Confirming


class Signing(Protocol):
    """Signs and verifies when a page was shown."""

    def sign_view(self, request_id: str, approver: str, at: int) -> str: ...
    def read_view(self, text: str, request_id: str, approver: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Guard:
    """`least_seconds` from the page to an answer, 0 for none. `controllers` are the addresses of those who see from
    where each answer came."""

    confirming: Confirming
    signing: Signing
    least_seconds: int = 0
    controllers: tuple[str, ...] = ()

    def seen_mark(self, seen: Seen, now: datetime, before: str = "") -> str:
        """What every form of a page carries along: when it was shown first, signed, since a GET writes nothing down.
        `before` is the mark of the form that this page answers. "" where there is no least time."""
        if not self.least_seconds:
            return ""
        if before and self.signing.read_view(before, seen.request.id, approver_id(seen.approver)) is not None:
            return before
        return self.signing.sign_view(seen.request.id, approver_id(seen.approver), int(now.timestamp()))

    def too_soon(self, seen: Seen, mark: str, now: datetime) -> str:
        """Why the answer came too soon, in a sentence; "" if it did not."""
        if not self.least_seconds:
            return ""
        shown_at = self.signing.read_view(mark, seen.request.id, approver_id(seen.approver))
        if shown_at is not None and now.timestamp() - shown_at >= self.least_seconds:
            return ""
        return (
            f"Answers are taken {counted(self.least_seconds, 'second')} after the page was opened, or later: a machine "
            "is faster than that. Nothing was recorded. Please review the page, then respond."
        )

    def confirm(self, seen: Seen, form: Mapping[str, str], now: datetime) -> Asked | None:
        """None if the answer may be recorded, else what became of the code."""
        confirming = replace(self.confirming, now=now)
        return confirming.confirm(seen, form.get("code", ""), resend=bool(form.get("resend")))

    def marked(self, what: Vote | Entry, origin: Origin) -> Vote | Entry:
        """A vote with where it came from and how it was confirmed; an entry as it is."""
        if isinstance(what, Entry):
            return what
        factor = self.confirming.factor
        confirmed = "" if factor == "off" else factor
        return replace(what, address=origin.address, agent=origin.agent, confirmed=confirmed)

    def sees_origins(self, address: str) -> bool:
        """Whether this person is one of the controllers, whatever tag their address has."""
        return mailbox_of(address) in {mailbox_of(one) for one in self.controllers}
