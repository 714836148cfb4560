"""How the waiting ends: approved, rejected, expired; and what does not end it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.played.firm import ANN, BOB, OWNER, firm, only, order
from tests.played.story import SECONDS, asked, decided, deployed, entered, in_slack, live, posted
from tests.sandbox import Run, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with deployed(firm(order(place) for place in range(1, 20))) as opened:
        yield opened


def test_a_rejection_drafts_nothing_and_fails_by_its_name(sandbox: Sandbox) -> None:
    run = sandbox.start(only(1, 2))
    mails, posts = len(sandbox.mails()), len(sandbox.posts())
    result = decided(sandbox, run, "reject", "Hours of Zephyrine are not final.")
    assert (result.status, result.error) == ("FAILED", "ApprovalRejected")
    assert live(sandbox) == []
    assert sandbox.stripe.customers() == []
    assert "Draft the invoices" not in entered(sandbox, run)
    said = in_slack(sandbox, posts)
    assert "rejected" in said
    assert "Hours of Zephyrine are not final." in said
    assert ANN in said, "who rejected"
    told = [mail for mail in sandbox.mails()[mails:] if "rejected" in mail.subject.lower()]
    assert sorted(mail.to[0] for mail in told) == [ANN, BOB, OWNER]
    assert all("Hours of Zephyrine are not final." in mail.text for mail in told)
    report = sandbox.report(run)
    assert (report["outcome"], report["counts"]["held"]) == ("rejected", 2)
    assert [(vote["approver"], vote["answer"], vote["reason"]) for vote in report["votes"]] == [
        (ANN, "reject", "Hours of Zephyrine are not final.")
    ]


def test_the_decision_is_on_record_with_person_time_and_content(sandbox: Sandbox) -> None:
    run = sandbox.start(only(3))
    assert decided(sandbox, run).status == "SUCCEEDED"
    report = sandbox.report(run)
    vote = report["votes"][0]
    assert (vote["approver"], vote["batch_sha256"]) == (ANN, report["batch_sha256"])
    assert vote["at"].startswith("2026-06-01T13:")


def test_a_wake_up_that_is_no_decision_makes_the_run_wait_on(sandbox: Sandbox) -> None:
    run = sandbox.start(only(4))
    mails = sandbox.wait_for_approval(run, SECONDS)
    sandbox.aws.client("stepfunctions").send_task_success(
        taskToken=_token(sandbox, run), output='{"outcome": "approved"}'
    )
    while entered(sandbox, run).count("Ask for approval") < 2 or not sandbox.is_waiting(run):
        assert sandbox.result(run).status == "RUNNING"
        time.sleep(0.05)
    assert live(sandbox, 4) == []
    assert len(sandbox.mails()) - run.mails_before == 2, "nobody is asked twice about the same batch"
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, 4)) == 1


def test_a_failure_sent_for_the_token_is_no_decision_either(sandbox: Sandbox) -> None:
    run = sandbox.start(only(5))
    sandbox.wait_for_approval(run, SECONDS)
    sandbox.aws.client("stepfunctions").send_task_failure(taskToken=_token(sandbox, run), error="Odd", cause="odd")
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "OurFault")
    assert live(sandbox, 5) == []
    assert sandbox.report(run)["outcome"] == "stopped by an error"


def test_the_form_sent_without_its_number_decides_nothing(sandbox: Sandbox) -> None:
    run = sandbox.start(only(6))
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    for answer, typed in (
        ("approve", {}),
        ("approve", {"invoices": "7"}),
        ("reject", {}),
        ("perhaps", {"invoices": "1"}),
    ):
        page = posted(sandbox, link, answer, typed)
        assert page.status == 422, (answer, typed)
    assert sandbox.is_waiting(run)
    assert _votes(sandbox, run.name) == 0
    assert posted(sandbox, link, "approve", {"invoices": "1"}).status == 200
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"


def test_the_first_answer_of_a_person_stands_and_so_does_the_first_outcome(sandbox: Sandbox) -> None:
    run = sandbox.start(only(7))
    ann, bob = (sandbox.page_links(mail)[0] for mail in asked(sandbox, run))
    assert posted(sandbox, ann, "approve", {"invoices": "1"}).status == 200
    assert posted(sandbox, ann, "reject", {"reason": "I changed my mind."}).status == 200
    assert posted(sandbox, bob, "reject", {"reason": "Not with me."}).status == 200
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert [(vote["approver"], vote["answer"]) for vote in sandbox.report(run)["votes"]] == [(ANN, "approve")]
    assert len(live(sandbox, 7)) == 1


def forged_in_the_middle(link: str) -> str:
    """Another letter in the middle: the last one's spare bits are nobody's, a letter in the middle is somebody's."""
    place = len(link) - 60
    return link[:place] + ("A" if link[place] != "A" else "B") + link[place + 1 :]


@pytest.mark.parametrize("spoilt", ["cut", "forged", "stranger"])
def test_a_link_that_is_not_ours_shows_nothing_and_decides_nothing(sandbox: Sandbox, spoilt: str) -> None:
    run = sandbox.start(only(8))
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    bad = {
        "cut": link[:-5],
        "forged": forged_in_the_middle(link),
        "stranger": link.rpartition("/")[0] + "/abc",
    }
    before = sandbox.dump()
    for page in (sandbox.person().open(bad[spoilt]), posted(sandbox, bad[spoilt], "approve", {"invoices": "1"})):
        assert page.status == 404
        assert "Zephyrine" not in page.html
    assert sandbox.dump() == before
    assert decided(sandbox, run, "reject").error == "ApprovalRejected"


def test_a_snapshot_that_is_gone_or_was_altered_after_it_was_asked_about_cannot_be_signed_for(sandbox: Sandbox) -> None:
    """Under the deployed roles, to whom S3 answers 403 for what is not there."""
    run = sandbox.start(only(9))
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    key = next(key for key in sandbox.objects() if run.name in key and key.endswith("batch.json"))
    whole = sandbox.objects()[key]
    bucket = sandbox.stack.resources["RunsBucket"].ref
    s3 = sandbox.aws.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=whole.replace(b"30000", b"40000"))
    altered = posted(sandbox, link, "approve", {"invoices": "1"})
    s3.delete_object(Bucket=bucket, Key=key)
    gone = posted(sandbox, link, "approve", {"invoices": "1"})
    for page in (altered, gone):
        assert page.status == 500
        assert "Traceback" not in page.html
    assert _votes(sandbox, run.name) == 0
    s3.put_object(Bucket=bucket, Key=key, Body=whole)
    assert posted(sandbox, link, "approve", {"invoices": "1"}).status == 200
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"


def _token(sandbox: Sandbox, run: Run) -> str:
    for event in reversed(sandbox.history(run)):
        parameters = event.get("taskScheduledEventDetails", {}).get("parameters", "")
        if "taskToken" in parameters:
            return str(json.loads(parameters)["Payload"]["taskToken"])
    raise AssertionError("the run has no task token")


def _votes(sandbox: Sandbox, run_name: str) -> int:
    rows = sandbox.tables()["ApprovalsTable"]
    return sum(1 for row in rows if run_name in str(row["pk"]) and str(row["sk"]).startswith("VOTE"))
