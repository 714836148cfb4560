"""Started again, redriven, or started twice: only what is missing is drafted, and nobody is asked twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.played.firm import ANN, BOB, OWNER, firm, only, order, work
from tests.played.story import (
    SECONDS,
    amounts,
    asked,
    asked_nobody,
    billed,
    decided,
    deployed,
    entered,
    in_slack,
    live,
    stop_everything,
    stripe_error,
)
from tests.sandbox import Run, Sandbox

REFUSED = stripe_error("No.", code="parameter_invalid_empty")


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    with deployed(firm(order(place) for place in range(1, 18))) as one:
        yield one


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    stop_everything(opened)
    opened.stripe.faults.clear()


def test_a_second_start_with_the_same_input_drafts_nothing_and_asks_nobody(sandbox: Sandbox) -> None:
    _, first = billed(sandbox, only(1, 2))
    assert first.status == "SUCCEEDED"
    stripe, mails, posts = sandbox.stripe.dump(), len(sandbox.mails()), len(sandbox.posts())
    rows = sorted(map(str, sandbox.tables()["LedgerTable"]))
    run, again = asked_nobody(sandbox, only(1, 2))
    assert again.status == "SUCCEEDED"
    assert "Ask for approval" not in entered(sandbox, run)
    assert sandbox.stripe.dump() == stripe
    assert sorted(map(str, sandbox.tables()["LedgerTable"])) == rows
    assert [mail.to for mail in sandbox.mails()[mails:]] == [(OWNER,)]
    assert sandbox.report(run)["counts"]["skipped"] == 2
    assert "nothing to bill" in in_slack(sandbox, posts)


def test_one_more_order_is_asked_for_alone(sandbox: Sandbox) -> None:
    billed(sandbox, only(3))
    sandbox.netsuite.add_order(order(1003, work("1", "999.99", "A late order"), customer=3))
    run = sandbox.start(only(3, 1003))
    mails = asked(sandbox, run)
    page = sandbox.person().open(sandbox.page_links(mails[0])[0])
    assert "999.99" in page.text
    assert sandbox.answer(mails[0], "approve").status == 200
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert [amounts(invoice) for invoice in live(sandbox, 1003)] == [[99999]]
    assert len(live(sandbox, 3)) == 1
    assert sandbox.report(run)["counts"] | {"drafted": 1, "skipped": 1} == sandbox.report(run)["counts"]


def test_a_failed_run_that_is_redriven_drafts_only_what_is_missing_and_asks_nobody(sandbox: Sandbox) -> None:
    fault = sandbox.stripe.faults.add(
        method="POST",
        path="^/v1/customers$",
        body="payables5%40",
        times=None,
        action=REFUSED,
    )
    run, failed = billed(sandbox, only(4, 5, 6))
    assert (failed.status, failed.error) == ("FAILED", "InvoicesMissing")
    assert fault.hits > 0
    kept = {place: [invoice["id"] for invoice in live(sandbox, place)] for place in (4, 5, 6)}
    assert [len(ids) for ids in kept.values()] == [1, 0, 1]
    sandbox.stripe.faults.clear()
    mails = len(sandbox.mails())
    redriven = sandbox.wait_for_end(sandbox.redrive(run), SECONDS)
    assert redriven.status == "SUCCEEDED", redriven
    after = {place: [invoice["id"] for invoice in live(sandbox, place)] for place in (4, 5, 6)}
    assert (after[4], after[6], len(after[5])) == (kept[4], kept[6], 1)
    new = [mail for mail in sandbox.mails()[mails:] if mail.to != (OWNER,)]
    assert not any(sandbox.asking_links(mail) for mail in new), "nobody is asked again; they hear the new result"
    assert sandbox.report(run)["counts"]["drafted"] == 3, "its own work of before is not an earlier run's"


def test_a_failed_run_is_finished_by_a_new_execution_as_well_and_nobody_is_asked(sandbox: Sandbox) -> None:
    sandbox.stripe.faults.add(
        method="POST",
        path="^/v1/invoices$",
        body="SO-8",
        times=None,
        action=REFUSED,
    )
    _, failed = billed(sandbox, only(7, 8))
    assert failed.error == "InvoicesMissing"
    sandbox.stripe.faults.clear()
    run, again = asked_nobody(sandbox, only(7, 8))
    assert again.status == "SUCCEEDED"
    assert "Ask for approval" not in entered(sandbox, run)
    assert (len(live(sandbox, 7)), len(live(sandbox, 8))) == (1, 1)


def test_content_that_changed_after_the_approval_is_asked_for_again(sandbox: Sandbox) -> None:
    sandbox.stripe.faults.add(
        method="POST",
        path="^/v1/invoices$",
        body="SO-9",
        times=None,
        action=REFUSED,
    )
    billed(sandbox, only(9))
    sandbox.stripe.faults.clear()
    sandbox.netsuite.edit_line("SO-9", 1, quantity="3")
    run = sandbox.start(only(9))
    assert decided(sandbox, run).status == "SUCCEEDED"
    assert [amounts(invoice) for invoice in live(sandbox, 9)] == [[45000]]


def test_of_an_order_that_grew_after_it_was_drafted_only_the_rest_is_asked_for_and_billed(sandbox: Sandbox) -> None:
    billed(sandbox, only(10))
    sandbox.netsuite.edit_line("SO-10", 1, quantity="5")
    run = sandbox.start(only(10))
    page = sandbox.person().open(sandbox.page_links(asked(sandbox, run)[0])[0])
    assert "450.00" in page.text
    assert [amounts(invoice) for invoice in live(sandbox, 10)] == [[30000]]
    assert decided(sandbox, run).status == "SUCCEEDED"
    assert sorted(amounts(invoice) for invoice in live(sandbox, 10)) == [[30000], [45000]]


def test_a_rejected_run_that_is_redriven_asks_again_and_then_drafts(sandbox: Sandbox) -> None:
    run = sandbox.start(only(11))
    assert decided(sandbox, run, "reject").error == "ApprovalRejected"
    assert live(sandbox, 11) == []
    again = sandbox.redrive(run)
    mails = asked(sandbox, again)
    assert sorted(mail.to for mail in mails) == [(ANN,), (BOB,)]
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, 11)) == 1


def test_a_rejected_link_stays_dead_after_the_run_was_redriven(sandbox: Sandbox) -> None:
    run = sandbox.start(only(12))
    mails = asked(sandbox, run)
    sandbox.answer(mails[0], "reject", "The rate is wrong.")
    sandbox.wait_for_end(run, SECONDS)
    again = sandbox.redrive(run)
    fresh = asked(sandbox, again)
    old = sandbox.person().open(sandbox.page_links(mails[1])[0])
    assert not [button for form in old.forms if form.method == "post" for button in form.buttons]
    sandbox.answer(fresh[0], "reject", "Still wrong.")
    assert sandbox.wait_for_end(again, SECONDS).error == "ApprovalRejected"
    assert live(sandbox, 12) == []


def test_a_second_start_while_the_first_waits_ends_well_and_names_it(sandbox: Sandbox) -> None:
    first = sandbox.start(only(13))
    asked(sandbox, first)
    mails, posts = len(sandbox.mails()), len(sandbox.posts())
    second, result = asked_nobody(sandbox, only(13))
    assert result.status == "SUCCEEDED"
    assert entered(sandbox, second)[-1] == "Another run holds the period"
    assert result.output["run"]["holder"] == first.execution_arn
    assert first.name in result.output["run"]["said"]
    assert (len(sandbox.mails()), len(sandbox.posts())) == (mails, posts)
    assert decided(sandbox, first).status == "SUCCEEDED"
    assert len(live(sandbox, 13)) == 1


def test_of_two_starts_at_the_same_moment_one_bills_and_the_other_ends_well(sandbox: Sandbox) -> None:
    runs = [sandbox.start(only(14)), sandbox.start(only(14))]
    first = next(run for run in runs if _asks(sandbox, run))
    second = next(run for run in runs if run is not first)
    assert sandbox.wait_for_end(second, SECONDS).output["run"]["holder"] == first.execution_arn
    assert decided(sandbox, first).status == "SUCCEEDED"
    assert len(live(sandbox, 14)) == 1


def test_a_schedule_that_is_delivered_twice_bills_once(sandbox: Sandbox) -> None:
    with_schedule = [sandbox.fire_schedule(), sandbox.fire_schedule()]
    assert len({run.execution_arn for run in with_schedule}) == 2
    first = next(run for run in with_schedule if _asks(sandbox, run))
    second = next(run for run in with_schedule if run is not first)
    assert sandbox.wait_for_end(second, SECONDS).output["run"]["holder"] == first.execution_arn
    assert decided(sandbox, first).status == "SUCCEEDED"
    assert [len(live(sandbox, place)) for place in (15, 16, 17)] == [1, 1, 1]


def _asks(sandbox: Sandbox, run: Run) -> bool:
    """Whether the run comes to ask (True) or gives way."""
    while True:
        states = entered(sandbox, run)
        if "Ask for approval" in states:
            return True
        if "Another run holds the period" in states:
            return False
        time.sleep(0.05)


def test_a_holder_that_was_aborted_is_taken_over(sandbox: Sandbox) -> None:
    sandbox.netsuite.add_order(order(2001, customer=1))
    gone = sandbox.start(only(2001))
    mails = asked(sandbox, gone)
    sandbox.stop(gone, "Operator", "Started by mistake.")
    run, result = billed(sandbox, only(2001))
    assert result.status == "SUCCEEDED"
    assert len(live(sandbox, 2001)) == 1
    assert live(sandbox, 2001)[0]["metadata"]["run_id"] == run.name
    sandbox.answer(mails[1], "approve")
    assert sandbox.result(gone).status == "ABORTED"
    assert len(live(sandbox, 2001)) == 1, "a vote for the aborted run wakes nothing"


def test_an_aborted_run_that_is_redriven_after_a_takeover_drafts_nothing(sandbox: Sandbox) -> None:
    sandbox.netsuite.add_order(order(2002, customer=2))
    gone = sandbox.start(only(2002))
    mails = asked(sandbox, gone)
    sandbox.stop(gone)
    assert billed(sandbox, only(2002))[1].status == "SUCCEEDED"
    before = sandbox.stripe.dump()
    back = sandbox.redrive(gone)
    while not sandbox.is_waiting(back):
        assert sandbox.result(back).status == "RUNNING"
        time.sleep(0.05)
    sandbox.answer(mails[0], "approve")
    sandbox.wait_for_end(back, SECONDS)
    assert sandbox.stripe.dump() == before
    assert len(live(sandbox, 2002)) == 1
