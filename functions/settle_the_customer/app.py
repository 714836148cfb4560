"""Started by hand, outside the state machine: say once for ever which Stripe customer a NetSuite customer is.

In:  {"netsuiteCustomer": "1234", "stripeCustomer": "cus_1Mf0", "by": "ann@firm.example"}
Out: {"netsuiteCustomer", "stripeCustomer", "before", "state"}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.customers import CustomersTable
from billing.adapters.netsuite.clients import client_by_id
from billing.adapters.stripe.customers import StripeCustomers
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.connections.netsuite import suiteql
from billing.runtime.connections.stripe import stripe
from billing.runtime.entry import state
from billing.workflows.operations.settle_the_customer import settle_the_customer

env = environment()
netsuite, connect = suiteql(env), stripe(env, share=1)
known = CustomersTable(dynamodb(), env.text("CUSTOMERS_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Check both, and put on record who said so."""
    return settle_the_customer(
        event,
        lambda netsuite_id: client_by_id(netsuite(), netsuite_id, env.optional("STRIPE_ID_FIELD")),
        lambda stripe_id: StripeCustomers(*connect()).by_id(stripe_id),
        known,
        now(),
    )
