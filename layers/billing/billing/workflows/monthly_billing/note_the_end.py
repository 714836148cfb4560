"""Part of the state "Close the run": the approval page learns how the run went on after the decision."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from billing.domain.approval.approval_request import RunEnd
from billing.domain.run import Closed, Run
from billing.domain.runs.report import LineOutcome


class Requests(Protocol):
    """The approvals table."""

    def current_number(self, run_id: str) -> int: ...
    def note_end(self, request_id: str, redrive_count: int, end: RunEnd) -> None: ...


def note_the_end(run: Run, closed: Closed, requests: Requests, now: datetime) -> None:
    """Keep the outcome and the counts of orders beside the run's newest request; nothing if it never asked. Safe to
    repeat. `closed` is what "Close the run" answers."""
    number = 0 if run.dry_run else requests.current_number(run.id)
    if number:
        counts = closed.counts
        end = RunEnd(
            closed.outcome,
            now.isoformat(),
            counts[LineOutcome.DRAFTED],
            counts[LineOutcome.FAILED],
            counts[LineOutcome.HELD],
        )
        requests.note_end(f"{run.id}.{number}", closed.redrive_count, end)
