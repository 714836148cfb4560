"""What the channel is told of an alarm."""

from __future__ import annotations

from billing.domain.alarm_notice import RUNBOOK, AlarmNotice
from billing.pages.slack_message import SlackMessage, escaped, header, link, mrkdwn, section

_SIGNS = {"ALARM": ":rotating_light:", "OK": ":white_check_mark:"}


def alarm_post(notice: AlarmNotice, runbook_url: str, alarm_url: str) -> SlackMessage:
    """The alarm's name and state, what it says, and the ways to its runbook page and to the alarm. `runbook_url` is
    where the folder docs/runbook can be read, "" if nobody has said: then the page is named by its path."""
    title = f"{notice.state}: {notice.name}"
    page = f"{RUNBOOK}{notice.page}" if notice.page else ""
    address = f"{runbook_url.rstrip('/')}/{notice.page}" if runbook_url and notice.page else ""
    way = link(address, "Runbook") or (f"Runbook: {escaped(page, 200)}" if page else "")
    lines = [f"{_SIGNS.get(notice.state, ':grey_question:')} {escaped(notice.description, 1_000)}".strip()]
    blocks = [header(title), *(section(line) for line in lines)]
    blocks.append(section(" · ".join(one for one in (way, link(alarm_url, "Alarm")) if one)))
    blocks.append({"type": "context", "elements": [mrkdwn(escaped(notice.changed_at, 60) or "-")]})
    return SlackMessage(text=escaped(title, 600), blocks=blocks)
