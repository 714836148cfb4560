"""State "Tell of the failure".

In:  {"closed": {"state": which state failed, "error": ..., "cause": ..., "redriveCount": n}, "executionArn": ...,
      "executionName": ...}
Out: {"told": how many}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.run import read_stopped
from billing.domain.runs.failure_notice import failure_notice
from billing.pages.report.failure_messages import failure_mail, failure_post
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.connections.mail import mailer
from billing.runtime.connections.slack import slack_channel
from billing.runtime.console_links import execution_url
from billing.runtime.entry import state, telling
from billing.workflows.monthly_billing.tell_of_the_failure import Telling

env = environment()
mail, channel = mailer(env), slack_channel(env)
messages = MessageLog(dynamodb(), env.text("RUNS_TABLE"))


@state
@telling
def handler(event: dict[str, Any], context: Any) -> Any:
    """Post to Slack and mail the owners that a run could not be opened or closed."""
    return Telling(
        owners=env.texts("OWNER_EMAILS"),
        messages=messages,
        channel=channel,
        mail=mail,
        write_slack=lambda notice: failure_post(notice, execution_url(notice.execution_arn)).content,
        write_mail=lambda notice: failure_mail(notice, execution_url(notice.execution_arn)),
        now=now(),
    ).tell(failure_notice(read_stopped(event["closed"]), event["executionName"], event["executionArn"]))
