from __future__ import annotations

import pytest
import stripe

from tests.sandbox.faults import Answer
from tests.sandbox.stripe import Refusal, StripeServer


def test_a_person_changes_what_the_api_then_shows(
    server: StripeServer, client: stripe.StripeClient, customer: str, draft: str
) -> None:
    calls = len(server.calls)
    server.edit(draft, description="by hand", metadata={"hand": "1"})
    line = server.add_line(draft, amount=5000)["lines"]["data"][0]["id"]
    server.edit_line(draft, line, amount=6000)
    assert len(server.calls) == calls
    shown = client.v1.invoices.retrieve(draft)
    assert (shown.description, shown.total, shown.to_dict()["metadata"]) == ("by hand", 6000, {"hand": "1"})
    server.finalize(draft)
    assert client.v1.invoices.retrieve(draft).status == "open"
    server.void(draft)
    assert client.v1.invoices.retrieve(draft).status == "void"
    server.delete_customer(customer)
    assert server.customers() == []


def test_a_person_is_refused_like_the_api(server: StripeServer, draft: str) -> None:
    with pytest.raises(Refusal, match="This invoice isn't open"):
        server.void(draft)
    with pytest.raises(Refusal, match="Received unknown parameter: colour"):
        server.edit(draft, colour="red")


def test_reading_leaves_the_store_byte_for_byte_as_it_was(
    server: StripeServer, client: stripe.StripeClient, customer: str, draft: str
) -> None:
    before = server.dump()
    client.v1.invoices.retrieve(draft)
    client.v1.invoices.list(params={"customer": customer})
    client.v1.customers.search(params={"query": "name:'x'"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.add_lines(draft, params={"lines": []})
    server.invoices()
    assert server.dump() == before
    server.edit(draft, description="x")
    assert server.dump() != before


def test_equal_histories_make_equal_stores() -> None:
    dumps = []
    for _ in range(2):
        with StripeServer(lambda: 1_780_000_000) as server:
            client = stripe.StripeClient("sk_test_a", base_addresses={"api": server.url})
            owner = client.v1.customers.create(params={"name": "A"}).id
            client.v1.invoices.create(params={"customer": owner})
            dumps.append(server.dump())
    assert dumps[0] == dumps[1]


def test_what_is_read_back_cannot_change_the_store(server: StripeServer, draft: str) -> None:
    before = server.dump()
    server.edit_customer(server.customers()[0]["id"])["metadata"]["x"] = "1"
    server.invoices()[0]["metadata"]["x"] = "1"
    server.customers()[0]["metadata"]["x"] = "1"
    server.customers()[0]["address"]["city"] = "Elsewhere"
    assert server.dump() == before


def test_reads_and_writes_are_counted_whatever_becomes_of_them(
    server: StripeServer, client: stripe.StripeClient
) -> None:
    server.faults.add(method="GET", action=Answer(503))
    with pytest.raises(stripe.APIError):
        client.v1.balance.retrieve()
    client.v1.balance.retrieve()
    client.v1.customers.create(params={"name": "A"})
    assert (server.reads, server.writes) == (2, 1)
    assert [call.status for call in server.calls] == [503, 200, 200]


def test_reset_empties_everything(server: StripeServer, client: stripe.StripeClient) -> None:
    empty = StripeServer(server.clock).dump()
    made = client.v1.customers.create(params={"name": "A"}, options={"idempotency_key": "k"})
    server.faults.add(action=Answer(500), times=None)
    server.reset()
    assert (server.dump(), server.calls, server.customers()) == (empty, [], [])
    again = client.v1.customers.create(params={"name": "B"}, options={"idempotency_key": "k"})
    assert again.name == "B"
    assert again.id == made.id, "ids start anew too"


def test_all_lines_are_read_back_not_only_the_first_ten(server: StripeServer, draft: str) -> None:
    server.as_person("POST", f"/v1/invoices/{draft}/add_lines", {"lines": [{"amount": 1}] * 40})
    assert len(server.invoice(draft)["lines"]["data"]) == 40
