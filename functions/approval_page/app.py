"""The approval page, behind the HTTP API.

In:  an event of API Gateway, payload format 2.0; the path's {link} is a signed link
Out: a page (or a CSV). GET and HEAD change nothing, POST decides.
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.codes import Codes
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.message_log import MessageLog
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files, task_callback
from billing.runtime.connections.signing import signatures
from billing.runtime.guarding import guarding, questioning
from billing.runtime.parameters.signers import listed_people
from billing.runtime.telemetry import logger, metrics, tracer
from billing.workflows.approval.who_may_sign import WhoMaySign
from billing.workflows.approval_page.after_signing import AfterSigning
from billing.workflows.approval_page.approval_exchange import ApprovalExchange, approval_exchange
from billing.workflows.ports import Telemetry

env = environment()
listed, finalizes = listed_people(env), env.flag("AUTO_ADVANCE")
tables = dynamodb()
requests = ApprovalsTable(tables, env.text("APPROVALS_TABLE"))
guard = guarding(env, Codes(tables, env.text("APPROVALS_TABLE")))
questions = questioning(env, MessageLog(tables, env.text("APPROVALS_TABLE")))
telemetry = Telemetry(logger, metrics)
files, callback = run_files(env), task_callback()
after = AfterSigning(LedgerTable(tables, env.text("LEDGER_TABLE"), ""), files)


def connect() -> ApprovalExchange:
    """Read the keys and who may sign; whatever of them cannot be read, a page says so."""
    signed = signatures(env)
    return ApprovalExchange(
        requests=requests,
        files=files,
        signatures=signed,
        callback=callback,
        who=WhoMaySign(listed()),
        after=after,
        guard=guard(signed),
        questions=questions,
        now=now,
        finalizes=finalizes,
        telemetry=telemetry,
    )


@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Show or decide."""
    return approval_exchange(event, connect, telemetry)
