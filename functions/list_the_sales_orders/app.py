"""State "List the sales orders".

In:  {"run": ...}
Out: {"snapshotKey", "sha256", "orders", "problems"}; the orders themselves lie in S3
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

list_the_sales_orders = wiring.list_the_sales_orders()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Ask NetSuite and keep what it said."""
    return list_the_sales_orders(event)
