"""State "Ask for approval".

In:  {"run": ..., "matched": ..., "outcomeSoFar": ..., "taskToken": ...}
Out: {"mails": how many}; the wait itself is ended by the approval page
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

ask_for_approval = wiring.ask_for_approval()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Open the request and mail the links."""
    return ask_for_approval(event)
