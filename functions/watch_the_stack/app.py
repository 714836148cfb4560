"""Every hour: numbers of what would otherwise be silent, each a metric that alarms and the dashboard read.

In:  {}
Out: {"counts": {"runsRunning", "runsOverdue", "schedulesMissed", "certificateDaysLeft", "measuresMissing", and where
      the settlement is on "settlementsParked", "settlementsLongParked", "settlementsHeld"}}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.aws.aws_faults import aws_faults_named
from billing.runtime.entry import state
from billing.runtime.telemetry import logger
from billing.runtime.watching import measures
from billing.workflows.operations.watch_the_stack import watch_the_stack


def missing(measure: str, error: Exception) -> None:
    """Name what could not be read. The error's text may quote a secret and is not logged."""
    logger.warning("not measured", extra={"measure": measure, "error_name": type(error).__name__})


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Read and count; nothing is written."""
    return watch_the_stack(measures(), aws_faults_named, missing)
