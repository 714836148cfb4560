"""State "Match the customers".

In:  {"run": ..., "listed": ...}
Out: {"batchKey", "sha256", "toAsk", "toFinish", "skipped", "held", "problems"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

match_the_customers = wiring.match_the_customers()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Plan the invoices and find their customers. Reads only."""
    return match_the_customers(event)
