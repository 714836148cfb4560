"""State "Remind the approvers": those whose answer is missing hear how long is left, and everybody hears of a
colleague whom mail does not reach. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from billing.domain.approval.approval_entries import brought_in, with_holds
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.signers import ListedPeople
from billing.domain.approval.stored_request import StoredRequest, request_owner
from billing.domain.approval.waiting import is_last_reminder
from billing.domain.batch.batch import read_batch
from billing.domain.errors import AddressRefused
from billing.domain.mail import MailContent
from billing.domain.run import Run
from billing.domain.sending import Sending
from billing.pages.approval.approval_mail import Invitation
from billing.workflows.approval.approval_links import ApproverLinks, mail_tags
from billing.workflows.approval.present_request import PresentRequest, SignedTexts, present_request
from billing.workflows.monthly_billing.read_the_decision import step_of, waiting_rules
from billing.workflows.ports import Channel, Mail, Messages, ReadableFiles


class Requests(Protocol):
    """The approvals table."""

    def newest(self, run_id: str) -> StoredRequest | None: ...


@dataclass(frozen=True, slots=True)
class Reminding:
    """What the state works with."""

    listed: ListedPeople
    requests: Requests
    files: ReadableFiles
    messages: Messages
    mail: Mail
    channel: Callable[[], Channel]
    signed: SignedTexts
    links: ApproverLinks
    write_reminder: Callable[[Invitation], MailContent]
    write_bounce: Callable[[ApprovalRequest, str, str, str, str], MailContent]
    write_slack: Callable[[ApprovalRequest, str], tuple[str, Sequence[dict[str, Any]]]]
    now: datetime

    def remind(self, run: Run, *, by_hand: bool = False) -> dict[str, int]:
        """Send the reminder that is due, if one is, and the news of bounces. Safe to repeat: nobody is told twice.

        Of reminders that were missed (the run was stopped meanwhile) only the newest is sent. `by_hand` also reminds
        where none is due, because a person asks for it: once in an hour of the clock, and what is due later stays due.
        Answers how many mails and posts were sent.
        """
        stored = self.requests.newest(run.id)
        if stored is None:
            return {"mails": 0, "posts": 0}
        present = present_request(stored, self.signed).among(self.listed)
        if present.decided or present.expired(self.now):
            return {"mails": 0, "posts": 0}
        mails = posts = 0
        number = step_of(present, waiting_rules(run), self.now).reminder
        label = str(number) if number and not self._is_done(present, f"reminded-{number}") else ""
        if by_hand and not label:
            label = f"by-hand-{self.now.astimezone(UTC):%Y-%m-%dT%H}"
        if label:
            mails += self._remind(run, present, label)
            # Only the numbered ones count as those that were due.
            self._mark(present, label if by_hand and label.startswith("by-hand") else f"reminded-{label}")
        for address in present.lost:
            if not self._is_done(present, f"told-{approver_id(address)}"):
                told, posted = self._tell_of(run, present, address)
                mails, posts = mails + told, posts + posted
        return {"mails": mails, "posts": posts}

    def _remind(self, run: Run, present: PresentRequest, label: str) -> int:
        request, opened = present.request, present.stored.request
        batch = read_batch(self.files.read_json(opened.batch_key, opened.request_hash))
        opened_at, expires_at = map(datetime.fromisoformat, (request.opened_at, request.expires_at))
        last = is_last_reminder(waiting_rules(run), opened_at, expires_at, self.now)
        sent = 0
        for address in present.missing:
            # Deputies who were put on record a moment ago are asked by the next state, and reminded another time.
            if address not in present.unreachable and present.was_asked(address):
                content = self.write_reminder(
                    Invitation(
                        request,
                        with_holds(batch, present.entries),
                        address,
                        self.links.to_decide(opened, address),
                        inbox=self.links.to_inbox(opened, address),
                        left=expires_at - self.now,
                        last=last,
                        because=brought_in(present.entries, address),
                    )
                )
                sent += self._mail(present, f"reminder-{label}-{approver_id(address)}", address, content)
        return sent

    def _tell_of(self, run: Run, present: PresentRequest, lost: str) -> tuple[int, int]:
        """Tell the others, and the channel, that one approver cannot be reached."""
        sent = 0
        for address in present.people:
            if address not in present.unreachable:
                what = f"bounced-{approver_id(address)}-{approver_id(lost)}"
                inbox = self.links.to_inbox(present.stored.request, address)
                content = self.write_bounce(present.request, lost, address, inbox, run.zone)
                sent += self._mail(present, what, address, content)
        posted = self._post(present, f"slack-bounced-{approver_id(lost)}", lost)
        self._mark(present, f"told-{approver_id(lost)}")
        return sent, posted

    def _mail(self, present: PresentRequest, what: str, address: str, content: MailContent) -> int:
        owner, at = request_owner(present.request.id), self.now.isoformat()
        if self.messages.begin(owner, what, at) is Sending.DONE:
            return 0
        tags = mail_tags(present.request.id, approver_id(address))
        try:
            self.mail.send(address, content, thread=present.request.run_id, tags=tags)
        except AddressRefused:
            # "Ask for approval" records it of everybody whom it mails first; here it only must not stop the others.
            return 0
        self.messages.finish(owner, what, at)
        return 1

    def _post(self, present: PresentRequest, what: str, lost: str) -> int:
        owner, at = request_owner(present.request.id), self.now.isoformat()
        sending = self.messages.begin(owner, what, at)
        if sending is Sending.DONE:
            return 0
        slack, message_id = self.channel(), f"{present.request.id}/{what}"
        missing = sending is Sending.NEW or not slack.has(message_id, (self.now - timedelta(days=35)).timestamp())
        if missing:
            slack.post(message_id, *self.write_slack(present.request, lost))
        self.messages.finish(owner, what, at)
        return int(missing)

    def _mark(self, present: PresentRequest, what: str) -> None:
        """Note that everybody was told."""
        owner, at = request_owner(present.request.id), self.now.isoformat()
        self.messages.begin(owner, what, at)
        self.messages.finish(owner, what, at)

    @staticmethod
    def _is_done(present: PresentRequest, what: str) -> bool:
        return any(message.what == what for message in present.stored.messages)
