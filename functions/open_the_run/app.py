"""State "Open the run".

In:  {"input": the execution's input, "executionArn": ..., "executionName": ..., "redriveCount": ...,
      "before": the execution's state until now}
Out: {"run": the run's frame (id, period, dates, file prefix, settings, and "lock"),
      "former": {"asksAnew": ..., "listed": the listing of an end without an answer, or null}}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

open_the_run = wiring.open_the_run()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Check the input, fix the period, take its lock."""
    return open_the_run(event)
