"""Months one after another, with everything that happens between them: partly billed, moved before drafting, rejected
and carried over, changed, voided by a person. After each run the report adds up, and nothing is billed twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.played.firm import client, firm, order, work
from tests.played.story import amounts, asked_nobody, decided, deployed, live
from tests.sandbox import Sandbox
from tests.sandbox.sandbox import Run

JULY = datetime(2026, 7, 1, 13, 0, 30, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, 13, 0, 30, tzinfo=UTC)


def report_of(sandbox: Sandbox, run: Run) -> dict[str, Any]:
    """The run's report, which has to add up whatever happened."""
    report: dict[str, Any] = sandbox.report(run)
    assert sum(report["counts"].values()) == report["listed"]
    assert report["listed"] == len({order_id for line in report["lines"] for order_id in line["order_ids"]})
    return report


def fates(report: dict[str, Any]) -> dict[str, str]:
    """What became of each order, by number."""
    return {number: line["fate"] for line in report["lines"] for number in line["orders"]}


def reason(report: dict[str, Any], number: str) -> str:
    """Why an order was not drafted."""
    return next(line["reason"] for line in report["lines"] if number in line["orders"])


def page_text(sandbox: Sandbox, run: Run) -> str:
    """What the first approver reads."""
    mail = sandbox.wait_for_approval(run, 120)[0]
    return sandbox.person().open(sandbox.page_links(mail)[0]).text


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    """May, June and July of a firm, billed on the first of the month after; what was seen on the way."""
    world = firm(
        [
            order(1),
            order(2, work("10", "100.00", billed="4")),
            order(3, work("2", "80.00")),
            order(4, work("3", "200.00")),
            order(5, work("1", "500.00")),
            order(6, work("4", "90.00")),
            order(7, customer=77),
            order(8, date="2026-06-15"),
            order(9, date="2026-07-20"),
        ],
        clients=[client(77, email=None)],
    )
    seen: dict[str, Any] = {}
    with deployed(world) as sandbox:
        may = sandbox.fire_schedule()
        sandbox.wait_for_approval(may, 120)
        sandbox.netsuite.bill("SO-6", line=1, quantity="1")
        seen["may end"] = decided(sandbox, may)
        seen["may"] = report_of(sandbox, may)
        seen["may drafts"] = {i["metadata"]["netsuite_so_number"]: i for i in live(sandbox)}

        sandbox.clock.move_to(JULY)
        sandbox.netsuite.edit_line("SO-4", 1, quantity="5")
        sandbox.netsuite.edit_line("SO-3", 1, rate="95.00")
        sandbox.stripe.void(_finalised(sandbox, 5))
        june = sandbox.fire_schedule()
        seen["june page"] = page_text(sandbox, june)
        seen["june end"] = decided(sandbox, june, "reject", "SO-8 is not done yet")
        seen["june rejected"] = report_of(sandbox, june)
        seen["june drafts after reject"] = len(live(sandbox))
        again = sandbox.start({"period": "2026-06"})
        seen["june again end"] = decided(sandbox, again)
        seen["june"] = report_of(sandbox, again)

        sandbox.clock.move_to(AUGUST)
        sandbox.netsuite.set_customer("C-77", email="payables77@zephyrine.example")
        july = sandbox.fire_schedule()
        seen["july page"] = page_text(sandbox, july)
        seen["july end"] = decided(sandbox, july)
        seen["july"] = report_of(sandbox, july)
        writes = sandbox.stripe.writes
        _, seen["july again end"] = asked_nobody(sandbox, {"period": "2026-07"})
        seen["writes of the second july"] = sandbox.stripe.writes - writes
        seen["live"] = {place: [amounts(invoice) for invoice in live(sandbox, place)] for place in range(1, 10)}
    return seen


def _finalised(sandbox: Sandbox, place: int) -> str:
    invoice_id = str(live(sandbox, place)[0]["id"])
    sandbox.stripe.finalize(invoice_id)
    return invoice_id


def test_a_partly_billed_order_is_billed_for_its_open_share(played: dict[str, Any]) -> None:
    assert amounts(played["may drafts"]["SO-2"]) == [60_000]


def test_an_order_billed_in_netsuite_between_approval_and_draft_is_held_and_the_rest_is_drafted(
    played: dict[str, Any],
) -> None:
    assert played["may end"].status == "SUCCEEDED"
    assert fates(played["may"])["SO-6"] == "held"
    assert "billed in NetSuite" in reason(played["may"], "SO-6")
    assert set(played["may drafts"]) == {"SO-1", "SO-2", "SO-3", "SO-4", "SO-5"}


def test_an_order_that_was_held_comes_back_by_itself_with_what_is_open_by_then(played: dict[str, Any]) -> None:
    assert "Carried over" in played["june page"]
    assert fates(played["june"])["SO-6"] == "drafted"
    assert played["live"][6] == [[27_000]]


def test_the_page_shows_what_the_months_before_billed(played: dict[str, Any]) -> None:
    # May's drafts, by hand: 60,000 of SO-2, and the others' own; July's page has May's and June's sums in its bars.
    assert "beside June 2026" in played["july page"]
    assert "July 2025 to June 2026: between USD 0.00 and" in played["july page"]


def test_a_rejected_month_drafts_nothing_and_the_next_run_asks_again(played: dict[str, Any]) -> None:
    assert played["june end"].error == "ApprovalRejected"
    assert fates(played["june rejected"])["SO-8"] == "held"
    assert played["june drafts after reject"] == 4
    assert played["june again end"].status == "SUCCEEDED"
    assert fates(played["june"])["SO-8"] == "drafted"


def test_more_quantity_at_the_same_price_is_billed_as_the_difference(played: dict[str, Any]) -> None:
    assert played["live"][4] == [[60_000], [40_000]] or played["live"][4] == [[40_000], [60_000]]


def test_a_changed_price_goes_to_a_person_and_is_not_billed_again(played: dict[str, Any]) -> None:
    assert fates(played["june"])["SO-3"] == "held"
    assert played["live"][3] == [[16_000]]


def test_an_invoice_that_a_person_voided_is_billable_again_and_the_page_says_why(played: dict[str, Any]) -> None:
    assert "deleted or voided" in played["june page"]
    assert fates(played["june"])["SO-5"] == "drafted"
    assert played["live"][5] == [[50_000]]


def test_a_problem_comes_back_two_months_later_once_it_is_mended(played: dict[str, Any]) -> None:
    assert fates(played["may"])["SO-7"] == "problem"
    assert fates(played["july"])["SO-7"] == "drafted"
    assert "First listed for May 2026" in played["july page"]


def test_the_page_compares_clients_with_last_month(played: dict[str, Any]) -> None:
    assert "last month" in played["july page"]


def test_nothing_is_billed_twice_and_a_billed_month_writes_nothing_to_stripe(played: dict[str, Any]) -> None:
    assert played["july end"].status == played["july again end"].status == "SUCCEEDED"
    assert played["writes of the second july"] == 0
    for place in (1, 2, 3, 5, 6, 7, 8, 9):
        assert len(played["live"][place]) == 1, place
