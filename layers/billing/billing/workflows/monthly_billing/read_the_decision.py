"""State "Read the decision": what the signed votes say, fixed once, and recorded for each plan that was approved, held
back or rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Protocol

from billing.domain.approval.approval_entries import held_reason, holds, with_holds
from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Outcome, approver_id
from billing.domain.approval.objections import Objections, revocations
from billing.domain.approval.signers import ListedPeople
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.approval.waiting import Due, NextStep, WaitingRules, next_step
from billing.domain.batch.batch import Reasons, read_batch
from billing.domain.errors import OurFault
from billing.domain.invoices.invoice_days import SignedDays, days_by_terms
from billing.domain.ledger.ledger import Approval, Revocation
from billing.domain.records import stored
from billing.domain.run import Decision, Matched, Run
from billing.workflows.approval.present_request import PresentRequest, SignedTexts, present_request
from billing.workflows.approval.unsigned_request import refuse_unvouched
from billing.workflows.ports import Files


class Requests(Protocol):
    """The approvals table."""

    def newest(self, run_id: str) -> StoredRequest | None: ...
    def conclude(self, request_id: str, outcome: RecordedOutcome, seen: int) -> bool: ...


class Ledger(Protocol):
    """Where approvals are kept, and what was said against them."""

    def revoke(self, revocations: Iterable[Revocation]) -> None: ...
    def record_approvals(self, approvals: Iterable[Approval], run_id: str, at: str) -> None: ...


def read_the_decision(
    run: Run,
    matched: Matched,
    requests: Requests,
    files: Files,
    ledger: Ledger,
    signed: SignedTexts,
    now: datetime,
    listed: Callable[[], ListedPeople],
) -> Decision:
    """Record what was approved and answer "approved"; or answer another end; or "undecided", with what is due and how
    many seconds to wait after it. What was held back or rejected takes earlier approvals of it away, before anything is
    answered. Both bear the time of the outcome, so repeating it, however late, changes nothing. Safe to repeat.

    A decision that is found in the table counts, whether its callback came or not. `held_key` names the file of plans
    that approvers held back: they are neither recorded nor drafted. `listed` reads the parameters that say who signs,
    not before somebody is waited for: a mistake in them takes no decision back. Raises OurFault if an outcome in the
    table has no signed votes behind it, or the request in the table is not the one that was opened.
    """
    held_key = f"{run.prefix}held.json"
    if not matched.to_ask:
        # Everything was signed for in earlier runs. Nobody signs now, so nothing new is recorded.
        files.write_json(held_key, stored(Reasons({})))
        return Decision(str(Outcome.APPROVED), 1, str(Due.NOTHING), held_key)
    picture = partial(_present, run, matched, requests, files, signed, listed)
    present, decided, step = _looked_at(run, picture, requests, now, listed)
    outcome = Outcome(decided.outcome) if decided is not None else Outcome.UNDECIDED
    objections = Objections(holds(present.entries), present.counted, decided)
    if objections.against or outcome is Outcome.APPROVED:
        batch = read_batch(files.read_json(matched.batch_key, matched.sha256))
        ledger.revoke(revocations(batch, objections, run.id))
    if decided is not None and outcome is Outcome.APPROVED:
        files.write_json(held_key, stored(Reasons({key: held_reason(entry) for key, entry in objections.held.items()})))
        ledger.record_approvals(
            (
                # Those that were approved earlier as well: they were shown and signed for again.
                Approval(
                    invoice.plan.key,
                    invoice.invoice_hash,
                    invoice.customer.id,
                    signed_days=SignedDays(
                        invoice.days or days_by_terms(invoice.plan.due, run.invoice_date), run.period
                    ),
                )
                for invoice in with_holds(batch, present.entries).to_draft
                if invoice.customer is not None
            ),
            run.id,
            decided.at,
        )
    # A request that has ended is due for nothing, whatever the clock says.
    due = step.due if outcome is Outcome.UNDECIDED else Due.NOTHING
    return Decision(str(outcome), step.seconds, str(due), held_key)


def waiting_rules(run: Run) -> WaitingRules:
    """The rules that the run was opened with."""
    settings = run.settings
    return WaitingRules(
        settings.approval_timeout_seconds, settings.reminder_interval_seconds, settings.escalation_after_seconds
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
        present.ask_again_at,
    )
    untold = any(f"told-{approver_id(address)}" not in done for address in present.lost)
    if step.due is Due.NOTHING and untold:
        return NextStep(Due.REMINDER, step.reminder, step.seconds)
    return step


def _present(
    run: Run,
    matched: Matched,
    requests: Requests,
    files: Files,
    signed: SignedTexts,
    listed: Callable[[], ListedPeople],
) -> PresentRequest:
    """The run's request, which nobody has altered in the table."""
    stored = requests.newest(run.id)
    if stored is None:
        raise OurFault("The approvals table has no request of this run. Start a new execution.")
    present = present_request(stored, signed)
    present.refuse_altered()
    opened = present.stored.request
    if not stored.signature:
        batch = read_batch(files.read_json(matched.batch_key, matched.sha256))
        refuse_unvouched(opened, run, matched, batch, listed().rules)
    if opened.request_hash != matched.sha256:
        raise OurFault("The approvals table has no request for this run's batch. Start a new execution.")
    return present


def _looked_at(
    run: Run,
    picture: Callable[[], PresentRequest],
    requests: Requests,
    now: datetime,
    listed: Callable[[], ListedPeople],
) -> tuple[PresentRequest, RecordedOutcome | None, NextStep]:
    """The request, its outcome (None: undecided), which is fixed now if it can be, and what is due. The outcome belongs
    to this very picture of the request."""
    present = picture()
    tally, stored = present.tally, present.stored
    step = step_of(present, waiting_rules(run), now)
    decided = stored.outcome
    if decided is None:
        decided = _end(present, step, now, listed)
        if decided is None:
            return present, None, step
        if not requests.conclude(present.request.id, decided, stored.changes):
            # Somebody voted or decided between our read and our write: it counts.
            return _looked_at(run, picture, requests, now, listed)
    if Outcome(decided.outcome) is Outcome.APPROVED and tally.outcome is not Outcome.APPROVED:
        raise OurFault("The approvals table says approved, but the signed votes do not. Nothing is drafted.")
    return present, decided, step


def _end(
    present: PresentRequest, step: NextStep, now: datetime, listed: Callable[[], ListedPeople]
) -> RecordedOutcome | None:
    tally, at = present.tally, now.isoformat()
    if tally.outcome is not Outcome.UNDECIDED:
        # Killed after the vote and before the outcome: the votes speak for themselves.
        return RecordedOutcome(str(tally.outcome), tally.reason, at)
    present = present.among(listed())
    if present.unlisted_slots:
        slots = ", ".join(present.unlisted_slots)
        why = f"The parameter Approvers no longer lists enough people for {slots}. A redrive asks those it lists now."
        return RecordedOutcome(str(Outcome.UNDELIVERABLE), why, at)
    if present.lost_slots:
        slots, people = ", ".join(present.lost_slots), ", ".join(present.unreachable)
        return RecordedOutcome(
            str(Outcome.UNDELIVERABLE), f"Email to {people} is bouncing, and {slots} needs them.", at
        )
    if step.due is Due.EXPIRY:
        return RecordedOutcome(str(Outcome.EXPIRED), "No decision before the deadline. " + tally.reason, at)
    return None
