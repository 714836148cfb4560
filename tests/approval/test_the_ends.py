"""Expired, reminded, escalated, undeliverable: each played through with its mails and posts."""

from __future__ import annotations

import json
from typing import Any

from tests.approval.asked import ANN, BOB, CY, DI, asked_of, links, mails_of, post, requests_of, slept, until
from tests.runs.firm import PERIOD
from tests.runs.story import SECONDS, entered, in_slack, live
from tests.sandbox import Run, Sandbox
from tests.sandbox.aws.errors import SandboxError

MINUTE = 60
DAY = 86_400


def test_reminded_twice_and_then_expired_with_its_own_notices() -> None:
    waiting = {"ReminderIntervalSeconds": str(2 * DAY), "ApprovalTimeoutSeconds": str(5 * DAY)}
    with asked_of(f"{ANN}; Controller: {BOB}", **waiting) as sandbox:
        run = sandbox.start({"period": PERIOD})
        sandbox.wait_for_approval(run, SECONDS)
        assert post(sandbox, links(sandbox, run)[BOB], "approve", invoices="3").status == 200
        for turn in (2, 3):
            sandbox.clock.advance(2 * DAY + MINUTE)
            slept(sandbox, run, turn)
        sandbox.clock.advance(DAY)
        result = sandbox.wait_for_end(run, SECONDS)
        assert (result.status, result.error) == ("FAILED", "ApprovalExpired")
        assert live(sandbox) == []
        names = entered(sandbox, run)
        assert names.count("Remind the approvers") == 2
        mails = mails_of(sandbox, run)
        reminders = [mail for mail in mails if mail.subject.startswith("Reminder")]
        assert [mail.to[0] for mail in reminders] == [ANN, ANN], "whoever has signed is left alone"
        for mail, left in zip(reminders, ("2 days 23 hours left, until", "23 hours 5"), strict=True):
            assert left in " ".join(mail.text.split())
        ended = {mail.to[0]: mail for mail in mails if mail.subject.startswith("Expired")}
        assert set(ended) == {ANN, BOB}
        assert "not rejected" in ended[ANN].text
        said = in_slack(sandbox)
        assert "Approval is asked for 3 invoices for May 2026" in said
        assert "/approvals/" not in said, "no link of the channel can decide"
        assert "expired" in said
        record = [(line["who"], line["what"]) for line in sandbox.report(run)["record"]]
        assert (ANN, "was reminded (1)") in record
        assert (ANN, "was reminded (2)") in record
        assert record[-1] == ("", "ended as expired")
        late = post(sandbox, links(sandbox, run)[ANN], "approve", invoices="3")
        assert "Expired" in late.text
        redriven = sandbox.redrive(run)
        asked = sandbox.wait_for_approval(redriven, SECONDS)
        assert {mail.to[0] for mail in asked} == {ANN, BOB}, "redriven, it asks anew under a new number"
        assert {str(row["pk"]).rpartition(".")[2] for row in requests_of(sandbox, run) if row["sk"] == "REQUEST"} == {
            "1",
            "2",
        }
        for address, link in links(sandbox, redriven).items():
            assert post(sandbox, link, "approve", invoices="3").status == 200, address
        assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
        assert len(live(sandbox)) == 3


def test_deputies_are_asked_when_nobody_answers_and_can_sign() -> None:
    settings = {"EscalationAfterSeconds": str(DAY), "Deputies": f"{CY}, {DI}", "ReminderIntervalSeconds": "0"}
    with asked_of(f"Lead: {ANN}; Controller: {BOB}", **settings) as sandbox:
        run = sandbox.start({"period": PERIOD})
        sandbox.wait_for_approval(run, SECONDS)
        first = links(sandbox, run)
        assert set(first) == {ANN, BOB}
        post(sandbox, first[BOB], "approve", invoices="3")
        sandbox.clock.advance(DAY + MINUTE)
        until(lambda: {CY, DI} <= set(links(sandbox, run)))
        assert entered(sandbox, run).count("Ask the deputies") == 1
        assert post(sandbox, links(sandbox, run)[CY], "approve", invoices="3").status == 200
        assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
        record = [line["what"] for line in sandbox.report(run)["record"]]
        assert f"asked {CY}, {DI} as well; waiting: Lead" in record
        assert len(live(sandbox)) == 3


def test_a_bounce_is_told_and_ends_the_run_at_once_when_a_slot_is_lost() -> None:
    with asked_of(f"Lead: {ANN}, {BOB}; Controller: {CY}") as sandbox:
        run = sandbox.start({"period": PERIOD})
        sandbox.wait_for_approval(run, SECONDS)
        posts = len(sandbox.posts())
        assert sandbox.invoke("NoteTheBounceFunction", bounced(sandbox, run, ANN, "Transient")) == {"bounces": 0}
        report(sandbox, bounced(sandbox, run, ANN))
        until(lambda: sorted(m.to[0] for m in mails_of(sandbox, run) if "cannot be reached" in m.subject) == [BOB, CY])
        until(lambda: len(sandbox.posts()) > posts)
        assert ANN in in_slack(sandbox, posts)
        assert sandbox.result(run).status == "RUNNING", "Bob can still sign for Ann's slot"
        report(sandbox, bounced(sandbox, run, CY))
        result = sandbox.wait_for_end(run, SECONDS)
        assert (result.status, result.error) == ("FAILED", "ApprovalUndeliverable")
        ended = [mail for mail in mails_of(sandbox, run) if mail.subject.startswith("Undeliverable")]
        assert {mail.to[0] for mail in ended} == {ANN, BOB, CY}
        assert "cannot be reached" in in_slack(sandbox)
        assert live(sandbox) == []
        assert sandbox.report(run)["outcome"] == "undeliverable"


def report(sandbox: Sandbox, event: dict[str, Any]) -> None:
    """SNS calls the function, and Lambda calls it again if it fails."""

    def called() -> bool:
        try:
            sandbox.invoke("NoteTheBounceFunction", event)
        except SandboxError as error:
            if "PassingError" not in str(error):
                raise
            return False
        return True

    until(called)


def bounced(sandbox: Sandbox, run: Run, person: str, kind: str = "Permanent") -> dict[str, Any]:
    """What SNS hands over when a mail of this run to this person bounces, made from the tags that the mail carried."""
    sent = next(
        mail.parameters
        for mail in sandbox.aws.door.mails[run.mails_before :]
        if mail.parameters["Destination"]["ToAddresses"] == [person]
    )
    tags = {tag["Name"]: [tag["Value"]] for tag in sent["EmailTags"]}
    message = {
        "eventType": "Bounce",
        "mail": {"tags": tags},
        "bounce": {"bounceType": kind, "bounceSubType": "General"},
    }
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(message)}}]}
