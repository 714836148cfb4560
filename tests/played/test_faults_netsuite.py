"""NetSuite is slow, full, closed, or tells nonsense: the run waits it out, or ends by a name with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.played.firm import PERIOD, client, firm, only, order, work
from tests.played.story import SECONDS, amounts, asked_nobody, billed, decided, deployed, in_slack, live
from tests.sandbox import Sandbox
from tests.sandbox.faults import Action, Answer, AnswerAfter, DropAfter, DropBefore
from tests.sandbox.netsuite import (
    concurrency_fault,
    invalid_login_fault,
    maintenance_fault,
    permission_fault,
    unexpected_error_fault,
)

SUITEQL = "/suiteql$"
ACCOUNT = "1234567_SB1"
HTML = {"Content-Type": "text/html"}
MALFORMED: dict[int, dict[str, Any]] = {
    50: {"lenient": True, "customer": None},
    51: {"lenient": True, "currency": None},
    52: {"raw": {"foreigntotal": "three hundred"}},
    53: {"raw": {"foreigntotal": None}},
    54: {"raw": {"foreigntotal": "299.995"}},
    55: {"raw": {"foreigntotal": "-300.00"}},
    56: {"lines": [work("2", "150.00", raw={"foreignamount": "much"})]},
    57: {"lines": [work("2", "150.00", raw={"foreignamount": None})]},
}
"""Orders that cannot be billed, each in a way of its own."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    orders = [order(place) for place in range(1, 30)]
    orders += [{**order(place), **fields} for place, fields in MALFORMED.items()]
    with deployed(firm(orders, [client(29, email=None)])) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    opened.netsuite.faults.clear()


def test_a_month_without_orders_ends_well_and_says_so(sandbox: Sandbox) -> None:
    run, result = asked_nobody(sandbox, {"period": "2026-02"})
    assert result.status == "SUCCEEDED"
    assert (sandbox.report(run)["listed"], sandbox.report(run)["outcome"]) == (0, "nothing to bill")
    assert "no open order" in in_slack(sandbox, len(sandbox.posts()) - 1)


@pytest.mark.parametrize(
    ("action", "times"),
    [
        (concurrency_fault(), 2),
        (concurrency_fault(retry_after=1), 1),
        (maintenance_fault(), 1),
        (maintenance_fault(502), 1),
        (unexpected_error_fault(), 1),
        (DropBefore(), 1),
        (DropAfter(), 1),
        (Answer(200, b"<html>Please log in</html>", HTML), 1),
        (AnswerAfter(504, b"", HTML), 1),
        (invalid_login_fault(ACCOUNT), 1),
    ],
    ids=[
        "full",
        "full, says when",
        "closed",
        "bad gateway",
        "error",
        "cut off",
        "lost",
        "html",
        "too late",
        "logged out",
    ],
)
def test_a_passing_fault_is_waited_out_and_every_order_is_listed(sandbox: Sandbox, action: Action, times: int) -> None:
    fault = sandbox.netsuite.faults.add(path=SUITEQL, action=action, times=times)
    run, result = asked_nobody(sandbox, only(1, 2, 3, dryRun=True))
    assert fault.hits == times
    assert result.status == "SUCCEEDED"
    assert sandbox.report(run)["listed"] == 3


def test_a_token_that_ends_before_its_time_is_renewed_once(sandbox: Sandbox) -> None:
    asked_nobody(sandbox, only(1, dryRun=True))
    tokens = sandbox.netsuite.counts()["token"]
    sandbox.netsuite.expire_tokens()
    assert asked_nobody(sandbox, only(1, dryRun=True))[1].status == "SUCCEEDED"
    assert sandbox.netsuite.counts()["token"] == tokens + 1


def test_a_missing_permission_stops_the_run_and_says_which_ones_are_needed(sandbox: Sandbox) -> None:
    sandbox.netsuite.faults.add(path=SUITEQL, action=permission_fault(), times=None)
    run, result = asked_nobody(sandbox, only(4))
    assert (result.status, result.error) == ("FAILED", "PersonNeeded")
    assert "SuiteAnalytics Workbook" in (result.cause or "")
    assert "SuiteAnalytics Workbook" in in_slack(sandbox, len(sandbox.posts()) - 1)
    assert sandbox.report(run)["outcome"] == "stopped by an error"
    sandbox.netsuite.faults.clear()
    assert billed(sandbox, only(4))[1].status == "SUCCEEDED", "the period was set free"


def test_a_run_stopped_by_netsuite_is_redriven_when_it_is_mended(sandbox: Sandbox) -> None:
    sandbox.netsuite.faults.add(path=SUITEQL, action=permission_fault(), times=None)
    run, _ = asked_nobody(sandbox, only(5))
    sandbox.netsuite.faults.clear()
    again = sandbox.redrive(run)
    assert decided(sandbox, again).status == "SUCCEEDED"
    assert len(live(sandbox, 5)) == 1


def test_an_account_without_some_columns_is_billed_and_the_approver_is_told(sandbox: Sandbox) -> None:
    sandbox.netsuite.set_options(columns_absent=["transaction.startdate", "transactionline.iscogs"], key_casing="mixed")
    run = sandbox.start(only(6))
    mails = sandbox.wait_for_approval(run, SECONDS)
    sandbox.answer(mails[0], "approve")
    result = sandbox.wait_for_end(run, SECONDS)
    sandbox.netsuite.set_options(columns_absent=[], key_casing="lower")
    assert result.status == "SUCCEEDED"
    assert [amounts(invoice) for invoice in live(sandbox, 6)] == [[30000]]


def test_a_column_that_no_bill_can_do_without_is_named(sandbox: Sandbox) -> None:
    sandbox.netsuite.set_options(columns_absent=["transactionline.foreignamount"])
    _, result = asked_nobody(sandbox, only(7))
    sandbox.netsuite.set_options(columns_absent=[])
    assert (result.status, result.error) == ("FAILED", "OurFault")
    assert "foreignamount" in (result.cause or "").lower()


def test_dates_in_the_users_own_format_are_read_all_the_same(sandbox: Sandbox) -> None:
    sandbox.netsuite.set_options(date_format="D.M.YYYY")
    run, result = asked_nobody(sandbox, only(8, 9, dryRun=True))
    sandbox.netsuite.set_options(date_format="M/D/YYYY")
    assert (result.status, sandbox.report(run)["listed"]) == ("SUCCEEDED", 2)


def test_what_was_signed_is_drafted_though_netsuite_changed_meanwhile(sandbox: Sandbox) -> None:
    run = sandbox.start(only(10))
    mails = sandbox.wait_for_approval(run, SECONDS)
    sandbox.netsuite.edit_line("SO-10", 1, quantity="9")
    sandbox.answer(mails[0], "approve")
    result = sandbox.wait_for_end(run, SECONDS)
    drafted = [amounts(invoice) for invoice in live(sandbox, 10)]
    line = sandbox.report(run)["lines"][0]
    assert drafted == [[30000]] or (drafted == [] and line["fate"] in ("held", "failed")), (drafted, line, result)
    assert [135000] not in drafted, "nobody has signed for that"


def test_every_malformed_order_is_a_named_problem_and_the_good_ones_are_billed(sandbox: Sandbox) -> None:
    run, result = billed(sandbox, only(11, 29, *MALFORMED))
    assert result.status == "SUCCEEDED"
    report = sandbox.report(run)
    lines = {number: line for line in report["lines"] for number in line["orders"]}
    assert lines["SO-11"]["fate"] == "drafted"
    for place in (29, *MALFORMED):
        line = lines[f"SO-{place}"]
        assert line["fate"] == "problem", line
        assert f"SO-{place}" in line["reason"]
    assert report["listed"] == 2 + len(MALFORMED) == sum(report["counts"].values())


def test_z_revoked_credentials_stop_the_run_before_netsuite_locks_the_user(sandbox: Sandbox) -> None:
    """Last in this file: what is revoked stays revoked."""
    tries = sum(sandbox.netsuite.counts().values())
    sandbox.netsuite.revoke_credentials()
    run, result = asked_nobody(sandbox, {"period": PERIOD})
    assert (result.status, result.error) == ("FAILED", "PersonNeeded")
    assert "NetSuite" in (result.cause or "")
    assert sum(sandbox.netsuite.counts().values()) - tries < 5, "five bad logins lock a user"
    assert sandbox.report(run)["listed"] == 0
    assert "PersonNeeded" in in_slack(sandbox, len(sandbox.posts()) - 1)
