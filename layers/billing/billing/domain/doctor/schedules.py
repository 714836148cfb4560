"""The line of a schedule: when it fires next, or why it never does."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from billing.domain.doctor.finding import Finding, fine, note, wrong
from billing.domain.doctor.schedule import ScheduleInvalid, is_rate, next_times

_SHOWN: Final = 5


def schedule_finding(check: str, parameter: str, expression: str, zone: ZoneInfo, now: datetime) -> Finding:
    """`parameter` names where the expression comes from."""
    try:
        times = next_times(expression, zone, now, _SHOWN)
    except ScheduleInvalid as error:
        return wrong(check, f"{parameter} is {expression}, which EventBridge Scheduler does not take: {error}.")
    if is_rate(expression):
        return note(check, f"{expression}: counted from when the schedule was made, not from the clock of {zone.key}.")
    if not times:
        return wrong(check, f"{parameter} is {expression}, which never fires (again). Correct it and deploy.")
    return fine(check, f"next in {zone.key}: " + ", ".join(_shown(one) for one in times))


def monthly_finding(expression: str, enabled: bool, zone: ZoneInfo, now: datetime) -> Finding:
    """The schedule of the monthly run."""
    check = "schedule.monthly"
    found = schedule_finding(check, "ScheduleExpression", expression, zone, now)
    if not enabled and found.verdict in ("fine", "note"):
        return note(check, f"it is off (ScheduleState=DISABLED); runs start by hand only. {found.text}")
    return found


def _shown(moment: datetime) -> str:
    return moment.strftime("%a %Y-%m-%d %H:%M %Z")
