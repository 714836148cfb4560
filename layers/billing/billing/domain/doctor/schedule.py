"""When a schedule of EventBridge Scheduler fires next, in its time zone.

Source: AWS, "Schedule types in EventBridge Scheduler" (six fields; day-of-month and day-of-week: one of them is "?";
L, W and #; a local time that spring skips is not run, one that autumn doubles is run once).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

_MONTHS: Final = {
    name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), start=1)
}
_WEEKDAYS: Final = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split(), start=1)}
_SEARCHED_DAYS: Final = 366 * 9
"""The longest gap of a date that exists: 29 February over a turn of the century."""

_UNITS: Final = frozenset("minute minutes hour hours day days".split())


class ScheduleInvalid(ValueError):
    """The expression is none that EventBridge Scheduler takes. The message is a clause."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The fields of cron(...); a field of days that is "?" is free. Weekdays count from 1, which is Sunday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    def on(self, day: date) -> bool:
        """Whether it fires on this date."""
        if day.year not in self.years or day.month not in self.months:
            return False
        return _weekday_fits(self.weekdays, day) if self.days == "?" else _day_fits(self.days, day)

    def times_on(self, day: date, zone: ZoneInfo) -> list[datetime]:
        """The instants (UTC) at which it fires on a local date."""
        found = set()
        for hour in self.hours:
            for minute in self.minutes:
                # fold=0 is the first of a doubled hour; a skipped one does not come back from UTC as it went.
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                instant = local.astimezone(UTC)
                if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    found.add(instant)
        return sorted(found)


def next_times(expression: str, zone: ZoneInfo, now: datetime, count: int = 5) -> tuple[datetime, ...]:
    """The next instants, in `zone`; fewer where there are fewer. A rate() counts from when the schedule was made, which
    the expression does not say: none. Raises ScheduleInvalid."""
    kind, inner = _split(expression)
    if kind == "rate":
        _check_rate(inner)
        return ()
    if kind == "at":
        try:
            instant = datetime.fromisoformat(inner).replace(tzinfo=zone)
        except ValueError:
            raise ScheduleInvalid("at(...) holds a local time such as 2026-06-01T09:00:00") from None
        return (instant,) if instant > now else ()
    cron = parse_cron(expression)
    return tuple(one.astimezone(zone) for one in islice(_after(cron, zone, now), count))


def last_time(expression: str, zone: ZoneInfo, now: datetime, since: datetime) -> datetime | None:
    """The latest instant after `since` and not after `now`, in `zone`; None if there is none, or if the expression does
    not say (rate). Raises ScheduleInvalid."""
    kind, inner = _split(expression)
    if kind == "rate":
        _check_rate(inner)
        return None
    if kind == "at":
        found = next_times(expression, zone, since, 1)
        return found[0] if found and found[0] <= now else None
    cron = parse_cron(expression)
    day, first = now.astimezone(zone).date(), since.astimezone(zone).date()
    while day >= first:
        if cron.on(day):
            times = [one for one in cron.times_on(day, zone) if since < one <= now]
            if times:
                return times[-1].astimezone(zone)
        day -= timedelta(days=1)
    return None


def is_rate(expression: str) -> bool:
    """Whether it fires every so often instead of at times of the clock."""
    return expression.strip().startswith("rate(")


def parse_cron(expression: str) -> Cron:
    """Read "cron(0 9 1 * ? *)". Raises ScheduleInvalid."""
    kind, inner = _split(expression)
    fields = inner.split()
    if kind != "cron" or len(fields) != 6:
        raise ScheduleInvalid("cron(...) has six fields: minute, hour, day of month, month, day of week, year")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ScheduleInvalid("exactly one of day of month and day of week must be ?")
    cron = Cron(
        _numbers(minute, 0, 59, "minute"),
        _numbers(hour, 0, 23, "hour"),
        day.upper(),
        _numbers(month, 1, 12, "month", _MONTHS),
        weekday.upper(),
        _numbers(year, 1970, 2199, "year"),
    )
    # Every form of a day is read once, so that a mistake shows whatever the month.
    cron.on(date(2026, min(cron.months), 1).replace(year=min(cron.years)))
    return cron


def _after(cron: Cron, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    first = now.astimezone(zone).date()
    for offset in range(_SEARCHED_DAYS):
        day = first + timedelta(days=offset)
        if cron.on(day):
            yield from (instant for instant in cron.times_on(day, zone) if instant > now)


def _split(expression: str) -> tuple[str, str]:
    found = re.fullmatch(r"(cron|rate|at)\((.+)\)", expression.strip())
    if found is None:
        raise ScheduleInvalid("it is neither cron(...) nor rate(...) nor at(...)")
    return found[1], found[2].strip()


def _check_rate(inner: str) -> None:
    amount, _, unit = inner.partition(" ")
    if not amount.isdecimal() or int(amount) < 1 or unit.strip() not in _UNITS:
        raise ScheduleInvalid("rate(...) holds a number and minutes, hours or days")


def _numbers(text: str, low: int, high: int, name: str, names: Mapping[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.upper().split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = low if span == "*" else _number(first, name, names)
        end = high if span == "*" or (slash and not dash) else _number(last, name, names) if dash else begin
        width = _number(step, name, None) if slash else 1
        if not low <= begin <= end <= high or width < 1:
            raise ScheduleInvalid(f"the {name} {part!r} does not lie between {low} and {high}")
        found.update(range(begin, end + 1, width))
    return frozenset(found)


def _number(text: str, name: str, names: Mapping[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not text.isdecimal():
        raise ScheduleInvalid(f"the {name} {text!r} is no number")
    return int(text)


def _last_day(day: date) -> int:
    following = date(day.year + (day.month == 12), day.month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _day_fits(text: str, day: date) -> bool:
    last = _last_day(day)
    if text == "L":
        return day.day == last
    nearest = re.fullmatch(r"(\d{1,2}|L)W", text)
    if nearest is None:
        return day.day in _numbers(text, 1, 31, "day of month")
    wanted = last if nearest[1] == "L" else int(nearest[1])
    if not 1 <= wanted <= 31:
        raise ScheduleInvalid(f"the day of month {text!r} does not lie between 1 and 31")
    if wanted > last:
        return False
    anchor = day.replace(day=wanted)
    # The nearest weekday, never in another month.
    if anchor.weekday() == 5:
        anchor += timedelta(days=-1 if wanted > 1 else 2)
    elif anchor.weekday() == 6:
        anchor += timedelta(days=1 if wanted < last else -2)
    return day == anchor


def _weekday_fits(text: str, day: date) -> bool:
    weekday = day.isoweekday() % 7 + 1
    if text == "L":
        return weekday == 7
    counted = re.fullmatch(r"(\w+)#(\d)", text)
    if counted:
        wanted = _number(counted[1], "day of week", _WEEKDAYS)
        if not 1 <= wanted <= 7 or not 1 <= int(counted[2]) <= 5:
            raise ScheduleInvalid(f"the day of week {text!r} is none of the first to fifth of a month")
        return weekday == wanted and (day.day - 1) // 7 + 1 == int(counted[2])
    last = re.fullmatch(r"(\d|[A-Z]{3})L", text)
    if last:
        return weekday == _number(last[1], "day of week", _WEEKDAYS) and day.day + 7 > _last_day(day)
    return weekday in _numbers(text, 1, 7, "day of week", _WEEKDAYS)
