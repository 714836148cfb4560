"""A question that an approver puts to whoever started the run: on record first, then by mail, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.approval.approval_entries import Entry, EntryKind
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.stored_request import request_owner
from billing.domain.canonical import sha256_hex
from billing.domain.errors import AddressRefused, PassingError, PersonNeeded
from billing.domain.mail import MailContent
from billing.workflows.approval_page.approval_page import Seen
from billing.workflows.ports import Mail


class Messages(Protocol):
    """Which messages were sent. What was sent before is known from the request itself."""

    def finish(self, owner: str, what: str, at: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Questions:
    """`owners` are asked about a run that nobody has put their name to, as the schedule's; `connect_mail` makes the
    sender when one is needed."""

    owners: tuple[str, ...]
    messages: Messages
    connect_mail: Callable[[], Mail]
    write: Callable[[ApprovalRequest, Entry], MailContent]

    def recipients(self, seen: Seen) -> tuple[str, ...]:
        """Whoever started the run, or its owners; nobody if there are none. The address counts only in a request that
        was signed: else somebody else may have written it."""
        stored = seen.present.stored
        by = stored.request.requested_by if stored.signature and seen.present.trustworthy else ""
        return tuple(one for one in ((by,) if by else self.owners) if one != seen.approver)

    def send(self, seen: Seen, text: str, now: datetime) -> bool:
        """Mail this person's question that is on record; answers whether it has been mailed to everybody. Safe to
        repeat: of a sending that was interrupted nobody knows, and it is sent again rather than never."""
        question = next(
            (
                entry
                for entry in reversed(seen.present.entries)
                if entry.kind is EntryKind.QUESTION and entry.by == seen.approver and entry.reason == text
            ),
            None,
        )
        if question is None:
            return False
        sent = {message.what for message in seen.present.stored.messages}
        unsent = [to for to in self.recipients(seen) if not self._mail(seen, question, to, sent, now)]
        return not unsent

    def _mail(self, seen: Seen, question: Entry, to: str, sent: set[str], now: datetime) -> bool:
        asked = sha256_hex(f"{question.by}\n{question.at}\n{question.reason}".encode())[:16]
        what, owner = f"question-{asked}-{approver_id(to)}", request_owner(seen.request.id)
        if what in sent:
            return True
        try:
            self.connect_mail().send(to, self.write(seen.request, question), thread=seen.request.run_id)
        except (AddressRefused, PassingError, PersonNeeded):
            return False
        self.messages.finish(owner, what, now.isoformat())
        return True
