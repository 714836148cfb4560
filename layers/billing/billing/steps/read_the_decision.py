"""State "Read the decision": what the signed votes say, fixed once, and recorded for each plan that was approved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from billing.adapters.approvals_table import StoredRequest
from billing.domain.approval_entries import held_reason, holds, with_holds
from billing.domain.approval_request import RecordedOutcome
from billing.domain.approvers import Outcome, approver_id
from billing.domain.batch import batch_from_dict
from billing.domain.errors import OurFault
from billing.domain.ledger import Approval, Disposition
from billing.domain.waiting import Due, NextStep, WaitingRules, next_step
from billing.steps.ports import Files
from billing.steps.present_request import PresentRequest, SignedTexts, present_request


class Requests(Protocol):
    """The approvals table."""

    def newest(self, run_id: str) -> StoredRequest | None: ...
    def conclude(self, request_id: str, outcome: RecordedOutcome, seen: int) -> bool: ...


class Ledger(Protocol):
    """Where approvals are kept."""

    def record_approvals(self, approvals: Iterable[Approval], run_id: str, at: str) -> None: ...


def read_the_decision(
    run: Mapping[str, Any],
    matched: Mapping[str, Any],
    requests: Requests,
    files: Files,
    ledger: Ledger,
    signed: SignedTexts,
    now: datetime,
) -> dict[str, Any]:
    """Record what was approved and answer "approved"; or answer another end; or "undecided", with what is due and how
    many seconds to wait after it. Safe to repeat.

    A decision that is found in the table counts, whether its callback came or not. `heldKey` names the file of plans
    that approvers held back: they are neither recorded nor drafted. Raises OurFault if an outcome in the table has no
    signed votes behind it.
    """
    present: PresentRequest | None = None
    outcome, step = Outcome.APPROVED, NextStep(Due.NOTHING, 0, 1)
    if matched["toAsk"]:
        present = _present(run, matched, requests, signed)
        outcome, step = _outcome(present, run, matched, requests, signed, now)
    held_key = f"{run['prefix']}held.json"
    if outcome is Outcome.APPROVED:
        entries = present.entries if present else ()
        files.write_json(held_key, {key: held_reason(entry) for key, entry in holds(entries).items()})
        batch = with_holds(batch_from_dict(files.read_json(matched["batchKey"], matched["sha256"])), entries)
        ledger.record_approvals(
            (
                Approval(invoice.plan.key, invoice.content_hash, invoice.customer.id)
                for invoice in batch.of(Disposition.ASK)
                if invoice.customer is not None
            ),
            run["id"],
            now.isoformat(),
        )
    # A request that has ended is due for nothing, whatever the clock says.
    due = step.due if outcome is Outcome.UNDECIDED else Due.NOTHING
    return {"outcome": str(outcome), "due": str(due), "seconds": step.seconds, "heldKey": held_key}


def waiting_rules(run: Mapping[str, Any]) -> WaitingRules:
    """The rules that the run was opened with."""
    settings = run["settings"]
    return WaitingRules(
        settings["approvalTimeoutSeconds"], settings["reminderIntervalSeconds"], settings["escalationAfterSeconds"]
    )


def step_of(present: PresentRequest, rules: WaitingRules, now: datetime) -> NextStep:
    """What the waiting request is due for. News that the others have to hear is due like a reminder."""
    done = {message.what for message in present.stored.messages}
    reminded = max((int(what.split("-")[1]) for what in done if what.startswith("reminded-")), default=0)
    step = next_step(
        rules,
        datetime.fromisoformat(present.request.opened_at),
        datetime.fromisoformat(present.request.expires_at),
        now,
        reminded,
        present.deputies_asked,
    )
    untold = any(f"told-{approver_id(address)}" not in done for address in present.lost)
    if step.due is Due.NOTHING and untold:
        return NextStep(Due.REMINDER, step.reminder, step.seconds)
    return step


def _present(
    run: Mapping[str, Any], matched: Mapping[str, Any], requests: Requests, signed: SignedTexts
) -> PresentRequest:
    stored = requests.newest(run["id"])
    if stored is None or stored.request.batch_sha256 != matched["sha256"]:
        raise OurFault("The approvals table has no request for this run's batch. Start a new execution.")
    return present_request(stored, signed)


def _outcome(
    present: PresentRequest,
    run: Mapping[str, Any],
    matched: Mapping[str, Any],
    requests: Requests,
    signed: SignedTexts,
    now: datetime,
) -> tuple[Outcome, NextStep]:
    stands, stored = present.standing, present.stored
    step = step_of(present, waiting_rules(run), now)
    decided = stored.outcome
    if decided is None:
        decided = _end(present, step, now)
        if decided is None:
            return Outcome.UNDECIDED, step
        if not requests.conclude(present.request.id, decided, stored.changes):
            # Somebody voted or decided between our read and our write: it counts.
            return _outcome(_present(run, matched, requests, signed), run, matched, requests, signed, now)
    outcome = Outcome(decided.outcome)
    if outcome is Outcome.APPROVED and stands.outcome is not Outcome.APPROVED:
        raise OurFault("The approvals table says approved, but the signed votes do not. Nothing is drafted.")
    return outcome, step


def _end(present: PresentRequest, step: NextStep, now: datetime) -> RecordedOutcome | None:
    stands, at = present.standing, now.isoformat()
    if stands.outcome is not Outcome.UNDECIDED:
        # Killed after the vote and before the outcome: the votes speak for themselves.
        return RecordedOutcome(str(stands.outcome), stands.reason, at)
    if present.lost_slots:
        slots, people = ", ".join(present.lost_slots), ", ".join(present.unreachable)
        return RecordedOutcome(str(Outcome.UNDELIVERABLE), f"Mail does not reach {people}, whom {slots} needs.", at)
    if step.due is Due.EXPIRY:
        return RecordedOutcome(str(Outcome.EXPIRED), "Nobody decided in time. " + stands.reason, at)
    return None
