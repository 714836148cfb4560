"""The account and its balance, as a start-up check reads them."""

from __future__ import annotations

from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import ACCOUNT


def retrieve_account(call: Exchange) -> Json:
    return {
        "id": ACCOUNT,
        "object": "account",
        "business_profile": None,
        "business_type": "company",
        "capabilities": {},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "billing@sandbox.example",
        "metadata": {},
        "payouts_enabled": True,
        "settings": None,
        "type": "standard",
    }


def retrieve_balance(call: Exchange) -> Json:
    nothing = [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
    return {"object": "balance", "available": nothing, "livemode": False, "pending": nothing}
