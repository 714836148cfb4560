"""When a schedule fires: instants worked out on a calendar, by the rules of EventBridge Scheduler."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from billing.domain.doctor.finding import Verdict
from billing.domain.doctor.schedule import ScheduleInvalid, next_times
from billing.domain.doctor.schedules import monthly_finding, schedule_finding
from tests.sandbox.aws.scheduler import Cron

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
JUNE = datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)


def texts(expression: str, zone: ZoneInfo = NEW_YORK, now: datetime = JUNE, count: int = 5) -> list[str]:
    return [one.strftime("%Y-%m-%d %H:%M %z") for one in next_times(expression, zone, now, count)]


def test_the_first_of_the_month_in_the_firms_own_time() -> None:
    assert texts("cron(0 9 1 * ? *)") == [
        "2026-07-01 09:00 -0400",
        "2026-08-01 09:00 -0400",
        "2026-09-01 09:00 -0400",
        "2026-10-01 09:00 -0400",
        "2026-11-01 09:00 -0500",
    ]


def test_an_hour_that_spring_skips_is_not_run_and_one_that_autumn_doubles_is_run_once() -> None:
    before = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    assert texts("cron(30 2 * * ? *)", BERLIN, before, 3) == [
        "2026-03-28 02:30 +0100",
        "2026-03-30 02:30 +0200",
        "2026-03-31 02:30 +0200",
    ]
    autumn = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert texts("cron(30 2 * * ? *)", BERLIN, autumn, 2) == ["2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 9 L * ? *)", "2026-06-30"),
        ("cron(0 9 LW * ? *)", "2026-06-30"),
        ("cron(0 9 6W * ? *)", "2026-06-05"),  # the 6th is a Saturday
        ("cron(0 9 7W * ? *)", "2026-06-08"),  # the 7th is a Sunday
        ("cron(0 9 ? * MON#2 *)", "2026-06-08"),
        ("cron(0 9 ? * 6L *)", "2026-06-26"),  # the last Friday: Sunday is 1
        ("cron(0 9 ? * MON-FRI *)", "2026-06-02"),
        ("cron(0 9 ? * L *)", "2026-06-06"),
        ("cron(0 9 1,15 * ? *)", "2026-06-15"),
        ("cron(0 9 1 JAN,JUL ? *)", "2026-07-01"),
        ("cron(0 9 1 1/3 ? *)", "2026-07-01"),
        ("cron(0 9 29 2 ? *)", "2028-02-29"),
        ("cron(0 9 1 * ? 2027-2028)", "2027-01-01"),
        ("at(2026-06-30T09:00:00)", "2026-06-30"),
    ],
)
def test_every_form_of_a_day(expression: str, expected: str) -> None:
    (first, *_) = texts(expression)
    assert first == f"{expected} 09:00 {'-0500' if expected[5:7] in ('01', '02') else '-0400'}"


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata")])
@pytest.mark.parametrize(
    "expression", ["cron(0 9 1 * ? *)", "cron(30 2 * * ? *)", "cron(15 1,2 ? * SUN *)", "cron(5 0 L * ? *)"]
)
def test_the_sandboxs_scheduler_fires_then(expression: str, zone: ZoneInfo) -> None:
    moment, fired = datetime(2026, 3, 1, tzinfo=UTC), []
    for _ in range(12):
        moment = Cron.parse(expression).next_after(moment, zone)
        fired.append(moment)
    assert list(next_times(expression, zone, datetime(2026, 3, 1, tzinfo=UTC), 12)) == fired


@pytest.mark.parametrize(
    ("expression", "clause"),
    [
        ("cron(0 9 1 * *)", "six fields"),
        ("cron(0 9 1 * MON *)", "exactly one"),
        ("cron(0 9 ? * ? *)", "exactly one"),
        ("cron(61 9 1 * ? *)", "the minute '61'"),
        ("cron(0 24 1 * ? *)", "the hour '24'"),
        ("cron(0 9 32 * ? *)", "the day of month '32'"),
        ("cron(0 9 1 FOO ? *)", "the month 'FOO' is no number"),
        ("cron(0 9 ? * MON#6 *)", "first to fifth"),
        ("cron(0/0 9 1 * ? *)", "the minute"),
        ("rate(0 days)", "a number and minutes"),
        ("rate(1 fortnight)", "a number and minutes"),
        ("at(tomorrow)", "a local time"),
        ("every day", "neither"),
    ],
)
def test_what_the_scheduler_does_not_take_is_said(expression: str, clause: str) -> None:
    with pytest.raises(ScheduleInvalid, match=clause.replace("(", r"\(")):
        next_times(expression, NEW_YORK, JUNE)
    found = schedule_finding("schedule.sweep", "SweepSchedule", expression, NEW_YORK, JUNE)
    assert found.verdict is Verdict.WRONG
    assert clause in found.text


def test_a_schedule_that_never_fires_is_wrong() -> None:
    for expression in ("cron(0 9 31 2 ? *)", "at(2026-05-01T09:00:00)", "cron(0 9 1 * ? 2020)"):
        found = monthly_finding(expression, True, NEW_YORK, JUNE)
        assert (found.verdict, "never fires" in found.text) == (Verdict.WRONG, True)


def test_a_schedule_that_is_off_is_noted_with_its_times() -> None:
    found = monthly_finding("cron(0 9 1 * ? *)", False, NEW_YORK, JUNE)
    assert found.verdict is Verdict.NOTE
    assert "ScheduleState=DISABLED" in found.text
    assert "2026-07-01 09:00 EDT" in found.text
    assert monthly_finding("cron(0 9 31 2 ? *)", False, NEW_YORK, JUNE).verdict is Verdict.WRONG


def test_a_rate_has_no_times_of_the_clock() -> None:
    assert next_times("rate(12 hours)", NEW_YORK, JUNE) == ()
    assert schedule_finding("schedule.sweep", "SweepSchedule", "rate(12 hours)", NEW_YORK, JUNE).verdict is Verdict.NOTE
