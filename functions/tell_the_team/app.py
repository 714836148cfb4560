"""State "Tell the team".

In:  {"run": ..., "closed": ...}
Out: {"told": how many, "untold": how many}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.mail import MailContent
from billing.domain.run import Closed, Run, read_state
from billing.domain.runs.report import Report
from billing.pages.approval.result_mail import closing_mail
from billing.pages.report.run_messages import slack_summary, summary_mail
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.mail import mailer
from billing.runtime.connections.signing import approver_links, signatures
from billing.runtime.connections.slack import slack_channel
from billing.runtime.console_links import dashboard_url, report_links
from billing.runtime.entry import state, telling
from billing.workflows.monthly_billing.tell_the_team import TellingTheTeam

env = environment()
files, mail, channel = run_files(env), mailer(env), slack_channel(env)
messages = MessageLog(dynamodb(), env.text("RUNS_TABLE"))


def slack_content(report: Report) -> tuple[str, list[dict[str, Any]]]:
    """Return the message as text and blocks."""
    return slack_summary(report, **report_links(report, files.bucket)).content


def end_notice(report: Report, approver: str) -> MailContent:
    """Keys are read when it is used: those that cannot be read must not keep the summary from going out."""
    links = approver_links(env, signatures(env))
    return closing_mail(report, approver, lambda of: links.to_inbox_after(of, approver, now()), dashboard_url(report))


@state
@telling
def handler(event: dict[str, Any], context: Any) -> Any:
    """Post to Slack and mail whoever has to hear."""
    return TellingTheTeam(
        env.texts("OWNER_EMAILS"),
        files,
        messages,
        channel,
        mail,
        slack_content,
        lambda report: summary_mail(report, **report_links(report, files.bucket)),
        end_notice,
        now(),
    ).tell(read_state(Run, event["run"]), read_state(Closed, event["closed"]))
