"""Mail that does not arrive, played from SendEmail through SES's event, SNS and Lambda to the run's end.

The approval's time-out is the default of seven days: whatever ends here, ended long before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.approval.asked import ANN, BOB, CY, asked_of, links, mails_of, post, requests_of, until
from tests.played.firm import only
from tests.played.story import SECONDS, entered, in_slack, live, stop_everything
from tests.sandbox import Mail, Run, Sandbox

NOTED = "NoteTheBounceFunction"


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    with asked_of(f"Lead: {ANN}, {BOB}; Controller: {CY}", orders=20) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    for address in (ANN, BOB, CY):
        opened.ses.works(address)
    stop_everything(opened)


def asked(sandbox: Sandbox, place: int) -> Run:
    """A run about one order, which has asked everybody whom mail reaches and waits."""
    run = sandbox.start(only(place))
    sandbox.wait_for_approval(run, SECONDS)
    return run


def heard_of(sandbox: Sandbox, run: Run, lost: str) -> list[str]:
    """Who was mailed that somebody cannot be reached."""
    mails = [mail for mail in mails_of(sandbox, run) if "is bouncing" in mail.subject and lost in mail.text]
    return sorted(mail.to[0] for mail in mails)


def bounces(sandbox: Sandbox, run: Run) -> list[tuple[str, str]]:
    """(kind, detail) of every bounce that is on record."""
    rows = [row for row in requests_of(sandbox, run) if str(row["sk"]).startswith("BOUNCE#")]
    return [(str(row["kind"]), str(row["detail"])) for row in rows]


def calls(sandbox: Sandbox) -> int:
    """How often the function that hears of lost mail has done its work."""
    return sum(1 for _, line in sandbox.logs(NOTED) if '"message":"done"' in line)


def first_mail(sandbox: Sandbox, run: Run, person: str) -> Mail:
    return next(mail for mail in mails_of(sandbox, run) if mail.to == (person,))


def signed(sandbox: Sandbox, run: Run, *people: str) -> None:
    for person in people:
        assert post(sandbox, links(sandbox, run)[person], "approve", invoices="1").status == 200


def approved(sandbox: Sandbox, run: Run, place: int) -> None:
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, place)) == 1


def undeliverable(sandbox: Sandbox, run: Run, place: int, posts: int) -> dict[str, Any]:
    """It ended so, everybody heard, and nothing was drafted. The report."""
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "ApprovalUndeliverable")
    assert live(sandbox, place) == []
    assert "the approvers cannot be reached, nothing was drafted" in in_slack(sandbox, posts)
    report = sandbox.report(run)
    assert report["outcome"] == "undeliverable"
    return report


def closed_for(sandbox: Sandbox, run: Run) -> list[str]:
    return sorted(mail.to[0] for mail in mails_of(sandbox, run) if mail.subject.startswith("Undeliverable"))


@pytest.mark.parametrize(
    ("place", "failure", "kind", "detail"),
    [
        (1, "permanent", "bounce", "General"),
        (2, "suppressed", "bounce", "OnAccountSuppressionList"),
        (3, "reject", "reject", "Bad content"),
    ],
)
def test_one_of_two_is_lost_the_others_and_slack_hear_and_the_run_is_approved(
    sandbox: Sandbox, place: int, failure: Any, kind: str, detail: str
) -> None:
    posts = len(sandbox.posts())
    sandbox.ses.fails(ANN, failure)
    run = asked(sandbox, place)
    until(lambda: heard_of(sandbox, run, ANN) == [BOB, CY])
    until(lambda: f"Email to {ANN} (Lead) is bouncing" in in_slack(sandbox, posts))
    event = next(event for event in sandbox.ses.events if event.message_id == first_mail(sandbox, run, ANN).message_id)
    assert (event.heard, event.lost) == ((NOTED,), ())
    assert bounces(sandbox, run) == [(kind, detail)]
    assert sandbox.result(run).status == "RUNNING", "the other one can sign for the slot"
    signed(sandbox, run, BOB, CY)
    approved(sandbox, run, place)
    record = [(line["who"], line["what"]) for line in sandbox.report(run)["record"]]
    assert (ANN, f"could not be reached by mail ({kind})") in record


def test_everybody_of_a_slot_is_lost_and_the_run_ends_at_once(sandbox: Sandbox) -> None:
    posts = len(sandbox.posts())
    sandbox.ses.fails(ANN, "permanent")
    sandbox.ses.fails(BOB, "suppressed")
    run = sandbox.start(only(4))
    report = undeliverable(sandbox, run, 4, posts)
    assert closed_for(sandbox, run) == [ANN, BOB, CY]
    assert "Lead" in report["decision"]["reason"]


def test_a_complaint_of_somebody_who_has_signed_changes_nothing(sandbox: Sandbox) -> None:
    run = asked(sandbox, 5)
    signed(sandbox, run, ANN)
    mails, posts, turns = len(sandbox.mails()), len(sandbox.posts()), entered(sandbox, run).count("Ask for approval")
    sandbox.ses.reports(first_mail(sandbox, run, ANN), "complaint")
    until(lambda: bounces(sandbox, run) == [("complaint", "abuse")])
    until(lambda: entered(sandbox, run).count("Ask for approval") > turns and sandbox.is_waiting(run))
    assert (len(sandbox.mails()), len(sandbox.posts())) == (mails, posts), "nobody has to act, so nobody is told"
    signed(sandbox, run, CY)
    approved(sandbox, run, 5)


def test_a_mailbox_that_is_full_for_now_is_left_alone(sandbox: Sandbox) -> None:
    run = asked(sandbox, 6)
    before, done, states = sandbox.dump(), calls(sandbox), entered(sandbox, run)
    assert sandbox.ses.reports(first_mail(sandbox, run, CY), "transient").heard == (NOTED,)
    until(lambda: calls(sandbox) > done)
    assert sandbox.dump() == before
    assert entered(sandbox, run) == states
    signed(sandbox, run, BOB, CY)
    approved(sandbox, run, 6)


def test_a_report_that_sns_delivers_twice_is_noted_and_told_once(sandbox: Sandbox) -> None:
    run, done = asked(sandbox, 7), calls(sandbox)
    sandbox.ses.reports(first_mail(sandbox, run, ANN), "permanent", copies=2)
    until(lambda: calls(sandbox) >= done + 2)
    until(lambda: heard_of(sandbox, run, ANN) == [BOB, CY] and sandbox.is_waiting(run))
    assert bounces(sandbox, run) == [("bounce", "General")]
    signed(sandbox, run, BOB, CY)
    approved(sandbox, run, 7)
    assert heard_of(sandbox, run, ANN) == [BOB, CY]


def test_an_address_that_ses_refuses_counts_like_a_bounce(sandbox: Sandbox) -> None:
    posts, requests = len(sandbox.posts()), len(sandbox.requests)
    sandbox.ses.refuses(ANN, "Local address contains control or whitespace")
    run = asked(sandbox, 8)
    until(lambda: heard_of(sandbox, run, ANN) == [BOB, CY])
    until(lambda: f"Email to {ANN} (Lead) is bouncing" in in_slack(sandbox, posts))
    assert bounces(sandbox, run) == [("refused", "Local address contains control or whitespace")]
    until(lambda: sandbox.is_waiting(run))
    tried = [one.status for one in sandbox.requests[requests:] if one.service == "sesv2" and ANN in one.body]
    assert tried == [400], "it is not tried again in every turn of the waiting"
    signed(sandbox, run, BOB, CY)
    approved(sandbox, run, 8)


def test_a_slot_whose_only_address_is_refused_ends_the_run_at_once(sandbox: Sandbox) -> None:
    posts = len(sandbox.posts())
    sandbox.ses.refuses(CY, "Domain contains illegal character")
    run = sandbox.start(only(9))
    report = undeliverable(sandbox, run, 9, posts)
    assert closed_for(sandbox, run) == [ANN, BOB], "a notice to the refused address stops nobody else's"
    assert "Controller" in report["decision"]["reason"]
    assert "could not be reached by mail (refused)" in [line["what"] for line in report["record"]]
    told = [json.loads(text) for text in outputs(sandbox, run, "Tell the team")]
    assert [answer["told"].get("untold") for answer in told] == [1]


UNVERIFIED = "Email address is not verified. The following identities failed the check in region US-EAST-1: "


def test_a_refusal_that_is_not_the_addresss_fault_is_an_error_of_the_run(sandbox: Sandbox) -> None:
    """An account in SES's sandbox, in which not every approver is verified: a person has to act, nobody is "lost"."""
    sandbox.ses.refuses(CY, UNVERIFIED + CY, "MessageRejected")
    run = sandbox.start(only(10))
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "PersonNeeded")
    assert "verified" in (result.cause or "")
    assert bounces(sandbox, run) == []
    assert live(sandbox, 10) == []


def test_without_somebody_whom_a_slot_does_not_need_the_run_goes_on(sandbox: Sandbox) -> None:
    sandbox.ses.refuses(ANN, UNVERIFIED + ANN, "MessageRejected")
    run = asked(sandbox, 11)
    assert bounces(sandbox, run) == []
    signed(sandbox, run, BOB, CY)
    approved(sandbox, run, 11)


def outputs(sandbox: Sandbox, run: Run, state: str) -> list[str]:
    """What a state left, each time it was left."""
    events = [event.get("stateExitedEventDetails", {}) for event in sandbox.history(run)]
    return [str(event["output"]) for event in events if event.get("name") == state]
