"""A request to sign for one batch, as it lies in the approvals table."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.approvers import Answer, Slot


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """`id` is "<run id>.<number>": a run that is redriven after an expiry asks anew under the next number.

    `batch_sha256` is the hash of exactly what is signed for. Instants are ISO texts with their zone.
    """

    id: str
    run_id: str
    execution_arn: str
    cycle: str
    period: str
    batch_key: str
    batch_sha256: str
    slots: tuple[Slot, ...]
    opened_at: str
    expires_at: str
    invoices: int


@dataclass(frozen=True, slots=True)
class RecordedVote:
    """A vote with the person who gave it."""

    approver: str
    answer: Answer
    reason: str
    at: str
    batch_sha256: str


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """How a request ended: approved, rejected or expired, when and why."""

    outcome: str
    reason: str
    at: str
