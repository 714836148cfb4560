"""Stripe, as the settlement's functions use it: one client a process."""

from __future__ import annotations

import time
from functools import lru_cache

from billing.adapters.aws.secrets import field
from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.customers import StripeCustomers
from billing.adapters.stripe.metadata import StripeMetadata
from billing.adapters.stripe.settlement import SettlementReads
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.runtime.settlement import environment

_SHARE = 4
"""Some four passes read at the same time; each takes its part of an endpoint's limit."""


@lru_cache(maxsize=1)
def reads() -> SettlementReads:
    """Reads for the settlement."""
    env = environment()
    client = stripe_client(field(env.text("STRIPE_SECRET_ARN"), "api_key"), env.optional("STRIPE_API_URL"))
    return SettlementReads(client, Caller(time.sleep, time.monotonic, _SHARE))


def metadata() -> StripeMetadata:
    """The metadata that is written back."""
    return StripeMetadata(reads().client, reads().call)


def customer(customer_id: str) -> StripeCustomer:
    """One customer. One that does not exist counts as deleted."""
    found = StripeCustomers(reads().client, reads().call).by_id(customer_id)
    return found or StripeCustomer(customer_id, deleted=True)
