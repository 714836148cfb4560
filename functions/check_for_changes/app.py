"""State "Check for changes".

In:  {"run": ..., "listed": ..., "matched": ..., "decision": ...}
Out: {"itemsKey", "changedKey", "items", "changed"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

check_for_changes = wiring.check_for_changes()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Hold what moved in NetSuite since it was listed."""
    return check_for_changes(event)
