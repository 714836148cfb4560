"""State "Ask for approval": a request is opened for exactly one batch, and each approver gets a link of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from billing.adapters.approvals_table import StoredRequest, request_owner
from billing.adapters.message_log import Sending
from billing.adapters.signatures import Link
from billing.domain.approval_request import ApprovalRequest
from billing.domain.approvers import Slot, approver_id, everybody
from billing.domain.batch import Batch, batch_from_dict
from billing.domain.errors import PersonNeeded
from billing.domain.mail import MailContent


class Requests(Protocol):
    """The approvals table."""

    def current_number(self, run_id: str) -> int: ...
    def read(self, request_id: str) -> StoredRequest | None: ...
    def open(self, request: ApprovalRequest) -> bool: ...
    def make_current(self, run_id: str, number: int) -> None: ...
    def seal(self, request_id: str, sealed_token: bytes) -> None: ...


class Files(Protocol):
    """The run's files."""

    def read_json(self, key: str, sha256: str | None = None) -> Any: ...


class Messages(Protocol):
    """Which messages were sent."""

    def begin(self, owner: str, what: str, at: str) -> Sending: ...
    def finish(self, owner: str, what: str, at: str) -> None: ...


class Mail(Protocol):
    """Sends mail."""

    def send(self, to: str, content: MailContent, thread: str) -> None: ...


def ask_for_approval(
    run: Mapping[str, Any],
    matched: Mapping[str, Any],
    task_token: str,
    slots: Sequence[Slot],
    public_url: str,
    requests: Requests,
    files: Files,
    messages: Messages,
    mail: Mail,
    seal: Callable[[str, str], bytes],
    sign_link: Callable[[Link], str],
    write_mail: Callable[[ApprovalRequest, Batch, str, str], MailContent],
    now: datetime,
) -> dict[str, int]:
    """Open the request (or find the one that is open), keep the sealed token, send what was not sent.

    Safe to repeat: a second call for the same batch opens nothing, mails nobody twice, and keeps the new token. After a
    request of this run has ended, the next call opens a new one under the next number. `seal(run id, token)` encrypts.
    Answers how many mails were sent and how many addresses SES refused. Raises PersonNeeded if nobody could be asked.
    """
    batch = batch_from_dict(files.read_json(matched["batchKey"], matched["sha256"]))
    request = _request(run, matched, slots, batch, requests, now)
    requests.seal(request.id, seal(str(run["id"]), task_token))
    expires = int(datetime.fromisoformat(request.expires_at).timestamp())
    sent, asked = 0, 0
    refused: list[PersonNeeded] = []
    for address in everybody(request.slots):
        person = approver_id(address)
        what = f"ask-{person}"
        if messages.begin(request_owner(request.id), what, now.isoformat()) is Sending.DONE:
            asked += 1
            continue
        link = sign_link(Link(request.id, person, request.batch_sha256, expires))
        url = f"{public_url.rstrip('/')}/approvals/{link}"
        try:
            mail.send(address, write_mail(request, batch, address, url), thread=request.run_id)
        except PersonNeeded as error:
            # One address that SES refuses must not keep the others from being asked.
            refused.append(error)
            continue
        messages.finish(request_owner(request.id), what, now.isoformat())
        sent += 1
        asked += 1
    if refused and not asked:
        raise refused[0]
    return {"mails": sent, "refused": len(refused)}


def _request(
    run: Mapping[str, Any],
    matched: Mapping[str, Any],
    slots: Sequence[Slot],
    batch: Batch,
    requests: Requests,
    now: datetime,
) -> ApprovalRequest:
    number = requests.current_number(run["id"])
    stored = requests.read(f"{run['id']}.{number}") if number else None
    if stored is not None and _is_open(stored, matched["sha256"], now):
        return stored.request
    while True:
        number += 1
        request = ApprovalRequest(
            id=f"{run['id']}.{number}",
            run_id=run["id"],
            execution_arn=run["executionArn"],
            cycle=run["cycle"],
            period=run["period"],
            batch_key=matched["batchKey"],
            batch_sha256=matched["sha256"],
            slots=tuple(slots),
            opened_at=now.isoformat(),
            expires_at=(now + timedelta(seconds=run["settings"]["approvalTimeoutSeconds"])).isoformat(),
            invoices=len(batch.to_draft),
        )
        if not requests.open(request):
            # A former attempt wrote it and was killed before it pointed the run at it.
            kept = requests.read(request.id)
            if kept is None or not _is_open(kept, request.batch_sha256, now):
                continue
            request = kept.request
        requests.make_current(run["id"], number)
        return request


def _is_open(stored: StoredRequest, batch_sha256: str, now: datetime) -> bool:
    """Whether the approvers' links for this batch can still decide. A run that was aborted while it waited and is
    redriven days later must not wait on links that have ended."""
    return (
        stored.outcome is None
        and stored.request.batch_sha256 == batch_sha256
        and now < datetime.fromisoformat(stored.request.expires_at)
    )
