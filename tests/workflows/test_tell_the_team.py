"""Everybody hears of a run's end once, whoever else cannot be reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome
from billing.domain.approval.approvers import Slot
from billing.domain.errors import AddressRefused, PassingError, PersonNeeded
from billing.domain.mail import MailContent
from billing.domain.records import stored
from billing.domain.run import Closed
from billing.domain.runs.report import Report, RunOutcome
from billing.domain.sending import Sending
from billing.workflows.monthly_billing.tell_the_team import TellingTheTeam
from tests.a_run import a_run
from tests.adapters.aws_world import RUNS, AwsWorld
from tests.workflows.approval_world import Outbox

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
REQUEST = ApprovalRequest(
    "run-1.1", "run-1", "arn", "main", "2026-05", "k", "h", (Slot("Finance", 1, ("ann@firm.example",)),), "t", "t", 3
)
OWNER, APPROVER = "owner@firm.example", "ann@firm.example"
ASKED = ("former@firm.example", APPROVER)
"""Somebody who passed the request on, and who stands in the slot now."""


@dataclass
class Channel:
    """A Slack channel; `fails` is what each post raises, before or (with `arrives`) after it arrived."""

    posts: list[str] = field(default_factory=list)
    fails: Exception | None = None
    arrives: bool = False

    def post(self, message_id: str, text: str, blocks: Sequence[dict[str, Any]]) -> None:
        if self.fails and not self.arrives:
            raise self.fails
        self.posts.append(message_id)
        if self.fails:
            raise self.fails

    def has(self, message_id: str, oldest: float) -> bool:
        return message_id in self.posts


class Files:
    def __init__(self, outcome: RunOutcome) -> None:
        decided = RecordedOutcome(str(outcome), "why", "t")
        self.report = Report(a_run(), outcome, "", "", (), 0, {}, {}, decided, (), None, request=REQUEST, asked=ASKED)

    def read_json(self, key: str, sha256: str | None = None) -> Any:
        return stored(self.report)


@dataclass
class Team:
    aws: AwsWorld
    channel: Channel = field(default_factory=Channel)
    outbox: Outbox = field(default_factory=Outbox)

    def tell(
        self, outcome: RunOutcome = RunOutcome.BILLED, redrives: int = 0, open_channel: Callable[[], Any] | None = None
    ) -> dict[str, int]:
        return TellingTheTeam(
            [OWNER],
            Files(outcome),
            MessageLog(self.aws.dynamodb, RUNS),
            open_channel or (lambda: self.channel),
            self.outbox,
            lambda _: ("text", []),
            lambda _: MailContent("s", "t", "h"),
            lambda report, to: MailContent(f"ended for {to}", "t", "h"),
            NOW,
        ).tell(a_run(), Closed(str(outcome), "", "", {}, "report.json", redrives))


@pytest.fixture
def team(aws: AwsWorld) -> Team:
    return Team(aws)


def test_slack_and_the_owners_hear_once_however_often_the_state_is_repeated(team: Team) -> None:
    for _ in range(3):
        assert team.tell() == {"told": 4, "untold": 0}
    assert len(team.channel.posts) == 1
    assert team.outbox.receivers == [OWNER, *ASKED]


@pytest.mark.parametrize(
    "outcome",
    [RunOutcome.REJECTED, RunOutcome.EXPIRED, RunOutcome.UNDELIVERABLE, RunOutcome.BILLED, RunOutcome.MISSING],
)
def test_however_it_ended_everybody_who_was_asked_hears_the_result_and_nobody_twice(
    team: Team, outcome: RunOutcome
) -> None:
    for _ in range(2):
        team.tell(outcome)
    assert team.outbox.receivers == [OWNER, *ASKED]


def test_a_redriven_runs_new_end_is_told_anew(team: Team) -> None:
    team.tell(RunOutcome.MISSING)
    team.tell(RunOutcome.BILLED, redrives=1)
    assert len(set(team.channel.posts)) == 2
    assert team.outbox.receivers == [OWNER, *ASKED] * 2


def test_slack_being_down_keeps_no_mail_back_and_is_tried_again(team: Team) -> None:
    team.channel.fails = PassingError("Slack is down")
    with pytest.raises(PassingError, match="Slack is down"):
        team.tell()
    assert team.outbox.receivers == [OWNER, *ASKED]
    team.channel.fails = None
    assert team.tell() == {"told": 4, "untold": 0}
    assert len(team.channel.posts) == 1
    assert len(team.outbox.mails) == 3


def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(team: Team) -> None:
    team.channel.fails, team.channel.arrives = PassingError("no answer"), True
    with pytest.raises(PassingError):
        team.tell()
    team.channel.fails = None
    team.tell()
    assert len(team.channel.posts) == 1


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue"),  # type: ignore[typeddict-item]
        RuntimeError("a bug in the blocks"),
        PersonNeeded("no such channel"),
    ],
)
def test_whatever_keeps_slack_from_hearing_the_owners_hear(team: Team, error: Exception) -> None:
    """Its secret may be gone, its message malformed: the run's end is told all the same."""

    def closed() -> Any:
        raise error

    with pytest.raises(type(error)):
        team.tell(open_channel=closed)
    assert team.outbox.receivers == [OWNER, *ASKED]


def test_what_can_pass_is_raised_before_what_cannot(team: Team) -> None:
    """Only a PassingError is retried, and then both are tried again."""
    team.channel.fails = PersonNeeded("no such channel")
    team.outbox.refuses[OWNER] = PassingError("SES is tired")
    with pytest.raises(PassingError):
        team.tell()
    team.outbox.refuses.clear()
    with pytest.raises(PersonNeeded):
        team.tell()
    assert team.outbox.receivers == [*ASKED, OWNER]


def test_a_log_that_is_throttled_keeps_nobody_else_from_hearing(aws: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    team = Team(aws)
    real = MessageLog.begin

    def throttled(self: MessageLog, owner: str, what: str, at: str) -> Sending:
        if what.startswith("slack"):
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")  # type: ignore[typeddict-item]
        return real(self, owner, what, at)

    monkeypatch.setattr(MessageLog, "begin", throttled)
    with pytest.raises(ClientError):
        team.tell()
    assert team.outbox.receivers == [OWNER, *ASKED]


def test_a_notice_to_an_address_that_ses_refuses_is_no_error_of_the_run(team: Team) -> None:
    """The run has ended because of it, and everybody knows."""
    team.outbox.refuses[APPROVER] = AddressRefused("Illegal address")
    assert team.tell(RunOutcome.UNDELIVERABLE) == {"told": 3, "untold": 1}
    assert team.outbox.receivers == [OWNER, ASKED[0]]


def test_an_owners_address_that_ses_refuses_is_shown(team: Team) -> None:
    team.outbox.refuses[OWNER] = AddressRefused("Illegal address")
    with pytest.raises(PersonNeeded, match="OwnerEmails"):
        team.tell(RunOutcome.UNDELIVERABLE)
    assert team.outbox.receivers == [*ASKED]
