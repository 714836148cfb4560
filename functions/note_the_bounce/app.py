"""No state: SNS calls it when SES reports a bounce or a complaint.

In:  an event of SNS with messages of SES
Out: {"bounces": how many were noted}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, task_callback
from billing.runtime.entry import state
from billing.workflows.approval.note_the_bounce import note_the_bounce

requests = ApprovalsTable(dynamodb(), environment().text("APPROVALS_TABLE"))
callback = task_callback()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Put it on record and wake the run."""
    return note_the_bounce(event, requests, callback, now())
