"""What the channel hears about an approval while it is open. No link of these messages can decide anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Slot
from billing.domain.batch.batch import Batch, totals
from billing.domain.period_name import period_name
from billing.domain.run import Run
from billing.pages.approval.approval_view import orders_not_billed
from billing.pages.formatting import counted, remaining_words, slot_words, sums_words
from billing.pages.report.beside_the_listing import batch_notes
from billing.pages.slack_message import SlackMessage, escaped, message_of_sections


def asked_notice(run: Run, batch: Batch, slots: Sequence[Slot], left: Any) -> SlackMessage:
    """That finance is asked: how much, who has to sign, how long. `left` is the whole wait, a timedelta."""
    drafts = batch.to_draft
    what = f"{counted(len(drafts), 'invoice')} for {period_name(run.period)}"
    lines = [f"*{escaped(slot.name, 100)}:* {escaped(slot_words(slot), 400)}" for slot in slots]
    not_billed = orders_not_billed(batch)
    notes = [f"{counted(not_billed, 'order is', 'orders are')} not billed."] if not_billed else []
    if run.round:
        notes.append("The run was redriven and is asking again.")
    notes.append(f"If no one decides, it expires in {remaining_words(left)}.")
    return message_of_sections(
        f"Approval requested: {what}",
        [
            f"Totals: {sums_words(totals(drafts), 12)}",
            "\n".join(lines),
            " ".join(notes),
            *(escaped(note, 1_500) for note in batch_notes(batch)),
        ],
        run.id,
    )


def bounce_notice(request: ApprovalRequest, lost: str) -> SlackMessage:
    """That mail does not reach an approver."""
    slots = ", ".join(slot.name for slot in request.slots if lost in slot.people)
    return message_of_sections(
        f"Email to an approver of {period_name(request.period)} is bouncing",
        [f"Email to {escaped(lost, 254)} ({escaped(slots, 200)}) is bouncing. The other approvers were told."],
        request.run_id,
    )
