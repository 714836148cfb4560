"""State "Close the run".

In:  {"state": the execution's state, "redriveCount": n}
Out: {"outcome", "error", "cause", "counts", "reportKey", "redriveCount"}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.months import Months
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.approval.approvers import parse_slot_rules
from billing.domain.batch.batch import Batch
from billing.domain.run import Run, read_run_state
from billing.pages.report.report_page import report_faces
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.signing import signatures
from billing.runtime.console_links import dashboard_url, execution_url
from billing.runtime.entry import state
from billing.workflows.monthly_billing.close_the_run import Closing
from billing.workflows.monthly_billing.note_the_end import note_the_end

env = environment()
files, tables = run_files(env), dynamodb()
ledger_table, runs_table = env.text("LEDGER_TABLE"), env.text("RUNS_TABLE")
requests = ApprovalsTable(tables, env.text("APPROVALS_TABLE"))
rules, finalizes = parse_slot_rules(env.text("APPROVERS")), env.flag("AUTO_ADVANCE")


def preview(run: Run, batch: Batch, sha256: str) -> bytes:
    """Return the approval page of a dry run; no other run loads the page's modules."""
    from billing.pages.approval.preview_page import preview_page

    return preview_page(run, batch, sha256, rules=rules, finalizes=finalizes, opened=now())


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Count, prove, report, and free the period."""
    run_state = read_run_state(event["state"])
    closed = Closing(
        files,
        LedgerTable(tables, ledger_table),
        requests,
        RunsTable(tables, runs_table),
        CarryOver(tables, ledger_table),
        EndedOrders(tables, ledger_table),
        Months(tables, runs_table),
        signatures(env),
        lambda report: report_faces(report, execution_url(report.run.execution_arn), dashboard_url(report)),
        preview,
    ).close(run_state, event["redriveCount"])
    note_the_end(run_state.run, closed, requests, now())
    return closed
