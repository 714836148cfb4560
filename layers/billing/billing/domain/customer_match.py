"""Which Stripe customer a NetSuite customer is. Only certain matches are taken; the rest goes to a person.

A shared finance mailbox is common, so an e-mail address alone is a hint that counts only while nothing contradicts it:
one hit, not claimed by another NetSuite customer, and not wanted by two clients of the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class How(StrEnum):
    """How a customer was found."""

    STORED = "stored"  # NetSuite's customer record names it
    KNOWN = "known"  # our own table does, from an earlier run
    METADATA = "metadata"  # Stripe's customer names NetSuite's id
    EMAIL = "email"  # exactly one customer has the address
    NEW = "new"  # none has; it will be created once the batch is approved


@dataclass(frozen=True, slots=True)
class MatchedCustomer:
    """`id` is None for a customer that will be created, with `email`: one for all orders of the client, although each
    order may name an address of its own."""

    id: str | None
    how: How
    email: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {"id": self.id, "how": str(self.how), "email": self.email}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MatchedCustomer:
        """What to_dict wrote."""
        return cls(data["id"], How(data["how"]), data["email"])


@dataclass(frozen=True, slots=True)
class Unmatched:
    """No certain match: a reason code and a sentence for the person who has to look."""

    reason_code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Stripe customer that was found. `netsuite_id` is what its metadata says, None if nothing."""

    id: str
    netsuite_id: str | None


def match_by_metadata(client: str, found: Sequence[Candidate]) -> MatchedCustomer | Unmatched | None:
    """One hit is a match, several are a question, none decides nothing. `client` names the client in the message."""
    if len(found) > 1:
        ids = ", ".join(sorted(candidate.id for candidate in found)[:5])
        return Unmatched(
            "customer_ambiguous",
            "metadata",
            f"{len(found)} Stripe customers claim to be {client} in their metadata ({ids}). Keep "
            "netsuite_customer_id on one of them and remove it from the others.",
        )
    return MatchedCustomer(found[0].id, How.METADATA) if found else None


def match_by_email(
    client: str, netsuite_id: str, email: str | None, found: Sequence[Candidate], rivals: Sequence[str]
) -> MatchedCustomer | Unmatched:
    """Decide by e-mail when nothing else did. `rivals` are other clients of the batch with the same address that
    nothing else matched either."""
    if email is None:
        return Unmatched(
            "customer_without_email",
            "email",
            f"{client} has no e-mail address in any of the fields of BillingEmailFields, and no "
            "Stripe customer is known "
            "for it. Enter one in NetSuite, or put the Stripe customer's id there.",
        )
    free = [candidate for candidate in found if candidate.netsuite_id in (None, netsuite_id)]
    if len(free) > 1:
        ids = ", ".join(sorted(candidate.id for candidate in free)[:5])
        return Unmatched(
            "customer_ambiguous",
            "email",
            f"{len(free)} Stripe customers have the e-mail address of {client} ({ids}). Put netsuite_customer_id = "
            f"{netsuite_id} into the metadata of the right one.",
        )
    if free and rivals:
        return Unmatched(
            "customer_ambiguous",
            "email",
            f"{client} shares its e-mail address with {', '.join(sorted(rivals)[:5])}, and one Stripe customer has it "
            f"({free[0].id}). Put netsuite_customer_id into its metadata to say whose it is.",
        )
    return MatchedCustomer(free[0].id, How.EMAIL) if free else MatchedCustomer(None, How.NEW, email)
