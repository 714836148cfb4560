"""Orders that are billed in part, played through the deployed template: NetSuite's own preview, what is not delivered,
billing schedules. Amounts worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.played.firm import firm, order, work
from tests.played.story import billed, deployed, live
from tests.sandbox import Run, Sandbox

MAY = {"period": "2026-05"}


def laptops(fulfilled: str, **more: Any) -> dict[str, Any]:
    return {"item": "Laptop", "quantity": "10", "rate": "100.00", "fulfilled": fulfilled, **more}


def world() -> dict[str, Any]:
    return {
        **firm(
            [
                # Nothing tells which of the two is taxed by which, but the invoice that NetSuite would make.
                order(
                    1,
                    work("1", "100.00", billed="1", taxCode="VAT 20"),
                    work("1", "100.00", taxCode="VAT 5"),
                    status="E",
                ),
                order(2, laptops("4"), status="E"),
                order(3, laptops("0"), status="E"),
                order(4, work("12", "100.00"), billingSchedule="Monthly x 12", nextBill="2026-06-01"),
                order(5, work("2", "150.00")),
            ],
            taxCodes=[{"name": "VAT 20", "rate": "20"}, {"name": "VAT 5", "rate": "5"}],
            items=[{"name": "Consulting", "type": "Service"}, {"name": "Laptop", "type": "InvtPart"}],
        ),
        "options": {"columns_absent": ["transactionline.taxcode", "transactionline.taxrate1"]},
    }


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Sandbox, Run]]:
    with deployed(world(), parameters={"PreviewPartlyBilled": "on"}) as sandbox:
        run, result = billed(sandbox, MAY)
        assert result.status == "SUCCEEDED", result
        yield sandbox, run


def test_the_drafts_are_what_netsuite_would_invoice_now(played: tuple[Sandbox, Run]) -> None:
    """100.00 and its 5 %; four of ten laptops; two hours."""
    drafts = {one["metadata"]["netsuite_so_number"]: one["total"] for one in live(played[0])}
    assert drafts == {"SO-1": 10500, "SO-2": 40000, "SO-5": 30000}


def test_what_is_not_billed_is_named_with_its_reason(played: tuple[Sandbox, Run]) -> None:
    sandbox, run = played
    report = sandbox.report(run)
    said = {one["orders"][0]: str(one) for one in report["lines"] if one["orders"][0] not in ("SO-1", "SO-2", "SO-5")}
    assert said.keys() == {"SO-3", "SO-4"}
    assert "not delivered: 10 of 10" in said["SO-3"]
    assert "Monthly x 12, next on 2026-06-01" in said["SO-4"]


def test_each_order_that_is_billed_in_part_costs_one_call_and_nothing_is_saved(played: tuple[Sandbox, Run]) -> None:
    sandbox, _ = played
    asked = [one.path for one in sandbox.requests if one.service == "netsuite" and "transform" in one.path]
    assert len(asked) == 2, "SO-1 and SO-2"
    assert sandbox.netsuite.counts()["suiteql"] >= 1
    assert all(row["type"] == "SalesOrd" for row in sandbox.netsuite.dump()["transaction"])
