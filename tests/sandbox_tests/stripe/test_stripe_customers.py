from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe import StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock
from tests.sandbox_tests.stripe.refusals import refused


def test_a_customer_keeps_what_was_given(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create(
        params={"name": "Alder", "email": "a@alder.example", "metadata": {"netsuite_id": "7"}, "phone": "1"}
    )
    again = client.v1.customers.retrieve(made.id)
    assert again.to_dict() == made.to_dict()
    assert (again.name, again.email, again.metadata["netsuite_id"]) == ("Alder", "a@alder.example", "7")
    assert again.created == 1_780_300_800


def test_metadata_is_merged_key_by_key_and_emptied_as_a_whole(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create(params={"metadata": {"a": "1", "b": "2"}})
    changed = client.v1.customers.update(made.id, params={"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    assert client.v1.customers.update(made.id, params={"metadata": ""}).metadata.to_dict() == {}


def test_the_email_filter_is_exact_and_case_sensitive_and_newest_first(client: stripe.StripeClient) -> None:
    ids = [client.v1.customers.create(params={"email": mail}).id for mail in ("x@a.com", "X@a.com", "x@a.com")]
    found = client.v1.customers.list(params={"email": "x@a.com"})
    assert [customer.id for customer in found.data] == [ids[2], ids[0]]
    assert client.v1.customers.list(params={"email": "x@A.com"}).data == []


def test_lists_are_strongly_consistent_and_page_both_ways(client: stripe.StripeClient) -> None:
    ids = [client.v1.customers.create(params={"name": str(n)}).id for n in range(7)][::-1]
    first = client.v1.customers.list(params={"limit": 3})
    assert ([c.id for c in first.data], first.has_more) == (ids[:3], True)
    rest = client.v1.customers.list(params={"limit": 100, "starting_after": ids[2]})
    assert ([c.id for c in rest.data], rest.has_more) == (ids[3:], False)
    back = client.v1.customers.list(params={"limit": 2, "ending_before": ids[5]})
    assert ([c.id for c in back.data], back.has_more) == (ids[3:5], True)
    assert [c.id for c in client.v1.customers.list(params={"limit": 2}).auto_paging_iter()] == ids


def test_the_created_filter_takes_every_bound(client: stripe.StripeClient, clock: MovableClock) -> None:
    ids = []
    for _ in range(3):
        ids.append(client.v1.customers.create(params={}).id)
        clock.move(seconds=10)
    start = 1_780_300_800
    for bounds, expected in (
        ({"gte": start + 10}, ids[1:]),
        ({"gt": start + 10}, ids[2:]),
        ({"lt": start + 10}, ids[:1]),
        ({"lte": start + 10}, ids[:2]),
        ({"gte": start + 1, "lt": start + 20}, ids[1:2]),
    ):
        found = client.v1.customers.list(params={"created": bounds})
        assert [c.id for c in found.data] == expected[::-1], bounds
    exact = client.v1.customers.list(params={"created": start})
    assert [c.id for c in exact.data] == ids[:1]


def test_a_deleted_customer_leaves_a_stub_and_no_listing(client: stripe.StripeClient, customer: str) -> None:
    assert client.v1.customers.delete(customer).to_dict() == {
        "id": customer,
        "object": "customer",
        "deleted": True,
    }
    assert client.v1.customers.retrieve(customer).to_dict()["deleted"] is True
    assert client.v1.customers.list(params={"email": "finance@kestrel.example"}).data == []
    with refused("No such customer", status=404, code="resource_missing", param="id"):
        client.v1.customers.update(customer, params={"name": "x"})
    with refused(f"No such customer: '{customer}'", code="resource_missing", param="customer"):
        client.v1.invoices.create(params={"customer": customer})


@pytest.mark.parametrize(
    ("params", "text", "code", "param"),
    [
        ({"e_mail": "x"}, "Received unknown parameter: e_mail", "parameter_unknown", "e_mail"),
        ({"address": {"zip": "1"}}, "unknown parameter: address[zip]", "parameter_unknown", "address[zip]"),
        ({"email": "nobody"}, "Invalid email address: nobody", "email_invalid", "email"),
        ({"email": f"{'x' * 505}@a.com.au"}, "must be at most 512 characters", None, "email"),
        ({"name": "n" * 257}, "must be at most 256 characters", None, "name"),
        ({"phone": "1" * 21}, "must be at most 20 characters", None, "phone"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "up to 50 metadata keys", None, "metadata"),
        ({"metadata": {"k" * 41: "v"}}, "can have up to 40 characters", None, "metadata"),
        ({"metadata": {"k": "v" * 501}}, "a value that is 501 characters", None, "metadata[k]"),
        ({"tax_exempt": "yes"}, "must be one of none, exempt, or reverse", None, "tax_exempt"),
        ({"balance": "1.5"}, "Invalid integer: 1.5", "parameter_invalid_integer", "balance"),
        ({"shipping": {"name": "x"}}, "Missing required param", "parameter_missing", "shipping[address]"),
        ({"source": "tok_visa"}, "does not act on source", "sandbox_unsupported", "source"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_customer_is_refused_and_not_stored(
    server: StripeServer, client: stripe.StripeClient, params: Any, text: str, code: str | None, param: str
) -> None:
    with refused(text, code=code, param=param):
        client.v1.customers.create(params=params)
    assert server.customers() == []


def test_a_metadata_key_with_brackets_cannot_even_be_sent(server: StripeServer, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create(params={"metadata": {"a[b]": "v"}})
    assert server.customers() == []


def test_a_limit_outside_1_to_100_and_a_cursor_to_nothing_are_refused(client: stripe.StripeClient) -> None:
    for limit in (0, 101):
        with refused("than or equal to", code="parameter_invalid_integer", param="limit"):
            client.v1.customers.list(params={"limit": limit})
    with refused("No such customer: 'cus_gone'", code="resource_missing", param="starting_after"):
        client.v1.customers.list(params={"starting_after": "cus_gone"})
