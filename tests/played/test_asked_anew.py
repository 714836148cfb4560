"""A request that ended without an answer is opened anew: about the former listing if NetSuite would still list the
same, about a new one if not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.approval.asked import expire, until
from tests.played.firm import ANN, BOB, PERIOD, firm, only, order
from tests.played.story import (
    SECONDS,
    amounts,
    asked,
    billed,
    decided,
    deployed,
    entered,
    in_slack,
    live,
    posted,
    stop_everything,
)
from tests.sandbox import Mail, Run, Sandbox
from tests.sandbox.netsuite import concurrency_fault

SUITEQL = "/suiteql$"
COMPARED = ["Compare with the listing", "Is the listing still true", "Keep the listing", "Match the customers"]
LISTED = ["Compare with the listing", "Is the listing still true", "List the sales orders", "Match the customers"]


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    world = firm(order(place) for place in range(1, 17))
    with deployed(world) as one:
        yield one


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    stop_everything(opened)
    opened.netsuite.faults.clear()
    opened.stripe.faults.clear()


def expired(sandbox: Sandbox, given: dict[str, Any]) -> tuple[Run, list[Mail]]:
    """A run that asked and that nobody answered, and the mails that asked."""
    run = sandbox.start(given)
    mails = asked(sandbox, run)
    expire(sandbox, run)
    return run, mails


def since_redrive(sandbox: Sandbox, run: Run) -> list[str]:
    """The states entered since the run began again."""
    names = entered(sandbox, run)
    return names[len(names) - names[::-1].index("Open the run") - 1 :]


def after_opening(sandbox: Sandbox, run: Run) -> list[str]:
    return since_redrive(sandbox, run)[2:6]


def hashes(sandbox: Sandbox, run: Run) -> list[str]:
    """The hashes asked about, by the requests' numbers."""
    rows = [
        row
        for row in sandbox.tables()["ApprovalsTable"]
        if row["sk"] == "REQUEST" and str(row["pk"]).startswith(f"REQUEST#{run.name}.")
    ]
    return [str(row["batch_sha256"]) for row in sorted(rows, key=lambda row: str(row["pk"]))]


def test_an_unchanged_listing_is_asked_about_anew_without_listing_again(sandbox: Sandbox) -> None:
    run, old = expired(sandbox, only(1, 2))
    before, posts = len(sandbox.requests), len(sandbox.posts())
    snapshots = sandbox.objects()[f"runs/{PERIOD}/{run.name}/orders.json"]
    again = sandbox.redrive(run)
    mails = asked(sandbox, again)
    assert after_opening(sandbox, run) == COMPARED
    calls = [one for one in sandbox.requests[before:] if one.service == "netsuite" and "suiteql" in one.path]
    assert [one.function for one in calls] == ["CompareWithTheListingFunction"], "one call, and no line is listed"
    assert "uniquekey" not in str(calls[0].body)
    assert sandbox.objects()[f"runs/{PERIOD}/{run.name}/orders.json"] == snapshots
    first, second = hashes(sandbox, run)
    assert first == second, "the same content is asked about, under the next number"
    assert sorted(mail.to for mail in mails) == [(ANN,), (BOB,)]
    for mail in mails:
        assert mail.subject.startswith("Approval needed again: 2 invoices")
        text = " ".join(mail.text.split())
        assert "expired before everyone had signed" in text
        assert "The orders and amounts have not changed." in text
    said = in_slack(sandbox, posts)
    assert "Approval requested: 2 invoices" in said, "the channel hears of the new request, too"
    assert "The run was redriven and is asking again." in said
    late = posted(sandbox, sandbox.page_links(old[0])[0], "approve", {"invoices": "2"})
    assert "Expired" in late.text
    assert "Your answer was not recorded" in late.text
    assert "This link expired on" in late.text
    assert sandbox.result(run).status == "RUNNING"
    assert sandbox.answer(mails[0], "approve").status == 200
    assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
    assert [len(live(sandbox, place)) for place in (1, 2)] == [1, 1]
    _no_input_brings_a_listing_along(sandbox, run)


def _no_input_brings_a_listing_along(sandbox: Sandbox, run: Run) -> None:
    """On a fresh start the execution's state is its input, and nothing in it is believed."""
    state = json.loads(
        next(
            event["stateEnteredEventDetails"]["input"]
            for event in sandbox.history(run)
            if event.get("stateEnteredEventDetails", {}).get("name") == "Stop the run"
        )
    )
    assert {"run", "listed", "closed"} <= set(state)
    for key in ("listed", "closed", "run"):
        result = sandbox.wait_for_end(sandbox.start({**only(1), key: state[key]}), SECONDS)
        assert (result.error, f"'{key}'" in (result.cause or "")) == ("InputInvalid", True)
    given = {"input": only(1), "executionArn": run.execution_arn, "executionName": run.name}
    assert sandbox.invoke("OpenTheRunFunction", {**given, "before": only(1)})["former"]["asksAnew"] is False
    assert sandbox.invoke("OpenTheRunFunction", given)["id"] == run.name, "an older definition wants the frame alone"


def test_an_order_edited_meanwhile_is_listed_again_and_its_new_amount_is_asked(sandbox: Sandbox) -> None:
    run, old = expired(sandbox, only(3))
    sandbox.netsuite.edit_line("SO-3", 1, quantity="5")
    again = sandbox.redrive(run)
    mails = asked(sandbox, again)
    assert after_opening(sandbox, run) == LISTED
    assert len(set(hashes(sandbox, run))) == 2
    assert "What will be billed has changed since then." in " ".join(mails[0].text.split())
    late = posted(sandbox, sandbox.page_links(old[0])[0], "approve", {"invoices": "1"})
    assert (late.status, "Expired" in late.text) == (200, True), "its content is gone, its end can be told"
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
    assert [amounts(invoice) for invoice in live(sandbox, 3)] == [[75000]]


def test_a_new_order_meanwhile_is_listed_and_asked_for_as_well(sandbox: Sandbox) -> None:
    run, _ = expired(sandbox, only(4, 1004))
    sandbox.netsuite.add_order(order(1004, customer=4))
    again = sandbox.redrive(run)
    mails = asked(sandbox, again)
    assert after_opening(sandbox, run) == LISTED
    assert "2 invoices" in mails[0].subject
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
    assert (len(live(sandbox, 4)), len(live(sandbox, 1004))) == (1, 1)


def test_what_another_run_drafted_meanwhile_is_not_billed_twice(sandbox: Sandbox) -> None:
    run, _ = expired(sandbox, only(8, 9))
    assert billed(sandbox, only(8))[1].status == "SUCCEEDED"
    again = sandbox.redrive(run)
    assert "1 invoice" in asked(sandbox, again)[0].subject
    assert after_opening(sandbox, run) == COMPARED, "NetSuite does not know of drafts; the ledger does"
    assert decided(sandbox, again).status == "SUCCEEDED"
    assert (len(live(sandbox, 8)), len(live(sandbox, 9))) == (1, 1)


def test_undeliverable_and_the_mailbox_repaired_it_is_asked_anew(sandbox: Sandbox) -> None:
    run = sandbox.start(only(16))
    for mail in asked(sandbox, run):
        sandbox.ses.reports(mail, "permanent")
    assert sandbox.wait_for_end(run, SECONDS).error == "ApprovalUndeliverable"
    again = sandbox.redrive(run)
    mails = asked(sandbox, again)
    assert after_opening(sandbox, run) == COMPARED
    assert "could not be delivered" in " ".join(mails[0].text.split())
    until(lambda: sandbox.is_waiting(again))
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, 16)) == 1


def test_netsuite_is_down_and_the_run_lists_and_ends_as_its_listing_ends(sandbox: Sandbox) -> None:
    run, _ = expired(sandbox, only(10))
    fault = sandbox.netsuite.faults.add(
        path=SUITEQL, body="GROUP BY", action=concurrency_fault(retry_after=0), times=None
    )
    again = sandbox.redrive(run)
    asked(sandbox, again)
    assert after_opening(sandbox, run)[:2] == ["Compare with the listing", "List the sales orders"]
    assert fault.hits > 1
    expire(sandbox, again)
    sandbox.netsuite.faults.add(path=SUITEQL, action=concurrency_fault(retry_after=0), times=None)
    result = sandbox.wait_for_end(sandbox.redrive(run), SECONDS)
    assert (result.status, result.error) == ("FAILED", "PassingError")
    report = sandbox.report(run)
    assert (report["listed"], report["counts"]["held"]) == (1, 1), "what was listed before stays in the run's report"
    sandbox.netsuite.faults.clear()
    last = sandbox.redrive(run)
    mails = asked(sandbox, last)
    assert since_redrive(sandbox, run)[2] == "List the sales orders", "its last end was no expiry"
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(last, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, 10)) == 1


def test_without_its_snapshot_the_run_lists_again(sandbox: Sandbox) -> None:
    run, _ = expired(sandbox, only(12))
    sandbox.aws.client("s3").delete_object(
        Bucket=sandbox.stack.outputs["RunsBucketName"], Key=f"runs/{PERIOD}/{run.name}/orders.json"
    )
    again = sandbox.redrive(run)
    assert decided(sandbox, again).status == "SUCCEEDED"
    assert "List the sales orders" in since_redrive(sandbox, again)
    assert "Keep the listing" not in since_redrive(sandbox, again)
    assert len(live(sandbox, 12)) == 1
