"""A draft that was begun and never read back belongs to its orders, in whatever form they come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.played.begun import begun, lines_of
from tests.played.firm import firm, only, order, work
from tests.played.story import (
    asked_nobody,
    billed,
    deployed,
    live,
)
from tests.sandbox import Sandbox

MANY = [work("1", "1.00") for _ in range(260)]


@pytest.fixture(scope="module")
def by_order() -> Iterator[Sandbox]:
    with deployed(firm([order(1, *MANY), order(2), order(3)])) as one:
        yield one


def test_an_order_of_two_parts_that_shrinks_waits_for_both_old_drafts(by_order: Sandbox) -> None:
    sandbox = by_order
    _, left = begun(sandbox, only(1))
    assert len(left) == 2
    sandbox.netsuite.edit_order("SO-1", lines=MANY[:100])
    run, result = asked_nobody(sandbox, only(1))
    assert result.status == "SUCCEEDED"
    (line,) = lines_of(sandbox.report(run), "SO-1")
    assert line["fate"] == "held"
    assert all(one["id"] in line["reason"] for one in left)
    assert sorted(one["id"] for one in live(sandbox)) == sorted(one["id"] for one in left), "none was added"

    for one in left:
        sandbox.stripe.delete(one["id"])
    billed(sandbox, only(1))
    assert [invoice["total"] for invoice in live(sandbox, 1)] == [100_00]


def test_an_addition_that_was_begun_is_settled_before_the_voided_first_invoice_is_billed_again(
    by_order: Sandbox,
) -> None:
    sandbox = by_order
    billed(sandbox, only(2))
    (first,) = live(sandbox, 2)
    sandbox.netsuite.edit_line("SO-2", 1, quantity="5")
    _, (more,) = begun(sandbox, only(2))
    assert more["total"] == 450_00
    sandbox.stripe.delete(first["id"])
    run, _ = asked_nobody(sandbox, only(2))
    (line,) = lines_of(sandbox.report(run), "SO-2")
    assert (line["fate"], more["id"] in line["reason"]) == ("held", True)
    assert [invoice["id"] for invoice in live(sandbox, 2)] == [more["id"]]

    sandbox.stripe.delete(more["id"])
    billed(sandbox, only(2))
    assert [invoice["total"] for invoice in live(sandbox, 2)] == [750_00]


def test_a_draft_that_is_exactly_what_was_signed_is_finished_and_nobody_is_asked(by_order: Sandbox) -> None:
    _, (left,) = begun(by_order, only(3))
    run, result = asked_nobody(by_order, only(3))
    assert result.status == "SUCCEEDED"
    assert [invoice["id"] for invoice in live(by_order, 3)] == [left["id"]]
    assert lines_of(by_order.report(run), "SO-3")[0]["fate"] == "drafted"
