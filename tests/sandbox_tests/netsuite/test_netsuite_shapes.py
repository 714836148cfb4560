"""The answers have the shape of real ones: needs the reference samples beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox_tests.netsuite.account_client import SUITEQL_PATH, TOKEN_PATH, Account, assertion

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "netsuite" / "samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the reference samples are not on this machine")


def _sample(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return data


def _keys(value: Any) -> Any:
    """The shape of a body: key sets all the way down, a list by its first entry, values by type."""
    if isinstance(value, dict):
        return {key: _keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_keys(value[0])] if value else []
    return type(value).__name__


def test_a_page_looks_like_a_real_page(tiny: Account) -> None:
    real = _sample("suiteql.page.select-star-transaction.real.json")
    ours = tiny.query("SELECT * FROM transaction").json()
    assert set(ours) == set(real)
    for name in ("count", "hasMore", "offset", "totalResults"):
        assert type(ours[name]) is type(real[name])
    assert _keys(ours["links"]) == _keys(real["links"])
    for item in ours["items"]:
        assert item["links"] == []
        assert all(isinstance(value, str) for name, value in item.items() if name != "links")


def test_columns_that_a_real_account_has_look_the_same_here(tiny: Account) -> None:
    """Same column names, dates in the same form, flags as letters, numbers as text without trailing zeros."""
    real = _sample("suiteql.page.select-star-transaction.real.json")["items"][0]
    ours = tiny.rows("SELECT * FROM transaction WHERE tranid = 'SO-1001'")[0]
    of_sales_orders_only = {"startdate", "enddate", "otherrefnum"}
    assert set(ours) - set(real) - of_sales_orders_only == set()
    assert real["trandate"].count("/") == ours["trandate"].count("/") == 2
    assert len(real["status"]) == len(ours["status"]) == 1
    assert (real["exchangerate"], ours["exchangerate"]) == ("1", "1")


@pytest.mark.parametrize(
    ("sample", "query"),
    [
        ("error.400.suiteql-unknown-identifier.real.json", "SELECT subsidiary FROM transaction"),
        ("error.400.suiteql-invalid-search-type.real.json", "SELECT id FROM email"),
    ],
)
def test_a_refused_query_looks_like_a_real_refusal(tiny: Account, sample: str, query: str) -> None:
    answer = tiny.query(query)
    real = _sample(sample)
    assert _keys(answer.json()) == _keys(real)
    assert (answer.json()["type"], answer.json()["title"]) == (real["type"], real["title"])
    if "subsidiary" in query:
        assert answer.json() == real


def test_a_missing_permission_is_the_real_body(tiny: Account) -> None:
    tiny.token()
    tiny.server.set_options(may_query=False)
    assert tiny.query("SELECT 1 AS one FROM dual").json() == _sample("error.400.permission-as-user-error.real.json")


def test_a_refused_login_is_the_real_body(tiny: Account) -> None:
    answer = requests.post(tiny.server.url + SUITEQL_PATH, timeout=10)
    assert answer.json() == _sample("error.401.invalid-login.real.json")
    assert answer.headers["WWW-Authenticate"] in (SAMPLES / "headers.401.txt").read_text(encoding="utf-8")


def test_too_many_at_once_is_the_documented_body(tiny: Account) -> None:
    tiny.token()
    tiny.server.set_options(concurrency_limit=0)
    answer = tiny.query("SELECT 1 AS one FROM dual")
    assert (answer.status_code, answer.json()) == (429, _sample("error.429.concurrency.docs.json"))


def test_token_answers_are_the_documented_ones(tiny: Account) -> None:
    right = tiny.ask_token(assertion(tiny.server, tiny.clock()))
    wrong = tiny.ask_token(assertion(tiny.server, tiny.clock(), aud="https://elsewhere.example"))
    assert _keys(right.json()) == _keys(_sample("oauth2.token.success.docs.json"))
    assert wrong.json() == _sample("oauth2.token.error.docs.json")
    assert right.request.path_url == TOKEN_PATH


def test_a_sales_order_has_only_keys_of_the_real_record(tiny: Account) -> None:
    real = _sample("salesOrder.get.unexpanded.real.json")
    headers = {"Authorization": f"Bearer {tiny.token()}"}
    url = f"{tiny.server.url}/services/rest/record/v1/salesOrder/20001"
    ours = requests.get(url, headers=headers, timeout=10).json()
    assert set(ours) <= set(real)
    for name in set(ours) - {"total", "exchangeRate"}:
        assert _keys(ours[name]) == _keys(real[name]), name
