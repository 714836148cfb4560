"""State "Hold the object" of a settlement: whatever keeps a pass from going on comes here.

In:  {"pass": ..., "error": {"Error", "Cause"}, "redriveCount", "execution": its ARN, "executionName"}
Out: the pass; or the error's own name, which ends the execution red
"""

from __future__ import annotations

from typing import Any

from billing.runtime import settlement
from billing.runtime.clock import now
from billing.runtime.entry import state
from billing.workflows.settlement.finish_the_pass import hold_the_object


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Keep why, where a person sees it."""
    return hold_the_object(
        settlement.pass_of(event),
        event["error"],
        int(event["redriveCount"]),
        settlement.bells(),
        now(),
    )
