"""What people do in NetSuite while a run is under way: it is seen by the next query, and stamped."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.netsuite import WorldError
from tests.sandbox_tests.netsuite.account_client import MAIN_QUERY, Account


def _order(account: Account, number: str) -> list[dict[str, str]]:
    return [row for row in account.rows(MAIN_QUERY, 0, 0, 0) if row["tranid"] == number]


def test_an_edit_is_seen_by_the_next_query_with_the_clocks_time(tiny: Account) -> None:
    tiny.clock.now += 90
    tiny.server.edit_order("SO-1001", memo="Changed", poNumber=None)
    (row,) = _order(tiny, "SO-1001")
    assert (row["memo"], row.get("otherrefnum"), row["lastmodified"]) == (
        "Changed",
        None,
        "2026-06-01 04:01:30",
    )
    assert (row["id"], row["line"]) == ("20001", "1")
    assert _order(tiny, "SO-1002")[0]["lastmodified"] == "2026-05-12 09:30:00"


def test_billing_and_closing_change_the_line_alone(tiny: Account) -> None:
    tiny.server.bill("SO-1003", 1, "5")
    tiny.server.bill("SO-1003", 1, "2.5")
    tiny.server.close_line("SO-1003", 2)
    first, second = _order(tiny, "SO-1003")
    assert (first["quantitybilled"], first["isclosed"]) == ("7.5", "F")
    assert (second["quantitybilled"], second["isclosed"]) == ("0", "T")
    assert first["foreigntotal"] == "2325"
    with pytest.raises(WorldError, match="order SO-1003, line 1, field 'billed'"):
        tiny.server.bill("SO-1003", 1, "5")


def test_a_changed_quantity_changes_amount_and_total(tiny: Account) -> None:
    tiny.server.edit_line("SO-1001", 1, quantity="8")
    (row,) = _order(tiny, "SO-1001")
    assert (row["quantity"], row["foreignamount"], row["foreigntotal"]) == ("-8", "-1500", "1500")


def test_the_id_of_a_removed_line_is_never_given_to_a_new_one(tiny: Account) -> None:
    lines = tiny.server.order_json("SO-1003")["lines"]
    assert isinstance(lines, list)
    tiny.server.edit_order("SO-1003", lines=[lines[1], {"item": "Consulting", "amount": "10.00"}])
    assert [row["line"] for row in _order(tiny, "SO-1003")] == ["2", "3"]


def test_status_and_deletion_take_an_order_out_of_the_list(tiny: Account) -> None:
    tiny.server.set_status("SO-1001", "G")
    tiny.server.delete_order("SO-1002")
    assert {row["tranid"] for row in tiny.rows(MAIN_QUERY, 0, 0, 0)} == {"SO-1003"}
    assert "20002" not in {str(line["transaction"]) for line in tiny.server.dump()["transactionline"]}
    with pytest.raises(WorldError, match="order SO-1002"):
        tiny.server.edit_order("SO-1002", memo="x")


def test_a_new_order_of_a_new_client_is_listed(tiny: Account) -> None:
    tiny.server.add_customer({"number": "C-200", "name": "Newcomer", "email": "ap@alder.example"})
    order = {
        "number": "SO-2000",
        "status": "F",
        "date": "2026-05-31",
        "customer": "C-200",
        "currency": "USD",
        "lines": [{"item": "Consulting", "quantity": 2, "rate": "100.00"}],
    }
    tiny.server.add_order(order)
    (row,) = _order(tiny, "SO-2000")
    assert (row["clientname"], row["foreigntotal"], row["id"]) == ("Newcomer", "200", "20004")
    with pytest.raises(WorldError, match="order SO-2000: the number is there already"):
        tiny.server.add_order(order)


def test_a_customers_email_can_change(tiny: Account) -> None:
    tiny.server.set_customer("C-101", email=None, custentity_stripe="cus_1")
    assert "clientemail" not in _order(tiny, "SO-1001")[0]
    row = tiny.rows("SELECT custentity_stripe FROM customer WHERE entityid = 'C-101'")
    assert row == [{"custentity_stripe": "cus_1"}]


def test_a_refused_edit_changes_nothing(tiny: Account) -> None:
    before = tiny.server.dump()
    with pytest.raises(WorldError, match="order SO-1001, field 'status'"):
        tiny.server.edit_order("SO-1001", status="Z")
    assert tiny.server.dump() == before


def test_reading_changes_nothing(firm: Account) -> None:
    before = firm.server.dump()
    firm.rows(MAIN_QUERY, 0, 0, 0)
    assert firm.server.dump() == before


def test_the_record_api_shows_the_order_as_it_stands(firm: Account) -> None:
    url = f"{firm.server.url}/services/rest/record/v1/salesOrder/20021?expandSubResources=true"
    headers = {"Authorization": f"Bearer {firm.token()}"}
    order = requests.get(url, headers=headers, timeout=10).json()
    assert (order["tranId"], order["tranDate"], order["currency"]["refName"]) == (
        "SO-1021",
        "2026-05-07",
        "US Dollar",
    )
    lines = order["item"]["items"]
    assert order["item"]["totalResults"] == len(lines) == 7
    assert (lines[1]["quantity"], lines[1]["amount"], lines[1]["line"]) == (30, 7200, 2)
    assert lines[4]["amount"] == -826.88
    missing = requests.get(url.replace("20021", "99999"), headers=headers, timeout=10)
    assert (missing.status_code, missing.json()["o:errorDetails"][0]["o:errorCode"]) == (
        404,
        "NONEXISTENT_ID",
    )
