"""Everything that happened to a run's approval requests, in the order of time, for the run's report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from billing.domain.approval.approval_entries import EntryKind, holds, request_hash
from billing.domain.approval.approvers import approver_id, everybody
from billing.domain.runs.report import RecordLine
from billing.workflows.approval.present_request import PresentRequest

_MESSAGES = {
    "ask": "was asked",
    "again": "was asked again",
    "reminder": "was reminded",
    "bounced": "was told of a bounce",
}


def record_of(requests: Iterable[PresentRequest]) -> tuple[RecordLine, ...]:
    """The opening, mails, votes, holds, delegations, escalation, bounces and the outcome of each request, oldest first.

    A redriven run asks anew, and who said what about the request before is part of how this one came about. Each line
    names its request: of the same instant, the earlier request's come first.
    """
    lines = [replace(line, request=one.stored.request.id) for one in requests for line in _lines(one)]
    return tuple(sorted(lines, key=lambda line: line.at))


def _lines(present: PresentRequest) -> Iterator[RecordLine]:
    stored, opened = present.stored, present.stored.request
    yield RecordLine(opened.opened_at, "", f"opened the request {opened.id}", content=opened.request_hash)
    if present.altered:
        what = f"was altered in the approvals table: {', '.join(present.altered)}. What is reported is what was signed"
        yield RecordLine(opened.opened_at, "", f"opened {opened.id}, which {what}")
    everyone = {approver_id(one): one for one in (*everybody(opened.slots), *present.people)}
    for message in stored.messages:
        kind, *rest = message.what.split("-")
        person = next((everyone[part] for part in rest if part in everyone), "")
        if kind in _MESSAGES and person:
            number = f" ({rest[0]})" if kind == "reminder" else ""
            yield RecordLine(message.at, person, _MESSAGES[kind] + number)
    for place, entry in enumerate(present.entries, start=1):
        content = request_hash(opened.request_hash, holds(present.entries[:place]))
        people = ", ".join(entry.people)
        what = {
            EntryKind.HOLD: f"put {entry.order} on hold",
            EntryKind.RELEASE: f"released {entry.order}",
            EntryKind.DELEGATE: f"delegated the request to {people}",
            EntryKind.QUESTION: "put a question to whoever started the run",
            EntryKind.ESCALATE: f"asked {people or 'no deputy'} as well; waiting: {', '.join(entry.slots)}",
        }[entry.kind]
        yield RecordLine(entry.at, entry.by, what, entry.reason, content)
    for vote in present.votes:
        said = f"answered {vote.answer}" + (f" to {vote.shown}" if vote.shown else "")
        yield RecordLine(vote.at, vote.approver, said, vote.reason, vote.request_hash)
    for bounce in stored.bounces:
        who = everyone.get(bounce.approver, bounce.approver)
        yield RecordLine(bounce.at, who, f"could not be reached by mail ({bounce.kind})", bounce.detail)
    if stored.outcome is not None:
        end = stored.outcome
        yield RecordLine(end.at, "", f"ended as {end.outcome}", end.reason, present.request.request_hash)
