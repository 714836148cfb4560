"""State "Note the failure".

In:  {"run": ..., "item": ..., "error": {"Error", "Cause"}}
Out: {"outcome": "failed"}, or "drafted" if it was drafted after all
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.ledger import LedgerTable
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.entry import state
from billing.workflows.monthly_billing.note_the_failure import note_the_failure

ledger = LedgerTable(dynamodb(), environment().text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Keep the reason in the ledger."""
    return note_the_failure(event["run"], event["item"], event["error"], ledger)
