"""An alarm changed its state: the channel hears of it, once, however often SNS delivers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from billing.domain.alarm_notice import AlarmNotice
from billing.domain.sending import Sending
from billing.workflows.ports import Channel, Messages

_REMEMBERED: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class TellingOfTheAlarm:
    """What telling needs. `write` gives Slack's text and blocks."""

    messages: Messages
    channel: Callable[[], Channel]
    write: Callable[[AlarmNotice], tuple[str, list[dict[str, Any]]]]
    now: datetime

    def tell(self, notices: Iterable[AlarmNotice]) -> dict[str, int]:
        """Return how many were posted now. One that cannot be posted keeps none of the others; its error is raised in
        the end, and Lambda calls again twice (AWS, "How Lambda handles errors and retries")."""
        posted, failures = 0, list[Exception]()
        for notice in notices:
            try:
                posted += self._post(notice)
            except Exception as error:  # noqa: BLE001 - whatever it was, the others are told; it is raised below
                failures.append(error)
        if failures:
            raise failures[0]
        return {"alarmsTold": posted}

    def _post(self, notice: AlarmNotice) -> bool:
        """Whether it was posted now. One that may have gone out is looked for first."""
        owner = f"ALARM#{notice.name}"
        what = f"{notice.state}#{notice.changed_at}"
        sending = self.messages.begin(owner, what, self.now.isoformat())
        if sending is Sending.DONE:
            return False
        slack = self.channel()
        new = sending is Sending.NEW or not slack.has(notice.message_id, (self.now - _REMEMBERED).timestamp())
        if new:
            text, blocks = self.write(notice)
            slack.post(notice.message_id, text, blocks)
        self.messages.finish(owner, what, self.now.isoformat())
        return new
