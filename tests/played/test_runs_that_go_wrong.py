"""A run that goes wrong still tells, and never forgets: files that are lost, redrives that fail early, and states that
cannot even be entered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.approval.asked import until
from tests.played.firm import OWNER, PERIOD, firm, only, order
from tests.played.story import (
    SECONDS,
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
from tests.sandbox.netsuite import concurrency_fault, invalid_login_fault

ACCOUNT = "1234567_SB1"
JUNE = "2026-06"


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    with deployed(firm(order(place) for place in range(1, 12))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    opened.netsuite.faults.clear()
    opened.stripe.faults.clear()
    stop_everything(opened)


@contextmanager
def refused(sandbox: Sandbox, *what: tuple[str, str]) -> Iterator[None]:
    """IAM refuses these (function's logical id, start of the action) for as long as this lasts."""
    door: Any = sandbox.aws.door
    judge = door._reason_against

    def judged(caller: Any, access: Any) -> Any:
        if any(caller.function == function and access.action.startswith(action) for function, action in what):
            return "because somebody took it away"
        return judge(caller, access)

    door._reason_against = judged
    try:
        yield
    finally:
        del door._reason_against


def told(sandbox: Sandbox, posts: int, mails: int) -> tuple[str, list[str]]:
    """What Slack and the owners heard since."""
    return in_slack(sandbox, posts), [mail.text for mail in sandbox.mails()[mails:] if mail.to == (OWNER,)]


def heard_of(sandbox: Sandbox, run: Run, state: str, error: str, since: tuple[int, int]) -> None:
    """Slack once and every owner once, with the run, the state, the error and the execution, and no amount."""
    slack, mails = told(sandbox, *since)
    assert len(mails) == 1
    for text in (slack, mails[0]):
        for part in (run.name, state, error, "executions/details"):
            assert part in text
        assert "300.00" not in text
        assert "Zephyrine" not in text


def now_heard(sandbox: Sandbox) -> tuple[int, int]:
    return len(sandbox.posts()), len(sandbox.mails())


def test_if_the_run_cannot_be_closed_slack_and_the_owners_hear_it_and_a_redrive_goes_on(sandbox: Sandbox) -> None:
    run = sandbox.start(only(1))
    sandbox.wait_for_approval(run, SECONDS)
    since = now_heard(sandbox)
    with refused(sandbox, ("CloseTheRunFunction", "s3:PutObject")):
        result = decided(sandbox, run)
    assert (result.status, result.error) == ("FAILED", "PersonNeeded")
    assert "PutObject" in (result.cause or "")
    ends = ["Close the run", "The run was not closed", "Tell of the failure", "Stop the run"]
    assert entered(sandbox, run)[-4:] == ends
    heard_of(sandbox, run, "Close the run", "PersonNeeded", since)
    assert len(live(sandbox, 1)) == 1
    again = sandbox.wait_for_end(sandbox.redrive(run), SECONDS)
    assert again.status == "SUCCEEDED"
    report = sandbox.report(run)
    assert (report["listed"], report["counts"]["drafted"], len(report["record"]) > 2) == (1, 1, True)
    assert len(live(sandbox, 1)) == 1


def test_if_the_run_cannot_be_opened_they_hear_it_though_the_table_is_what_failed(sandbox: Sandbox) -> None:
    since = now_heard(sandbox)
    with refused(sandbox, ("OpenTheRunFunction", "dynamodb:"), ("TellOfTheFailureFunction", "dynamodb:")):
        run = sandbox.fire_schedule()
        result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "PersonNeeded")
    assert entered(sandbox, run) == ["Open the run", "The run was not opened", "Tell of the failure", "Stop the run"]
    heard_of(sandbox, run, "Open the run", "PersonNeeded", since)
    again = sandbox.redrive(run)
    sandbox.wait_for_approval(again, SECONDS)
    sandbox.stop(again)


@pytest.mark.parametrize("given", ["[]", '"2026-05"', '{"period": "May"}'])
def test_a_run_whose_input_is_refused_is_heard_of_whatever_the_input_is(sandbox: Sandbox, given: str) -> None:
    since = now_heard(sandbox)
    run = sandbox.start(given)
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "InputInvalid")
    heard_of(sandbox, run, "Open the run", "InputInvalid", since)
    assert sandbox.wait_for_end(sandbox.redrive(run), SECONDS).error == "InputInvalid"


def test_if_nobody_can_be_told_the_run_still_ends_with_its_own_error(sandbox: Sandbox) -> None:
    with refused(sandbox, ("TellOfTheFailureFunction", "")):
        result = sandbox.wait_for_end(sandbox.start({"period": "May"}), SECONDS)
    assert (result.status, result.error) == ("FAILED", "InputInvalid")


def gone(sandbox: Sandbox, key: str) -> None:
    (bucket,) = sandbox.stack.of_type("AWS::S3::Bucket").values()
    sandbox.aws.client("s3").delete_object(Bucket=bucket.ref, Key=key)


def altered(sandbox: Sandbox, key: str) -> None:
    (bucket,) = sandbox.stack.of_type("AWS::S3::Bucket").values()
    sandbox.aws.client("s3").put_object(Bucket=bucket.ref, Key=key, Body=b'{"invoices": []}')


@pytest.mark.parametrize(("place", "lose"), [(3, gone), (4, altered)])
def test_with_the_snapshot_lost_the_run_reports_tells_and_the_order_comes_back_next_month(
    sandbox: Sandbox, place: int, lose: Callable[[Sandbox, str], None]
) -> None:
    run = sandbox.start(only(place))
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    since = now_heard(sandbox)
    lose(sandbox, f"runs/{PERIOD}/{run.name}/orders.json")
    sandbox.answer(link, "approve")
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "OurFault")
    report = sandbox.report(run)
    assert "orders.json" in report["cause"]
    assert (report["listed"], report["counts"]["failed"]) == (1, 1), "signed for, and its drafting did not begin"
    assert report["lines"][0]["orders"] == [f"SO-{place}"]
    assert len(report["votes"]) == 1
    slack, mails = told(sandbox, *since)
    assert "orders.json" in slack
    assert len(mails) == 1
    assert live(sandbox, place) == []
    # The content and, on the same day, the very days that were signed for: nobody has to be asked again.
    following, ended = asked_nobody(sandbox, {"period": JUNE, "filter": {"orderNumbers": [f"SO-{place}"]}})
    assert ended.status == "SUCCEEDED"
    assert sandbox.report(following)["counts"]["drafted"] == 1
    assert sandbox.report(following)["lines"][0]["carried_from"] == PERIOD


@pytest.mark.parametrize(("place", "lose"), [(5, gone), (6, altered)])
def test_with_the_batch_lost_on_the_way_to_stripe_the_report_has_the_drafts_and_the_votes(
    sandbox: Sandbox, place: int, lose: Callable[[Sandbox, str], None]
) -> None:
    run = sandbox.start(only(place))
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    since, calls = now_heard(sandbox), len(sandbox.requests)
    sandbox.netsuite.faults.add(path="/suiteql$", action=concurrency_fault(retry_after=1), times=3)
    sandbox.answer(link, "approve")
    # "Check for changes" has read the batch, and waits for NetSuite.
    until(lambda: any(request.service == "netsuite" for request in sandbox.requests[calls:]))
    lose(sandbox, f"runs/{PERIOD}/{run.name}/batch.json")
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "OurFault")
    (invoice,) = live(sandbox, place)
    report = sandbox.report(run)
    assert "batch.json" in report["cause"]
    assert (report["listed"], report["counts"]["drafted"]) == (1, 1)
    assert [line["invoice_id"] for line in report["lines"]] == [invoice["id"]]
    assert len(report["votes"]) == 1
    slack, mails = told(sandbox, *since)
    assert "batch.json" in slack
    assert len(mails) == 1


def test_a_redrive_that_fails_early_adds_to_the_report_of_a_run_that_had_drafted_and_was_signed(
    sandbox: Sandbox,
) -> None:
    sandbox.stripe.faults.add(
        method="POST", path="^/v1/customers$", body="payables8%40", times=None, action=stripe_error("No.")
    )
    run, result = billed(sandbox, only(7, 8))
    assert result.error == "InvoicesMissing"
    before = sandbox.report(run)
    assert (before["counts"]["drafted"], before["counts"]["failed"]) == (1, 1)
    sandbox.netsuite.faults.add(path="/suiteql$", action=invalid_login_fault(ACCOUNT), times=None)
    assert sandbox.wait_for_end(sandbox.redrive(run), SECONDS).error in ("PersonNeeded", "PassingError")
    after = sandbox.report(run)
    for name in ("listed", "counts", "totals", "votes", "decision", "request", "record", "batch_sha256", "live_mode"):
        assert after[name] == before[name], name
    assert after["votes"]
    assert after["outcome"] == "stopped by an error"
    sandbox.netsuite.faults.clear()
    sandbox.stripe.faults.clear()
    assert sandbox.wait_for_end(sandbox.redrive(run), SECONDS).status == "SUCCEEDED"
    last = sandbox.report(run)
    assert (last["listed"], last["counts"]["drafted"], last["counts"]["failed"]) == (2, 2, 0)
    assert last["totals"]["drafted"] == {"usd": 60_000}
