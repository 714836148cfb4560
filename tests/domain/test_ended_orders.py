"""What a person has ended stays ended until it changes, and what changes is what is billed."""

from __future__ import annotations

from typing import Any

import pytest

from billing.domain.ledger.ended_orders import (
    EndedListed,
    EndedOrder,
    content_of,
    contents_of,
)
from billing.domain.records import from_record, to_record

ROWS = [
    {"id": "501", "tranid": "SO-1001", "status": "F", "entity": "7", "currencycode": "USD", "foreigntotal": "300.00",
     "lastmodified": "2026-05-20 10:00:00", "memo": "May", "terms": "2", "clientemail": "ap@northwind.example",
     "line": "1", "uniquekey": "9001", "item": "41", "itemtype": "Service", "quantity": "-2", "rate": "100.00",
     "foreignamount": "-200.00", "quantitybilled": "0", "isclosed": "F", "linememo": "Consulting"},
    {"id": "501", "tranid": "SO-1001", "status": "F", "entity": "7", "currencycode": "USD", "foreigntotal": "300.00",
     "lastmodified": "2026-05-20 10:00:00", "memo": "May", "terms": "2", "clientemail": "ap@northwind.example",
     "line": "2", "uniquekey": "9002", "item": "42", "itemtype": "Service", "quantity": "-1", "rate": "100.00",
     "foreignamount": "-100.00", "quantitybilled": "0", "isclosed": "F", "linememo": "Travel"},
]  # fmt: skip
ENDED = EndedOrder("501", "SO-1001", "billed by hand", "ann@firm.example", "2026-06-02T09:00:00+00:00", "c")


def altered(**fields: str) -> list[dict[str, str]]:
    """The order with a field of its first row altered, a header's field on both rows."""
    header = not fields.keys() & {"quantity", "rate", "foreignamount", "quantitybilled", "isclosed", "linememo"}
    return [{**row, **(fields if header or number == 0 else {})} for number, row in enumerate(ROWS)]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "B"}, {"entity": "8"}, {"currencycode": "EUR"}, {"foreigntotal": "301.00"}, {"quantity": "-3"},
        {"rate": "101.00"}, {"foreignamount": "-200.01"}, {"quantitybilled": "-1"}, {"isclosed": "T"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_an_order_whose_amounts_client_or_state_change_is_another_one(change: dict[str, str]) -> None:
    assert content_of(altered(**change)) != content_of(ROWS)


def test_a_line_more_or_less_is_another_order() -> None:
    assert content_of(ROWS[:1]) != content_of(ROWS)
    assert content_of([*ROWS, {**ROWS[1], "uniquekey": "9003"}]) != content_of(ROWS)


@pytest.mark.parametrize(
    "change",
    [{"lastmodified": "2026-06-20 10:00:00"}, {"memo": "June"}, {"clientemail": "new@northwind.example"},
     {"linememo": "Advice"}, {"terms": "3"}, {"rate": "100"}, {"foreignamount": "-200.0"}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_texts_addresses_and_the_way_a_number_is_written_do_not_open_it_again(change: dict[str, str]) -> None:
    assert content_of(altered(**change)) == content_of(ROWS)


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert content_of(reversed(ROWS)) == content_of(ROWS)


def test_the_same_lines_of_two_orders_are_told_apart_by_id_alone() -> None:
    other = [{**row, "id": "502"} for row in ROWS]
    found = contents_of([*ROWS, *other])
    assert set(found) == {"501", "502"}
    assert found["501"] == found["502"] == content_of(ROWS)


@pytest.mark.parametrize(
    ("content", "open_again", "listed", "holds"),
    [("c", False, "c", True), ("c", False, "d", False), ("", False, "", False), ("", False, "c", False),
     ("c", True, "c", False)],
)  # fmt: skip
def test_it_holds_for_the_content_that_was_ended_and_for_no_other(
    content: str, open_again: bool, listed: str, holds: bool
) -> None:
    one = EndedOrder("501", "SO-1001", "billed by hand", "ann@firm.example", "2026-06-02", content, "", open_again)
    assert one.holds_for(listed) is holds


def test_the_sentence_says_who_when_and_why() -> None:
    assert ENDED.words == "Ended on 2026-06-02 by ann@firm.example: billed by hand."


@pytest.mark.parametrize(("named_in", "first"), [("", True), ("run-7", True), ("run-6", False)])
def test_one_run_names_it_also_when_it_is_redriven(named_in: str, first: bool) -> None:
    one = EndedOrder("501", "SO-1001", "billed by hand", "ann@firm.example", "2026-06-02", "c", named_in)
    assert EndedListed(one, "Northwind", "7", "usd", 30_000).first_named_in("run-7") is first


def test_what_is_written_is_read_again() -> None:
    listed = EndedListed(ENDED, "Northwind", "7", "usd", 30_000)
    assert from_record(EndedOrder, to_record(ENDED)) == ENDED
    written: dict[str, Any] = to_record(listed)
    assert from_record(EndedListed, written) == listed
