"""Started by hand, outside the state machine: end an order of which nothing more is to be billed, or open it again.

In:  {"order": "SO-1001", "reason": "billed by hand", "by": "ann@firm.example"}
Out: {"order", "id", "state", "message"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

end_the_order = wiring.end_the_order()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Put on record who ended it and why."""
    return end_the_order(event)
