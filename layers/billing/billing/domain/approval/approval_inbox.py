"""What one person sees of the requests that they were asked about."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome, RunEnd
from billing.domain.approval.approvers import Tally, Vote


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One request: `link` is the person's own link to it, `waits` says that it waits for their answer. `earlier_vote`
    is their answer to content that was changed after it, `end` how the run ended."""

    request: ApprovalRequest
    outcome: RecordedOutcome | None
    tally: Tally
    own_vote: Vote | None
    passed_to: str
    waits: bool
    link: str
    earlier_vote: Vote | None = None
    end: RunEnd | None = None
