"""Events: what they hold, how the API lists them, and how they reach a webhook endpoint."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
import stripe

from tests.sandbox.faults import Answer
from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import HttpServer
from tests.sandbox.stripe import InvoiceLine, StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock

SECRET, OLD = "whsec_new", "whsec_old"


class Door(HttpServer):
    """A webhook endpoint that keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.got.append(request)
        return Response(200, b"")

    def types(self) -> list[str]:
        return [str(json.loads(one.body)["type"]) for one in self.got]


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as running:
        yield running
        assert running.errors == []


def test_every_step_of_an_invoices_life_is_an_event(server: StripeServer, customer: str) -> None:
    draft = server.invoice(customer, [InvoiceLine(10_000)], finalise=False)
    server.edit(draft["id"], description="May")
    server.finalise(draft)
    charge = server.pay(draft)
    server.credit(draft, 1_000)
    server.refund(charge, 500)
    server.dispute(server.charge(customer, 800))
    told = [one["type"] for one in server.events() if one["type"] != "invoice.updated"]
    assert told == [
        "customer.created", "invoice.created", "invoice.finalized", "charge.succeeded", "payment_intent.succeeded",
        "invoice_payment.paid", "invoice.paid", "invoice.payment_succeeded", "refund.created", "charge.refunded",
        "credit_note.created", "refund.created", "charge.refunded", "charge.succeeded", "payment_intent.succeeded",
        "charge.dispute.created", "charge.dispute.funds_withdrawn",
    ]  # fmt: skip


def test_an_event_keeps_the_object_as_it_was(server: StripeServer, client: stripe.StripeClient, customer: str) -> None:
    sold = server.invoice(customer, [InvoiceLine(10_000)])
    server.pay(sold)
    [event] = server.events("invoice.finalized")
    assert event["data"]["object"]["status"] == "open"
    assert client.v1.invoices.retrieve(sold["id"]).status == "paid"
    server.as_person("POST", f"/v1/invoices/{sold['id']}", {"metadata": {"netsuite_invoice_id": "7"}})
    assert server.events("invoice.updated")[-1]["data"]["object"]["metadata"] == {"netsuite_invoice_id": "7"}


def test_events_are_listed_by_type_time_and_page(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock, customer: str
) -> None:
    server.charge(customer, 500)
    clock.move(days=1)
    later = int(clock())
    for _ in range(7):
        server.charge(customer, 500)
    listed = client.v1.events.list(params={"types": ["charge.succeeded"], "created": {"gte": later}, "limit": 3})
    assert [one.type for one in listed.auto_paging_iter()] == ["charge.succeeded"] * 7
    with pytest.raises(stripe.InvalidRequestError, match="maximum 20"):
        client.v1.events.list(params={"types": [f"charge.{number}" for number in range(21)]})
    clock.move(days=30)
    assert client.v1.events.list(params={"type": "charge.*"}).data == [], "Stripe keeps them 30 days"


def test_an_event_arrives_signed_with_every_secret(
    server: StripeServer, door: Door, clock: MovableClock, customer: str
) -> None:
    server.register_webhook(f"{door.url}/stripe", [SECRET, OLD], types=("charge.*",), account="acct_1", livemode=True)
    charge = server.charge(customer, 500)
    server.wait_for_deliveries()
    [got] = door.got
    assert got.path == "/stripe"
    for secret in (SECRET, OLD):
        event = stripe.Webhook.construct_event(got.body, got.headers["stripe-signature"], secret, tolerance=10**9)
        assert event["data"]["object"]["id"] == charge["id"]
    sent = json.loads(got.body)
    assert (sent["account"], sent["livemode"], sent["api_version"]) == ("acct_1", True, "2026-10-28.endive")
    moment = int(clock())
    by_hand = hmac.new(SECRET.encode(), f"{moment}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert got.headers["stripe-signature"].startswith(f"t={moment},v1={by_hand},v1=")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(got.body, got.headers["stripe-signature"], "whsec_forged", tolerance=10**9)


def test_an_event_that_is_not_taken_is_sent_again_until_it_is(
    server: StripeServer, client: stripe.StripeClient, door: Door, customer: str
) -> None:
    door.faults.add(action=Answer(500), times=2)
    server.register_webhook(door.url, SECRET, types=("charge.succeeded",), retries=(0.01, 0.01, 0.01))
    server.charge(customer, 500)
    server.wait_for_deliveries()
    assert [(one.attempt, one.status) for one in server.webhooks.deliveries] == [(1, 500), (2, 500), (3, 200)]
    assert client.v1.events.list(params={"type": "charge.succeeded", "delivery_success": True}).data


def test_an_event_that_nobody_ever_takes_is_listed_as_undelivered(
    server: StripeServer, client: stripe.StripeClient, door: Door, customer: str
) -> None:
    door.faults.add(action=Answer(500), times=None)
    server.register_webhook(door.url, SECRET, types=("charge.succeeded",), retries=(0.01,))
    server.charge(customer, 500)
    server.wait_for_deliveries()
    assert len(server.webhooks.deliveries) == 2
    [missed] = client.v1.events.list(params={"types": ["charge.succeeded"], "delivery_success": False}).data
    assert missed.pending_webhooks == 1


def test_held_events_are_shuffled_repeated_and_dropped_as_a_test_says(
    server: StripeServer, client: stripe.StripeClient, door: Door, customer: str
) -> None:
    server.register_webhook(door.url, SECRET, types=("charge.succeeded",))
    server.hold_events()
    charges = [server.charge(customer, 500 + number)["id"] for number in range(6)]
    held = server.held_events()
    assert [one["data"]["object"]["id"] for one in held] == charges
    assert door.got == []
    server.drop_events(held[:1])
    made = server.deliver(held[1:4], order="reversed")
    assert [one.event for one in made] == [one["id"] for one in reversed(held[1:4])]
    shuffled = [one.event for one in server.deliver(order="shuffled", copies=3, seed=5)]
    assert sorted(shuffled) == sorted([held[4]["id"], held[5]["id"]] * 3)
    server.deliver([held[2]])
    assert len(door.got) == 3 + 6 + 1
    assert server.held_events() == []
    server.release_events()
    server.charge(customer, 999)
    server.wait_for_deliveries()
    assert len(door.got) == 11
    undelivered = client.v1.events.list(params={"type": "charge.succeeded", "delivery_success": False}).data
    assert [one.id for one in undelivered] == [held[0]["id"]], "the dropped one is what a sweep must find"


def test_what_happened_before_the_endpoint_was_there_is_not_sent_and_a_reset_forgets_it(
    server: StripeServer, door: Door, customer: str
) -> None:
    server.charge(customer, 500)
    server.register_webhook(door.url, SECRET)
    server.charge(customer, 501)
    server.wait_for_deliveries()
    assert door.types().count("charge.succeeded") == 1
    server.reset()
    server.create_customer(name="A")
    server.wait_for_deliveries()
    assert "customer.created" not in door.types()
