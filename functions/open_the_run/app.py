"""State "Open the run".

In:  {"input": the execution's input, "executionArn": ..., "executionName": ...}
Out: the run's frame: id, period, dates, file prefix, settings, and "lock"
"""

from __future__ import annotations

from typing import Any

from billing import wiring
from billing.entry import state

open_the_run = wiring.open_the_run()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Check the input, fix the period, take its lock."""
    return open_the_run(event)
