"""EventBridge Scheduler, as it is: somebody may have turned a schedule off in the console."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from billing.domain.doctor.watched import ScheduleSeen

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


def schedule_seen(scheduler: EventBridgeSchedulerClient, name: str) -> ScheduleSeen:
    """The schedule of this name in the default group. A schedule without a zone is read in UTC (API reference)."""
    found = scheduler.get_schedule(Name=name)
    return ScheduleSeen(
        found["ScheduleExpression"],
        ZoneInfo(found.get("ScheduleExpressionTimezone") or "UTC"),
        found["State"] == "ENABLED",
        found["LastModificationDate"],
    )
