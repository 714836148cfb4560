"""A customer as Stripe holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A customer. `netsuite_id` is the NetSuite customer that its metadata names, None if it names none. A deleted
    one has only its id."""

    id: str
    email: str | None = None
    name: str | None = None
    netsuite_id: str | None = None
    deleted: bool = False
