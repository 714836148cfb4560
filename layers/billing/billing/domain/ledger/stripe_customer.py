"""A customer as Stripe holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A live customer. `netsuite_id` is the NetSuite customer that its metadata names, None if it names none."""

    id: str
    email: str | None
    name: str | None
    netsuite_id: str | None
