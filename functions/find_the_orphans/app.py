"""Started by hand, outside the state machine: find drafts that Stripe and the ledger disagree about.

In:  {"since": "2026-05-01", "repair": false}
Out: {"orphans": [...], "counts": {...}}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.netsuite.beside_the_listing import order_states
from billing.adapters.stripe.invoices import StripeInvoices
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.connections.netsuite import suiteql
from billing.runtime.connections.stripe import stripe
from billing.runtime.entry import state
from billing.workflows.operations.find_the_orphans import find_the_orphans

env = environment()
connect, netsuite = stripe(env, share=1), suiteql(env)
ledger = LedgerTable(dynamodb(), env.text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Say which, and repair what is certain if asked to."""
    return find_the_orphans(
        event,
        StripeInvoices(*connect()),
        ledger,
        lambda order_ids: order_states(netsuite(), order_ids),
        env.zone("FIRM_TIME_ZONE"),
    )
