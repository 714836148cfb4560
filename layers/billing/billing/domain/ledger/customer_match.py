"""Which Stripe customer a NetSuite customer is. Only certain matches are taken; the rest goes to a person.

A shared finance mailbox is common, so an e-mail address alone is a hint that counts only while nothing contradicts it:
one hit, not claimed by another NetSuite customer, with this client's own name, and an address that no other NetSuite
client of the account has. Else a person says who it is, once for ever: in NetSuite's field, in Stripe's metadata, or in
our own map. A stored id counts for nothing either while the Stripe customer names another NetSuite client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from billing.domain.ledger.client_name import same_client_name
from billing.domain.ledger.stripe_customer import StripeCustomer


class How(StrEnum):
    """How a customer was found."""

    STORED = "stored"  # NetSuite's customer record names it
    KNOWN = "known"  # our own table does, from an earlier run
    SETTLED = "settled"  # our own table does, because a person has said so
    METADATA = "metadata"  # Stripe's customer names NetSuite's id
    EMAIL = "email"  # exactly one customer has the address
    NEW = "new"  # none has; it will be created once the batch is approved


@dataclass(frozen=True, slots=True)
class MatchedCustomer:
    """`id` is None for a customer that will be created, with `email`: one for all orders of the client, although each
    order may name an address of its own. `stripe_name` and `stripe_email` are the existing customer's own in Stripe,
    None where it has none."""

    id: str | None
    how: How
    email: str | None = None
    stripe_name: str | None = None
    stripe_email: str | None = None


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """What our own map keeps: the Stripe customer, and who settled it ("" if a draft that was approved did)."""

    stripe_id: str
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """No certain match: a reason code and a sentence for the person who has to look."""

    reason_code: str
    field: str
    message: str


def _match(found: StripeCustomer, how: How) -> MatchedCustomer:
    """This one is the client's."""
    return MatchedCustomer(found.id, how, stripe_name=found.name, stripe_email=found.email)


def match_by_id(client: str, netsuite_id: str, found: StripeCustomer, how: How) -> MatchedCustomer | Unmatched:
    """A customer that a record names by its id. A copied customer record copies its custom fields: one that names
    another NetSuite client in its metadata is not taken."""
    if found.netsuite_id in (None, netsuite_id):
        return _match(found, how)
    where = "NetSuite's record of it" if how is How.STORED else "our own map"
    return Unmatched(
        "customer_of_another",
        "customer",
        f"{client} is the NetSuite customer {netsuite_id}, and {where} names the Stripe customer {found.id}, whose "
        f"metadata name another: netsuite_customer_id = {found.netsuite_id}. Correct the one that is wrong.",
    )


def shared_by(client: str, stripe_id: str, others: Sequence[str]) -> Unmatched:
    """A Stripe customer that NetSuite's records of several clients name: nobody can tell whose it is."""
    return Unmatched(
        "customer_of_another",
        "customer",
        f"NetSuite's records of {client} and of {', '.join(sorted(others)[:5])} name the same Stripe customer, "
        f"{stripe_id}. Correct the field of whom it is not.",
    )


def same_email(one: str | None, other: str | None) -> bool:
    """Whether two addresses are the same but for case."""
    return one is not None and other is not None and one.strip().casefold() == other.strip().casefold()


def match_by_metadata(client: str, found: Sequence[StripeCustomer]) -> MatchedCustomer | Unmatched | None:
    """One hit is a match, several are a question, none decides nothing. `client` names the client in the message."""
    if len(found) > 1:
        ids = ", ".join(sorted(candidate.id for candidate in found)[:5])
        return Unmatched(
            "customer_ambiguous",
            "metadata",
            f"{len(found)} Stripe customers claim to be {client} in their metadata ({ids}). Keep "
            "netsuite_customer_id on one of them and remove it from the others.",
        )
    return _match(found[0], How.METADATA) if found else None


def match_by_email(
    client: str, netsuite_id: str, email: str | None, found: Sequence[StripeCustomer], rivals: Sequence[str]
) -> MatchedCustomer | Unmatched:
    """Decide by e-mail when nothing else did. `rivals` name other NetSuite clients with the same address, in the
    batch or not."""
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
            f"({free[0].id}). Put netsuite_customer_id into its metadata to say whose it is, or settle it "
            "(SettleTheCustomer in the runbook).",
        )
    if free and free[0].netsuite_id is None and not same_client_name(client, free[0].name):
        return Unmatched(
            "customer_name_differs",
            "email",
            f"{client} has the e-mail address of the Stripe customer {free[0].id}, whose name is "
            f"{free[0].name or 'empty'}. If they are one, put netsuite_customer_id = {netsuite_id} into its metadata, "
            "or settle it (SettleTheCustomer in the runbook); if not, correct the address.",
        )
    return _match(free[0], How.EMAIL) if free else MatchedCustomer(None, How.NEW, email)
