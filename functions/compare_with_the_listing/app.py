"""State "Compare with the listing".

In:  {"run": ..., "listed": what "List the sales orders" answered when the former request was asked}
Out: {"same": whether NetSuite would still list the same, "why": what differs, "orders": how many it has now}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

compare_with_the_listing = wiring.compare_with_the_listing()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Ask NetSuite, without its lines, whether the former listing still holds."""
    return compare_with_the_listing(event)
