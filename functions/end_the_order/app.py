"""Started by hand, outside the state machine: end an order of which nothing more is to be billed, or open it again.

In:  {"order": "SO-1001", "reason": "billed by hand", "by": "ann@firm.example"}
Out: {"order", "id", "state", "message"}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.entry import state
from billing.workflows.operations.end_the_order import end_the_order

env = environment()
tables, table, cycle = dynamodb(), env.text("LEDGER_TABLE"), env.text("CYCLE_NAME")
carried, ended = CarryOver(tables, table), EndedOrders(tables, table)


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Put on record who ended it and why."""
    return end_the_order(event, cycle, carried, ended, now())
