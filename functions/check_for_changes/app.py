"""State "Check for changes".

In:  {"run": ..., "listed": ..., "matched": ..., "decision": ...}
Out: {"itemsKey", "changedKey", "items", "changed"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.netsuite.fingerprints import order_fingerprints, order_lines_now
from billing.domain.ledger.ledger import OrderRecord
from billing.domain.run import Decision, Listed, Matched, Run, read_state
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.netsuite import suiteql
from billing.runtime.entry import state
from billing.workflows.monthly_billing.check_for_changes import Present, check_for_changes

env = environment()
files = run_files(env)
netsuite = suiteql(env)
ledger = LedgerTable(dynamodb(), env.text("LEDGER_TABLE"))
ended = EndedOrders(dynamodb(), env.text("LEDGER_TABLE"))


def drafted(order_ids: Iterable[str]) -> Mapping[str, OrderRecord]:
    """What our ledger has drafted. Without slots the settlement is off, and nothing of ours was billed in NetSuite."""
    return ledger.order_records(order_ids) if env.number("NETSUITE_SLOTS") else {}


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Hold what moved in NetSuite since it was listed."""
    return check_for_changes(
        read_state(Run, event["run"]),
        read_state(Listed, event["listed"]),
        read_state(Matched, event["matched"]),
        read_state(Decision, event["decision"]),
        Present(partial(order_fingerprints, netsuite()), partial(order_lines_now, netsuite()), drafted),
        ended,
        files,
        now(),
    )
