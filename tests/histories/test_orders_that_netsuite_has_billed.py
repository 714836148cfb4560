"""An order that is Billed in NetSuite while our draft of something else waits, and a redrive that comes a day late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.histories.machine import Execution
from tests.histories.small_firm import approve, month, order, small_firm
from tests.histories.world import ANN, HistoryWorld, Kill


@pytest.fixture
def world() -> Iterator[HistoryWorld]:
    with small_firm([order("SO-1", 12, 8)], {}) as opened:
        yield opened


def billed_without_its_second_line(world: HistoryWorld) -> str:
    """May is drafted with both lines; then NetSuite loses one and bills the other to the end. Answers the draft."""
    month(world, 0)
    (draft,) = world.stripe.invoices()
    assert draft["total"] == 200_000
    lines = world.netsuite.order_json("SO-1")["lines"]
    world.netsuite.edit_order("SO-1", lines=lines[:1])
    world.netsuite.bill("SO-1", lines[0]["id"], 12)
    world.netsuite.set_status("SO-1", "G")
    return str(draft["id"])


def waiting(report: dict[str, Any]) -> list[str]:
    return [one["number"] for one in report.get("outstanding", ())]


def test_it_is_named_every_month_until_the_draft_is_gone(world: HistoryWorld) -> None:
    draft = billed_without_its_second_line(world)
    for number in (1, 2):
        _, report = month(world, number)
        assert waiting(report) == ["SO-1"]
        (said,) = [str(list(one.values())) for one in report["outstanding"]]
        assert draft in said
        assert "Billed in NetSuite" in said
        assert "work 2" in said
        assert "SO-1" in str(world.slack.posts[-1].blocks) + world.slack.posts[-1].text
    world.stripe.delete(draft)
    assert waiting(month(world, 3)[1]) == []
    assert waiting(month(world, 4)[1]) == []


def test_once_it_is_finalised_it_stays_named_for_it_was_named_before(world: HistoryWorld) -> None:
    draft = billed_without_its_second_line(world)
    month(world, 1)
    world.stripe.finalize(draft)
    assert waiting(month(world, 2)[1]) == ["SO-1"]


def test_an_invoice_that_was_sent_is_compared_like_a_draft(world: HistoryWorld) -> None:
    draft = billed_without_its_second_line(world)
    world.stripe.finalize(draft)
    for number in (1, 2):
        assert waiting(month(world, number)[1]) == ["SO-1"]
    world.stripe.void(draft)
    assert waiting(month(world, 3)[1]) == []


def test_a_person_ends_it_and_is_named_once_as_the_one_who_did(world: HistoryWorld) -> None:
    billed_without_its_second_line(world)
    month(world, 1)
    said = {"order": "SO-1", "reason": "credited by hand", "by": "cy@firm.example"}
    assert world.invoke("EndTheOrderFunction", said)["state"] == "ended"
    _, report = month(world, 2)
    assert waiting(report) == []
    assert "credited by hand" in str(report)
    _, report = month(world, 3)
    assert waiting(report) == []
    assert "credited by hand" not in str(report)


def test_what_was_billed_there_as_we_drafted_it_is_nobodys_worry(world: HistoryWorld) -> None:
    month(world, 0)
    for line, hours in zip(world.netsuite.order_json("SO-1")["lines"], (12, 8), strict=True):
        world.netsuite.bill("SO-1", line["id"], hours)
    world.netsuite.set_status("SO-1", "G")
    assert waiting(month(world, 1)[1]) == []


def test_another_line_that_was_billed_in_place_of_ours_is_named(world: HistoryWorld) -> None:
    month(world, 0)
    first, _ = world.netsuite.order_json("SO-1")["lines"]
    other = {"item": "Consulting", "description": "work 3", "quantity": 8, "rate": "100.00"}
    world.netsuite.edit_order("SO-1", lines=[first, other])
    for line, hours in zip(world.netsuite.order_json("SO-1")["lines"], (12, 8), strict=True):
        world.netsuite.bill("SO-1", line["id"], hours)
    world.netsuite.set_status("SO-1", "G")
    assert waiting(month(world, 1)[1]) == ["SO-1"], "the sums are the same, the goods are not"


def aborted_while_it_drafts(world: HistoryWorld, monkeypatch: pytest.MonkeyPatch) -> Execution:
    """The month's run, signed, and stopped by a person at the first call of its first draft."""
    run = world.start("run-0", {"scheduledAt": "2026-06-01T13:00:00Z"})
    assert world.post(ANN, answer="approve", invoices="1") == 200
    invoke, died = world.machine._invoke, []

    def struck(function: str, event: dict[str, Any]) -> Any:
        if function == "DraftTheInvoiceFunction" and not died:
            died.append(function)
            world.kill = Kill(1, after=False, whole_run=True)
        return invoke(function, event)

    monkeypatch.setattr(world.machine, "_invoke", struck)
    world.machine.go_on(run)
    assert (run.status, run.at) == ("ABORTED", "Draft the invoices")
    return run


def test_a_map_that_is_redriven_a_day_later_drafts_nothing_that_has_changed_since(
    world: HistoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = aborted_while_it_drafts(world, monkeypatch)
    world.netsuite.edit_order("SO-1", lines=world.netsuite.order_json("SO-1")["lines"][:1])
    world.clock.pause(25 * 3600)
    world.machine.redrive(run)
    assert world.stripe.invoices() == []
    assert (run.status, run.error) == ("FAILED", "InvoicesMissing")
    (line,) = (world.report(run) or {})["lines"]
    assert (line["fate"], line["code"]) == ("failed", "PersonNeeded")
    assert "Redrive this run" in line["reason"]
    world.machine.redrive(run)
    approve(world, run)
    assert run.status == "SUCCEEDED"
    (draft,) = world.stripe.invoices()
    assert draft["total"] == 120_000


def test_a_map_that_is_redriven_within_the_hour_goes_on(world: HistoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run = aborted_while_it_drafts(world, monkeypatch)
    world.clock.pause(1800)
    world.machine.redrive(run)
    assert run.status == "SUCCEEDED"
    assert len(world.stripe.invoices()) == 1
