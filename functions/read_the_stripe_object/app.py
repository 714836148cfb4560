"""State "Read the Stripe object" of a settlement.

In:  {"pass": {"root", "kind", ...}, "execution": its ARN, "executionName"}
Out: the pass with its plan's key and SHA-256, counts, and the name of the next state
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.billed_orders import BilledOrdersOfLedger
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.runtime import settlement, stripe
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.entry import state
from billing.workflows.settlement.read_the_stripe_object import Reading

ledger = LedgerTable(dynamodb(), environment().text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Read Stripe, and plan."""
    reading = Reading(
        bells=settlement.bells(),
        stripe=stripe.reads(),
        ledger=BilledOrdersOfLedger(ledger),
        rows=settlement.rows(),
        files=settlement.files(),
        policies=settlement.policies(),
        calendar=settlement.calendar(),
        at=now().isoformat(),
    )
    return reading.read(settlement.pass_of(event))
