"""State "Note the failure": why an invoice was not drafted, kept for the report and the next run."""

from __future__ import annotations

from typing import Protocol

from billing.domain.batch.batch import MapItem
from billing.domain.run import Caught, Run


class Ledger(Protocol):
    """What has been drafted."""

    def note_failure(self, key: str, invoice_hash: str, run_id: str, period: str, name: str, reason: str) -> bool: ...


def note_the_failure(run: Run, item: MapItem, error: Caught, ledger: Ledger) -> dict[str, str]:
    """Mark the plan as failed, unless it was drafted after all. Safe to repeat."""
    marked = ledger.note_failure(
        item.key,
        item.invoice_hash,
        run.id,
        run.period,
        error.error,
        error.message,
    )
    return {"outcome": "failed" if marked else "drafted"}
