"""State "Stop the run".

In:  {"executionName": ..., "closed": ..., "redriveCount": n}
Out: never the first time: it fails with the run's own error. Redriven: {"again": true}
"""

from __future__ import annotations

from typing import Any

from billing.domain.run import read_stopped
from billing.runtime.entry import state
from billing.workflows.monthly_billing.stop_the_run import stop_the_run


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Fail by name, or begin again."""
    return stop_the_run(read_stopped(event["closed"]), event["redriveCount"])
