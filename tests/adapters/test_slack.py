"""Slack over real HTTP: one message a run, found again when it is not known whether it was posted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import BackoffRetryIntervalCalculator

from billing.adapters.slack import Slack, slack_client
from billing.domain.errors import PassingError, PersonNeeded
from tests.sandbox.faults import Answer, DropAfter, DropBefore
from tests.sandbox.slack import Refuse, SlackServer

NOW = 1_780_300_800.0
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "36 invoices"}}]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    monkeypatch.setattr(BackoffRetryIntervalCalculator, "calculate_sleep_duration", lambda *_: 0)
    monkeypatch.setattr(
        RateLimitErrorRetryHandler,
        "prepare_for_next_attempt",
        lambda self, *, state, **_: state.increment_current_attempt(),
    )
    with SlackServer(lambda: NOW) as running:
        yield running
        assert running.errors == []


def slack(server: SlackServer, channel: str = "C0BILLING1", token: str = "xoxb-1") -> Slack:
    return Slack(slack_client(token, f"{server.url}/api"), channel)


def test_a_message_is_posted_and_found_by_its_id(server: SlackServer) -> None:
    assert not slack(server).has("run-1/0-billed", NOW - 60)
    slack(server).post("run-1/0-billed", "36 invoices", BLOCKS)
    (post,) = server.posts
    assert (post.text, post.blocks) == ("36 invoices", BLOCKS)
    assert slack(server).has("run-1/0-billed", NOW - 60)
    assert not slack(server).has("run-1/1-billed", NOW - 60)
    assert not slack(server).has("run-1/0-billed", NOW + 60), "nothing older than asked for"


def test_a_message_is_found_among_hundreds(server: SlackServer) -> None:
    slack(server).post("run-1/0", "first", BLOCKS)
    for number in range(450):
        server._post({"channel": "C0BILLING1", "text": f"chatter {number}"})
    assert slack(server).has("run-1/0", NOW - 60)


@pytest.mark.parametrize(
    "fault",
    [
        Refuse("ratelimited", 429, {"Retry-After": "1"}),
        Refuse("fatal_error"),
        Refuse("internal_error"),
        Answer(500),
        Answer(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
        Answer(503, json.dumps({"ok": False, "error": "service_unavailable"}).encode()),
        Answer(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}),
        DropBefore(),
        DropAfter(),
    ],
)
def test_what_can_pass_is_a_passing_error(server: SlackServer, fault: Any) -> None:
    server.faults.add(action=fault, times=None)
    with pytest.raises(PassingError):
        slack(server).post("run-1/0", "x", BLOCKS)
    with pytest.raises(PassingError):
        slack(server).has("run-1/0", NOW)


@pytest.mark.parametrize("channel", ["C0PRIVATE1", "C0ARCHIVE1", "C0UNKNOWN1"])
def test_a_channel_that_refuses_needs_a_person(server: SlackServer, channel: str) -> None:
    with pytest.raises(PersonNeeded, match="check the bot's token"):
        slack(server, channel).post("run-1/0", "x", BLOCKS)


def test_a_token_that_is_refused_needs_a_person_and_is_not_shown(server: SlackServer) -> None:
    with pytest.raises(PersonNeeded, match="invalid_auth") as refused:
        slack(server, token="nonsense-token").post("run-1/0", "x", BLOCKS)
    assert "nonsense" not in str(refused.value)


def test_a_bot_that_may_not_read_the_history_says_no_instead_of_failing(server: SlackServer) -> None:
    server.faults.add(path="history", action=Refuse("missing_scope"))
    assert slack(server).has("run-1/0", NOW) is False
