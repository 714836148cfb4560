"""`make demo` in one piece, and the small decisions in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import RunResult, SandboxError
from tests.sandbox.demo import Choices, ended_as_answered, read_parameters
from tests.sandbox.demo_bank import largest_difference
from tests.sandbox.sandbox import REPOSITORY

APPROVED = RunResult("SUCCEEDED", None, None, {})
REJECTED = RunResult("FAILED", "ApprovalRejected", "", None)
BROKEN = RunResult("FAILED", "OurFault", "", None)


def _demo(folder: Path, **variables: str) -> tuple[int, list[str]]:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'layers' / 'billing'}", **variables}
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.demo"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, done.stdout.splitlines()


_ID = re.compile(r"/(?:in|ch|py|re|pyr|cn|dp|du|po|cus|txn)_\w+")

TODAY = {
    *("status", "error", "listed", "drafted", "skipped", "held", "failed", "problems", "totals", "calls"),
    "invoices",
}
"""The last line's fields without the settlement."""


def _written_by_the_run(rows: list[dict[str, Any]]) -> int:
    return sum(
        row["service"] == "stripe" and row["method"] != "GET" and row["function"] == "DraftTheInvoiceFunction"
        for row in rows
    )


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str], list[dict[str, Any]]]:
    """The last line, every line, and the recorded requests of a demo that goes on to the bank."""
    folder = tmp_path_factory.mktemp("demo")
    record = folder / "record.jsonl"
    code, lines = _demo(folder, ANSWER="approve", WORLD="services_firm", RECORD=str(record))
    assert code == 0, lines
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return json.loads(lines[-1]), lines, rows


def test_an_approved_demo_ends_with_a_draft_per_billable_order(
    approved: tuple[dict[str, Any], list[str], list[dict[str, Any]]],
) -> None:
    last, lines, rows = approved
    assert (last["status"], last["error"]) == ("SUCCEEDED", None)
    assert set(last) == {*TODAY, "settlement"}
    assert last["drafted"] == len(last["invoices"]) > 0
    assert last["listed"] == sum(last[fate] for fate in ("drafted", "skipped", "held", "failed", "problems"))
    assert 0 < last["calls"]["netsuite"] <= 6
    assert _written_by_the_run(rows) == last["calls"]["stripe"]["write"]
    text = json.dumps(rows)
    for secret in ("rk_test_", "xoxb-", "whsec_", "BEGIN PRIVATE KEY", "/approvals/ey"):
        assert secret not in text
    for said in ("-> Ask for approval", "/approvals/", "drafts in Stripe", "Slack, "):
        assert any(said in line for line in lines), said


def test_the_demo_goes_on_to_the_bank_and_netsuites_books_agree_in_four_currencies(
    approved: tuple[dict[str, Any], list[str], list[dict[str, Any]]],
) -> None:
    last, lines, _ = approved
    # The world's own sums, as they were before anything was settled.
    assert last["totals"] == {"EUR": "17302.73", "GBP": "6845.96", "JPY": "890242", "USD": "76418.03"}
    found = last["settlement"]
    assert found["equations"] == {"EUR": "0.00", "GBP": "0.00", "JPY": "0", "USD": "0.00"}
    assert {name: found[name] for name in found if name not in ("equations", "orders_billed")} == {
        "invoices": 31,
        "payments": 31,
        "credit_memos": 2,
        "refunds": 2,
        "deposits": 4,
        "held": 0,
    }
    unfinished = [line for line in lines if " has more to bill" in line]
    assert found["orders_billed"] + len(unfinished) == 31
    for said in (
        "31 of 31 drafts are finalised",
        "the clients pay",
        "is refunded",
        "disputes",
        "payouts arrive in EUR",
    ):
        assert any(said in line for line in lines), said


def test_every_call_to_stripe_that_the_settlement_makes_is_in_the_set_up_page(
    approved: tuple[dict[str, Any], list[str], list[dict[str, Any]]],
) -> None:
    page = (REPOSITORY / "docs" / "settlement-setup.md").read_text(encoding="utf-8")
    listed = set()
    for method, places in re.findall(r"^\| `(GET|POST) (/v1/.+?)` \|", page, re.MULTILINE):
        listed |= {(method, place) for place in places.split("`, `")}
    _, _, rows = approved
    run = {"MatchTheCustomersFunction", "DraftTheInvoiceFunction"}
    settled = [row for row in rows if row["service"] == "stripe" and row["function"] not in run]
    asked = {(row["method"], _ID.sub("/{id}", row["path"].partition("?")[0])) for row in settled}
    assert asked
    assert asked <= listed
    assert {row["body"].partition("[")[0] for row in settled if row["method"] == "POST"} == {"metadata"}


def test_without_settling_the_demo_ends_with_the_drafts(tmp_path: Path) -> None:
    code, lines = _demo(tmp_path, ANSWER="approve", WORLD="tiny", SETTLE="no")
    last = json.loads(lines[-1])
    assert code == 0, lines
    assert (set(last), last["drafted"]) == (TODAY, 3)
    assert any("ends with the drafts: SETTLE=no" in line for line in lines)


def test_a_rejected_demo_drafts_nothing_and_is_a_good_end(tmp_path: Path) -> None:
    code, lines = _demo(tmp_path, ANSWER="reject", PARAMS='{"FirmTimeZone": "Europe/Berlin"}')
    last = json.loads(lines[-1])
    assert code == 0, lines
    assert (last["status"], last["error"], last["drafted"]) == ("FAILED", "ApprovalRejected", 0)
    assert last["calls"]["stripe"]["write"] == 0
    nothing = ("invoices", "payments", "credit_memos", "refunds", "deposits", "orders_billed", "held")
    assert last["settlement"] == {**dict.fromkeys(nothing, 0), "equations": {}}


def test_a_client_grouping_of_one_client_is_refunded_and_disputed_in_part(tmp_path: Path) -> None:
    code, lines = _demo(tmp_path, ANSWER="approve", WORLD="tiny", PARAMS="InvoiceGrouping=client LineStyle=quantity")
    last = json.loads(lines[-1])
    assert code == 0, lines
    found = last["settlement"]
    # Two orders of one client are on one Stripe invoice: two invoices of NetSuite's, and one payment.
    assert (last["drafted"], found["invoices"], found["payments"], found["orders_billed"]) == (3, 3, 2, 3)
    assert (found["credit_memos"] >= 2, found["refunds"], found["deposits"], found["held"]) == (True, 2, 1, 0)
    assert found["equations"] == {"USD": "0.00"}


def test_a_difference_is_shown_in_the_currencys_decimals_and_never_rounded_to_nothing() -> None:
    agree = dict.fromkeys(("receivables", "undeposited_funds", "bank", "fees", "revenue", "orders"), "0.00")
    assert largest_difference(agree, "USD") == "0.00"
    assert largest_difference(agree, "JPY") == "0"
    assert largest_difference({**agree, "fees": "-1.50", "bank": "1.25"}, "USD") == "1.50"
    assert largest_difference({**agree, "orders": "0.00000001"}, "USD") == "0.01"
    with pytest.raises(SandboxError, match="0 equations in GBP"):
        largest_difference({}, "GBP")


@pytest.mark.parametrize(
    ("answer", "asked", "result", "good"),
    [
        ("approve", True, APPROVED, True),
        ("approve", True, REJECTED, False),
        ("approve", True, BROKEN, False),
        ("reject", True, REJECTED, True),
        ("reject", True, APPROVED, False),
        ("", True, REJECTED, True),
        ("", True, BROKEN, False),
        ("reject", False, APPROVED, True),
        ("approve", False, BROKEN, False),
    ],
)
def test_the_exit_code_says_whether_the_run_ended_as_answered(
    answer: str, asked: bool, result: RunResult, good: bool
) -> None:
    assert ended_as_answered(answer, asked, result) is good


def test_parameters_are_json_or_pairs() -> None:
    assert read_parameters('{"A": 1, "B": "x y"}') == {"A": "1", "B": "x y"}
    assert read_parameters("A=1 B=x=y") == {"A": "1", "B": "x=y"}
    assert read_parameters("") == {}
    for wrong in ("A", '{"A": '):
        with pytest.raises(SandboxError, match="PARAMS"):
            read_parameters(wrong)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(SandboxError, match="ANSWER"):
        Choices.from_environment({"ANSWER": "maybe"})
    with pytest.raises(SandboxError, match="SETTLE"):
        Choices.from_environment({"SETTLE": "perhaps"})


def test_another_server_or_the_parameter_turns_the_second_half_off() -> None:
    assert Choices.from_environment({}).why_not_settled() == ""
    for variables in (
        {"SETTLE": "no"},
        {"STRIPE_URL": "http://localhost:1"},
        {"NETSUITE_URL": "http://localhost:1"},
        {"PARAMS": "Settlement=off"},
    ):
        assert Choices.from_environment(variables).why_not_settled() != ""
