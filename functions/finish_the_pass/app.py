"""State "Finish the pass" of a settlement.

In:  {"pass": ..., "execution": its ARN, "executionName"}
Out: the pass; its next state is its end, or the beginning if its bell was rung meanwhile
"""

from __future__ import annotations

from typing import Any

from billing.runtime import settlement
from billing.runtime.clock import now
from billing.runtime.entry import state
from billing.workflows.settlement.finish_the_pass import finish_the_pass


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Wake the payouts that wait for this, and let go of the bell."""
    return finish_the_pass(
        settlement.pass_of(event),
        settlement.bells(),
        settlement.files(),
        settlement.rows(),
        settlement.queue(),
        now(),
    )
