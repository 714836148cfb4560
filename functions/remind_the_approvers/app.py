"""State "Remind the approvers", and by hand while a run waits.

In:  {"run": ...}; by hand with "byHand": true, which also reminds when nothing is due
Out: {"mails": how many, "posts": how many}
"""

from __future__ import annotations

from functools import partial
from typing import Any

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.run import Run, read_state
from billing.pages.approval.approval_mail import approval_mail, bounce_mail
from billing.pages.approval.approval_notices import bounce_notice
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.mail import mailer
from billing.runtime.connections.signing import approver_links, signatures
from billing.runtime.connections.slack import slack_channel
from billing.runtime.entry import state, telling
from billing.runtime.parameters.mails import mail_importance
from billing.runtime.parameters.signers import listed_people
from billing.workflows.monthly_billing.remind_the_approvers import Reminding

env = environment()
listed = listed_people(env)
files, mail, channel = run_files(env), mailer(env), slack_channel(env)
tables, table = dynamodb(), env.text("APPROVALS_TABLE")
importance = mail_importance(env)


@state
@telling
def handler(event: dict[str, Any], context: Any) -> Any:
    """Remind, and tell of bounces."""
    signed = signatures(env)
    return Reminding(
        listed=listed(),
        requests=ApprovalsTable(tables, table),
        files=files,
        messages=MessageLog(tables, table),
        mail=mail,
        channel=channel,
        signed=signed,
        links=approver_links(env, signed),
        write_reminder=partial(approval_mail, finalizes=env.flag("AUTO_ADVANCE"), importance=importance),
        write_bounce=bounce_mail,
        write_slack=lambda request, lost: bounce_notice(request, lost).content,
        now=now(),
    ).remind(read_state(Run, event["run"]), by_hand=event.get("byHand") is True)
