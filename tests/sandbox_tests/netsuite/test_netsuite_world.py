"""A person writes natural amounts; the stand-in makes NetSuite's rows, signs and totals of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.netsuite import NetSuiteServer, WorldError, load_world
from tests.sandbox.netsuite.world_loader import WORLDS
from tests.sandbox_tests.netsuite.account_client import JUNE_FIRST, Account

Json = dict[str, Any]


def _tiny() -> Json:
    data: Json = json.loads((WORLDS / "tiny.json").read_text(encoding="utf-8"))
    return data


def _server(data: Json, now: float = JUNE_FIRST) -> NetSuiteServer:
    return NetSuiteServer(load_world(data), lambda: now)


def _lines(server: NetSuiteServer, number: str) -> list[dict[str, object]]:
    dump = server.dump()
    order = next(row["id"] for row in dump["transaction"] if row["tranid"] == number)
    types = {item["id"]: item["itemtype"] for item in dump["item"]}
    return [
        {**line, "itemtype": types.get(line["item"])}
        for line in dump["transactionline"]
        if line["transaction"] == order
    ]


def _amounts(server: NetSuiteServer, number: str) -> list[tuple[object, object, object]]:
    return [
        (line["itemtype"], line["quantity"], line["foreignamount"])
        for line in sorted(_lines(server, number), key=lambda line: int(str(line["linesequencenumber"])))
    ]


def test_item_lines_are_negative_and_the_main_line_carries_the_positive_total(firm: Account) -> None:
    assert _amounts(firm.server, "SO-1004") == [
        (None, None, 2818.37),
        ("Service", -16, -2400),
        ("Expense", None, -418.37),
    ]


def test_a_percent_discount_is_positive_and_its_rate_is_the_percentage(firm: Account) -> None:
    lines = {line["itemtype"]: line for line in _lines(firm.server, "SO-1012")}
    # 14.75 x 118.50 = 1747.875, rounded 1747.88; a tenth of it is 174.788, rounded 174.79.
    assert (lines["Discount"]["rate"], lines["Discount"]["foreignamount"]) == ("-10%", 174.79)
    # 20 % of 1747.88 - 174.79 + 220.00.
    assert (lines["TaxItem"]["rate"], lines["TaxItem"]["foreignamount"]) == ("20%", -358.62)
    assert lines["TaxItem"]["taxline"] == "T"


def test_a_payment_line_is_positive_and_lowers_the_total(firm: Account) -> None:
    # 2.25 x 185.00 = 416.25, less the deposit of 150.00.
    assert _amounts(firm.server, "SO-1032") == [
        (None, None, 266.25),
        ("Service", -2.25, -416.25),
        ("Payment", None, 150),
    ]


def test_the_total_of_an_order_may_be_zero_or_negative(firm: Account) -> None:
    totals = {row["tranid"]: row["foreigntotal"] for row in firm.server.dump()["transaction"]}
    assert (totals["SO-1035"], totals["SO-1036"], totals["SO-1038"]) == (0, -150, 905)


def test_the_components_of_a_kit_have_amounts_that_would_double_the_bill(firm: Account) -> None:
    lines = _lines(firm.server, "SO-1019")
    kit = next(line for line in lines if line["itemtype"] == "Kit")
    components = [line for line in lines if line["kitmemberof"] == kit["id"]]
    assert kit["foreignamount"] == -6200
    assert [line["foreignamount"] for line in components] == [-3500, -700, -2400]
    assert firm.server.orders()["SO-1019"].total is None
    assert [line["foreignamount"] for line in lines if line["mainline"] == "T"] == [6200]


def test_the_end_of_a_group_repeats_the_sum_of_its_members(firm: Account) -> None:
    assert _amounts(firm.server, "SO-1020") == [
        (None, None, 1474.22),
        ("Group", -1, None),
        ("Service", -4, -640),
        ("DwnLdItem", -5, -245),
        ("NonInvtPart", -12, -222),
        ("EndGroup", None, -1107),
        ("Service", -1.5, -225),
        ("ShipItem", None, -24),
        ("TaxItem", None, -118.22),
    ]


def test_a_subtotal_repeats_what_is_above_it_and_has_no_item_row(firm: Account) -> None:
    lines = [line for line in _lines(firm.server, "SO-1021") if line["item"] == -2]
    assert [(line["itemtype"], line["foreignamount"]) for line in lines] == [(None, -11025)]


def test_billed_and_closed_are_kept_per_line(firm: Account) -> None:
    lines = [line for line in _lines(firm.server, "SO-1027") if line["mainline"] == "F"]
    assert [(line["quantity"], line["quantitybilled"], line["isclosed"]) for line in lines] == [
        (-40, 16, "F"),
        (-10, 10, "F"),
        (None, None, "T"),
    ]


@pytest.mark.parametrize("number", [f"SO-{1000 + place}" for place in range(1, 46)])
def test_every_order_of_the_firm_sums_to_its_header_unless_it_is_the_one_that_must_not(
    firm: Account, number: str
) -> None:
    """NetSuite's lines without those that repeat others sum to zero: main line against all that bill."""
    repeating = {"EndGroup", "Subtotal"}
    bills = [
        Decimal(str(line["foreignamount"]))
        for line in _lines(firm.server, number)
        if line["foreignamount"] is not None
        and line["kitmemberof"] is None
        and line["itemtype"] not in repeating
        and line["item"] != -2
    ]
    expected = Decimal("5.00") if number == "SO-1038" else Decimal(0)
    assert sum(bills) == expected


def test_amounts_follow_the_currencys_decimals(firm: Account) -> None:
    totals = {row["tranid"]: row["foreigntotal"] for row in firm.server.dump()["transaction"]}
    # JPY: 24 x 28000 + 7.5 x 17500 = 803250, and 10 % tax. KWD: 11.25 x 74.500 = 838.125, + 318.755.
    assert totals["SO-1013"] == 883575
    assert totals["SO-1014"] == 1156.88


@pytest.mark.parametrize(
    ("now", "day", "expected"),
    [
        (JUNE_FIRST, {"month": -1, "day": 31}, "2026-05-31"),
        (JUNE_FIRST, {"month": -4, "day": 31}, "2026-02-28"),
        (JUNE_FIRST, {"month": -6, "day": 1}, "2025-12-01"),
        (JUNE_FIRST, {"month": 0, "day": 31}, "2026-06-30"),
        (JUNE_FIRST - 5 * 3600, {"month": 0, "day": 1}, "2026-05-01"),
        (JUNE_FIRST, "2024-02-29", "2024-02-29"),
    ],
)
def test_dates_may_count_from_the_month_of_the_clock(now: float, day: object, expected: str) -> None:
    """The month is that of the account's zone: 03:00 UTC on the first is the day before in New York."""
    data = _tiny()
    data["orders"][0]["date"] = day
    row = _server(data, now).dump()["transaction"][0]
    assert str(row["trandate"]) == f"{expected} 00:00:00"


def test_the_day_that_dates_count_from_can_be_given() -> None:
    server = NetSuiteServer(load_world("tiny"), lambda: JUNE_FIRST, today=date(2027, 1, 15))
    assert {str(row["trandate"])[:7] for row in server.dump()["transaction"]} == {"2026-12"}


def _at(*path: Any) -> Callable[[Json, Any], None]:
    def put(data: Json, value: Any) -> None:
        target: Any = data
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return put


@pytest.mark.parametrize(
    ("put", "value", "words"),
    [
        (
            _at("orders", 0, "customer"),
            "C-999",
            "order SO-1001, field 'customer': 'C-999' is not in the world's",
        ),
        (_at("orders", 0, "customer"), None, "order SO-1001, field 'customer'"),
        (_at("orders", 0, "currency"), "CHF", "order SO-1001, field 'currency'"),
        (_at("orders", 0, "status"), "SalesOrd:F", "order SO-1001, field 'status'"),
        (_at("orders", 0, "date"), "12.05.2026", "order SO-1001, field 'date'"),
        (_at("orders", 0, "date"), {"month": -1}, "order SO-1001, field 'date'"),
        (_at("orders", 0, "terms"), "Net 31", "order SO-1001, field 'terms'"),
        (_at("orders", 0, "ponumber"), "x", "order SO-1001: unknown field 'ponumber'"),
        (_at("orders", 0, "lines"), [], "order SO-1001, field 'lines'"),
        (_at("orders", 0, "lines", 0, "item"), "Nothing", "order SO-1001, line 1, field 'item'"),
        (_at("orders", 0, "lines", 0, "amount"), "1,359.38", "order SO-1001, line 1, field 'amount'"),
        (
            _at("orders", 0, "lines", 0, "amount"),
            "1359.375",
            "line 1, field 'amount': 1359.375 has more than 2",
        ),
        (_at("orders", 0, "lines", 0, "amount"), "-5", "line 1, field 'amount': must not be negative"),
        (_at("orders", 0, "lines", 0, "amount"), "NaN", "order SO-1001, line 1, field 'amount'"),
        (_at("orders", 0, "lines", 0, "quantity"), True, "order SO-1001, line 1, field 'quantity'"),
        (
            _at("orders", 0, "lines", 0, "billed"),
            "8",
            "line 1, field 'billed': 8 is more than the quantity 7.25",
        ),
        (_at("orders", 0, "raw"), {"entty": None}, "record 'transaction' has no column 'entty'"),
        (_at("orders", 0, "id"), 20002, None),
        (_at("orders", 1, "number"), "SO-1001", "order SO-1001: the number is there twice"),
        (_at("orders", 1, "discount"), "ten", "order SO-1002, field 'discount', field 'value'"),
        (_at("items", 0, "type"), "Servic", "item Consulting, field 'type'"),
        (_at("customers", 1, "number"), "C-101", "customers: 'C-101' is there twice"),
        (_at("timeZone"), "Mars/Olympus", "world, field 'timeZone'"),
        (_at("options"), {"date_fromat": "D.M.YYYY"}, "unknown option 'date_fromat'"),
        (_at("options"), {"date_format": "YYYY"}, "option 'date_format' must be one of"),
    ],
)
def test_a_mistake_in_a_world_is_named_with_its_order_and_field(
    put: Callable[[Json, Any], None], value: object, words: str | None
) -> None:
    data = _tiny()
    put(data, value)
    if words is None:
        assert _server(data).dump()["transaction"][0]["id"] == 20001
        return
    with pytest.raises(WorldError) as error:
        _server(data)
    assert words in str(error.value)


def test_malformed_rows_can_be_put_in_past_every_rule() -> None:
    data = _tiny()
    data["orders"][0] |= {"lenient": True, "customer": None, "currency": None}
    data["orders"][0]["lines"] = [
        {"item": "Consulting", "quantity": "1", "amount": "0.005"},
        {"item": "Consulting", "amount": "a lot"},
        {"item": "Consulting", "quantity": None, "amount": None},
    ]
    data["orders"][1]["raw"] = {"foreigntotal": "x", "trandate": None}
    data["orders"][1]["lines"][0]["raw"] = {"foreignamount": "1.234.56", "quantity": None}
    dump = _server(data).dump()
    first, second, _ = dump["transaction"]
    assert (first["entity"], first["currency"], first["foreigntotal"]) == (None, None, 0.005)
    assert (second["foreigntotal"], second["trandate"]) == ("x", None)
    amounts = [line["foreignamount"] for line in dump["transactionline"] if line["mainline"] == "F"]
    assert amounts[:4] == [-0.005, "a lot", None, "1.234.56"]


def test_custom_fields_become_columns() -> None:
    data = _tiny()
    data["orders"][0]["custom"] = {"custbody_cycle": "east", "custbody_ok": True}
    data["orders"][0]["lines"][0]["custom"] = {"custcol_code": "007"}
    data["customers"][0]["custom"] = {"custentity_ap_email": "ap2@alder.example"}
    dump = _server(data).dump()
    assert [row["custbody_cycle"] for row in dump["transaction"]] == ["east", None, None]
    assert dump["transaction"][0]["custbody_ok"] == "T"
    assert dump["customer"][0]["custentity_ap_email"] == "ap2@alder.example"
    assert next(row["custcol_code"] for row in dump["transactionline"] if row["id"] == 1) == "007"


def test_a_file_that_is_not_there_says_which_are() -> None:
    with pytest.raises(FileNotFoundError, match="services_firm, tiny"):
        load_world("teeny")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"accounts": [{"name": "B", "type": "Bank"}]}, "account B, field 'currency'"),
        ({"accounts": [{"name": "B", "type": "Safe"}]}, "no account type"),
        ({"accounts": [{"name": "B", "type": "Income", "subsidiary": "X"}]}, "'subsidiaries'"),
        ({"subsidiaries": [{"name": "S", "currency": "XYZ"}]}, "'currencies'"),
        ({"exchangeRates": [{"currency": "USD", "rate": "2"}]}, "field 'date'"),
        ({"accountingPeriods": [{"month": "May", "closed": True}]}, "field 'month'"),
    ],
)
def test_a_mistake_about_the_books_is_named(part: dict[str, object], words: str) -> None:
    with pytest.raises(WorldError, match=words):
        load_world({"currencies": [{"symbol": "USD", "name": "US Dollar"}], **part})


def test_an_income_account_that_is_not_there_stops_the_start() -> None:
    items = [{"name": "Work", "type": "Service", "incomeAccount": "Nowhere"}]
    world = load_world({"currencies": [{"symbol": "USD", "name": "US Dollar"}], "items": items})
    with pytest.raises(WorldError, match="Nowhere"):
        NetSuiteServer(world)
