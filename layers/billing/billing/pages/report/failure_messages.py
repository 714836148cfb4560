"""What Slack and the owners are told of a run that could not be opened or closed."""

from __future__ import annotations

from billing.domain.mail import MailContent
from billing.domain.runs.failure_notice import FailureNotice
from billing.pages.email import Email, mail_of
from billing.pages.slack_message import SlackMessage, escaped, link, message_of_sections


def failure_post(notice: FailureNotice, console_url: str) -> SlackMessage:
    """For the channel: which run, where, why, what to do, and the way to the execution."""
    sections = [f":rotating_light: {escaped(notice.title, 200)}"]
    sections += [escaped(sentence, 1_000) for sentence in notice.sentences]
    sections.append(f"{link(console_url, 'Execution')} · failed in the state \u201c{escaped(notice.state, 80)}\u201d")
    return message_of_sections(notice.title, sections, notice.run_id)


def failure_mail(notice: FailureNotice, console_url: str) -> MailContent:
    """The same for the run's owners by mail."""
    return mail_of(
        Email(
            subject=notice.title,
            heading=notice.title,
            opening=notice.sentences,
            facts=[("State", notice.state), ("Error", notice.error)],
            closing=(f"Run {notice.run_id}.",),
            references=[("The execution in the console", console_url)],
        )
    )
