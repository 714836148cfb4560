"""What approvers said no to in a request, plan by plan: it takes earlier approvals of exactly that content away.

A hold counts whatever the request's end, and before it: somebody has said no, and that must not be lost if nobody else
answers or the run is aborted. A rejection covers the whole batch. Where a request ended without a word against a plan
(expired, undeliverable), its earlier approval stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from billing.domain.approval.approval_entries import Entry
from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer, Outcome, Vote
from billing.domain.batch.batch import Batch
from billing.domain.ledger.ledger import Objection, Revocation


@dataclass(frozen=True, slots=True)
class Objections:
    """What was said in a request up to now: what is held back (plan key to entry), the votes for the present content,
    and the outcome, None while it is open."""

    held: Mapping[str, Entry]
    votes: tuple[Vote, ...]
    outcome: RecordedOutcome | None

    @property
    def against(self) -> bool:
        """Whether there is anything to withdraw."""
        return bool(self.held) or self.rejected

    @property
    def rejected(self) -> bool:
        """Whether the whole batch was said no to."""
        return self.outcome is not None and self.outcome.outcome == Outcome.REJECTED


def revocations(batch: Batch, objections: Objections, run_id: str) -> tuple[Revocation, ...]:
    """One for each plan that was held back, or for all that would have been drafted if the batch was rejected. `batch`
    is the batch as it was listed, without the holds.

    New plans as well as those that were approved earlier: another run may have had the same content signed for in the
    meantime. Their time is the outcome's; of a hold in a request that is still open, the hold's own.
    """
    return tuple(_revocations(batch, objections, run_id))


def _revocations(batch: Batch, objections: Objections, run_id: str) -> Iterator[Revocation]:
    outcome = objections.outcome
    rejecter = _first_reject(objections.votes)
    for invoice in batch.to_draft:
        key, content = invoice.plan.key, invoice.invoice_hash
        hold = objections.held.get(key)
        if hold is not None:
            at = max(outcome.at, hold.at) if outcome is not None else hold.at
            yield Revocation(key, content, Objection.HELD, hold.by, hold.reason, run_id, at)
        elif outcome is not None and objections.rejected:
            yield Revocation(key, content, Objection.REJECTED, rejecter, outcome.reason, run_id, outcome.at)


def _first_reject(votes: Iterable[Vote]) -> str:
    """The address of the one whose reason is the outcome's, "" if the table holds no such vote."""
    rejects = [vote for vote in votes if vote.answer is Answer.REJECT]
    return min(rejects, key=lambda vote: (vote.at, vote.approver)).approver if rejects else ""
