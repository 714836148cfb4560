"""State "Tell the team".

In:  {"run": ..., "closed": ...}
Out: {"told": how many, "untold": how many}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

tell_the_team = wiring.tell_the_team()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Post to Slack and mail whoever has to hear."""
    return tell_the_team(event)
