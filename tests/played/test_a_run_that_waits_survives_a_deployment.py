"""A stack of an earlier version is deployed, a run waits in it, and today's template and code are deployed onto it.

The earlier version is a commit of this repository. A clone that does not have it (a shallow one) skips these tests and
says so; files and rows that earlier versions wrote are read in tests/stored in any case.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.played.firm import PERIOD, firm, order
from tests.played.story import SECONDS, decided, deployed
from tests.sandbox import Mail, Sandbox
from tests.sandbox.person import Page
from tests.sandbox.sandbox import Run, RunResult

EARLIER = "274d32791bbacbc4ba2708403650b44481fa2e08"
"""The last version before functions, rows or definition changed for the upgrade."""
REPOSITORY = Path(__file__).parents[2]


def _earlier_version(folder: Path) -> Path:
    """The template of that version beside its code, unpacked into `folder`."""
    wanted = ["template.yaml", "functions", "layers", "statemachine"]
    done = subprocess.run(["git", "archive", EARLIER, *wanted], cwd=REPOSITORY, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(
            f"this clone has no commit {EARLIER}, the version that is upgraded ({done.stderr.decode().strip()})"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "template.yaml"


@dataclass(frozen=True)
class Upgraded:
    """Before the deployment a run of April was rejected and one of May began to wait. After it, May was approved by the
    mail of before, April was redriven and approved, and a new run of May was started."""

    sandbox: Sandbox
    before: dict[str, Any]
    after: dict[str, Any]
    mail: Mail
    page: Page
    may: Run
    ended: RunResult
    redriven: RunResult
    again: RunResult
    asked_again: list[Mail]


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    template = _earlier_version(tmp_path_factory.mktemp("earlier"))
    world = firm([order(1, date="2026-04-20"), order(2), order(3)])
    with deployed(world, template=template, parameters={"BillFrom": "2026-04-01"}) as sandbox:
        april = sandbox.start({"period": "2026-04", "filter": {"toDate": "2026-04-30"}})
        assert decided(sandbox, april, "reject").error == "ApprovalRejected"
        may = sandbox.start({"period": PERIOD, "filter": {"fromDate": "2026-05-01"}})
        mail = sandbox.wait_for_approval(may, SECONDS)[0]
        before = _machine(sandbox)
        sandbox.update("template.yaml")
        after = _machine(sandbox)
        page = sandbox.answer(mail, "approve")
        ended = sandbox.wait_for_end(may, SECONDS)
        sandbox.redrive(april)
        asked_again = sandbox.wait_for_approval(april, SECONDS)
        sandbox.answer(asked_again[-1], "approve")
        redriven = sandbox.wait_for_end(april, SECONDS)
        again = sandbox.wait_for_end(sandbox.fire_schedule(), SECONDS)
        yield Upgraded(sandbox, before, after, mail, page, may, ended, redriven, again, asked_again)


def _machine(sandbox: Sandbox) -> dict[str, Any]:
    found = sandbox.aws.client("stepfunctions").describe_state_machine(stateMachineArn=sandbox.state_machine_arn)
    return {key: found[key] for key in ("stateMachineArn", "definition", "roleArn")}


def test_the_mail_of_before_is_answered_on_todays_page_and_the_run_ends_well(upgraded: Upgraded) -> None:
    assert upgraded.page.status == 200
    assert (upgraded.ended.status, upgraded.ended.error) == ("SUCCEEDED", None)


def test_a_run_that_failed_before_is_redriven_after_and_ends_well(upgraded: Upgraded) -> None:
    assert (upgraded.redriven.status, upgraded.redriven.error) == ("SUCCEEDED", None)


def test_everybody_is_billed_once(upgraded: Upgraded) -> None:
    drafts = upgraded.sandbox.drafts()
    # Each order is 2 x 150.00.
    assert sorted((draft["metadata"]["netsuite_so_number"], draft["total"]) for draft in drafts) == [
        ("SO-1", 30000), ("SO-2", 30000), ("SO-3", 30000),
    ]  # fmt: skip
    assert upgraded.again.status == "SUCCEEDED"


def test_functions_are_todays_and_the_execution_keeps_its_definition(upgraded: Upgraded) -> None:
    client = upgraded.sandbox.aws.client("stepfunctions")
    kept = client.describe_state_machine_for_execution(executionArn=upgraded.may.execution_arn)
    assert kept["definition"] == upgraded.before["definition"]
    today = json.loads((REPOSITORY / "statemachine/monthly_billing.asl.json").read_text(encoding="utf-8"))
    assert upgraded.after["stateMachineArn"] == upgraded.before["stateMachineArn"]
    assert list(json.loads(upgraded.after["definition"])["States"]) == list(today["States"])
    code = {one.code for one in map(upgraded.sandbox.aws.functions.settings, upgraded.sandbox.aws.functions.names())}
    assert all(path.is_relative_to(REPOSITORY) for path in code)


def test_nothing_was_refused_on_the_way(upgraded: Upgraded) -> None:
    """A role that lost what an earlier definition needs would be a denial here."""
    assert upgraded.sandbox.denials == []
