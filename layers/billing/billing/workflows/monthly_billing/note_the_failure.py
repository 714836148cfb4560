"""State "Note the failure": why an invoice was not drafted, kept for the report and the next run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from billing.domain.batch.batch import MapItem


class Ledger(Protocol):
    """What has been drafted."""

    def note_failure(self, key: str, invoice_hash: str, run_id: str, period: str, name: str, reason: str) -> bool: ...


def note_the_failure(run: Mapping[str, Any], item: MapItem, error: Mapping[str, Any], ledger: Ledger) -> dict[str, str]:
    """Mark the plan as failed, unless it was drafted after all. Safe to repeat.

    `error` is what Catch gives: {"Error": name, "Cause": JSON of Lambda's failure, or a plain text}.
    """
    marked = ledger.note_failure(
        item.key,
        item.invoice_hash,
        run["id"],
        run["period"],
        str(error.get("Error", "Unknown")),
        message_of(error),
    )
    return {"outcome": "failed" if marked else "drafted"}


def message_of(error: Mapping[str, Any]) -> str:
    """The sentence inside a Catch's error."""
    cause = str(error.get("Cause", ""))
    try:
        fields = json.loads(cause)
    except ValueError:
        return cause
    return str(fields.get("errorMessage", cause)) if isinstance(fields, dict) else cause
