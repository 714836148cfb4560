"""What is looked at every hour, because nothing else would tell: a run that the schedule owes, and one that waits
longer than it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.domain.doctor.schedule import last_time
from billing.domain.errors import InputInvalid
from billing.domain.runs.period import BillingPeriod
from billing.domain.runs.run_input import parse_run_input

GRACE: Final = timedelta(hours=7)
"""EventBridge Scheduler tries for six hours to start a run (template.yaml, MaximumEventAgeInSeconds)."""

WORK: Final = timedelta(hours=24)
"""What a run may take beside its waiting: reading, drafting, and the hourly look at an approval that has ended."""


@dataclass(frozen=True, slots=True)
class RunningRun:
    """An execution that runs. `since` is its start, or its last redrive."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class StartedRun:
    """An execution that was started, whatever became of it, with its input."""

    name: str
    started: datetime
    given: object


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """A schedule as EventBridge Scheduler has it. `changed` is when it was last made or changed: what it was before, it
    does not say, so nothing before counts as missed."""

    expression: str
    zone: ZoneInfo
    enabled: bool
    changed: datetime


EARLY: Final = timedelta(minutes=5)
"""By how much an execution's start may lie before the time that the schedule names."""


def overdue(running: Iterable[RunningRun], now: datetime, approval_seconds: int) -> tuple[str, ...]:
    """Names of the runs that should have ended by themselves: `approval_seconds` is the longest wait for approval."""
    longest = timedelta(seconds=approval_seconds) + WORK
    return tuple(one.name for one in running if now - one.since > longest)


def owed_since(schedule: ScheduleSeen, now: datetime) -> datetime | None:
    """The last time at which the schedule should have started a run that is by now too late to come; None if there is
    none since it was changed. A rate() says nothing of when it fires: None. Raises ScheduleInvalid."""
    if not schedule.enabled:
        return None
    return last_time(schedule.expression, schedule.zone, now - GRACE, schedule.changed)


def is_missed(owed: datetime, runs: Iterable[StartedRun], zone: ZoneInfo, cycle: str) -> bool:
    """Whether none of the runs bills what the schedule would have billed at `owed`. One that failed was heard of; a dry
    run, a run of some orders only, and one of another cycle or month are none."""
    period = BillingPeriod.before(owed, zone)
    return not any(_bills(one, period, zone, cycle) for one in runs if one.started >= owed - EARLY)


def _bills(run: StartedRun, period: BillingPeriod, zone: ZoneInfo, cycle: str) -> bool:
    if not isinstance(run.given, Mapping):
        return False
    given: Mapping[str, Any] = run.given
    try:
        asked = parse_run_input(given, zone, cycle)
    except InputInvalid:
        # The schedule's own start with a parameter that is wrong: it has failed, and was heard of.
        return "scheduledAt" in given
    whole = not asked.dry_run and not asked.filter.is_trial
    return whole and asked.cycle == cycle and asked.period == period
