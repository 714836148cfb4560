"""The product's own queries are what NetSuite is asked about: none of them is forgotten, and none returns a row."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from billing.adapters.netsuite import examination
from billing.adapters.netsuite.certificates import certificate_in
from billing.adapters.netsuite.examination import Asked, NetSuiteSetup, optional_columns, queries
from billing.adapters.netsuite.login import login_from_secret
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.errors import PassingError, PersonNeeded
from tests.sandbox.netsuite import NetSuiteServer, invalid_login_fault, load_world, unexpected_error_fault

ADAPTERS = Path(examination.__file__).parent
STRIPE = ADAPTERS.parent / "stripe"
TODAY = date(2026, 6, 1)
ASKED = Asked(
    ("E", "F"), ("order.email", "customer.email"), "", settles=True, match_item_field="externalid", subsidiaries=("1",)
)


@pytest.fixture
def server() -> Iterator[NetSuiteServer]:
    with NetSuiteServer(load_world("tiny"), time.time, today=TODAY) as running:
        yield running


def setup_of(server: NetSuiteServer, asked: Asked = ASKED, **changes: str) -> NetSuiteSetup:
    secret = {**server.new_credentials("oauth2", account=server.account), **changes}
    if not changes:
        server.register(secret)
    login = login_from_secret(secret, server.url, time.time)
    return NetSuiteSetup(SuiteQL(server.url, login, lambda _: None, requests.Session()), asked, TODAY)


def _asking(path: Path) -> set[str]:
    """Functions and methods of a module that ask SuiteQL themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("page", "rows")
        if ast.unparse(node.func.value).endswith("suiteql")
    }


def test_every_function_that_asks_suiteql_is_examined() -> None:
    asking = {
        name
        for path in ADAPTERS.glob("*.py")
        if path.name not in ("suiteql.py", "examination.py")
        for name in _asking(path)
    }
    # A listing's pages, a customer's ids and the books' records: asked through the functions that call them.
    through = {"_rows": "list_sales_orders", "_ids": "with_email", "_paged": "ask_each"}
    named = {node.attr for node in ast.walk(_queries_tree()) if isinstance(node, ast.Attribute)}
    named |= {node.id for node in ast.walk(_queries_tree()) if isinstance(node, ast.Name)}
    assert len(asking) >= 9
    assert {through.get(name, name) for name in asking} - named == set()


def test_every_query_of_the_books_is_among_them() -> None:
    tree = ast.parse((ADAPTERS / "books.py").read_text(encoding="utf-8"))
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    called = {one.name: {node.attr for node in ast.walk(one) if isinstance(node, ast.Attribute)} for one in methods}
    paging = {name for name, names in called.items() if "_paged" in names}
    assert len(paging) >= 8
    assert paging - called["ask_each"] == set()


def _queries_tree() -> ast.FunctionDef:
    tree = ast.parse(Path(examination.__file__).read_text(encoding="utf-8"))
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "queries")


def test_nothing_is_asked_while_the_columns_are_noted_and_no_row_is_answered(server: NetSuiteServer) -> None:
    setup = setup_of(server)
    found = {one.table: one for one in setup.tables()}
    tables = "accountingperiod currency customer item previoustransactionlinelink term transaction transactionline"
    assert set(found) == set(tables.split())
    assert "kitmemberof" in found["transactionline"].columns
    assert "externalid" in found["item"].columns
    assert all(not one.missing and not one.refused for one in found.values())
    assert server.counts()["suiteql"] == len(found), "one call a table"
    assert [one for one in setup.asked_for_nothing() if one.refused] == []
    assert {one.name for one in setup.asked_for_nothing()} == set(queries(ASKED, TODAY))


@pytest.mark.parametrize("words", ["unknown_identifier", "not_exposed"])
def test_every_column_that_is_missing_is_named_at_once(server: NetSuiteServer, words: str) -> None:
    server.set_options(
        absent_words=words, columns_absent=["transaction.memo", "transactionline.kitmemberof", "term.datedriven"]
    )
    setup = setup_of(server)
    missing = {f"{one.table}.{column}" for one in setup.tables() for column in one.missing}
    assert missing == {"transaction.memo", "transactionline.kitmemberof", "term.datedriven"}
    assert missing & optional_columns(ASKED) == {"term.datedriven", "transaction.memo"}


def test_a_field_that_a_parameter_misspells_is_missing_and_not_optional(server: NetSuiteServer) -> None:
    asked = Asked(("E", "F"), ("customer.custentity_ap_emial",), "custentity_stripe")
    missing = {f"{one.table}.{column}" for one in setup_of(server, asked).tables() for column in one.missing}
    assert missing == {"customer.custentity_ap_emial", "customer.custentity_stripe"}
    assert missing & optional_columns(asked) == set()


def test_a_login_is_tried_twice_and_no_more(server: NetSuiteServer) -> None:
    setup_of(server).sign_in()
    fault = server.faults.add(action=invalid_login_fault(server.account), path="/suiteql", times=None)
    with pytest.raises(PersonNeeded, match="INVALID_LOGIN"):
        setup_of(server).sign_in()
    assert fault.hits == 2, "five bad logins lock a user"
    server.faults.clear()
    server.faults.add(action=unexpected_error_fault(), path="/suiteql", times=None)
    with pytest.raises(PassingError, match="HTTP 500"):
        setup_of(server).sign_in()


def test_a_role_that_may_not_ask_has_signed_in(server: NetSuiteServer) -> None:
    server.set_options(may_query=False)
    setup_of(server).sign_in()


def test_currencies_come_without_their_precision_where_the_account_has_none(server: NetSuiteServer) -> None:
    assert {one.symbol: one.precision for one in setup_of(server).currencies()}["USD"] == 2
    server.set_options(columns_absent=["currency.currencyprecision", "currency.isinactive"])
    assert {one.symbol: one.precision for one in setup_of(server).currencies()}["USD"] is None


def test_a_certificate_belongs_to_its_key_or_not() -> None:
    begins = datetime(2026, 6, 1, tzinfo=UTC)
    one, other = (NetSuiteServer.new_credentials(begins=begins) for _ in range(2))
    found = certificate_in(one)
    assert found is not None
    assert (found.begins, found.ends, found.of_the_key) == (date(2026, 6, 1), date(2028, 5, 31), True)
    assert certificate_in({**one, "certificate": ""}) is None
    strange: Any = certificate_in({**one, "certificate": other["certificate"]})
    assert not strange.of_the_key
    for wrong in ({"certificate": "no PEM"}, {"private_key": "no PEM"}):
        with pytest.raises(PersonNeeded, match=next(iter(wrong))):
            certificate_in({**one, **wrong})


def _resources(path: Path) -> set[str]:
    """Stripe's resources that a module calls: `v1.invoices.list`, `v1.customers.balance_transactions`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] == "v1"
    }


def test_every_resource_of_stripe_that_the_product_uses_is_read() -> None:
    used = {name for path in STRIPE.glob("*.py") if path.name != "examination.py" for name in _resources(path)}
    assert len(used) >= 10
    assert used - _resources(STRIPE / "examination.py") == set()
