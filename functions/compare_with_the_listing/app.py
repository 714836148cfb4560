"""State "Compare with the listing".

In:  {"run": ..., "listed": what "List the sales orders" answered when the former request was asked}
Out: {"same": whether NetSuite would still list the same, "why": what differs, "orders": how many it has now}
"""

from __future__ import annotations

from functools import partial
from typing import Any

from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.netsuite.fingerprints import columns_beside, orders_listed_now
from billing.domain.run import Listed, Run, read_state
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.netsuite import suiteql
from billing.runtime.entry import state
from billing.runtime.parameters.listing_settings import listing_settings
from billing.workflows.monthly_billing.compare_with_the_listing import ListingNow, compare_with_the_listing

env = environment()
files = run_files(env)
netsuite = suiteql(env)
carry_over = CarryOver(dynamodb(), env.text("LEDGER_TABLE"))
ended = EndedOrders(dynamodb(), env.text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Ask NetSuite, without its lines, whether the former listing still holds."""
    return compare_with_the_listing(
        read_state(Run, event["run"]),
        read_state(Listed, event["listed"]),
        listing_settings(env),
        ListingNow(columns_beside, partial(orders_listed_now, netsuite())),
        carry_over,
        ended,
        files,
    )
