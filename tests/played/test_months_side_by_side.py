"""Two months at once: last month's approval may still be open when this month's schedule fires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.played.firm import firm, order, work
from tests.played.story import SECONDS, amounts, decided, deployed, live
from tests.sandbox import Sandbox

APRIL_IN_MAY = datetime(2026, 5, 1, 13, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    orders = [order(1, work("1", "100.00"), date="2026-04-30"), order(2, work("1", "200.00"), date="2026-05-01")]
    with deployed(firm(orders)) as opened:
        yield opened


def test_this_months_schedule_bills_what_last_months_open_approval_still_asks_about_and_nothing_is_billed_twice(
    sandbox: Sandbox,
) -> None:
    """May lists whatever is open since the start, April's order too: whoever signs first bills it."""
    april = sandbox.fire_schedule(at=APRIL_IN_MAY)
    asked_for_april = sandbox.wait_for_approval(april, SECONDS)
    may = sandbox.fire_schedule()
    assert decided(sandbox, may).status == "SUCCEEDED"
    assert [amounts(invoice) for invoice in live(sandbox, 2)] == [[20000]]
    assert [amounts(invoice) for invoice in live(sandbox, 1)] == [[10000]]
    assert live(sandbox, 1)[0]["metadata"]["billing_period"] == "2026-05"
    assert sandbox.result(april).status == "RUNNING"
    before = sandbox.stripe.dump()
    sandbox.answer(asked_for_april[0], "approve")
    ended = sandbox.wait_for_end(april, SECONDS)
    report = sandbox.report(april)
    assert ended.status == "SUCCEEDED"
    assert [(line["orders"], line["fate"]) for line in report["lines"]] == [(["SO-1"], "skipped")]
    assert f"The run {may.name} has drafted it meanwhile" in report["lines"][0]["reason"]
    assert sandbox.stripe.dump() == before
