from __future__ import annotations

import base64

import pytest
import requests
import stripe

from tests.sandbox.stripe import API_VERSION, StripeServer
from tests.sandbox_tests.stripe.refusals import refused


@pytest.mark.parametrize("key", ["sk_live_abc", "pk_test_abc", "nonsense", "sk_test_"])
def test_only_a_test_secret_key_is_let_in(server: StripeServer, key: str) -> None:
    client = stripe.StripeClient(key, base_addresses={"api": server.url})
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as caught:
        client.v1.balance.retrieve()
    assert caught.value.http_status == 401


def test_no_key_at_all_is_told_how_to_give_one(server: StripeServer) -> None:
    answer = requests.get(f"{server.url}/v1/balance", timeout=5)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("You did not provide an API key.")


def test_a_restricted_key_and_basic_auth_are_let_in(server: StripeServer) -> None:
    basic = base64.b64encode(b"rk_test_abc:").decode()
    for header in ("Bearer rk_test_abc", f"Basic {basic}"):
        answer = requests.get(f"{server.url}/v1/balance", headers={"Authorization": header}, timeout=5)
        assert answer.json()["object"] == "balance"


def test_a_revoked_key_is_refused_when_the_account_names_its_keys() -> None:
    with StripeServer(api_keys={"sk_test_new"}) as server:
        for key, right in (("sk_test_new", True), ("sk_test_old", False)):
            client = stripe.StripeClient(key, base_addresses={"api": server.url})
            if right:
                assert client.v1.accounts.retrieve_current().object == "account"
            else:
                with pytest.raises(stripe.AuthenticationError):
                    client.v1.accounts.retrieve_current()


def test_the_sdk_speaks_the_version_that_the_server_speaks(server: StripeServer, client: stripe.StripeClient) -> None:
    answer = client.v1.balance.retrieve()
    assert answer.last_response is not None
    assert answer.last_response.headers["stripe-version"] == API_VERSION == stripe.api_version
    assert server.versions == {API_VERSION: 1}


def test_another_version_is_refused_rather_than_half_understood(server: StripeServer) -> None:
    headers = {"Authorization": "Bearer sk_test_a", "Stripe-Version": "2020-08-27"}
    answer = requests.get(f"{server.url}/v1/balance", headers=headers, timeout=5)
    assert (answer.status_code, "Invalid Stripe API version" in answer.text) == (400, True)


def test_an_unknown_address_and_a_wrong_method_are_404(server: StripeServer) -> None:
    headers = {"Authorization": "Bearer sk_test_a"}
    for method, path in (("GET", "/v1/invoicez"), ("PUT", "/v1/invoices"), ("DELETE", "/v1/tax_rates/x")):
        answer = requests.request(method, server.url + path, headers=headers, timeout=5)
        assert answer.status_code == 404
        assert f"Unrecognized request URL ({method}: {path})" in answer.json()["error"]["message"]


def test_a_json_body_is_refused(server: StripeServer) -> None:
    headers = {"Authorization": "Bearer sk_test_a"}
    answer = requests.post(f"{server.url}/v1/customers", json={"name": "x"}, headers=headers, timeout=5)
    assert answer.status_code == 400
    assert "application/x-www-form-urlencoded" in answer.json()["error"]["message"]
    assert server.customers() == []


def test_only_what_can_be_put_in_can_be_expanded(client: stripe.StripeClient, draft: str) -> None:
    shown = client.v1.invoices.retrieve(draft, params={"expand": ["customer"]})
    assert shown.customer.email == "finance@kestrel.example"
    with refused("This property cannot be expanded (lines).", param="expand"):
        client.v1.invoices.retrieve(draft, params={"expand": ["lines"]})
