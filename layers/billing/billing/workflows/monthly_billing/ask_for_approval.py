"""State "Ask for approval": a request is opened for exactly one batch, each approver gets a link of their own, and
the run waits for a slice of the whole time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from billing.domain.approval.approval_entries import brought_in, holds, with_holds
from billing.domain.approval.approval_request import ApprovalRequest, Bounce, FormerRequest
from billing.domain.approval.approvers import Outcome, approver_id, slots_without
from billing.domain.approval.signers import ListedPeople
from billing.domain.approval.stored_request import StoredRequest, request_owner
from billing.domain.batch.batch import Batch, read_batch, totals
from billing.domain.errors import AddressRefused, OurFault, PersonNeeded
from billing.domain.mail import MailContent
from billing.domain.records import to_record
from billing.domain.run import Matched, Run
from billing.domain.sending import Sending
from billing.pages.approval.approval_mail import Invitation
from billing.workflows.approval.approval_links import ApproverLinks, mail_tags
from billing.workflows.approval.present_request import PresentRequest, SignedTexts, present_request
from billing.workflows.approval.unsigned_request import not_vouched_for, refuse_unvouched
from billing.workflows.ports import Mail, Messages, ReadableFiles


class Requests(Protocol):
    """The approvals table."""

    def current_number(self, run_id: str) -> int: ...
    def read(self, request_id: str) -> StoredRequest | None: ...
    def open(self, request: ApprovalRequest, signature: str) -> bool: ...
    def make_current(self, run_id: str, number: int) -> None: ...
    def seal(self, request_id: str, sealed_token: bytes) -> None: ...
    def index(self, approver: str, request_id: str, at: str) -> None: ...
    def note_bounce(self, request_id: str, bounce: Bounce) -> bool: ...


class Starts(Protocol):
    """Who started a run."""

    def requested_by(self, run_id: str) -> str: ...


class Signing(SignedTexts, Protocol):
    """Signs and verifies."""

    def sign_request(self, request: Mapping[str, Any]) -> str: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What the state works with. `seal(run id, token)` encrypts, `complete(token)` ends the wait."""

    listed: ListedPeople
    requests: Requests
    starts: Starts
    files: ReadableFiles
    messages: Messages
    mail: Mail
    seal: Callable[[str, str], bytes]
    complete: Callable[[str], bool]
    signed: Signing
    links: ApproverLinks
    write_mail: Callable[[Invitation], MailContent]
    now: datetime

    def ask(self, run: Run, matched: Matched, outcome_so_far: str, task_token: str) -> dict[str, int]:
        """Open the request (or find the one that is open), keep the sealed token, send what was not sent.

        Safe to repeat: a second call for the same batch opens nothing, mails nobody twice, and keeps the new token.
        After a request of this run has ended, the next call opens a new one under the next number; but while the run
        goes round its waiting (`outcome_so_far` is "undecided") the request stays. What was decided while no token
        could be used ends the wait at once. Answers how many mails were sent and how many addresses SES refused.

        An address that SES refuses for good is put on record like a bounce, and wakes the run: the others hear of it,
        or a slot is lost. Raises PersonNeeded if mail as such is refused (sender, account) and a slot cannot be
        satisfied without those who have no link yet; RequestAltered if the request that waits was altered in the table.
        """
        batch = read_batch(self.files.read_json(matched.batch_key, matched.sha256))
        request = self._request(run, matched, batch, waits=outcome_so_far == Outcome.UNDECIDED)
        self.requests.seal(request.id, self.seal(str(run.id), task_token))
        # Read after the token was kept: whatever is decided from here on finds it.
        stored = self.requests.read(request.id)
        if stored is None:
            raise OurFault("The approval request vanished while it was asked. Start a new execution.")
        present = present_request(stored, self.signed)
        self._refuse_altered(present, run, matched, batch)
        if present.decided or present.lost_slots or present.expired(self.now):
            self.complete(task_token)
            return {"mails": 0, "refused": 0}
        former = self._former(stored.request)
        sent = 0
        refused: dict[str, AddressRefused] = {}
        unasked: dict[str, PersonNeeded] = {}
        for address in present.among(self.listed).signers:
            if address in present.unreachable:
                continue
            try:
                sent += self._tell(present, batch, address, former)
            except AddressRefused as error:
                # One address that SES refuses must not keep the others from being asked.
                refused[address] = error
            except PersonNeeded as error:
                unasked[address] = error
        noted = [self._note(request.id, address, error.answer) for address, error in refused.items()]
        without_link = [address for address in unasked if not present.was_asked(address)]
        if present.lost_slots_if((*refused, *without_link)) and not present.lost_slots_if(refused):
            raise next(iter(unasked.values()))
        if any(noted):
            self.complete(task_token)
        return {"mails": sent, "refused": len(refused) + len(unasked)}

    def _note(self, request_id: str, address: str, answer: str) -> bool:
        """Record that SES refuses an address. Answers whether that is news."""
        bounce = Bounce(approver_id(address), "refused", answer[:200], self.now.isoformat())
        return self.requests.note_bounce(request_id, bounce)

    def _tell(self, present: PresentRequest, batch: Batch, address: str, former: FormerRequest | None) -> int:
        """Mail one person, unless they have answered or were mailed about this content: 1 or 0."""
        request, person = present.request, approver_id(address)
        if any(vote.approver == address for vote in present.counted):
            return 0
        earlier = any(vote.approver == address for vote in present.votes)
        if earlier and present.ask_again_at is not None and self.now < present.ask_again_at:
            return 0  # More may be held back in a moment. The run looks again when it is quiet.
        what = f"again-{person}-{request.request_hash[:16]}" if earlier else f"ask-{person}"
        owner, at = request_owner(request.id), self.now.isoformat()
        if self.messages.begin(owner, what, at) is Sending.DONE:
            return 0
        self.requests.index(person, request.id, at)
        content = self.write_mail(
            Invitation(
                request,
                with_holds(batch, present.entries),
                address,
                self.links.to_decide(present.stored.request, address),
                inbox=self.links.to_inbox(request, address),
                again="Orders were held or released after you signed." if earlier else "",
                because=brought_in(present.entries, address),
                former=former,
            )
        )
        self.mail.send(address, content, thread=request.run_id, tags=mail_tags(request.id, person))
        self.messages.finish(owner, what, at)
        return 1

    def _former(self, opened: ApprovalRequest) -> FormerRequest | None:
        """The request before this one, if it ended without an answer."""
        stored = self.requests.read(opened.id_of(opened.number - 1)) if opened.number > 1 else None
        if stored is None:
            return None
        # A run that was aborted while it waited has left no outcome.
        over = datetime.fromisoformat(stored.request.expires_at) <= datetime.fromisoformat(opened.opened_at)
        silent = stored.outcome is None and over
        ended = stored.outcome.outcome if stored.outcome else str(Outcome.EXPIRED) if silent else ""
        if ended not in (Outcome.EXPIRED, Outcome.UNDELIVERABLE):
            return None
        return FormerRequest(
            stored.request.opened_at,
            ended,
            stored.request.request_hash == opened.request_hash,
            len(holds(present_request(stored, self.signed).entries)),
        )

    def _request(self, run: Run, matched: Matched, batch: Batch, waits: bool) -> ApprovalRequest:
        number = self.requests.current_number(run.id)
        stored = self.requests.read(f"{run.id}.{number}") if number else None
        still_asked = stored is not None and (self._is_open(stored) or (waits and not self._is_long_over(stored)))
        if stored is not None and (still_asked or waits):
            present = present_request(stored, self.signed)
            if waits:
                self._refuse_altered(present, run, matched, batch)
            # Whoever redrives a run that ended because of an altered row gets a new one.
            if still_asked and self._is_as_opened(present, run, matched, batch):
                return present.stored.request
        while True:
            number += 1
            request = ApprovalRequest(
                id=f"{run.id}.{number}",
                run_id=run.id,
                execution_arn=run.execution_arn,
                cycle=run.cycle,
                period=run.period,
                batch_key=matched.batch_key,
                request_hash=matched.sha256,
                slots=slots_without(self.listed.rules, run.cycle, totals(batch.to_draft), run.barred),
                opened_at=self.now.isoformat(),
                expires_at=(self.now + timedelta(seconds=run.settings.approval_timeout_seconds)).isoformat(),
                invoices=len(batch.to_draft),
                barred=run.barred,
                # A run that an earlier version opened has kept no address.
                requested_by=self.starts.requested_by(run.id) if run.requested_by else "",
            )
            if not self.requests.open(request, self.signed.sign_request(to_record(request))):
                # A former attempt wrote it and was killed before it pointed the run at it.
                kept = self.requests.read(request.id)
                if kept is None or not self._is_open(kept):
                    continue
                present = present_request(kept, self.signed)
                if not self._is_as_opened(present, run, matched, batch):
                    continue
                request = present.stored.request
            self.requests.make_current(run.id, number)
            return request

    def _refuse_altered(self, present: PresentRequest, run: Run, matched: Matched, batch: Batch) -> None:
        present.refuse_altered()
        if not present.stored.signature:
            refuse_unvouched(present.stored.request, run, matched, batch, self.listed.rules)

    def _is_as_opened(self, present: PresentRequest, run: Run, matched: Matched, batch: Batch) -> bool:
        """Whether it asks about this batch, and nobody has altered it in the table."""
        if not present.trustworthy or present.stored.request.request_hash != matched.sha256:
            return False
        signed = bool(present.stored.signature)
        return signed or not not_vouched_for(present.stored.request, run, matched, batch, self.listed.rules)

    def _is_open(self, stored: StoredRequest) -> bool:
        """Whether the approvers' links can still decide. A run that was aborted while it waited and is redriven days
        later must not wait on links that have ended."""
        return stored.outcome is None and self.now < datetime.fromisoformat(stored.request.expires_at)

    def _is_long_over(self, stored: StoredRequest) -> bool:
        """Whether it expired without an outcome, and not just now between two slices of the waiting."""
        return stored.outcome is None and self.now > datetime.fromisoformat(stored.request.expires_at) + _BETWEEN_SLICES


_BETWEEN_SLICES = timedelta(minutes=10)
