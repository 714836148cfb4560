"""State "Note the failure".

In:  {"run": ..., "item": ..., "error": {"Error", "Cause"}}
Out: {"outcome": "failed"}, or "drafted" if it was drafted after all
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.ledger import LedgerTable
from billing.domain.batch.batch import read_item
from billing.domain.run import Run, read_caught, read_state
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.entry import state
from billing.workflows.monthly_billing.note_the_failure import note_the_failure

ledger = LedgerTable(dynamodb(), environment().text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Keep the reason in the ledger."""
    return note_the_failure(
        read_state(Run, event["run"]), read_item(event["item"]), read_caught(event["error"]), ledger
    )
