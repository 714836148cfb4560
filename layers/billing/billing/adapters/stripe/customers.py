"""Stripe's customers: found by id, by NetSuite's id in their metadata, by e-mail; created once for a NetSuite
customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import stripe

from billing.adapters.stripe.client import Caller
from billing.domain.ledger.customer_match import same_email
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.stripe_failures import CustomerMissing, ObjectMissing

NETSUITE_ID = "netsuite_customer_id"
MAX_EMAIL = 512
MAX_NAME = 256
_MOST_FOUND = 1000  # More than one is a question for a person already.


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

    def by_netsuite_id_or_email(self, netsuite_id: str, email: str | None = None) -> list[StripeCustomer]:
        """Customers whose metadata name this NetSuite customer, and those with this address in any case: one search.

        A list's `email` filter compares the case, and Stripe keeps it so (stripe-dotnet#2240); search does not. Search
        lags by up to a minute, an hour in outages: what has just been created is in `created_since` alone.
        """
        query = f"metadata['{NETSUITE_ID}']:'{_quoted(netsuite_id)}'"
        if email is not None and len(email) <= MAX_EMAIL:
            query += f" OR email:'{_quoted(email)}'"
        found: list[StripeCustomer] = []
        params: Any = {"query": query, "limit": 100}
        while True:
            page = self.call("search customers", lambda: self.client.v1.customers.search(dict(params)))  # type: ignore[arg-type]
            found += map(_customer, page.data)
            if not page.has_more or not page.next_page or len(found) >= _MOST_FOUND:
                break
            params["page"] = page.next_page
        # Search matches phrases, so what it found is compared again.
        return [one for one in found if one.netsuite_id == netsuite_id or same_email(one.email, email)]

    def by_email(self, email: str) -> list[StripeCustomer]:
        """Customers with exactly this address, strongly consistent. Stripe compares the case."""
        return self._listed({"email": email}) if len(email) <= MAX_EMAIL else []

    def created_since(self, moment: int) -> list[StripeCustomer]:
        """Customers that were created at or after `moment` (epoch seconds), strongly consistent, a hundred a call."""
        return self._listed({"created": {"gte": moment}})

    def _listed(self, which: Mapping[str, Any]) -> list[StripeCustomer]:
        found: list[StripeCustomer] = []
        params: Any = {**which, "limit": 100}
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


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _customer(customer: stripe.Customer) -> StripeCustomer:
    metadata: Mapping[str, str] = customer.metadata.to_dict() if customer.metadata else {}
    return StripeCustomer(
        customer.id,
        getattr(customer, "email", None),
        getattr(customer, "name", None),
        metadata.get(NETSUITE_ID) or None,
    )
