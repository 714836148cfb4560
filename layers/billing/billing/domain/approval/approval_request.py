"""A request to sign for one batch, as it lies in the approvals table."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from billing.domain.approval.approvers import Slot
from billing.domain.records import written_as


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """`id` is "<run id>.<number>": a run that is redriven after an expiry asks again under the next number.

    `request_hash` is the hash of exactly what is signed for: of the batch, and of what is held back from it. Instants
    are ISO texts with their zone. `barred` is the approver id of the person who requested the run and may not sign it,
    "" for nobody: no delegation and no deputising brings them back. `requested_by` is the address of whoever started
    the run, "" if the schedule did, or nobody said who it was.
    """

    id: str
    run_id: str
    execution_arn: str
    cycle: str
    period: str
    batch_key: str
    request_hash: str = field(metadata=written_as("batch_sha256"))
    slots: tuple[Slot, ...]
    opened_at: str
    expires_at: str
    invoices: int
    barred: str = ""
    requested_by: str = ""

    @property
    def number(self) -> int:
        """Which request of its run it is, from 1."""
        return int(self.id.rpartition(".")[2])

    def differing(self, other: ApprovalRequest) -> tuple[str, ...]:
        """Names of what is not the same in two requests."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name))

    def id_of(self, number: int) -> str:
        """The id of another request of the same run."""
        return f"{self.run_id}.{number}"


@dataclass(frozen=True, slots=True)
class FormerRequest:
    """A request of the same run that ended without an answer: `outcome` is expired or undeliverable, `opened_at` when
    it was asked. `same_content` says whether what is asked now is what was asked then, before anything was held back;
    `held_back` how many invoices were held back then, which are asked about again."""

    opened_at: str
    outcome: str
    same_content: bool
    held_back: int


@dataclass(frozen=True, slots=True)
class Bounce:
    """That mail does not reach an approver: `kind` is "bounce", "complaint" or "reject", or "refused" if SES did not
    even accept the address; `detail` is SES's own word for it."""

    approver: str
    kind: str
    detail: str
    at: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message about the request: `what` says which and to whom (by approver id), `at` is when it was sent."""

    what: str
    at: str


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How the run behind a request ended: its outcome (see RunOutcome) and how many orders were drafted, failed, and
    were left out (held, or changed in NetSuite). It tells and decides nothing."""

    outcome: str
    at: str
    drafted: int
    failed: int
    left_out: int


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """How a request ended: approved, rejected, expired or undeliverable, when and why."""

    outcome: str
    reason: str
    at: str
