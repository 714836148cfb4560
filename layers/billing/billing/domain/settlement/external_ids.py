"""The externalId of each record that the settlement writes: Stripe's own id, with a suffix where one object becomes
several records.

NetSuite keeps one name space of external ids for all transactions, one for all items and one for all entities, and
REST addresses a record by `eid:` with letters, digits, "_" and "-" only (Oracle, "Using External IDs"). Stripe's ids
are made of those characters; coupon ids are whatever a person typed, so they are hashed when they are not.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

LEGAL: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MADE_BY_STRIPE: Final = re.compile(r"price_[A-Za-z0-9]{14,}")
_HASH_DIGITS: Final = 24


def is_legal(external_id: str) -> bool:
    """Whether REST can address a record by it."""
    return LEGAL.fullmatch(external_id) is not None


def legal(prefix: str, text: str) -> str:
    """`prefix-text`, or the prefix with a hash of the text where that is no legal external id."""
    plain = f"{prefix}-{text}"
    if is_legal(plain):
        return plain
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]}"


def invoice(stripe_invoice: str, order_id: str | None = None) -> str:
    """An invoice; the share of one sales order where the Stripe invoice bills orders of ours."""
    return stripe_invoice if order_id is None else f"{stripe_invoice}-so{order_id}"


def void_memo(invoice_external_id: str) -> str:
    """The memo that closes a voided or uncollectible invoice."""
    return f"{invoice_external_id}-void"


def negative_memo(stripe_invoice: str) -> str:
    """The memo for an invoice whose total is below zero."""
    return f"{stripe_invoice}-neg"


def per_invoice(external_id: str, order_id: str | None) -> str:
    """A memo's id on the share of one order, where a Stripe invoice became several NetSuite invoices."""
    return external_id if order_id is None else f"{external_id}-so{order_id}"


def refund_memo(refund: str) -> str:
    """The memo for a refund, or the part of it, that no credit note covers."""
    return f"{refund}-cm"


def dispute_memo(dispute: str) -> str:
    """The memo for money that a dispute took."""
    return f"{dispute}-cm"


def outside_refund(credit_note: str) -> str:
    """The customer refund for what a credit note gave back outside Stripe."""
    return f"{credit_note}-oob"


def balance_debit(stripe_invoice: str) -> str:
    """The invoice over a debit balance that was collected together with orders of ours."""
    return f"{stripe_invoice}-debit"


def dispute_invoice(dispute: str) -> str:
    """The invoice that brings back the revenue of a dispute that was won."""
    return f"{dispute}-won-in"


def money_back(refund: str) -> str:
    """The payment for a refund that failed: the money came back."""
    return f"{refund}-back"


def failed_payment(charge: str) -> str:
    """The customer refund for a payment that failed after it had succeeded (ACH)."""
    return f"{charge}-failed"


def reinstated(dispute: str) -> str:
    """The payment for a dispute that was won."""
    return f"{dispute}-won"


def deposit(payout: str, number: int = 1) -> str:
    """A payout's deposit; numbered from 2 on where one deposit is too large."""
    return payout if number == 1 else f"{payout}-{number}"


def coupon_item(coupon: str) -> str:
    """The discount item of a coupon."""
    return legal("coupon", coupon)


def item_of_subsidiary(item: str, subsidiary: str) -> str:
    """An item's externalId where the policies name a subsidiary. Ids of coupons and old plans are typed by people, so
    two Stripe accounts may both have a SUMMER10: each subsidiary's is an item of its own. Ids that Stripe makes up
    ("price_...") are of one account."""
    if not subsidiary or _MADE_BY_STRIPE.fullmatch(item):
        return item
    plain = f"{item}-s{subsidiary}"
    return plain if is_legal(plain) else legal("item", plain)


def price_item(price: str) -> str:
    """The item of a price. Old plan ids are whatever a person typed."""
    return price if is_legal(price) else legal("price", price)
