"""State "Ask the deputies".

In:  {"run": ...}
Out: {"deputies": how many are asked}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.domain.approval.approvers import parse_people
from billing.domain.run import Run, read_state
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.connections.signing import signatures
from billing.runtime.entry import state
from billing.workflows.monthly_billing.ask_the_deputies import ask_the_deputies

env = environment()
requests = ApprovalsTable(dynamodb(), env.text("APPROVALS_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Put the escalation on record."""
    deputies = parse_people(env.optional("DEPUTIES"), "The parameter Deputies")
    return ask_the_deputies(read_state(Run, event["run"]), deputies, requests, signatures(env), now())
