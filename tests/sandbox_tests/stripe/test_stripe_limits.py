from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
import stripe

from tests.sandbox.stripe import RateLimits, SlowExecution, StripeServer


def storm(call: Any, times: int) -> Counter[str]:
    """How often each answer came, by the reason of its refusal."""
    seen: Counter[str] = Counter()
    for _ in range(times):
        try:
            call()
            seen["ok"] += 1
        except stripe.RateLimitError as error:
            headers = error.headers or {}
            told = "Retry-After" in headers or error.json_body["error"]["code"] != "rate_limit"
            seen["not Stripe's way" if told else headers["Stripe-Rate-Limited-Reason"]] += 1
    return seen


def client_of(server: StripeServer) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_a", base_addresses={"api": server.url})


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (RateLimits(per_endpoint=3), "endpoint-rate"),
        (RateLimits(per_account=3), "global-rate"),
        (RateLimits.sandbox(), "global-rate"),
    ],
)
def test_too_many_requests_in_a_second_are_refused_with_the_reason(limits: RateLimits, reason: str) -> None:
    with StripeServer(rate_limits=limits) as server:
        client = client_of(server)
        seen = storm(client.v1.balance.retrieve, 60)
        assert seen[reason] > 0
        assert seen["ok"] + seen[reason] == 60


def test_another_endpoint_has_its_own_allowance_and_searches_share_one() -> None:
    with StripeServer(rate_limits=RateLimits(per_endpoint=2, searches=2)) as server:
        client = client_of(server)
        storm(client.v1.balance.retrieve, 10)
        assert storm(client.v1.accounts.retrieve_current, 1) == {"ok": 1}
        storm(lambda: client.v1.customers.search(params={"query": "name:'a'"}), 10)
        assert storm(lambda: client.v1.invoices.search(params={"query": "total>1"}), 1) == {"endpoint-rate": 1}


def test_a_rate_limited_write_is_not_kept_under_its_key() -> None:
    with StripeServer(rate_limits=RateLimits(per_endpoint=1)) as server:
        client = client_of(server)
        client.v1.customers.create(params={"name": "first"})
        attempts = storm(lambda: client.v1.customers.create(params={"name": "A"}, options={"idempotency_key": "k"}), 3)
        assert attempts["endpoint-rate"] > 0
        server._limiter.forget()
        made = client.v1.customers.create(params={"name": "A"}, options={"idempotency_key": "k"})
        assert made.name == "A"


def test_no_limits_when_switched_off() -> None:
    with StripeServer(rate_limits=RateLimits.off()) as server:
        assert storm(client_of(server).v1.balance.retrieve, 150) == {"ok": 150}


def test_two_writes_to_one_invoice_wait_for_each_other_and_then_time_out() -> None:
    with StripeServer(lock_wait_seconds=0.1) as server:
        client = client_of(server)
        owner = server.create_customer(name="A", email="a@a.example")["id"]
        draft = client.v1.invoices.create(params={"customer": owner, "currency": "usd"}).id
        other = client.v1.invoices.create(params={"customer": owner, "currency": "usd"}).id
        began = threading.Event()
        server.faults.on_call(lambda request: began.set() if request.path.endswith("add_lines") else None)
        server.faults.add(path="/add_lines$", action=SlowExecution(1))
        slow = threading.Thread(
            target=client.v1.invoices.add_lines, args=(draft,), kwargs={"params": {"lines": [{"amount": 1}]}}
        )
        slow.start()
        assert began.wait(5)
        seen = []
        while slow.is_alive() and not seen:
            try:
                client.v1.invoices.update(draft, params={"description": "d"})
            except stripe.RateLimitError as error:
                seen.append(error.json_body["error"]["code"])
                client.v1.invoices.update(other, params={"description": "not locked"})
        slow.join()
        assert seen == ["lock_timeout"]
        assert client.v1.invoices.update(draft, params={"description": "d"}).total == 1
