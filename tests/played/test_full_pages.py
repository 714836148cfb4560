"""NetSuite answers 1,000 rows at a time: just under, exactly, and just over a full page."""

from __future__ import annotations

import pytest

from tests.played.story import asked_nobody, deployed
from tests.sandbox.netsuite import generate_world

DRY = {"scheduledAt": "2026-06-01T13:00:00Z", "dryRun": True}


@pytest.mark.parametrize(
    ("orders", "lines", "pages"), [(333, 3, 1), (500, 2, 2), (334, 3, 2)], ids=["under", "exactly", "over"]
)
def test_orders_around_a_full_page_are_neither_lost_nor_listed_twice(orders: int, lines: int, pages: int) -> None:
    with deployed(generate_world(orders, lines_per_order=lines, clients=2)) as sandbox:
        run, result = asked_nobody(sandbox, DRY)
        assert result.status == "SUCCEEDED"
        assert sandbox.report(run)["listed"] == orders
        assert sum(len(line["orders"]) for line in sandbox.report(run)["lines"]) == orders
        # A first run asks once more: what lies before the start of its billing.
        assert sandbox.netsuite.counts()["suiteql"] == pages + 1
