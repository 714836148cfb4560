"""Cron expressions in a time zone, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox import SandboxError
from tests.sandbox.aws.scheduler import Cron, fill_input, occurrence


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "now", "following"),
    [
        ("cron(0 9 1 * ? *)", "America/New_York", "2026-05-20T00:00", "2026-06-01T13:00"),
        ("cron(0 9 1 * ? *)", "America/New_York", "2026-12-20T00:00", "2027-01-01T14:00"),
        ("cron(0 9 1 * ? *)", "Australia/Sydney", "2026-06-30T12:00", "2026-06-30T23:00"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),  # 29th skips 02:30
        ("cron(0 6 L * ? *)", "UTC", "2026-02-10T00:00", "2026-02-28T06:00"),
        ("cron(0 6 1W * ? *)", "UTC", "2026-07-30T00:00", "2026-08-03T06:00"),  # the 1st is a Saturday
        ("cron(0 6 ? * 2#1 *)", "UTC", "2026-06-02T00:00", "2026-07-06T06:00"),  # first Monday
        ("cron(0 6 ? * 6L *)", "UTC", "2026-06-01T00:00", "2026-06-26T06:00"),  # last Friday
        ("cron(0/20 8-9 ? * MON-FRI *)", "UTC", "2026-06-05T09:40", "2026-06-08T08:00"),
        ("cron(0 0 1 JAN,JUL ? 2028)", "UTC", "2026-06-05T00:00", "2028-01-01T00:00"),
    ],
)
def test_the_next_occurrence(expression: str, zone: str, now: str, following: str) -> None:
    assert occurrence(expression, zone, _utc(now), upcoming=True) == _utc(following)


def test_a_local_time_that_autumn_doubles_runs_once() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    times = Cron.parse("cron(30 2 * * ? *)").times_on(datetime(2026, 10, 25, tzinfo=UTC).date(), berlin)
    assert times == [_utc("2026-10-25T00:30")]


def test_the_last_occurrence_may_be_now() -> None:
    now = _utc("2026-06-01T13:00")
    assert occurrence("cron(0 9 1 * ? *)", "America/New_York", now, upcoming=False) == now
    earlier = _utc("2026-06-01T12:59")
    assert occurrence("cron(0 9 1 * ? *)", "America/New_York", earlier, upcoming=False) == _utc("2026-05-01T13:00")


def test_the_context_attributes_are_filled_in() -> None:
    text, execution_id = fill_input(
        '{"at": "<aws.scheduler.scheduled-time>", "id": "<aws.scheduler.execution-id>"}',
        "arn",
        _utc("2026-06-01T13:00"),
    )
    assert text == f'{{"at": "2026-06-01T13:00:00Z", "id": "{execution_id}"}}'


@pytest.mark.parametrize("wrong", ["cron(0 9 1 * *)", "cron(0 9 1 * 2 *)", "0 9 1 * ? *"])
def test_a_wrong_expression_is_refused(wrong: str) -> None:
    with pytest.raises(SandboxError):
        Cron.parse(wrong)
