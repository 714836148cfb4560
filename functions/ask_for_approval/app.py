"""State "Ask for approval".

In:  {"run": ..., "matched": ..., "outcomeSoFar": ..., "taskToken": ...}
Out: {"mails": how many}; the wait itself is ended by the approval page
"""

from __future__ import annotations

from functools import partial
from typing import Any

from billing.adapters.aws.task_tokens import complete, seal_token
from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.message_log import MessageLog
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.run import Matched, Run, read_state
from billing.pages.approval.approval_mail import approval_mail
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, kms, run_files, stepfunctions
from billing.runtime.connections.mail import mailer
from billing.runtime.connections.signing import approver_links, signatures
from billing.runtime.entry import state
from billing.runtime.parameters.mails import mail_importance
from billing.runtime.parameters.signers import listed_people
from billing.workflows.monthly_billing.ask_for_approval import Asking

env = environment()
listed = listed_people(env)
files, mail = run_files(env), mailer(env)
tables, table = dynamodb(), env.text("APPROVALS_TABLE")
keys, executions = kms(), stepfunctions()
importance = mail_importance(env)


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Open the request and mail the links."""
    signed = signatures(env)
    return Asking(
        listed=listed(),
        requests=ApprovalsTable(tables, table),
        starts=RunsTable(tables, env.text("RUNS_TABLE")),
        files=files,
        messages=MessageLog(tables, table),
        mail=mail,
        seal=partial(seal_token, keys, env.text("TASK_TOKEN_KEY_ID")),
        complete=partial(complete, executions),
        signed=signed,
        links=approver_links(env, signed),
        write_mail=partial(approval_mail, finalizes=env.flag("AUTO_ADVANCE"), importance=importance),
        now=now(),
    ).ask(
        read_state(Run, event["run"]),
        read_state(Matched, event["matched"]),
        event["outcomeSoFar"],
        event["taskToken"],
    )
