"""State "Read the decision".

In:  {"run": ..., "matched": ...}
Out: {"outcome": "approved|rejected|expired|undeliverable|undecided", "due", "seconds", "heldKey"}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.domain.run import Matched, Run, read_state
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.signing import signatures
from billing.runtime.entry import state
from billing.runtime.parameters.signers import listed_people
from billing.workflows.monthly_billing.read_the_decision import read_the_decision

env = environment()
listed = listed_people(env)
files, tables = run_files(env), dynamodb()
requests = ApprovalsTable(tables, env.text("APPROVALS_TABLE"))
ledger = LedgerTable(tables, env.text("LEDGER_TABLE"))


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Read the signed votes and list what may be drafted."""
    run, matched = read_state(Run, event["run"]), read_state(Matched, event["matched"])
    return read_the_decision(run, matched, requests, files, ledger, signatures(env), now(), listed)
