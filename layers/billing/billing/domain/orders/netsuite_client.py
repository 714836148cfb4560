"""A NetSuite customer beside those of a listing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetSuiteClient:
    """A customer record: internal id, number, name ("" for a person's), address ("" if it has none), and the Stripe
    customer that its custom field names."""

    id: str
    number: str
    name: str
    email: str
    stripe_id: str = ""
