"""The hourly watch counts what is silent, and what it cannot read keeps it from nothing else; an alarm is told once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.alarm_notice import AlarmNotice, alarm_notices
from billing.domain.doctor.netsuite import CertificateFound
from billing.domain.doctor.watched import RunningRun, ScheduleSeen, StartedRun
from billing.domain.errors import PassingError, PersonNeeded
from billing.pages.report.alarm_message import alarm_post
from billing.workflows.operations.tell_of_the_alarm import TellingOfTheAlarm
from billing.workflows.operations.watch_the_stack import (
    Measure,
    backlog_measure,
    certificate_measure,
    running_measure,
    schedule_measure,
    watch_the_stack,
)
from tests.adapters.aws_world import RUNS, AwsWorld
from tests.workflows.test_tell_the_team import Channel

NOW = datetime(2026, 6, 20, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
WEEK = 7 * 86_400


@contextmanager
def unnamed() -> Iterator[None]:
    yield


@dataclass
class Runs:
    listed: list[RunningRun] = field(default_factory=list)
    started: list[StartedRun] = field(default_factory=list)

    def running(self) -> Iterator[RunningRun]:
        yield from self.listed

    def started_since(self, moment: datetime) -> Iterator[StartedRun]:
        return (one for one in self.started if one.started >= moment)


def test_runs_that_wait_too_long_are_counted_among_those_that_run() -> None:
    runs = Runs([RunningRun("old", NOW - timedelta(days=9)), RunningRun("new", NOW - timedelta(hours=1))])
    assert running_measure(runs, NOW, WEEK) == {"runsRunning": 2, "runsOverdue": 1}


def test_a_schedule_that_was_turned_off_outside_of_the_stack_counts_as_missed() -> None:
    def seen(enabled: bool) -> ScheduleSeen:
        return ScheduleSeen("cron(0 9 1 * ? *)", ZONE, enabled, datetime(2026, 1, 1, tzinfo=UTC))

    first = datetime(2026, 6, 1, 13, tzinfo=UTC)
    ran = Runs(started=[StartedRun("june", first, {"scheduledAt": "2026-06-01T13:00:00Z"})])
    assert schedule_measure(seen(True), True, ran, NOW, "monthly") == {"schedulesMissed": 0}
    assert schedule_measure(seen(True), True, Runs(), NOW, "monthly") == {"schedulesMissed": 1}
    assert schedule_measure(seen(False), True, ran, NOW, "monthly") == {"schedulesMissed": 1}
    assert schedule_measure(seen(False), False, Runs(), NOW, "monthly") == {"schedulesMissed": 0}


def test_the_certificates_days_go_below_zero_and_one_of_another_key_has_none() -> None:
    def found(ends: date, of_the_key: bool = True) -> CertificateFound:
        return CertificateFound(date(2025, 1, 1), ends, of_the_key)

    assert certificate_measure(found(date(2026, 7, 4)), NOW) == {"certificateDaysLeft": 14}
    assert certificate_measure(found(date(2026, 6, 18)), NOW) == {"certificateDaysLeft": -2}
    assert certificate_measure(found(date(2027, 6, 18), of_the_key=False), NOW) == {"certificateDaysLeft": 0}
    assert certificate_measure(None, NOW) == {}, "silence, not a number that was made up"


@dataclass
class ListedBell:
    held_since: str


def test_what_is_parked_over_a_night_is_counted_apart() -> None:
    parked = [ListedBell((NOW - timedelta(hours=hours)).isoformat()) for hours in (1, 25, 27, 80)]
    assert backlog_measure([*parked, ListedBell("")], [ListedBell("")], NOW) == {
        "settlementsParked": 5,
        "settlementsLongParked": 2,
        "settlementsHeld": 1,
    }


def test_a_measure_that_cannot_be_taken_is_counted_and_the_others_are_taken() -> None:
    def denied() -> Mapping[str, int]:
        raise PersonNeeded("no")

    told: list[str] = []
    measures = [Measure("first", denied), Measure("second", lambda: {"runsRunning": 3})]
    answer = watch_the_stack(measures, unnamed, lambda name, error: told.append(f"{name} {type(error).__name__}"))
    assert answer == {"counts": {"runsRunning": 3, "measuresMissing": 1}}
    assert told == ["first PersonNeeded"]


# --- alarms --------------------------------------------------------------------------------------------------------


def message(at: str = "t1", **more: Any) -> str:
    said = {
        "AlarmName": "stack-RunFailedAlarm-1",
        "AlarmDescription": "It <ended> red. Runbook: docs/runbook/alarms/RunFailedAlarm.md",
        "NewStateValue": "ALARM",
        "StateChangeTime": at,
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:1:alarm:x",
    }
    return json.dumps({**said, **more})


@dataclass
class Told:
    messages: MessageLog
    channel: Channel = field(default_factory=Channel)

    def tell(self, *messages: str) -> dict[str, int]:
        def write(notice: AlarmNotice) -> tuple[str, list[dict[str, Any]]]:
            return alarm_post(notice, "https://runbook.example/", "https://console.example").content

        return TellingOfTheAlarm(self.messages, lambda: self.channel, write, NOW).tell(alarm_notices(messages))


@pytest.fixture
def told(aws: AwsWorld) -> Told:
    return Told(MessageLog(aws.dynamodb, RUNS))


def test_an_alarm_is_told_once_and_each_change_of_its_state_by_itself(told: Told) -> None:
    assert told.tell(message(), message()) == {"alarmsTold": 1}
    assert told.tell(message()) == {"alarmsTold": 0}
    assert told.tell(message("t2"), message("t3", NewStateValue="OK")) == {"alarmsTold": 2}
    assert len(told.channel.posts) == 3


def test_one_that_was_posted_when_the_answer_was_lost_is_not_posted_again(told: Told) -> None:
    told.channel.fails, told.channel.arrives = PassingError("no answer"), True
    with pytest.raises(PassingError):
        told.tell(message())
    told.channel.fails = None
    assert told.tell(message()) == {"alarmsTold": 0}
    assert len(told.channel.posts) == 1


def test_what_else_is_published_to_the_topic_is_left_alone_and_stops_nothing(told: Told) -> None:
    assert told.tell("hello", "[]", "{}", message()) == {"alarmsTold": 1}


def test_the_post_leads_to_the_runbook_and_escapes_what_it_quotes() -> None:
    (notice,) = alarm_notices([message()])
    linked = json.dumps(alarm_post(notice, "https://runbook.example/docs/", "https://console.example").blocks)
    assert "<https://runbook.example/docs/alarms/RunFailedAlarm.md|Runbook>" in linked
    assert "<https://console.example|Alarm>" in linked
    assert "It &lt;ended&gt; red." in linked
    assert "docs/runbook/alarms/RunFailedAlarm.md" in json.dumps(alarm_post(notice, "", "").blocks)
