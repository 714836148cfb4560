"""Started by hand: a person says which Stripe customer a NetSuite customer is, where e-mail alone cannot.

{"netsuiteCustomer": "1234", "stripeCustomer": "cus_1Mf0", "by": "ann@firm.example"}

`netsuiteCustomer` is the internal id. What is kept stays until somebody settles it otherwise; a field of NetSuite's
customer record (StripeIdField) goes before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from billing.domain.email_address import is_address
from billing.domain.errors import InputInvalid, PassingError
from billing.domain.ledger.customer_match import KnownCustomer
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.orders.netsuite_client import NetSuiteClient

_FIELDS: Final = ("netsuiteCustomer", "stripeCustomer", "by")
_NETSUITE_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_STRIPE_ID: Final = re.compile(r"cus_[A-Za-z0-9_]{1,80}")


class KnownCustomers(Protocol):
    """Our own map from NetSuite to Stripe."""

    def one(self, netsuite_id: str) -> KnownCustomer | None: ...
    def settle(self, netsuite_id: str, stripe_id: str, by: str, instead_of: str | None, at: str) -> bool: ...


def settle_the_customer(
    raw_input: object,
    client_by_id: Callable[[str], NetSuiteClient | None],
    customer_by_id: Callable[[str], StripeCustomer | None],
    known: KnownCustomers,
    now: datetime,
) -> dict[str, str]:
    """Keep the pair with who said so and when. Answers {"netsuiteCustomer", "stripeCustomer", "before", "state"}:
    `before` is what was kept until now ("" if nothing), `state` is settled or settled already. Safe to repeat.

    The next run shows the approvers that a person has settled it, and asks about it again if it was approved for
    another customer. Raises InputInvalid, with the field's name, if one of the two does not exist or if either names
    another; PassingError if the row changed at the same moment.
    """
    netsuite_id, stripe_id, by = _read(raw_input)
    client = client_by_id(netsuite_id)
    if client is None:
        raise InputInvalid(f'The field "netsuiteCustomer": NetSuite has no customer with the id {netsuite_id}.')
    if client.stripe_id not in ("", stripe_id):
        raise InputInvalid(
            f'The field "stripeCustomer": NetSuite\'s own record of {netsuite_id} names {client.stripe_id}, which goes '
            "before our map. Correct it there."
        )
    customer = customer_by_id(stripe_id)
    if customer is None:
        raise InputInvalid(f'The field "stripeCustomer": Stripe has no customer {stripe_id}, or it was deleted.')
    if customer.netsuite_id not in (None, netsuite_id):
        raise InputInvalid(
            f'The field "stripeCustomer": the metadata of {stripe_id} name the NetSuite customer '
            f"{customer.netsuite_id}. Correct netsuite_customer_id in Stripe first."
        )
    row = known.one(netsuite_id)
    before = row.stripe_id if row is not None else ""
    answer = {"netsuiteCustomer": netsuite_id, "stripeCustomer": stripe_id, "before": before}
    if row is not None and row.settled_by and before == stripe_id:
        return {**answer, "state": "settled already"}
    if not known.settle(netsuite_id, stripe_id, by, before or None, now.astimezone(UTC).isoformat()):
        raise PassingError(f"The NetSuite customer {netsuite_id} was matched elsewhere at this moment. Try again.")
    return {**answer, "state": "settled"}


def _read(raw: object) -> tuple[str, str, str]:
    if not isinstance(raw, Mapping):
        raise InputInvalid(f"The input must be an object with the fields {', '.join(_FIELDS)}.")
    for field in raw:
        if field not in _FIELDS:
            raise InputInvalid(f"The input has a field that is not known. Known are {', '.join(_FIELDS)}.")
    netsuite_id, stripe_id, by = (_text(raw, field) for field in _FIELDS)
    if not _NETSUITE_ID.fullmatch(netsuite_id):
        raise InputInvalid('The field "netsuiteCustomer" must be NetSuite\'s internal id, digits only.')
    if not _STRIPE_ID.fullmatch(stripe_id):
        raise InputInvalid('The field "stripeCustomer" must be the id of a Stripe customer, "cus_...".')
    if not is_address(by):
        raise InputInvalid('The field "by" must be the e-mail address of the person who says so.')
    return netsuite_id, stripe_id, by


def _text(raw: Mapping[str, Any], field: str) -> str:
    value = raw.get(field)
    if not isinstance(value, str):
        raise InputInvalid(f'The field "{field}" is missing, or is no text.')
    return value.strip()
