"""State "Close the run".

In:  {"state": the execution's state, "redriveCount": n}
Out: {"outcome", "error", "cause", "counts", "reportKey", "redriveCount"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

close_the_run = wiring.close_the_run()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Count, prove, report, and free the period."""
    return close_the_run(event)
