"""State "Read the decision": what the signed votes say, fixed once, and recorded for each plan that was approved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from billing.adapters.approvals_table import StoredRequest
from billing.domain.approval_request import RecordedOutcome
from billing.domain.approvers import Outcome, standing
from billing.domain.batch import batch_from_dict
from billing.domain.errors import OurFault
from billing.domain.ledger import Approval, Disposition
from billing.steps.votes import as_domain_votes, verified_votes


class Requests(Protocol):
    """The approvals table."""

    def newest(self, run_id: str) -> StoredRequest | None: ...
    def conclude(self, request_id: str, outcome: RecordedOutcome, votes_seen: int) -> bool: ...


class Files(Protocol):
    """The run's files."""

    def read_json(self, key: str, sha256: str | None = None) -> Any: ...


class Ledger(Protocol):
    """Where approvals are kept."""

    def record_approvals(self, approvals: Iterable[Approval], run_id: str, at: str) -> None: ...


def read_the_decision(
    run: Mapping[str, Any],
    matched: Mapping[str, Any],
    wait: Mapping[str, Any],
    requests: Requests,
    files: Files,
    ledger: Ledger,
    read_vote: Callable[[str], Mapping[str, str] | None],
    now: datetime,
) -> dict[str, Any]:
    """Record what was approved and answer "approved"; or answer "rejected", "expired", "undecided". Safe to repeat.

    `wait` is the error that ended the waiting, if one did. A time-out with a decision in the table is a lost callback:
    the decision counts. Raises OurFault if an outcome in the table has no signed votes behind it.
    """
    outcome = Outcome.APPROVED
    if matched["toAsk"]:
        outcome = _outcome(run, matched, wait.get("Error") == "States.Timeout", requests, read_vote, now)
    if outcome is not Outcome.APPROVED:
        return {"outcome": str(outcome)}
    batch = batch_from_dict(files.read_json(matched["batchKey"], matched["sha256"]))
    ledger.record_approvals(
        (
            Approval(invoice.plan.key, invoice.content_hash, invoice.customer.id)
            for invoice in batch.of(Disposition.ASK)
            if invoice.customer is not None
        ),
        run["id"],
        now.isoformat(),
    )
    return {"outcome": str(outcome)}


def _outcome(
    run: Mapping[str, Any],
    matched: Mapping[str, Any],
    timed_out: bool,
    requests: Requests,
    read_vote: Callable[[str], Mapping[str, str] | None],
    now: datetime,
) -> Outcome:
    stored = requests.newest(run["id"])
    if stored is None or stored.request.batch_sha256 != matched["sha256"]:
        raise OurFault("The approvals table has no request for this run's batch. Start a new execution.")
    request_id = stored.request.id
    votes = verified_votes(stored.signed_votes, request_id, read_vote)
    stands = standing(stored.request.slots, as_domain_votes(votes), matched["sha256"])
    decided = stored.outcome
    if decided is None:
        if stands.outcome is not Outcome.UNDECIDED:
            # Killed after the vote and before the outcome: the votes speak for themselves.
            decided = RecordedOutcome(str(stands.outcome), stands.reason, now.isoformat())
        elif timed_out:
            decided = RecordedOutcome(str(Outcome.EXPIRED), "Nobody decided in time. " + stands.reason, now.isoformat())
        else:
            return Outcome.UNDECIDED
        if not requests.conclude(request_id, decided, stored.vote_count):
            # Somebody voted or decided between our read and our write: it counts.
            return _outcome(run, matched, timed_out, requests, read_vote, now)
    outcome = Outcome(decided.outcome)
    if outcome is Outcome.APPROVED and stands.outcome is not Outcome.APPROVED:
        raise OurFault("The approvals table says approved, but the signed votes do not. Nothing is drafted.")
    return outcome
