"""What a person who was asked sees of an approved run: how far it has come, its drafts, its report. It reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from billing.domain.approval.approval_request import RunEnd
from billing.domain.approval.approvers import Outcome
from billing.domain.batch.batch import Batch
from billing.domain.batch.drafting import Drafting, drafting
from billing.domain.errors import OurFault
from billing.domain.ledger.ledger import LedgerEntry
from billing.workflows.approval_page.approval_page import Seen


class Ledger(Protocol):
    """What has been drafted."""

    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]: ...


class ReportFiles(Protocol):
    """The bucket of runs."""

    def read(self, key: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class AfterSigning:
    """What it reads."""

    ledger: Ledger
    files: ReportFiles

    def drafting(self, seen: Seen, batch: Batch | None) -> Drafting | None:
        """How far it has come, by the ledger; None for a batch that was not approved, or is lost, and where the ledger
        cannot be read now."""
        outcome = seen.present.stored.outcome
        if batch is None or outcome is None or outcome.outcome != Outcome.APPROVED:
            return None
        try:
            return drafting(batch, self.ledger.entries(one.plan.key for one in batch.to_draft))
        except Exception:  # noqa: BLE001 - a decision stands and is confirmed, whether or not it can be counted what follows
            return None

    def report(self, seen: Seen, end: RunEnd | None) -> bytes | None:
        """The run's report as its page; None where there is none (yet), or it is lost."""
        if ended_since(seen, end) is None:
            return None
        folder = seen.present.stored.request.batch_key.rpartition("/")[0]
        try:
            return self.files.read(f"{folder}/report.html")
        except OurFault:
            return None


def ended_since(seen: Seen, end: RunEnd | None) -> RunEnd | None:
    """How the run ended after this request was approved; None while it is at work."""
    outcome = seen.present.stored.outcome
    approved = outcome is not None and outcome.outcome == Outcome.APPROVED
    return end if approved and end is not None and outcome is not None and end.at >= outcome.at else None
