"""Stripe's customers: found by id, by NetSuite's id in their metadata, by e-mail; created once for a NetSuite
customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import stripe

from billing.adapters.stripe_api import Caller, CustomerMissing, ObjectMissing

NETSUITE_ID = "netsuite_customer_id"
MAX_EMAIL = 512
MAX_NAME = 256


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A live customer. `netsuite_id` is the NetSuite customer that its metadata names, None if it names none."""

    id: str
    email: str | None
    name: str | None
    netsuite_id: str | None


@dataclass(frozen=True, slots=True)
class StripeCustomers:
    """Reads, and one write that is safe to repeat."""

    client: stripe.StripeClient
    call: Caller

    def by_id(self, customer_id: str) -> StripeCustomer | None:
        """The customer, or None if it does not exist or was deleted."""
        try:
            customer = self.call("retrieve customer", lambda: self.client.v1.customers.retrieve(customer_id))
        except (CustomerMissing, ObjectMissing):
            return None
        return None if getattr(customer, "deleted", False) else _customer(customer)

    def by_netsuite_id(self, netsuite_id: str) -> list[StripeCustomer]:
        """Customers whose metadata name this NetSuite customer. Search lags by up to a minute."""
        quoted = netsuite_id.replace("\\", "\\\\").replace("'", "\\'")
        found = self.call(
            "search customers",
            lambda: self.client.v1.customers.search({"query": f"metadata['{NETSUITE_ID}']:'{quoted}'", "limit": 10}),
        )
        # Search matches phrases, so what it found is compared again.
        return [c for c in map(_customer, found.data) if c.netsuite_id == netsuite_id]

    def by_email(self, email: str) -> list[StripeCustomer]:
        """Customers with exactly this address, strongly consistent. Stripe compares the case."""
        if len(email) > MAX_EMAIL:
            return []
        found: list[StripeCustomer] = []
        params: Any = {"email": email, "limit": 100}
        while True:
            page = self.call("list customers", lambda: self.client.v1.customers.list(dict(params)))  # type: ignore[arg-type]
            found += map(_customer, page.data)
            if not page.has_more or not page.data:
                return found
            params["starting_after"] = page.data[-1].id

    def create(self, netsuite_id: str, name: str, email: str, idempotency_key: str) -> StripeCustomer:
        """Create the customer of a NetSuite customer. The same key and content give the same customer."""
        params: Any = {"name": name[:MAX_NAME], "email": email, "metadata": {NETSUITE_ID: netsuite_id}}
        options: Any = {"idempotency_key": idempotency_key}
        return _customer(
            self.call("create customer", lambda: self.client.v1.customers.create(params=params, options=options))
        )


def _customer(customer: stripe.Customer) -> StripeCustomer:
    metadata: Mapping[str, str] = customer.metadata.to_dict() if customer.metadata else {}
    return StripeCustomer(
        customer.id,
        getattr(customer, "email", None),
        getattr(customer, "name", None),
        metadata.get(NETSUITE_ID) or None,
    )
