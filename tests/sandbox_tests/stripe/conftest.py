"""A Stripe stand-in with a clock that tests move, and the real SDK pointed at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from tests.sandbox.stripe import StripeServer


class MovableClock:
    """Epoch seconds that stand still until a test moves them."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def move(self, *, seconds: float = 0, hours: float = 0, days: float = 0) -> None:
        self.now += seconds + hours * 3600 + days * 86_400


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(1_780_300_800.0)


@pytest.fixture
def server(clock: MovableClock) -> Iterator[StripeServer]:
    with StripeServer(clock) as running:
        yield running
        assert running.errors == [], "the stand-in itself failed"


@pytest.fixture
def client(server: StripeServer) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": server.url})


@pytest.fixture
def customer(client: stripe.StripeClient) -> str:
    """The id of a customer with name, e-mail and country."""
    made = client.v1.customers.create(
        params={
            "name": "Kestrel Legal LLP",
            "email": "finance@kestrel.example",
            "address": {"country": "GB", "city": "London"},
        }
    )
    return made.id


@pytest.fixture
def draft(client: stripe.StripeClient, customer: str) -> str:
    """The id of an empty draft in US dollars, due in 30 days."""
    made = client.v1.invoices.create(
        params={
            "customer": customer,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "currency": "usd",
            "auto_advance": False,
        }
    )
    return made.id
