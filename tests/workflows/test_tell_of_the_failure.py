"""A run that could not be opened or closed is heard of, whatever else is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.errors import ENDS, PassingError, PersonNeeded
from billing.domain.run import read_stopped
from billing.domain.runs.failure_notice import FailureNotice, failure_notice
from billing.pages.report.failure_messages import failure_mail, failure_post
from billing.workflows.monthly_billing.stop_the_run import stop_the_run
from billing.workflows.monthly_billing.tell_of_the_failure import Telling
from tests.adapters.aws_world import RUNS, AwsWorld
from tests.workflows.approval_world import Outbox
from tests.workflows.test_tell_the_team import Channel

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
OWNERS = ("owner@firm.example", "second@firm.example")
CONSOLE = "https://console.example/#/v2/executions/details/arn"


def notice(state: str = "Close the run", error: str = "PersonNeeded", redrives: int = 0) -> FailureNotice:
    return FailureNotice("run-1", "arn", state, error, "The role may not call PutObject.", redrives)


class NoTable:
    """DynamoDB is what failed."""

    def begin(self, owner: str, what: str, at: str) -> Any:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    def finish(self, owner: str, what: str, at: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateItem")


@dataclass
class Team:
    messages: Any
    channel: Channel = field(default_factory=Channel)
    outbox: Outbox = field(default_factory=Outbox)

    def tell(self, told: FailureNotice | None = None, channel: Callable[[], Any] | None = None) -> dict[str, int]:
        def write(one: FailureNotice) -> tuple[str, list[dict[str, Any]]]:
            message = failure_post(one, CONSOLE)
            return message.text, message.blocks

        return Telling(
            OWNERS, self.messages, channel or (lambda: self.channel), self.outbox,
            write, lambda one: failure_mail(one, CONSOLE), NOW,
        ).tell(told or notice())  # fmt: skip


@pytest.fixture
def team(aws: AwsWorld) -> Team:
    return Team(MessageLog(aws.dynamodb, RUNS))


def test_slack_and_every_owner_hear_once_however_often_the_state_is_repeated(team: Team) -> None:
    for _ in range(3):
        assert team.tell() == {"told": 3}
    assert len(team.channel.posts) == 1
    assert team.outbox.receivers == list(OWNERS)


def test_a_redriven_run_that_fails_again_is_told_again(team: Team) -> None:
    team.tell()
    team.tell(notice(redrives=1))
    team.tell(notice("Open the run", redrives=1))
    assert len(set(team.channel.posts)) == 3


def test_without_the_table_everybody_still_hears_and_slack_is_not_told_twice() -> None:
    team = Team(NoTable())
    for _ in range(2):
        assert team.tell() == {"told": 3}
    assert len(team.channel.posts) == 1, "it is looked at"
    assert set(team.outbox.receivers) == set(OWNERS)


def test_slack_that_is_down_keeps_no_mail_back_and_is_tried_again(team: Team) -> None:
    team.channel.fails = PassingError("Slack is down")
    with pytest.raises(PassingError):
        team.tell()
    assert team.outbox.receivers == list(OWNERS)
    team.channel.fails = None
    team.tell()
    assert len(team.channel.posts) == 1
    assert len(team.outbox.mails) == 2


def test_a_token_that_cannot_be_read_keeps_no_mail_back(team: Team) -> None:
    def broken() -> Any:
        raise PersonNeeded("The secret has no field bot_token.")

    with pytest.raises(PersonNeeded):
        team.tell(channel=broken)
    assert team.outbox.receivers == list(OWNERS)


@pytest.mark.parametrize("error", [*ENDS, "States.Timeout", "Lambda.Unknown"])
@pytest.mark.parametrize("state", ["Open the run", "Close the run"])
def test_what_is_told_names_the_run_the_state_the_error_its_cause_and_the_execution(state: str, error: str) -> None:
    told = notice(state, error)
    post = json.dumps(failure_post(told, CONSOLE).blocks, ensure_ascii=False)
    mail = failure_mail(told, CONSOLE)
    for text in (post, mail.text, mail.html):
        for part in ("run-1", state, error, "The role may not call PutObject.", CONSOLE):
            assert part in text
    assert error in mail.subject


def test_foreign_text_in_the_cause_neither_mentions_nor_links_in_slack() -> None:
    told = FailureNotice("run-1", "arn", "Open the run", "InputInvalid", "not '<!channel>' nor <https://x|y>", 0)
    text = json.dumps(failure_post(told, CONSOLE).blocks)
    assert "<!channel>" not in text
    assert "<https://x" not in text
    assert "<!channel>" not in failure_mail(told, CONSOLE).html


CAUSE = json.dumps({"errorMessage": "DynamoDB refused.", "errorType": "PersonNeeded", "stackTrace": []})


def test_the_sentence_is_read_out_of_lambdas_json_and_the_run_fails_with_it() -> None:
    closed = {"state": "Open the run", "error": "PersonNeeded", "cause": CAUSE, "redriveCount": 0}
    notice = failure_notice(read_stopped(closed), "run-1", "arn")
    assert notice.cause == "DynamoDB refused."
    assert notice.title == "A billing run could not be started: PersonNeeded"
    with pytest.raises(PersonNeeded, match=r"^DynamoDB refused\.$"):
        stop_the_run(read_stopped(closed), 0)
    assert stop_the_run(read_stopped(closed), 1) == {"again": True}
