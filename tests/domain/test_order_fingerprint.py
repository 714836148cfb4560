"""Whatever moves in an order between the listing and the drafting is noticed."""

from __future__ import annotations

import pytest

from billing.domain.orders.order_fingerprint import OrderFingerprint, fingerprints_of_rows, what_changed
from tests.domain.suiteql_rows import line, order

ROWS = order(
    "30.00",
    line(1, "Service", "10.00", quantity="4", quantitybilled="1"),
    line(2, "Service", "20.00", quantity="2", quantitybilled="0"),
)


def fingerprint(rows: list[dict[str, str]]) -> OrderFingerprint:
    return fingerprints_of_rows(rows)["500"]


def changed(column: str, value: str, row: int = 0) -> list[dict[str, str]]:
    return [{**one, column: value} if place == row else one for place, one in enumerate(ROWS)]


def test_an_order_that_nobody_touched_has_not_changed() -> None:
    assert what_changed(fingerprint(ROWS), fingerprint(list(reversed(ROWS)))) is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**row, "status": "G"} for row in ROWS], "from F to G"),
        ([{**row, "lastmodified": "2026-05-14 10:00:00"} for row in ROWS], "edited"),
        (changed("quantitybilled", "2"), "billed"),
        (changed("quantitybilled", "0.5", row=1), "billed"),
        (changed("isclosed", "T", row=1), "closed"),
    ],
)
def test_whatever_moved_is_said(rows: list[dict[str, str]], said: str) -> None:
    found = what_changed(fingerprint(ROWS), fingerprint(rows))
    assert found is not None
    assert said in found


def test_an_order_that_netsuite_no_longer_has_was_deleted() -> None:
    assert "deleted" in str(what_changed(fingerprint(ROWS), None))


@pytest.mark.parametrize("odd", ["", "many", "NaN", "-Infinity"])
def test_an_unreadable_quantity_stops_nobody(odd: str) -> None:
    assert fingerprint(changed("quantitybilled", odd)).billed == 0


def test_hours_billed_on_one_line_and_taken_back_on_another_do_not_cancel_out() -> None:
    before = [{**ROWS[0], "line": "1", "quantitybilled": "2"}, {**ROWS[0], "line": "2", "quantitybilled": "1"}]
    now = [{**ROWS[0], "line": "1", "quantitybilled": "1"}, {**ROWS[0], "line": "2", "quantitybilled": "2"}]
    assert "billed" in str(what_changed(fingerprint(before), fingerprint(now)))
