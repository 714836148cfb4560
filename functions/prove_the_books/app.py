"""Every night, and by hand: do Stripe and NetSuite's books say the same?

In:  {} every night; by hand {"day": "2026-11-30"}, {"since": "2026-10-01"}, and "fix": true to ring what is missing
Out: {"day", "file": {"key", "sha256"}, "agrees", "counts": {...}}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.billed_orders import BilledOrdersOfLedger
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.runtime import proof, settlement
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.entry import state
from billing.workflows.settlement.prove_the_books import ProvingTheBooks

ledger = LedgerTable(dynamodb(), environment().text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Read both, compare, keep and tell."""
    return ProvingTheBooks(
        stripe=proof.span,
        ledger=BilledOrdersOfLedger(ledger),
        netsuite=proof.books(),
        rows=settlement.rows(),
        bells=settlement.bells(),
        proofs=proof.proofs(),
        files=settlement.files(),
        queue=settlement.queue(),
        policies=settlement.policies(),
        calendar=settlement.calendar(),
        now=now(),
        with_links=proof.with_links,
        tell=lambda proved: proof.telling().call({"day": proved.day}),
    ).prove(event)
