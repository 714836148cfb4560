from __future__ import annotations

import threading
from typing import Any

import pytest
import stripe

from tests.sandbox.faults import AnswerAfter, DelayAfter, DropAfter, DropBefore
from tests.sandbox.stripe import LockTimeout, SlowExecution, StoredError, StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock
from tests.sandbox_tests.stripe.refusals import refused


def create(client: stripe.StripeClient, key: str | None, **params: Any) -> stripe.Customer:
    return client.v1.customers.create(params=params, options={"idempotency_key": key} if key else {})


def header(answer: Any, name: str) -> str | None:
    value: str | None = answer.last_response.headers.get(name)
    return value


def test_a_repeated_key_replays_the_first_answer_and_makes_nothing(
    server: StripeServer, client: stripe.StripeClient
) -> None:
    first = create(client, "k", name="A")
    assert header(first, "Idempotent-Replayed") is None
    for _ in range(3):
        again = create(client, "k", name="A")
        assert again.to_dict() == first.to_dict()
        assert header(again, "Idempotent-Replayed") == "true"
        assert header(again, "Original-Request") == header(first, "Request-Id")
    assert len(server.customers()) == 1


def test_without_a_key_of_our_own_every_call_makes_another(server: StripeServer, client: stripe.StripeClient) -> None:
    for _ in range(2):
        create(client, None, name="A")
    assert len(server.customers()) == 2


def test_the_key_with_other_parameters_is_an_idempotency_error(
    server: StripeServer, client: stripe.StripeClient
) -> None:
    create(client, "k", name="A")
    for _ in range(2):
        with pytest.raises(stripe.IdempotencyError, match="only be used with the same parameters") as caught:
            create(client, "k", name="B")
        assert (caught.value.http_status, caught.value.json_body["error"]["type"]) == (400, "idempotency_error")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.products.create(params={"name": "A"}, options={"idempotency_key": "k"})
    assert [customer["name"] for customer in server.customers()] == ["A"]


def test_a_key_is_forgotten_after_24_hours_and_then_runs_again(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock
) -> None:
    first = create(client, "k", name="A").id
    clock.move(hours=23, seconds=3599)
    assert create(client, "k", name="A").id == first
    clock.move(seconds=1)
    assert create(client, "k", name="A").id != first
    assert len(server.customers()) == 2


def test_a_refused_parameter_does_not_use_up_the_key(server: StripeServer, client: stripe.StripeClient) -> None:
    with refused("unknown parameter", code="parameter_unknown", param="nam"):
        create(client, "k", nam="A")
    assert create(client, "k", name="A").name == "A"
    assert len(server.customers()) == 1


def test_a_refusal_of_the_endpoint_itself_is_kept_and_replayed(
    server: StripeServer, client: stripe.StripeClient, draft: str
) -> None:
    options: Any = {"idempotency_key": "k"}
    server.finalize(draft)
    with refused("no longer editable", code="invoice_not_editable"):
        client.v1.invoices.add_lines(draft, params={"lines": [{"amount": 1}]}, options=options)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.invoices.add_lines(draft, params={"lines": [{"amount": 1}]}, options=options)
    assert caught.value.headers is not None
    assert caught.value.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("commit", [False, True])
def test_a_500_is_kept_under_its_key_until_a_new_key_is_used(
    server: StripeServer, client: stripe.StripeClient, commit: bool
) -> None:
    fault = server.faults.add(method="POST", path="^/v1/customers$", action=StoredError(commit=commit))
    for _ in range(3):
        with pytest.raises(stripe.APIError) as caught:
            create(client, "k", name="A")
        assert caught.value.http_status == 500
    assert fault.hits == 1
    assert len(server.customers()) == int(commit)
    create(client, "k-2", name="A")
    assert len(server.customers()) == 1 + int(commit)


def test_a_kept_lock_timeout_is_replayed(server: StripeServer, client: stripe.StripeClient, draft: str) -> None:
    server.faults.add(path="/add_lines$", action=LockTimeout())
    for replayed in (None, "true"):
        with pytest.raises(stripe.RateLimitError) as caught:
            client.v1.invoices.add_lines(draft, params={"lines": [{"amount": 1}]}, options={"idempotency_key": "k"})
        assert caught.value.json_body["error"]["code"] == "lock_timeout"
        assert caught.value.headers is not None
        assert caught.value.headers.get("Idempotent-Replayed") == replayed
        assert "Stripe-Rate-Limited-Reason" not in caught.value.headers
    assert server.invoice(draft)["total"] == 0


def test_the_same_key_in_flight_is_a_conflict(server: StripeServer, client: stripe.StripeClient) -> None:
    began = threading.Event()
    server.faults.on_call(lambda request: began.set())
    server.faults.add(method="POST", path="^/v1/customers$", action=SlowExecution(0.5))
    slow = threading.Thread(target=create, args=(client, "k"), kwargs={"name": "A"})
    slow.start()
    assert began.wait(5)
    with pytest.raises(stripe.APIError, match="another in-progress request") as caught:
        create(client, "k", name="A")
    assert (caught.value.http_status, caught.value.json_body["error"]["code"]) == (409, "idempotency_key_in_use")
    slow.join()
    assert create(client, "k", name="A").id == server.customers()[0]["id"]
    assert len(server.customers()) == 1


def test_the_sdks_own_retry_outlives_a_conflict_and_a_drop(server: StripeServer) -> None:
    patient = stripe.StripeClient("sk_test_a", base_addresses={"api": server.url}, max_network_retries=2)
    server.faults.add(method="POST", path="^/v1/customers$", action=DropAfter())
    made = create(patient, "k", name="A")
    assert header(made, "Idempotent-Replayed") == "true"
    assert len(server.customers()) == 1


@pytest.mark.parametrize(("action", "stored"), [(DropBefore(), 0), (DropAfter(), 1), (AnswerAfter(502, b"<html>"), 1)])
def test_what_is_stored_after_a_lost_answer_is_what_the_fault_says(
    server: StripeServer, client: stripe.StripeClient, action: Any, stored: int
) -> None:
    server.faults.add(method="POST", path="^/v1/customers$", action=action)
    with pytest.raises(stripe.StripeError):
        create(client, "k", name="A")
    assert len(server.customers()) == stored
    again = create(client, "k", name="A")
    assert header(again, "Idempotent-Replayed") == ("true" if stored else None)
    assert len(server.customers()) == 1


def test_a_callers_timeout_does_not_undo_what_was_stored(server: StripeServer) -> None:
    hasty = stripe.StripeClient(
        "sk_test_a",
        base_addresses={"api": server.url},
        http_client=stripe.RequestsClient(timeout=(5, 0.2)),
    )
    server.faults.add(method="POST", action=DelayAfter(0.6))
    with pytest.raises(stripe.APIConnectionError):
        create(hasty, "k", name="A")
    assert len(server.customers()) == 1
    assert create(hasty, "k", name="A").id == server.customers()[0]["id"]


def test_a_get_and_a_delete_carry_no_key(server: StripeServer, client: stripe.StripeClient, customer: str) -> None:
    answer = client.v1.customers.retrieve(customer, options={"idempotency_key": "k"})
    assert header(answer, "Idempotency-Key") is None
    client.v1.customers.delete(customer, options={"idempotency_key": "k"})
    with refused("No such customer", status=404, code="resource_missing", param="id"):
        client.v1.customers.delete(customer, options={"idempotency_key": "k"})


def test_a_key_over_255_characters_is_refused(client: stripe.StripeClient) -> None:
    with refused("at most 255 characters"):
        create(client, "k" * 256, name="A")
    create(client, "k" * 255, name="A")
