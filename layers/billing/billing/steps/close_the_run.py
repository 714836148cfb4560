"""State "Close the run": what became of every order, the proof that none was lost, the report, and the period set
free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from billing.adapters.approvals_table import StoredRequest
from billing.domain.approval_request import RecordedOutcome
from billing.domain.approvers import Outcome
from billing.domain.batch import Batch, batch_from_dict
from billing.domain.carry_over import carry_over as what_comes_back
from billing.domain.errors import OurFault
from billing.domain.ledger import LedgerEntry
from billing.domain.month_comparison import MonthInvoice
from billing.domain.order_rows import read_orders
from billing.domain.outstanding import Carried, Outstanding, not_asked
from billing.domain.report import (
    Fate,
    Report,
    ReportLine,
    RunOutcome,
    count_orders,
    missing_orders,
    report_lines,
    sum_amounts,
    sums_agree,
)
from billing.domain.report_record import report_to_dict
from billing.domain.run_input import parse_filter
from billing.steps.list_the_sales_orders import carried_of, outstanding_of, rows_of
from billing.steps.note_the_failure import message_of
from billing.steps.ports import Files
from billing.steps.present_request import SignedTexts, present_request
from billing.steps.record import record_of


class Ledger(Protocol):
    """What has been drafted."""

    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]: ...
    def note_paid(self, invoice_ids: Iterable[str]) -> None: ...


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

_FINISHED = (RunOutcome.BILLED, RunOutcome.NOTHING_TO_BILL)

_UNRELEASED = {
    str(Outcome.REJECTED): RunOutcome.REJECTED,
    str(Outcome.EXPIRED): RunOutcome.EXPIRED,
    str(Outcome.UNDELIVERABLE): RunOutcome.UNDELIVERABLE,
}


def close_the_run(
    state: Mapping[str, Any],
    redrive_count: int,
    files: Files,
    ledger: Ledger,
    requests: Requests,
    locks: Locks,
    carry_over: CarryOver,
    months: Months,
    signed: SignedTexts,
    render: Callable[[Report], Iterable[tuple[str, bytes, str]]],
    preview: Callable[[Mapping[str, Any], Batch, str], bytes],
) -> dict[str, Any]:
    """Write the report and answer the run's outcome, its error name ("" if it ended well), and counts of orders.

    `state` is the execution's state: whichever of listed, matched, decision and error exist. `render` gives the
    report's other faces as (file name, bytes, content type); `preview` the page that the approvers would have been
    shown, for a dry run. Safe to repeat: the same state gives the same report.

    A period that a run has finished before, and of which everything is as it was, is only set free again: there is
    nothing to report that the finished run has not reported.
    """
    run = state["run"]
    state = _with_readable_files(state, files)
    batch = _batch(state, files)
    asked = () if run["dryRun"] else tuple(present_request(one, signed) for one in requests.every(run["id"]))
    listed_ids = _listed_ids(state, files)
    if batch is not None and not asked and _is_as_it_was(state, batch, listed_ids):
        locks.release(run["lockKey"], run["id"])
        return _nothing_new(run, len(listed_ids), redrive_count)
    # The last request is about this batch, if there is one; the record tells of all of them, whatever came after.
    present = asked[-1] if asked and batch is not None else None
    decision = present.stored.outcome if present else None
    released = state.get("decision", {}).get("outcome") == Outcome.APPROVED
    if batch is not None:
        mine = [one.billed_by for one in batch.done if one.run_id == run["id"]]
        entries = ledger.entries([*(one.billed_by or one.plan.key for one in batch.invoices), *mine])
        changed = {
            **_held(state, files),
            **(files.read_json(state["checked"]["changedKey"]) if "checked" in state else {}),
        }
        lines = report_lines(batch, entries, run["id"], released, _unreleased(state, decision), changed)
        live_modes = {entry.live_mode for entry in entries.values() if entry.live_mode is not None}
    else:
        lines, live_modes = _unmatched_lines(state, files), set()
    lost = missing_orders(listed_ids, lines)
    # Rows without a readable id are one problem in the report, which names what NetSuite gave instead.
    strays = {line.order_ids[0] for line in lines if line.fate is Fate.PROBLEM and not line.order_ids[0].isdecimal()}
    totals = sum_amounts(lines)
    whole = not lost and (batch is None or sums_agree(batch, totals))
    outcome = _outcome(state, batch, lines, released, decision, whole)
    counts = count_orders(lines)
    error, cause = _error(state, outcome, counts, lost)
    report = Report(
        run={**run, "redriveCount": redrive_count},
        outcome=outcome,
        error=error,
        cause=cause,
        lines=lines,
        listed=len({*listed_ids, *strays}),
        counts=counts,
        totals=totals,
        decision=decision,
        votes=present.votes if present else (),
        batch_sha256=state.get("matched", {}).get("sha256"),
        live_mode=live_modes.pop() if len(live_modes) == 1 else None,
        request=present.request if present else None,
        record=record_of(asked),
        asked=present.ever_asked if present else (),
        outstanding=batch.outstanding if batch is not None else _outstanding(state, files, carry_over),
        gone=batch.carried_gone if batch is not None else (),
        left_alone=batch.left_alone if batch is not None else None,
    )
    for name, data, content_type in render(report):
        files.write(f"{run['prefix']}{name}", data, content_type)
    files.write_json(f"{run['prefix']}report.json", report_to_dict(report))
    if run["dryRun"]:
        if batch is not None and batch.to_draft:
            page = preview(run, batch, state["matched"]["sha256"])
            files.write(f"{run['prefix']}preview.html", page, "text/html; charset=utf-8")
    else:
        carried = _carried(state, files)
        gone = [one.order_id for one in batch.carried_gone] if batch else []
        carry_over.change(run["cycle"], *what_comes_back(lines, run["period"], carried, gone))
        months.record(run["cycle"], run["period"], _drafted(lines))
        if batch is not None:
            ledger.note_paid(batch.paid)
            if batch.left_alone is not None:
                locks.tell_bill_from(run["cycle"], run["billFrom"], run["id"])
        finished = outcome in _FINISHED and not parse_filter(run["filter"]).is_trial
        locks.release(run["lockKey"], run["id"], finished=finished)
    return {
        "outcome": str(outcome),
        "error": error,
        "cause": cause,
        "counts": {"listed": report.listed, **counts},
        "reportKey": f"{run['prefix']}report.json",
        "redriveCount": redrive_count,
    }


def _is_as_it_was(state: Mapping[str, Any], batch: Batch, listed_ids: Iterable[str]) -> bool:
    """Whether a run has finished the period before and this one has found nothing that somebody has to hear of."""
    run = state["run"]
    if "error" in state or run["dryRun"] or not run.get("finishedBy") or not batch.says_nothing:
        return False
    return set(listed_ids) == {one.order_id for one in batch.done if one.run_id != run["id"]}


def _nothing_new(run: Mapping[str, Any], listed: int, redrive_count: int) -> dict[str, Any]:
    """The answer of a run that has nothing to report: the report is that of the run that finished the period."""
    counts = {str(fate): listed if fate is Fate.SKIPPED else 0 for fate in Fate}
    return {
        "outcome": str(RunOutcome.NOTHING_NEW),
        "error": "",
        "cause": "",
        "counts": {"listed": listed, **counts},
        "reportKey": f"runs/{run['period']}/{run['finishedBy']}/report.json",
        "redriveCount": redrive_count,
    }


def _outstanding(state: Mapping[str, Any], files: Files, carry_over: CarryOver) -> tuple[Outstanding, ...]:
    """What earlier runs left over, for a run that stopped before it had a batch: it is named all the same."""
    listed = state.get("listed")
    if listed:
        return outstanding_of(files.read_json(listed["snapshotKey"], listed["sha256"]))
    return not_asked(carry_over.of(state["run"]["cycle"]), "This run stopped before it asked NetSuite.")


def _with_readable_files(state: Mapping[str, Any], files: Files) -> Mapping[str, Any]:
    """The state, without what lies in files that are missing or altered: the run then ends with that error, and the
    team hears of it. A run whose evidence is gone must not end in silence."""
    try:
        _batch(state, files)
        _listed_ids(state, files)
        _held(state, files)
    except OurFault as fault:
        readable = {name: value for name, value in state.items() if name in ("run", "error", "wait")}
        return {"error": {"Error": "OurFault", "Cause": str(fault)}, **readable}
    return state


def _carried(state: Mapping[str, Any], files: Files) -> dict[str, Carried]:
    listed = state.get("listed")
    return carried_of(files.read_json(listed["snapshotKey"], listed["sha256"])) if listed else {}


def _drafted(lines: Iterable[ReportLine]) -> dict[str, MonthInvoice]:
    return {
        line.key: MonthInvoice(line.client_id, line.client, line.currency, line.total)
        for line in lines
        if line.fate is Fate.DRAFTED and line.currency is not None and line.total is not None
    }


def _batch(state: Mapping[str, Any], files: Files) -> Batch | None:
    matched = state.get("matched")
    return batch_from_dict(files.read_json(matched["batchKey"], matched["sha256"])) if matched else None


def _held(state: Mapping[str, Any], files: Files) -> dict[str, str]:
    """The plans that approvers held back, with who and why."""
    decision = state.get("decision", {})
    if decision.get("outcome") != Outcome.APPROVED or "heldKey" not in decision:
        return {}
    return dict(files.read_json(decision["heldKey"]))


def _listed_ids(state: Mapping[str, Any], files: Files) -> tuple[str, ...]:
    """The internal ids in the snapshot: counted from NetSuite's own rows, not from what we made of them."""
    listed = state.get("listed")
    if not listed:
        return ()
    snapshot = files.read_json(listed["snapshotKey"], listed["sha256"])
    return tuple(dict.fromkeys(row["id"] for row in rows_of(snapshot) if row.get("id", "").isdecimal()))


def _unmatched_lines(state: Mapping[str, Any], files: Files) -> tuple[ReportLine, ...]:
    """The run stopped before it had a batch: every listed order is held, with the run's own error as the reason."""
    listed = state.get("listed")
    if not listed:
        return ()
    listing = read_orders(rows_of(files.read_json(listed["snapshotKey"], listed["sha256"])))
    reason = "The run stopped before this order was planned."
    held = [
        ReportLine(
            key=f"order-{order.id}",
            orders=(order.number,),
            order_ids=(order.id,),
            client=order.client.name,
            fate=Fate.HELD,
            reason=reason,
            currency=order.total.currency,
            total=order.total.minor,
            invoice_id=None,
            content_hash=None,
            stripe_customer=None,
            new_customer=False,
        )
        for order in listing.orders
    ]
    problems = report_lines(Batch({}, (), listing.problems), {}, "", False, reason, {})
    return (*held, *problems)


def _unreleased(state: Mapping[str, Any], decision: RecordedOutcome | None) -> str:
    if state["run"]["dryRun"]:
        return "A dry run drafts nothing."
    if decision is not None and decision.outcome == Outcome.REJECTED:
        return f"The batch was rejected: {decision.reason}"
    if decision is not None and decision.outcome == Outcome.EXPIRED:
        return "Nobody decided about the batch in time."
    if decision is not None and decision.outcome == Outcome.UNDELIVERABLE:
        return "Mail did not reach the approvers."
    return "The run stopped before the batch was released for drafting."


def _outcome(
    state: Mapping[str, Any],
    batch: Batch | None,
    lines: Iterable[ReportLine],
    released: bool,
    decision: RecordedOutcome | None,
    whole: bool,
) -> RunOutcome:
    if "error" in state:
        return RunOutcome.STOPPED
    if not whole:
        return RunOutcome.INCOMPLETE
    if state["run"]["dryRun"]:
        return RunOutcome.DRY_RUN
    failed = any(line.fate is Fate.FAILED for line in lines)
    if batch is None or not batch.to_draft:
        if failed:
            return RunOutcome.MISSING
        # A redriven run may have drafted everything before it was stopped.
        drafted = any(line.fate is Fate.DRAFTED for line in lines)
        return RunOutcome.BILLED if drafted else RunOutcome.NOTHING_TO_BILL
    if not released:
        return _UNRELEASED.get(decision.outcome if decision else "", RunOutcome.EXPIRED)
    return RunOutcome.MISSING if failed else RunOutcome.BILLED


def _error(
    state: Mapping[str, Any], outcome: RunOutcome, counts: Mapping[str, int], lost: tuple[str, ...]
) -> tuple[str, str]:
    """The error's name for 'Stop the run' and a sentence without names or amounts."""
    if outcome is RunOutcome.STOPPED:
        error = state["error"]
        return str(error.get("Error", "OurFault")), message_of(error)[:800]
    if outcome is RunOutcome.MISSING:
        of_all = f"{counts[Fate.FAILED]} of {sum(counts.values())} orders"
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
            RunOutcome.EXPIRED: "Nobody decided in time. Nothing was drafted.",
            RunOutcome.UNDELIVERABLE: "Too few approvers can be reached, or are still listed. Nothing was drafted.",
        }.get(outcome, "")
    return _ERRORS.get(outcome, ""), cause
