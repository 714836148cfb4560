"""The account and its balance, as a start-up check reads them."""

from __future__ import annotations

from tests.sandbox.stripe.balance import balances
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.records import Json


def retrieve_account(call: Exchange) -> Json:
    return {
        "id": call.store.account,
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
    found = sorted(balances(call.store).items())
    available = [_amount(currency, amount) for currency, (amount, _) in found]
    pending = [_amount(currency, amount) for currency, (_, amount) in found]
    return {"object": "balance", "available": available, "livemode": False, "pending": pending}


def _amount(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
