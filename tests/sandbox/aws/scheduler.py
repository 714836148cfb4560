"""EventBridge Scheduler: when a schedule fires, and what it starts.

Source: "Schedule types" and "Adding context attributes" (EventBridge Scheduler user guide). A local time that
spring skips does not run; one that autumn doubles runs once.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.sandbox.aws.errors import SandboxError

_MONTHS = {name: index for index, name in enumerate(
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1)}  # fmt: skip
_DAYS = {name: index for index, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_SEARCH_DAYS = 366 * 8


@dataclass(frozen=True)
class Cron:
    """AWS's six fields: minute, hour, day of month, month, day of week, year. A day field of ? is free."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Cron:
        """From "cron(0 9 1 * ? *)". SandboxError for anything else."""
        found = re.fullmatch(r"cron\((.+)\)", expression.strip())
        fields = found.group(1).split() if found else []
        if len(fields) != 6:
            raise SandboxError(f"{expression!r} is not a cron expression of six fields")
        minute, hour, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise SandboxError(f"{expression!r}: exactly one of day-of-month and day-of-week must be ?")
        return cls(
            _numbers(minute, 0, 59, {}),
            _numbers(hour, 0, 23, {}),
            day,
            _numbers(month, 1, 12, _MONTHS),
            weekday,
            _numbers(year, 1970, 2199, {}),
        )

    def on(self, day: date) -> bool:
        """Whether it fires on this date."""
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.days != "?":
            return _month_day_fits(self.days, day)
        return _weekday_fits(self.weekdays, day)

    def times_on(self, day: date, zone: ZoneInfo) -> list[datetime]:
        """The instants (UTC) at which it fires on a local date, in order."""
        if not self.on(day):
            return []
        found = set()
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                instant = local.astimezone(UTC)
                skipped = instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None)
                if not skipped:  # fold=0: the first of a doubled hour
                    found.add(instant)
        return sorted(found)

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first instant (UTC) after `moment`."""
        first = moment.astimezone(zone).date()
        for offset in range(_SEARCH_DAYS):
            for instant in self.times_on(first + timedelta(days=offset), zone):
                if instant > moment:
                    return instant
        raise SandboxError("the schedule does not fire within eight years")

    def last_before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The latest instant (UTC) at or before `moment`."""
        first = moment.astimezone(zone).date()
        for offset in range(_SEARCH_DAYS):
            for instant in reversed(self.times_on(first - timedelta(days=offset), zone)):
                if instant <= moment:
                    return instant
        raise SandboxError("the schedule did not fire within eight years")


def _numbers(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (names.get(item.upper()) or int(item) for item in span.split("-"))
        else:
            first = names.get(span.upper()) or int(span)
            last = high if step else first
        found.update(range(first, last + 1, int(step) if step else 1))
    return frozenset(found)


def _last_day(day: date) -> int:
    following = date(day.year + (day.month == 12), day.month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _month_day_fits(text: str, day: date) -> bool:
    if text == "L":
        return day.day == _last_day(day)
    nearest = re.fullmatch(r"(\d+)W", text)
    if nearest:
        wanted = min(int(nearest.group(1)), _last_day(day))
        anchor = day.replace(day=wanted)
        if anchor.weekday() == 5:
            anchor += timedelta(days=-1 if wanted > 1 else 2)
        elif anchor.weekday() == 6:
            anchor += timedelta(days=1 if wanted < _last_day(day) else -2)
        return day == anchor
    return day.day in _numbers(text, 1, 31, {})


def _weekday_fits(text: str, day: date) -> bool:
    weekday = day.isoweekday() % 7 + 1
    nth = re.fullmatch(r"(\w+)#(\d)", text)
    if nth:
        wanted = _DAYS.get(nth.group(1).upper()) or int(nth.group(1))
        return weekday == wanted and (day.day - 1) // 7 + 1 == int(nth.group(2))
    last = re.fullmatch(r"(\d)L", text)
    if last:
        return weekday == int(last.group(1)) and day.day + 7 > _last_day(day)
    return weekday in _numbers(text, 1, 7, _DAYS)


def occurrence(expression: str, zone_name: str, now: datetime, *, upcoming: bool) -> datetime:
    """The scheduled time (UTC) of the last occurrence before `now`, or of the next one if `upcoming`."""
    zone = ZoneInfo(zone_name)
    at = re.fullmatch(r"at\((.+)\)", expression)
    if at:
        return datetime.fromisoformat(at.group(1)).replace(tzinfo=zone).astimezone(UTC)
    if expression.startswith("rate("):
        return now.replace(second=0, microsecond=0)
    cron = Cron.parse(expression)
    return cron.next_after(now, zone) if upcoming else cron.last_before(now, zone)


def fill_input(text: str, schedule_arn: str, scheduled: datetime, attempt: int = 1) -> tuple[str, str]:
    """The target's input with Scheduler's context attributes filled in, and the execution id."""
    execution_id = str(uuid.uuid4())
    values = {
        "<aws.scheduler.schedule-arn>": schedule_arn,
        "<aws.scheduler.scheduled-time>": scheduled.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "<aws.scheduler.execution-id>": execution_id,
        "<aws.scheduler.attempt-number>": str(attempt),
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text, execution_id


def as_json(text: Any) -> str:
    """The input as JSON text; SandboxError if it is none."""
    try:
        return json.dumps(json.loads(text or "{}"))
    except ValueError as error:
        raise SandboxError(f"the schedule's Input is not JSON: {text!r}") from error
