"""The account and its balance, as a start-up check reads them."""

from __future__ import annotations

from tests.sandbox.stripe.balance import balances
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.webhooks import Endpoint


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


def list_webhook_endpoints(call: Exchange) -> Json:
    """Newest first. The signing secret is shown at creation only."""
    endpoints = list(enumerate(call.store.webhook_endpoints(), start=1))[::-1]

    def shape(numbered: tuple[int, Endpoint]) -> Json:
        number, one = numbered
        return {
            "id": f"we_{number:024d}",
            "object": "webhook_endpoint",
            "api_version": one.api_version,
            "application": None,
            "created": call.store.now,
            "description": None,
            "enabled_events": list(one.types),
            "livemode": one.livemode,
            "metadata": {},
            "status": one.status,
            "url": one.url,
        }

    return page(
        endpoints, call.params, "/v1/webhook_endpoints", "webhook endpoint", lambda one: shape(one)["id"], shape
    )


def _amount(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
