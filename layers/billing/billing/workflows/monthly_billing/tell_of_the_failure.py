"""State "Tell of the failure": the team hears that a run could not even be opened, or closed.

Both states have nothing after them that would tell anybody: no report was written. So this one reads no file and no
table that they need; the note of what was told is kept if it can be, and told twice is better than not told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.domain.approval.approvers import approver_id
from billing.domain.errors import PassingError
from billing.domain.mail import MailContent
from billing.domain.runs.failure_notice import FailureNotice
from billing.domain.sending import Sending
from billing.workflows.ports import Channel, Mail, Messages

_REMEMBERED = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told, to whom, and how it is written."""

    owners: Sequence[str]
    messages: Messages
    channel: Callable[[], Channel]
    mail: Mail
    write_slack: Callable[[FailureNotice], tuple[str, Sequence[dict[str, Any]]]]
    write_mail: Callable[[FailureNotice], MailContent]
    now: datetime

    def tell(self, notice: FailureNotice) -> dict[str, int]:
        """Post to Slack and mail every owner, once for each redrive of the run. One channel that fails does not keep
        the others from hearing.

        Raises PassingError if somebody could not be told and may be told later, else what kept somebody from being told
        at all; everybody else has been told before.
        """
        edition = f"{notice.redrive_count}-{notice.state.replace(' ', '-').lower()}"
        failures: list[Exception] = []
        told = 0
        jobs: list[tuple[str, Callable[[Sending], None]]] = [
            (f"failure-slack-{edition}", lambda state: self._post(notice, edition, state)),
            *(
                (f"failure-{approver_id(address)}-{edition}", lambda _, to=address: self._mail(notice, to))
                for address in dict.fromkeys(address.lower() for address in self.owners)
            ),
        ]
        for what, send in jobs:
            try:
                state = self._begin(notice, what)
                if state is not Sending.DONE:
                    send(state)
                    self._finish(notice, what)
                told += 1
            except Exception as error:  # noqa: BLE001 - whatever it was, the others must hear; it is raised in the end
                failures.append(error)
        if failures:
            raise next((one for one in failures if isinstance(one, PassingError)), failures[0])
        return {"told": told}

    def _begin(self, notice: FailureNotice, what: str) -> Sending:
        """How far the message got before. If the table cannot be asked, it may have gone out: Slack is looked at."""
        try:
            return self.messages.begin(f"RUN#{notice.run_id}", what, self.now.isoformat())
        except Exception:  # noqa: BLE001 - whatever keeps the table from answering must not keep the team from hearing
            return Sending.BEGUN

    def _finish(self, notice: FailureNotice, what: str) -> None:
        try:
            self.messages.finish(f"RUN#{notice.run_id}", what, self.now.isoformat())
        except Exception:  # noqa: BLE001 - told twice is better than not told
            return

    def _post(self, notice: FailureNotice, edition: str, state: Sending) -> None:
        slack = self.channel()
        message_id = f"{notice.run_id}/failure/{edition}"
        if state is Sending.BEGUN and slack.has(message_id, (self.now - _REMEMBERED).timestamp()):
            return
        text, blocks = self.write_slack(notice)
        slack.post(message_id, text, blocks)

    def _mail(self, notice: FailureNotice, to: str) -> None:
        self.mail.send(to, self.write_mail(notice), thread=notice.run_id)
