"""State "Ask the deputies".

In:  {"run": ...}
Out: {"deputies": how many are asked}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

ask_the_deputies = wiring.ask_the_deputies()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Put the escalation on record."""
    return ask_the_deputies(event)
