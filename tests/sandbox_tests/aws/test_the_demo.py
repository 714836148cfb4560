"""`make demo` in one piece, and the small decisions in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox import RunResult, SandboxError
from tests.sandbox.demo import Choices, ended_as_answered, read_parameters
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


def test_an_approved_demo_ends_with_a_draft_per_billable_order(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    code, lines = _demo(tmp_path, ANSWER="approve", WORLD="services_firm", RECORD=str(record))
    last = json.loads(lines[-1])
    assert code == 0, lines
    assert (last["status"], last["error"]) == ("SUCCEEDED", None)
    assert set(last) == {
        *("status", "error", "listed", "drafted", "skipped", "held", "failed", "problems", "totals", "calls"),
        "invoices",
    }
    assert last["drafted"] == len(last["invoices"]) > 0
    assert last["listed"] == sum(last[fate] for fate in ("drafted", "skipped", "held", "failed", "problems"))
    assert 0 < last["calls"]["netsuite"] <= 6
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    writes = [row for row in rows if row["service"] == "stripe" and row["method"] != "GET"]
    assert len(writes) == last["calls"]["stripe"]["write"]
    text = record.read_text(encoding="utf-8")
    for secret in ("rk_test_", "xoxb-", "BEGIN PRIVATE KEY", "/approvals/ey"):
        assert secret not in text
    for said in ("-> Ask for approval", "/approvals/", "drafts in Stripe", "Slack, "):
        assert any(said in line for line in lines), said


def test_a_rejected_demo_drafts_nothing_and_is_a_good_end(tmp_path: Path) -> None:
    code, lines = _demo(tmp_path, ANSWER="reject", PARAMS='{"FirmTimeZone": "Europe/Berlin"}')
    last = json.loads(lines[-1])
    assert code == 0, lines
    assert (last["status"], last["error"], last["drafted"]) == ("FAILED", "ApprovalRejected", 0)
    assert last["calls"]["stripe"]["write"] == 0


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
