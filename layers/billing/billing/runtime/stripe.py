"""Stripe, as the settlement's functions use it: one client a process."""

from __future__ import annotations

from billing.adapters.stripe.customers import StripeCustomers
from billing.adapters.stripe.metadata import StripeMetadata
from billing.adapters.stripe.settlement import SettlementReads
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.runtime.connections.aws import environment
from billing.runtime.connections.stripe import stripe

_SHARE = 4
"""Some four passes read at the same time; each takes its part of an endpoint's limit."""

connect = stripe(environment(), _SHARE)
"""The client, made at the first call."""


def reads() -> SettlementReads:
    """Reads for the settlement."""
    return SettlementReads(*connect())


def metadata() -> StripeMetadata:
    """The metadata that is written back."""
    return StripeMetadata(*connect())


def customer(customer_id: str) -> StripeCustomer:
    """One customer. One that does not exist counts as deleted."""
    return StripeCustomers(*connect()).by_id(customer_id) or StripeCustomer(customer_id, deleted=True)
