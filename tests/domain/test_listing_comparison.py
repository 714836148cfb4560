"""Whatever a listing would find differently is noticed: in an order, around it, and in which orders there are."""

from __future__ import annotations

import pytest

from billing.domain.batch.listing_comparison import compare_listings, listed_orders
from tests.domain.suiteql_rows import line, order

BESIDE = ("clientemail", "clientname", "currencycode")
LINES = (line(1, "Service", "10.00", quantitybilled="1"), line(2, "Service", "20.00"))
ROWS = [row for number in ("500", "501") for row in order("30.00", *LINES, id=number)]
BEFORE = listed_orders(ROWS, BESIDE)


def changed(column: str, value: str) -> list[dict[str, str]]:
    return [{**row, column: value} if row["id"] == "501" else row for row in ROWS]


def test_the_same_rows_in_any_order_are_the_same_listing() -> None:
    compared = compare_listings(BEFORE, listed_orders(reversed(ROWS), BESIDE))
    assert (compared.same, compared.why) == (True, "")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("lastmodified", "2026-05-14 10:00:00"),
        ("status", "E"),
        ("quantitybilled", "2"),
        ("isclosed", "T"),
        ("clientemail", "new@northwind.example"),
        ("clientname", "Northwind Holding"),
        ("currencycode", "EUR"),
    ],
)
def test_whatever_moved_in_an_order_or_around_it_is_a_change(column: str, value: str) -> None:
    compared = compare_listings(BEFORE, listed_orders(changed(column, value), BESIDE))
    assert (compared.same, compared.changed) == (False, ("501",))
    assert compared.why == "Changed: 501."


def test_a_value_that_came_or_went_is_a_change() -> None:
    without = [{column: text for column, text in row.items() if column != "clientemail"} for row in ROWS]
    assert compare_listings(BEFORE, listed_orders(without, BESIDE)).changed == ("500", "501")
    assert compare_listings(listed_orders(without, BESIDE), BEFORE).changed == ("500", "501")


def test_new_and_vanished_orders_are_told_apart_and_named_by_id_alone() -> None:
    fewer = {"500": BEFORE["500"]}
    assert compare_listings(BEFORE, fewer).gone == ("501",)
    assert compare_listings(fewer, BEFORE).new == ("501",)
    many = {str(number): BEFORE["500"] for number in range(1, 16)}
    assert compare_listings({}, many).why == "New: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 5 more."


def test_an_empty_listing_is_the_same_as_an_empty_one() -> None:
    assert compare_listings({}, {}).same
