"""Every hour: numbers of what nothing else counts, because it does not happen. Alarms and the dashboard read them.

A measure that cannot be taken is missing and counted, so that silence is never taken for zero; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from billing.domain.doctor.netsuite import CertificateFound
from billing.domain.doctor.watched import (
    EARLY,
    RunningRun,
    ScheduleSeen,
    StartedRun,
    is_missed,
    overdue,
    owed_since,
)

LONG_PARKED: Final = timedelta(hours=26)
"""Parked over a night and a sweep: what comes by itself has come by then."""


class Runs(Protocol):
    """Executions of the monthly state machine."""

    def running(self) -> Iterable[RunningRun]: ...
    def started_since(self, moment: datetime) -> Iterable[StartedRun]: ...


class HeldSince(Protocol):
    """A bell of the settlement on a list."""

    @property
    def held_since(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """`take` reads, and returns numbers by their names."""

    name: str
    take: Callable[[], Mapping[str, int]]


def watch_the_stack(
    measures: Sequence[Measure],
    faults_named: Callable[[], AbstractContextManager[None]],
    missing: Callable[[str, Exception], None],
) -> dict[str, dict[str, int]]:
    """Return {"counts": ...}, one metric each. Writes nothing and raises nothing of a measure's; `missing` is told."""
    counts: dict[str, int] = {}
    lacking = 0
    for measure in measures:
        try:
            with faults_named():
                counts |= measure.take()
        except Exception as error:  # noqa: BLE001 - the other measures are taken whatever this one met
            lacking += 1
            missing(measure.name, error)
    return {"counts": {**counts, "measuresMissing": lacking}}


def running_measure(runs: Runs, now: datetime, approval_seconds: int) -> Mapping[str, int]:
    """How many runs are at work or wait, and how many of them longer than they may."""
    running = tuple(runs.running())
    return {"runsRunning": len(running), "runsOverdue": len(overdue(running, now, approval_seconds))}


def schedule_measure(schedule: ScheduleSeen, wanted: bool, runs: Runs, now: datetime, cycle: str) -> Mapping[str, int]:
    """1 while the schedule owes a run, or is off where the stack wants it on (`wanted`)."""
    owed = owed_since(schedule, now)
    missed = owed is not None and is_missed(owed, runs.started_since(owed - EARLY), schedule.zone, cycle)
    return {"schedulesMissed": int(missed or (wanted and not schedule.enabled))}


def certificate_measure(found: CertificateFound | None, now: datetime) -> Mapping[str, int]:
    """Days until NetSuite's certificate ends, below zero after it; nothing where the secret does not hold it."""
    if found is None:
        return {}
    return {"certificateDaysLeft": (found.ends - now.date()).days if found.of_the_key else 0}


def backlog_measure(parked: Iterable[HeldSince], held: Iterable[HeldSince], now: datetime) -> Mapping[str, int]:
    """Objects of the settlement that are parked, that are parked for longer than a night, and that are held."""
    waiting = tuple(parked)
    before = (now - LONG_PARKED).isoformat()
    return {
        "settlementsParked": len(waiting),
        "settlementsLongParked": sum(bool(one.held_since) and one.held_since < before for one in waiting),
        "settlementsHeld": sum(1 for _ in held),
    }
