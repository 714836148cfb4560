"""A slot struck from the request's row, through the deployed template: the run ends safely and says why, nothing is
drafted, and a redrive asks again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.approval.asked import ANN, BOB, asked_of, links, post
from tests.played.story import SECONDS, asked, in_slack, live
from tests.sandbox import Run, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with asked_of(f"Lead: {ANN}; Controller: {BOB}") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    return sandbox.fire_schedule()


def strike_the_second_slot(sandbox: Sandbox, run: Run) -> None:
    """As whoever may write to the table would."""
    sandbox.aws.client("dynamodb").update_item(
        TableName=sandbox.stack.resources["ApprovalsTable"].ref,
        Key={"pk": {"S": f"REQUEST#{run.name}.1"}, "sk": {"S": "REQUEST"}},
        UpdateExpression="REMOVE slots[1]",
    )


def test_one_signature_stays_one_signature_and_everybody_is_told(sandbox: Sandbox, run: Run) -> None:
    asked(sandbox, run)
    strike_the_second_slot(sandbox, run)
    page = post(sandbox, links(sandbox, run)[ANN], "approve", invoices="3")
    assert (page.status, "can no longer be decided" in page.html) == (409, True)

    end = sandbox.wait_for_end(run, SECONDS)
    assert (end.status, end.error) == ("FAILED", "OurFault")
    assert "was altered in the approvals table: slots is not what was signed" in (end.cause or "")
    assert live(sandbox) == []
    report = sandbox.report(run)
    assert (report["outcome"], report["counts"]["drafted"]) == ("stopped by an error", 0)
    assert any("was altered in the approvals table: slots" in line["what"] for line in report["record"])
    assert [slot["name"] for slot in report["request"]["slots"]] == ["Lead", "Controller"], "as it was opened"
    assert "was altered in the approvals table" in in_slack(sandbox)


def test_a_redrive_opens_a_new_request_that_both_can_sign(sandbox: Sandbox, run: Run) -> None:
    again = sandbox.redrive(run)
    asked(sandbox, again)
    fresh = links(sandbox, again)
    assert post(sandbox, fresh[ANN], "approve", invoices="3").status == 200
    assert live(sandbox) == []
    assert post(sandbox, fresh[BOB], "approve", invoices="3").status == 200
    assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox)) == 3
