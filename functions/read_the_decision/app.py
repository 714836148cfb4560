"""State "Read the decision".

In:  {"run": ..., "matched": ...}
Out: {"outcome": "approved|rejected|expired|undeliverable|undecided", "due", "seconds", "heldKey"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

read_the_decision = wiring.read_the_decision()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Read the signed votes and list what may be drafted."""
    return read_the_decision(event)
