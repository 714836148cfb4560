"""State "Tell the team": the summary in Slack and to the owners, and to the approvers how their request ended and what
was drafted.

Each message is sent once. One channel that fails does not keep the others from hearing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.domain.approval.approvers import approver_id
from billing.domain.errors import AddressRefused, PassingError
from billing.domain.mail import MailContent
from billing.domain.run import Closed, Run
from billing.domain.runs.report import Report, RunOutcome
from billing.domain.runs.report_record import read_report
from billing.domain.sending import Sending
from billing.workflows.ports import Channel, Mail, Messages, ReadableFiles


@dataclass(frozen=True, slots=True)
class TellingTheTeam:
    """Whom the state tells, through what, and how it is written."""

    owners: Sequence[str]
    files: ReadableFiles
    messages: Messages
    channel: Callable[[], Channel]
    mail: Mail
    write_slack: Callable[[Report], tuple[str, Sequence[dict[str, Any]]]]
    write_mail: Callable[[Report], MailContent]
    write_notice: Callable[[Report, str], MailContent]
    now: datetime

    def tell(self, run: Run, closed: Closed) -> dict[str, int]:
        """Answer how many were told and how many could not be. Safe to repeat: who was told is not told again.

        Raises PassingError if somebody could not be told and may be told later, else what kept somebody from being told
        at all (PersonNeeded, or an error of AWS); everybody else has been told before.
        """
        nothing_new = closed.outcome == RunOutcome.NOTHING_NEW
        report = _nothing_new(run, closed) if nothing_new else read_report(self.files.read_json(closed.report_key))
        owner = f"RUN#{run.id}"
        # A redriven run has a new end to tell.
        edition = f"{closed.redrive_count}-{str(closed.outcome).replace(' ', '-')}"
        told, refused, failures = 0, 0, list[Exception]()

        def tell(what: str, send: Callable[[Sending], None]) -> None:
            nonlocal told, refused
            try:
                state = self.messages.begin(owner, what, self.now.isoformat())
                if state is not Sending.DONE:
                    send(state)
                    self.messages.finish(owner, what, self.now.isoformat())
                told += 1
            except Exception as error:  # noqa: BLE001 - whatever it was, the others must hear; it is raised in the end
                if isinstance(error, AddressRefused) and what.startswith("end-"):
                    refused += 1  # an approver's: it is on record, and the others have heard
                else:
                    failures.append(error)

        def post(state: Sending) -> None:
            slack = self.channel()
            message_id = f"{run.id}/{edition}"
            if state is Sending.BEGUN and slack.has(message_id, (self.now - timedelta(days=15)).timestamp()):
                return
            text, blocks = self.write_slack(report)
            slack.post(message_id, text, blocks)

        tell(f"slack-{edition}", post)
        # A dry run is told in Slack, and leaves nothing in anybody's mailbox; nor does one that has nothing to tell.
        listeners = () if report.outcome in (RunOutcome.DRY_RUN, RunOutcome.NOTHING_NEW) else self.owners
        for address in dict.fromkeys(address.lower() for address in listeners):
            tell(
                f"mail-{approver_id(address)}-{edition}",
                lambda _, to=address: self.mail.send(to, self.write_mail(report), thread=run.id),  # type: ignore[misc]
            )
        if _concerns_those_who_were_asked(report):
            for address in report.asked:
                tell(
                    f"end-{approver_id(address)}-{edition}",
                    lambda _, to=address: self.mail.send(to, self.write_notice(report, to), thread=run.id),  # type: ignore[misc]
                )
        passing = next((error for error in failures if isinstance(error, PassingError)), None)
        if failures:
            raise passing or failures[0]
        return {"told": told, "untold": refused}


def _concerns_those_who_were_asked(report: Report) -> bool:
    """Whether their request has ended, and the run with it: decided against, not decided, or approved. Of a run that an
    error stopped while they were still asked they hear nothing yet: their links are good."""
    return report.request is not None and report.decision is not None


def _nothing_new(run: Run, closed: Closed) -> Report:
    """What is told of a run that wrote no report: the period was finished before, and is as it was."""
    counts = {name: count for name, count in closed.counts.items() if name != "listed"}
    return Report(
        run=run,
        outcome=RunOutcome.NOTHING_NEW,
        error="",
        cause="",
        lines=(),
        listed=closed.counts["listed"],
        counts=counts,
        totals={},
        decision=None,
        votes=(),
        batch_sha256=None,
    )
