"""No state: SNS calls it when an alarm of the stack changes its state.

In:  an event of SNS with messages of CloudWatch
Out: {"alarmsTold": how many were posted now}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.alarm_notice import AlarmNotice, alarm_notices
from billing.pages.report.alarm_message import alarm_post
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.connections.slack import slack_channel
from billing.runtime.console_links import alarm_url
from billing.runtime.entry import state
from billing.workflows.operations.tell_of_the_alarm import TellingOfTheAlarm

env = environment()
channel, messages = slack_channel(env), MessageLog(dynamodb(), env.text("RUNS_TABLE"))


def write(notice: AlarmNotice) -> tuple[str, list[dict[str, Any]]]:
    """Return the message as text and blocks."""
    return alarm_post(notice, env.optional("RUNBOOK_URL"), alarm_url(notice.name)).content


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Post each alarm once."""
    said = (str(record["Sns"]["Message"]) for record in event.get("Records") or ())
    return TellingOfTheAlarm(messages, channel, write, now()).tell(alarm_notices(said))
