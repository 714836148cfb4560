"""Expired, reminded, escalated: each played through with its mails and posts. Undeliverable: test_lost_mail_played."""

from __future__ import annotations

from tests.approval.asked import ANN, BOB, CY, DI, asked_of, links, mails_of, post, requests_of, slept, until
from tests.approval.transcript import transcribe
from tests.played.firm import PERIOD
from tests.played.story import SECONDS, entered, in_slack, live

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
        reminders = [mail for mail in mails if mail.subject.startswith(("Reminder", "Urgent reminder"))]
        assert [mail.to[0] for mail in reminders] == [ANN, ANN], "whoever has signed is left alone"
        for mail, left in zip(reminders, ("2 days 23 hours left.", "23 hours 5"), strict=True):
            assert left in " ".join(mail.text.split())
        ended = {mail.to[0]: mail for mail in mails if mail.subject.startswith("Expired")}
        assert set(ended) == {ANN, BOB}
        assert "not rejected" in ended[ANN].text
        said = in_slack(sandbox)
        assert "Approval requested: 3 invoices for May 2026" in said
        assert "/approvals/" not in said, "no link of the channel can decide"
        assert "expired" in said
        record = [(line["who"], line["what"]) for line in sandbox.report(run)["record"]]
        assert (ANN, "was reminded (1)") in record
        assert (ANN, "was reminded (2)") in record
        assert record[-1] == ("", "ended as expired")
        shown = transcribe(sandbox, run, "reminded-twice-and-expired")
        assert shown.lower().count("reminder: ") == 2
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
