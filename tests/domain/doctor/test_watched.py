"""A run that the schedule owes is missed, and a run that waits longer than it may is overdue. Times are worked out by
hand: 09:00 in New York is 13:00 UTC in summer and 14:00 in winter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.domain.doctor.schedule import ScheduleInvalid
from billing.domain.doctor.watched import RunningRun, ScheduleSeen, StartedRun, is_missed, overdue, owed_since

ZONE = ZoneInfo("America/New_York")
MONTHLY = "cron(0 9 1 * ? *)"
FIRST = datetime(2026, 6, 1, 13, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
WEEK = 7 * 86_400


def seen(expression: str = MONTHLY, *, changed: datetime = LONG_AGO, enabled: bool = True) -> ScheduleSeen:
    return ScheduleSeen(expression, ZONE, enabled, changed)


@pytest.mark.parametrize(
    ("now", "owed"),
    [
        (FIRST + timedelta(hours=7), FIRST),
        (FIRST + timedelta(hours=6, minutes=59), datetime(2026, 5, 1, 13, tzinfo=UTC)),
        (datetime(2026, 6, 30, tzinfo=UTC), FIRST),
        (datetime(2026, 12, 1, 20, 59, tzinfo=UTC), datetime(2026, 11, 1, 14, tzinfo=UTC)),
        (datetime(2026, 12, 1, 21, tzinfo=UTC), datetime(2026, 12, 1, 14, tzinfo=UTC)),
    ],
)
def test_a_run_is_owed_seven_hours_after_its_time_for_scheduler_tries_for_six(now: datetime, owed: datetime) -> None:
    assert owed_since(seen(), now) == owed


def test_what_lay_before_the_schedule_was_made_or_changed_is_not_owed() -> None:
    later = datetime(2026, 6, 20, tzinfo=UTC)
    assert owed_since(seen(changed=FIRST), later) is None
    assert owed_since(seen(changed=FIRST - timedelta(seconds=1)), later) == FIRST


def test_a_schedule_that_is_off_or_counts_from_its_making_owes_nothing() -> None:
    now = datetime(2026, 6, 20, tzinfo=UTC)
    assert owed_since(seen(enabled=False), now) is None
    assert owed_since(seen("rate(1 day)"), now) is None
    assert owed_since(seen("at(2026-06-01T09:00:00)"), now) == FIRST
    assert owed_since(seen("at(2026-07-01T09:00:00)"), now) is None
    with pytest.raises(ScheduleInvalid):
        owed_since(seen("cron(0 9 1 * *)"), now)


def run(given: Any, started: datetime = FIRST) -> StartedRun:
    return StartedRun("run", started, given)


@pytest.mark.parametrize(
    "given",
    [
        {"scheduledAt": "2026-06-01T13:00:00Z"},
        {"period": "2026-05"},
        {"scheduledAt": "2026-06-01T13:00:00Z", "filter": {"subsidiaries": ["3"]}},
        {"scheduledAt": "2026-06-01T13:00:00Z", "fliter": {}},  # it has failed, and was heard of
    ],
)
def test_a_run_of_the_month_answers_the_schedule(given: dict[str, Any]) -> None:
    assert not is_missed(FIRST, [run({"period": "2026-04"}), run(given)], ZONE, "monthly")


@pytest.mark.parametrize(
    "given",
    [
        {"period": "2026-05", "dryRun": True},
        {"period": "2026-05", "filter": {"orderNumbers": ["SO-1"]}},
        {"period": "2026-05", "filter": {"atMost": 5}},
        {"period": "2026-04"},
        {"period": "2026-05", "cycle": "apac"},
        {"period": "May"},
        {},
        [],
        None,
    ],
)
def test_a_dry_run_a_trial_and_another_months_run_do_not(given: Any) -> None:
    assert is_missed(FIRST, [run(given)], ZONE, "monthly")


def test_an_earlier_run_of_the_month_does_not_answer_a_later_time() -> None:
    weekly = FIRST + timedelta(days=7)
    assert is_missed(weekly, [run({"period": "2026-05"})], ZONE, "monthly")
    assert is_missed(FIRST, [], ZONE, "monthly")
    assert not is_missed(FIRST, [run({"period": "2026-05"}, FIRST - timedelta(seconds=20))], ZONE, "monthly")


def test_a_run_is_overdue_a_day_after_its_longest_wait_counted_from_its_last_redrive() -> None:
    now = datetime(2026, 6, 20, tzinfo=UTC)
    at_the_limit = RunningRun("may", now - timedelta(days=8))
    beyond = RunningRun("may-late", now - timedelta(days=8, seconds=1))
    redriven = RunningRun("redriven", now - timedelta(days=1))
    assert overdue([at_the_limit, beyond, redriven], now, WEEK) == ("may-late",)
