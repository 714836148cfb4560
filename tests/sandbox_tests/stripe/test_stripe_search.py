from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe import StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock
from tests.sandbox_tests.stripe.refusals import refused

LAG = 30


def names(client: stripe.StripeClient, query: str, **params: Any) -> list[str | None]:
    found = client.v1.customers.search(params={"query": query, **params})
    return [customer.name for customer in found.data]


@pytest.fixture
def known(server: StripeServer, clock: MovableClock) -> None:
    server.create_customer(name="Alder", email="Finance@Alder.example", metadata={"netsuite_id": "7"})
    server.create_customer(name="Birch Rail", email="ap@birch.example", metadata={"netsuite_id": "8", "x'y": "q'q"})
    server.create_customer(name="Cedar")
    clock.move(seconds=LAG)


def test_search_lags_behind_and_lists_do_not(client: stripe.StripeClient, clock: MovableClock) -> None:
    client.v1.customers.create(params={"name": "New", "metadata": {"netsuite_id": "9"}})
    for seconds in (0, LAG - 1):
        clock.move(seconds=seconds)
        assert names(client, "metadata['netsuite_id']:'9'") == []
        assert len(client.v1.customers.list().data) == 1
    clock.move(seconds=1)
    assert names(client, "metadata['netsuite_id']:'9'") == ["New"]


def test_search_still_shows_what_was_changed_or_deleted_a_moment_ago(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock, draft: str
) -> None:
    server.edit(draft, metadata={"so": "1"})
    clock.move(seconds=LAG)
    server.delete(draft)
    query: Any = {"query": "metadata['so']:'1' AND status:'draft'"}
    assert [invoice.id for invoice in client.v1.invoices.search(params=query).data] == [draft]
    clock.move(seconds=LAG)
    assert client.v1.invoices.search(params=query).data == []


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("metadata['netsuite_id']:'7'", ["Alder"]),
        ('metadata["netsuite_id"]:"8"', ["Birch Rail"]),
        (r"metadata['x\'y']:'q\'q'", ["Birch Rail"]),
        ("email:'finance@alder.example'", ["Alder"]),
        ("email:'alder.example'", ["Alder"]),
        ("email:'nance@alder.example'", []),
        ("email~'nance@alder'", ["Alder"]),
        ("name:'rail'", ["Birch Rail"]),
        ("-name:'rail'", ["Cedar", "Alder"]),
        ("email:null", ["Cedar"]),
        ("-metadata['netsuite_id']:null", ["Birch Rail", "Alder"]),
        ("name:'alder' OR name:'cedar'", ["Cedar", "Alder"]),
        ("name:'alder' AND email:'finance'", ["Alder"]),
        ("name:'alder' email:'ap'", []),
        ("created>1780300799", ["Cedar", "Birch Rail", "Alder"]),
        ("created>1780300800", []),
    ],
)
def test_the_query_language_finds_what_the_docs_say(
    client: stripe.StripeClient, query: str, expected: list[str]
) -> None:
    assert names(client, query) == expected
    assert names(client, query) == expected


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "unable to parse"),
        ("Alder", "unable to parse"),
        ("name:'a' AND", "unable to parse"),
        ("name:'unclosed", "unable to parse"),
        ("shoe_size:'1'", "Field `shoe_size` is an unsupported search field for resource `customers`."),
        ("metadata:'7'", "unsupported search field"),
        ("name:'a' AND name:'b' OR name:'c'", "cannot combine AND and OR"),
        ("email~'ab'", "at least 3 characters"),
        ("email>'ab'", "does not work"),
        ("created:'soon'", "takes a number"),
        (" ".join(["name:'a'"] * 11), "at most 10 clauses"),
    ],
)
def test_a_query_that_stripe_cannot_read_is_refused(client: stripe.StripeClient, query: str, text: str) -> None:
    with refused(text, param="query"):
        client.v1.customers.search(params={"query": query})


def test_search_pages_by_a_cursor_and_counts_on_demand(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock
) -> None:
    for number in range(25):
        server.create_customer(name=f"N {number}", metadata={"all": "1"})
    clock.move(seconds=LAG)
    first = client.v1.customers.search(params={"query": "metadata['all']:'1'", "limit": 10, "expand": ["total_count"]})
    assert (len(first.data), first.has_more, first.total_count) == (10, True, 25)
    found = [customer.name for customer in first.auto_paging_iter()]
    assert found == [f"N {number}" for number in range(24, -1, -1)]
    with refused("Invalid page", param="page"):
        client.v1.customers.search(params={"query": "name:'a'", "page": "!"})
