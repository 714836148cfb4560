"""State "Close the run": what became of every order, the proof that none was lost, the report, and the period set
free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Outcome
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.batch.batch import Batch, read_batch, read_reasons
from billing.domain.batch.month_comparison import MonthInvoice
from billing.domain.errors import OurFault
from billing.domain.ledger.ended_orders import EndedOrder, contents_of
from billing.domain.ledger.ledger import LedgerEntry, OrderRecord
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.outstanding import Carried, Outstanding, not_asked
from billing.domain.orders.sales_order import Listing
from billing.domain.records import stored
from billing.domain.run import Caught, Closed, Run, RunState
from billing.domain.runs.carry_over import carry_over as what_comes_back
from billing.domain.runs.report import (
    LineOutcome,
    Report,
    ReportLine,
    RunOutcome,
    count_orders,
    missing_orders,
    report_lines,
    sum_amounts,
    sums_agree,
)
from billing.domain.runs.report_evidence import NO_LONGER_LISTED, lines_without_a_batch, plan_keys, with_earlier
from billing.domain.runs.report_record import read_report
from billing.domain.runs.snapshot import read_snapshot
from billing.workflows.approval.approval_history import record_of
from billing.workflows.approval.present_request import SignedTexts, present_request
from billing.workflows.ports import Files

_Read = TypeVar("_Read")


class Ledger(Protocol):
    """What has been drafted."""

    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]: ...
    def note_paid(self, invoice_ids: Iterable[str]) -> None: ...
    def order_records(self, order_ids: Iterable[str]) -> dict[str, OrderRecord]: ...


class Requests(Protocol):
    """The approvals table."""

    def every(self, run_id: str) -> tuple[StoredRequest, ...]: ...


class Locks(Protocol):
    """The lock of a period, and whether the start was told."""

    def release(self, key: str, run_id: str, *, finished: bool = False) -> None: ...
    def tell_bill_from(self, cycle: str, day: str, run_id: str) -> None: ...


class CarryOver(Protocol):
    """Orders that come back in the cycle's next run."""

    def of(self, cycle: str) -> tuple[Carried, ...]: ...
    def change(self, cycle: str, keep: Iterable[Carried], drop: Iterable[str]) -> None: ...


class Ended(Protocol):
    """Orders that a person has ended."""

    def note_named(self, ended: Iterable[EndedOrder], run_id: str) -> None: ...


class Months(Protocol):
    """What each month has billed."""

    def record(self, cycle: str, period: str, invoices: Mapping[str, MonthInvoice]) -> None: ...


_ERRORS = {
    RunOutcome.REJECTED: "ApprovalRejected",
    RunOutcome.EXPIRED: "ApprovalExpired",
    RunOutcome.UNDELIVERABLE: "ApprovalUndeliverable",
    RunOutcome.MISSING: "InvoicesMissing",
    RunOutcome.INCOMPLETE: "RunIncomplete",
}

TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"
"""Step Functions' name for a Map that has stopped for the share of its items that failed."""

_FINISHED = (RunOutcome.BILLED, RunOutcome.NOTHING_TO_BILL)
_LONGEST_CAUSE = 800

_UNRELEASED = {
    str(Outcome.REJECTED): RunOutcome.REJECTED,
    str(Outcome.EXPIRED): RunOutcome.EXPIRED,
    str(Outcome.UNDELIVERABLE): RunOutcome.UNDELIVERABLE,
}


@dataclass(frozen=True, slots=True)
class Closing:
    """What the state works with. `render` gives the report's other faces as (file name, bytes, content type); `preview`
    the page that the approvers would have been shown, for a dry run."""

    files: Files
    ledger: Ledger
    requests: Requests
    locks: Locks
    carry_over: CarryOver
    ended: Ended
    months: Months
    signed: SignedTexts
    render: Callable[[Report], Iterable[tuple[str, bytes, str]]]
    preview: Callable[[Run, Batch, str], bytes]

    def close(self, state: RunState, redrive_count: int) -> Closed:
        """Write the report and answer the run's outcome, its error's name ("" if it ended well), and counts of orders.

        Safe to repeat: the same state gives the same report. A redriven run's report adds to the one it had: it never
        says less.

        A period that a run has finished before, and of which everything is as it was, is only set free again: there is
        nothing to report that the finished run has not reported.
        """
        run = state.run
        evidence = _evidence(state, self.files)
        batch, listed_ids = evidence.batch, evidence.listed_ids
        asked = () if run.dry_run else tuple(present_request(one, self.signed) for one in self.requests.every(run.id))
        if batch is not None and not asked and _is_as_it_was(state, batch, evidence):
            self.locks.release(run.lock_key, run.id)
            return _nothing_new(run, batch, redrive_count)
        # The last request is about this batch, if there is one; the record tells of all of them, whatever came after.
        present = asked[-1] if asked and state.matched else None
        decision = present.stored.outcome if present else None
        released = state.decision is not None and state.decision.outcome == Outcome.APPROVED
        stopped = _stopped_by(state, evidence.faults)
        if batch is not None:
            mine = [one.billed_by for one in batch.done if one.run_id == run.id]
            entries = self.ledger.entries([*(one.billed_by or one.plan.key for one in batch.invoices), *mine])
            lines = report_lines(batch, entries, run.id, released, _unreleased(state, decision), evidence.not_drafted)
        else:
            listing = evidence.listing
            records = self.ledger.order_records(order.id for order in listing.orders)
            entries = self.ledger.entries(plan_keys(listing.orders, records))
            lines = lines_without_a_batch(listing, records, entries, run.id, _unplanned(state))
        live_modes = {
            entry.live_mode
            for entry in entries.values()
            if entry.live_mode is not None and (batch is not None or entry.run_id == run.id)
        }
        lost = missing_orders(listed_ids, lines)
        whole = not lost and (batch is None or sums_agree(batch, sum_amounts(lines)))
        outcome = RunOutcome.STOPPED if stopped else _outcome(state, batch, lines, released, decision, whole)
        error, cause = stopped or _error(outcome, count_orders(lines), lost)
        early = _ended_early(run) if _drafting_ended_early(state) else ""
        cause = f"{cause} {early}".strip()[:_LONGEST_CAUSE]
        earlier = _earlier_report(run, redrive_count, self.files)
        if earlier is not None:
            lines = with_earlier(lines, earlier.lines, listed_anew=batch is not None)
        # Rows without a readable id are one problem in the report, which names what NetSuite gave instead.
        strays = {
            line.order_ids[0]
            for line in lines
            if line.fate is LineOutcome.PROBLEM and not line.order_ids[0].isdecimal()
        }
        known_ids = {*listed_ids, *strays, *(order_id for line in lines for order_id in line.order_ids)}
        counts = count_orders(lines)
        report = Report(
            run=run,
            redrive_count=redrive_count,
            outcome=outcome,
            error=error,
            cause=cause,
            lines=lines,
            # Of a listing whose files are both lost the execution still knows how long it was.
            listed=len(known_ids) or (state.listed.orders if state.listed and evidence.faults else 0),
            counts=counts,
            totals=sum_amounts(lines),
            decision=decision,
            votes=present.votes if present else (),
            batch_sha256=state.matched.sha256 if state.matched else None,
            live_mode=live_modes.pop() if len(live_modes) == 1 else None,
            request=present.request if present else None,
            record=record_of(asked),
            asked=present.ever_asked if present else (),
            outstanding=_outstanding(run, evidence, self.carry_over),
            carried_gone=batch.carried_gone if batch is not None else (),
            left_alone=batch.left_alone if batch is not None else None,
            of_others=(batch.of_others or ()) if batch is not None else (),
            ended_early=early,
        )
        if earlier is not None:
            report = _proved_before(report, earlier)
        for name, data, content_type in self.render(report):
            self.files.write(f"{run.prefix}{name}", data, content_type)
        self.files.write_json(f"{run.prefix}report.json", stored(report))
        if run.dry_run:
            if batch is not None and state.matched is not None and batch.to_draft:
                page = self.preview(run, batch, state.matched.sha256)
                self.files.write(f"{run.prefix}preview.html", page, "text/html; charset=utf-8")
        else:
            # What the snapshot says of when an order was listed first; if it is lost, what the list itself says.
            carried = {**{one.order_id: one for one in self.carry_over.of(run.cycle)}, **evidence.carried}
            gone = [one.order_id for one in batch.carried_gone] if batch else []
            open_lines = [line for line in lines if line.code != NO_LONGER_LISTED]
            contents = contents_of(evidence.rows)
            keep, drop = what_comes_back(open_lines, run.period, carried, gone, contents)
            self.carry_over.change(run.cycle, (*keep, *(batch.billed_otherwise if batch else ())), drop)
            self.ended.note_named((one.ended for one in batch.ended) if batch else (), run.id)
            self.months.record(run.cycle, run.period, _drafted(lines))
            if batch is not None:
                self.ledger.note_paid(batch.paid)
                if batch.left_alone is not None:
                    self.locks.tell_bill_from(run.cycle, run.bill_from, run.id)
            finished = outcome in _FINISHED and not run.filter.is_trial
            self.locks.release(run.lock_key, run.id, finished=finished)
        return Closed(
            outcome=str(outcome),
            error=error,
            cause=cause,
            counts={"listed": report.listed, **counts},
            report_key=f"{run.prefix}report.json",
            redrive_count=redrive_count,
        )


def _is_as_it_was(state: RunState, batch: Batch, evidence: _Evidence) -> bool:
    """Whether a run has finished the period before and this one has found nothing that somebody has to hear of."""
    run = state.run
    if state.error is not None or evidence.faults or run.dry_run or not run.finished_by or not batch.says_nothing:
        return False
    known = {one.order_id for one in batch.done if one.run_id != run.id}
    return set(evidence.listed_ids) == known | {one.ended.order_id for one in batch.ended}


def _nothing_new(run: Run, batch: Batch, redrive_count: int) -> Closed:
    """The answer of a run that has nothing to report: the report is that of the run that finished the period."""
    done, ended = len({one.order_id for one in batch.done}), len(batch.ended)
    counts = {str(fate): {LineOutcome.SKIPPED: done, LineOutcome.ENDED: ended}.get(fate, 0) for fate in LineOutcome}
    return Closed(
        outcome=str(RunOutcome.NOTHING_NEW),
        error="",
        cause="",
        counts={"listed": done + ended, **counts},
        report_key=f"runs/{run.period}/{run.finished_by}/report.json",
        redrive_count=redrive_count,
    )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the run's files say. `faults` names those that are missing or altered: a run whose evidence is in pieces
    must not end in silence, and what the whole ones say is still true. `not_drafted` are plans that approvers held back
    or that moved in NetSuite, with the reason."""

    batch: Batch | None
    rows: tuple[Mapping[str, str], ...]
    carried: Mapping[str, Carried]
    outstanding: tuple[Outstanding, ...] | None
    not_drafted: Mapping[str, str]
    faults: tuple[str, ...]

    @property
    def listing(self) -> Listing:
        """The orders and problems in the snapshot."""
        return read_orders(self.rows)

    @property
    def listed_ids(self) -> tuple[str, ...]:
        """The internal ids in the snapshot: counted from NetSuite's own rows, not from what we made of them."""
        return tuple(dict.fromkeys(row["id"] for row in self.rows if row.get("id", "").isdecimal()))


def _evidence(state: RunState, files: Files) -> _Evidence:
    faults: list[str] = []

    def read(made: Callable[[Any], _Read], key: str, sha256: str | None = None) -> _Read | None:
        try:
            return made(files.read_json(key, sha256))
        except OurFault as fault:
            faults.append(str(fault))
            return None

    listed, matched, decision = state.listed, state.matched, state.decision
    snapshot = read(read_snapshot, listed.snapshot_key, listed.sha256) if listed else None
    batch = read(read_batch, matched.batch_key, matched.sha256) if matched else None
    held = (
        read(partial(read_reasons, name="held.json"), decision.held_key)
        if decision is not None and decision.outcome == Outcome.APPROVED and decision.held_key
        else None
    )
    changed = read(partial(read_reasons, name="changed.json"), state.checked.changed_key) if state.checked else None
    return _Evidence(
        batch=batch,
        rows=tuple(snapshot.listed) if snapshot is not None else (),
        carried=snapshot.carried if snapshot is not None else {},
        outstanding=snapshot.outstanding or () if snapshot is not None else None,
        not_drafted={**(held or {}), **(changed or {})},
        faults=tuple(faults),
    )


def _outstanding(run: Run, evidence: _Evidence, carry_over: CarryOver) -> tuple[Outstanding, ...]:
    """What earlier runs left over. A run that stopped before it had a batch, or even a listing, names it all the
    same."""
    if evidence.batch is not None:
        return evidence.batch.outstanding
    if evidence.outstanding is not None:
        return evidence.outstanding
    return not_asked(carry_over.of(run.cycle), "This run stopped before it asked NetSuite.")


def _stopped_by(state: RunState, faults: Sequence[str]) -> tuple[str, str] | None:
    """The error that stopped the run, and a sentence: what a state's Catch has kept, or that files of it are lost."""
    early = _drafting_ended_early(state)
    if (state.error is None or early) and not faults:
        return None
    error = (None if early else state.error) or Caught(OurFault.__name__)
    said = error.message
    return error.error, " ".join([said, *(one for one in faults if one not in said)]).strip()[:_LONGEST_CAUSE]


def _drafting_ended_early(state: RunState) -> bool:
    """Whether the Map stopped for the invoices that failed: an end of the drafting, and no error of its own."""
    return state.error is not None and state.error.error == TOO_MANY_FAILED


def _ended_early(run: Run) -> str:
    return (
        f"Drafting was stopped early: more than {run.settings.tolerated_failure_percentage} % of the invoices had "
        "failed (parameter ToleratedFailurePercentage), and those that were not begun are missing as well."
    )


def _unplanned(state: RunState) -> str:
    if state.matched is not None:
        return "The run's batch is lost, which said what was to become of this order."
    return "The run stopped before this order was planned."


def _earlier_report(run: Run, redrive_count: int, files: Files) -> Report | None:
    """The report of this run before it was redriven, or None. One that cannot be read stays in the bucket, as the older
    version of its key."""
    if not redrive_count:
        return None
    try:
        return read_report(files.read_json(f"{run.prefix}report.json"))
    except (OurFault, ValueError):
        return None


def _proved_before(report: Report, earlier: Report) -> Report:
    """The report with what an earlier one of the same run has proved and this one does not speak of."""
    if report.request is not None:
        asked: dict[str, Any] = {}
    else:
        asked = {
            "decision": earlier.decision,
            "votes": earlier.votes,
            "request": earlier.request,
            "asked": earlier.asked,
        }
    return replace(
        report,
        batch_sha256=report.batch_sha256 or earlier.batch_sha256,
        live_mode=earlier.live_mode if report.live_mode is None else report.live_mode,
        record=report.record or earlier.record,
        left_alone=earlier.left_alone if report.left_alone is None else report.left_alone,
        of_others=report.of_others or earlier.of_others,
        **asked,
    )


def _drafted(lines: Iterable[ReportLine]) -> dict[str, MonthInvoice]:
    return {
        line.key: MonthInvoice(line.client_id, line.client, line.currency, line.total)
        for line in lines
        if line.fate is LineOutcome.DRAFTED and line.currency is not None and line.total is not None
    }


def _unreleased(state: RunState, decision: RecordedOutcome | None) -> str:
    if state.run.dry_run:
        return "A dry run drafts nothing."
    if decision is not None and decision.outcome == Outcome.REJECTED:
        return f"The batch was rejected: {decision.reason}"
    if decision is not None and decision.outcome == Outcome.EXPIRED:
        return "There was no decision on the batch before the deadline."
    if decision is not None and decision.outcome == Outcome.UNDELIVERABLE:
        return "Email to the approvers bounced."
    return "The run stopped before the batch was released for drafting."


def _outcome(
    state: RunState,
    batch: Batch | None,
    lines: Iterable[ReportLine],
    released: bool,
    decision: RecordedOutcome | None,
    whole: bool,
) -> RunOutcome:
    if not whole:
        return RunOutcome.INCOMPLETE
    if state.run.dry_run:
        return RunOutcome.DRY_RUN
    failed = any(line.fate is LineOutcome.FAILED for line in lines)
    if batch is None or not batch.to_draft:
        if failed:
            return RunOutcome.MISSING
        # A redriven run may have drafted everything before it was stopped.
        drafted = any(line.fate is LineOutcome.DRAFTED for line in lines)
        return RunOutcome.BILLED if drafted else RunOutcome.NOTHING_TO_BILL
    if not released:
        return _UNRELEASED.get(decision.outcome if decision else "", RunOutcome.EXPIRED)
    return RunOutcome.MISSING if failed else RunOutcome.BILLED


def _error(outcome: RunOutcome, counts: Mapping[str, int], lost: tuple[str, ...]) -> tuple[str, str]:
    """The error's name for 'Stop the run' and a sentence without names or amounts."""
    if outcome is RunOutcome.MISSING:
        of_all = f"{counts[LineOutcome.FAILED]} of {sum(counts.values())} orders"
        cause = f"{of_all} have no draft; the report names each with its reason."
    elif outcome is RunOutcome.INCOMPLETE:
        cause = (
            f"{len(lost)} listed orders have no line in the report ({', '.join(lost[:10])})."
            if lost
            else "The sums by outcome do not add up to what was listed; the report shows them."
        )
    else:
        cause = {
            RunOutcome.REJECTED: "An approver rejected the batch. Nothing was drafted.",
            RunOutcome.EXPIRED: "No decision before the deadline. Nothing was drafted.",
            RunOutcome.UNDELIVERABLE: "Too few approvers can be reached, or are still listed. Nothing was drafted.",
        }.get(outcome, "")
    return _ERRORS.get(outcome, ""), cause
