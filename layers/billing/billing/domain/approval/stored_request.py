"""A request as it is kept, with everything that was said about it since."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.approval.approval_request import ApprovalRequest, Bounce, RecordedOutcome, SentMessage


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """Everything the table holds about a request as it was opened. `signed_votes` and `signed_entries` are still to be
    verified; `changes` counts them, and an entry comes with the number of the change that it is. `messages` are those
    that were sent for certain. `signature` covers the request, "" for one that an earlier version opened."""

    request: ApprovalRequest
    sealed_token: bytes
    signed_votes: tuple[str, ...]
    changes: int
    outcome: RecordedOutcome | None
    signed_entries: tuple[tuple[int, str], ...] = ()
    bounces: tuple[Bounce, ...] = ()
    messages: tuple[SentMessage, ...] = ()
    signature: str = ""


def request_owner(request_id: str) -> str:
    """The request's partition key, also for its messages."""
    return f"REQUEST#{request_id}"
