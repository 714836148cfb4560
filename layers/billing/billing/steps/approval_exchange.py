"""The approval page over HTTP: a request of API Gateway in, a page out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.adapters.approvals_table import ApprovalsTable
from billing.adapters.run_files import RunFiles
from billing.adapters.signatures import Signatures
from billing.adapters.task_tokens import Waker
from billing.domain.approval_request import ApprovalRequest
from billing.domain.errors import OurFault
from billing.http_exchange import answer_of, file_of, form_of, query_of
from billing.pages.approval_page import (
    approval_page,
    batch_csv,
    invalid_link_page,
    standing_page,
    trouble_page,
)
from billing.pages.rendering import Shown
from billing.steps.approval_page import Seen, answer, batch_of, conclude, look
from billing.telemetry import logger

_TRIES = 5


@dataclass(frozen=True, slots=True)
class ApprovalExchange:
    """Everything behind the page. It can write votes and outcomes, and complete the wait; nothing else."""

    requests: ApprovalsTable
    files: RunFiles
    signatures: Signatures
    waker: Waker
    now: Callable[[], datetime]
    finalises: bool

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request. Links, names and amounts never reach a log."""
        reference = str(event.get("requestContext", {}).get("requestId", ""))[:60]
        try:
            return self._handle(event)
        except Exception as error:  # noqa: BLE001 - whatever it was, a page answers
            # A person with money to sign for must never see a raw error, whatever it was.
            logger.error("approval page failed", extra={"error_name": type(error).__name__, "reference": reference})
            return _html(500, trouble_page(reference))

    def _handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        link = str((event.get("pathParameters") or {}).get("link", ""))
        method = event["requestContext"]["http"]["method"]
        seen = self._look(link)
        if seen is None:
            logger.warning("approval link refused")
            return _html(404, invalid_link_page())
        logger.append_keys(run_id=seen.request.run_id)
        if method == "POST":
            return self._decide(link, seen, form_of(event))
        query = query_of(event)
        if query.get("format") == "csv":
            return file_of(_csv_headers(seen.request), batch_csv(batch_of(seen, self.files)))
        if not seen.open:
            return _html(200, self._standing(seen))
        return _html(200, self._page(seen, query))

    def _decide(self, link: str, seen: Seen, form: Mapping[str, str]) -> dict[str, Any]:
        batch_of(seen, self.files)  # What cannot be shown (missing, altered) cannot be signed for.
        answered = answer(seen, form, self.requests, self.signatures.sign_vote, self.now())
        if answered.mistake:
            return _html(422, self._page(seen, {}, answered.mistake, form))
        for _ in range(_TRIES):
            after = self._look(link)
            if after is None:
                raise OurFault("A request vanished while it was answered.")
            if conclude(after, self.requests, self.now()):
                break
        else:
            raise OurFault("Votes come in faster than they can be counted.")
        after = self._look(link)
        if after is None:
            raise OurFault("A request vanished while it was answered.")
        if after.stored.outcome is not None:
            self._wake(after)
        logger.info("approval answered", extra={"outcome": str(after.standing.outcome)})
        return _html(200, self._standing(after, just_signed=seen.open))

    def _wake(self, seen: Seen) -> None:
        """Last, and repeatable: a lost callback is sent by the next POST, or the decision is read when the wait
        ends.
        """
        try:
            woken = self.waker.wake(seen.stored.sealed_token, seen.request.run_id)
            logger.info("run woken" if woken else "run was awake already")
        except Exception as error:  # noqa: BLE001 - the decision stands, whatever kept the run asleep
            logger.error("run could not be woken", extra={"error_name": type(error).__name__})

    def _look(self, link: str) -> Seen | None:
        return look(link, self.requests, self.signatures.read_link, self.signatures.read_vote, self.now())

    def _page(
        self, seen: Seen, query: Mapping[str, str], mistake: str = "", typed: Mapping[str, str] | None = None
    ) -> Shown:
        number = query.get("page", "1")
        return approval_page(
            seen.request,
            batch_of(seen, self.files),
            seen.approver,
            seen.votes,
            seen.standing,
            self.now(),
            query=query.get("q", ""),
            page=int(number) if number.isdecimal() and len(number) < 6 else 1,
            mistake=mistake,
            typed=typed or {},
            finalises=self.finalises,
        )

    def _standing(self, seen: Seen, just_signed: bool = False) -> Shown:
        try:
            batch = batch_of(seen, self.files)
        except OurFault:
            batch = None  # How it ended can be told without it.
        return standing_page(
            seen.request,
            batch,
            seen.approver,
            seen.votes,
            seen.stored.outcome,
            seen.standing,
            self.now(),
            just_signed=just_signed,
            finalises=self.finalises,
        )


def _html(status: int, shown: Shown) -> dict[str, Any]:
    return answer_of(status, shown.headers, shown.html)


def _csv_headers(request: ApprovalRequest) -> dict[str, str]:
    return {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="approval-{request.period}.csv"',
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "strict-transport-security": "max-age=63072000; includeSubDomains",
    }
