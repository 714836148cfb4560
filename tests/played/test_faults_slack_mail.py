"""Slack or a mailbox is down after the work is done: nothing is undone, and everybody else still hears."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.played.firm import OWNER, firm, only, order
from tests.played.story import SECONDS, billed, decided, deployed, entered, live
from tests.sandbox import Run, Sandbox
from tests.sandbox.faults import DropAfter, DropBefore
from tests.sandbox.slack import Refuse

POST = "chat.postMessage"


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    with deployed(firm(order(place) for place in range(1, 20)), retry_delay_scale=0.002) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    opened.slack.faults.clear()


def _owners_heard(sandbox: Sandbox, run: Run) -> int:
    return sum(1 for mail in sandbox.mails()[run.mails_before :] if mail.to == (OWNER,))


def test_a_channel_that_refuses_leaves_the_run_succeeded_and_shows_it(sandbox: Sandbox) -> None:
    sandbox.slack.faults.add(path=POST, action=Refuse("channel_not_found"), times=None)
    run, result = billed(sandbox, only(1))
    assert result.status == "SUCCEEDED"
    assert entered(sandbox, run)[-1] == "The month is billed"
    assert sandbox.posts() == []
    assert _owners_heard(sandbox, run) == 1
    assert result.output["told"]["Error"] == "PersonNeeded"
    assert "channel_not_found" in result.output["told"]["Cause"]
    assert len(live(sandbox, 1)) == 1


def test_slack_that_is_down_for_good_never_undoes_a_run(sandbox: Sandbox) -> None:
    sandbox.slack.faults.add(action=Refuse("internal_error"), times=None)
    run, result = billed(sandbox, only(2))
    assert result.status == "SUCCEEDED"
    assert (len(live(sandbox, 2)), _owners_heard(sandbox, run)) == (1, 1)
    assert result.output["told"]["Error"] == "PassingError"


def test_a_run_that_failed_stays_failed_by_its_own_name_when_slack_is_down(sandbox: Sandbox) -> None:
    sandbox.slack.faults.add(path=POST, action=Refuse("channel_not_found"), times=None)
    run = sandbox.start(only(3))
    result = decided(sandbox, run, "reject")
    assert (result.status, result.error) == ("FAILED", "ApprovalRejected")
    assert _owners_heard(sandbox, run) == 1


@pytest.mark.parametrize(
    ("place", "action", "times"),
    [
        (4, Refuse("ratelimited", 429, {"Retry-After": "1"}), 1),
        (5, Refuse("fatal_error"), 2),
        (6, DropBefore(), 1),
        (7, DropAfter(), 1),
        (8, DropAfter(), 2),
    ],
    ids=["limited", "fault", "cut off", "posted, answer lost", "posted, answer lost twice"],
)
def test_slack_hears_exactly_once_whatever_happens_to_the_call(
    sandbox: Sandbox, place: int, action: object, times: int
) -> None:
    posts = len(sandbox.posts())
    fault = sandbox.slack.faults.add(path=POST, action=action, times=times)  # type: ignore[arg-type]
    run, result = billed(sandbox, only(place))
    assert result.status == "SUCCEEDED"
    assert fault.hits >= 1
    said = [post["text"] for post in sandbox.posts()[posts:] if run.name in json.dumps(post)]
    assert len(said) == len(set(said)) == 2, "what is asked, and how it ended"
    assert _owners_heard(sandbox, run) == 1


def test_a_sender_that_lost_its_verification_stops_the_run_before_anything_is_drafted(sandbox: Sandbox) -> None:
    sender = "billing@firm.example"
    sandbox.aws.client("sesv2").delete_email_identity(EmailIdentity=sender)
    run = sandbox.start(only(9))
    result = sandbox.wait_for_end(run, SECONDS)
    sandbox.aws.client("sesv2").create_email_identity(EmailIdentity=sender)
    assert (result.status, result.error) == ("FAILED", "PersonNeeded")
    assert "SES" in (result.cause or "")
    assert live(sandbox, 9) == []
    assert any(run.name in json.dumps(post) for post in sandbox.posts()), "Slack tells what the mail could not"
