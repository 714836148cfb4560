"""State "Open the run": the input is checked, the billing period fixed, and the period's lock taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from billing.domain.approval.approvers import (
    check_slot_rules,
    one_mailbox_twice,
    parse_domains,
    parse_people,
    parse_slot_rules,
    requester_id,
    rules_of,
    slots_for,
    without,
)
from billing.domain.approval.waiting import WaitingRules, check_rules
from billing.domain.errors import ApprovalExpired, ApprovalUndeliverable, InputInvalid, PassingError
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.records import RecordUnreadable
from billing.domain.run import Former, Run, RunLimits, RunState, read_run_state
from billing.domain.runs.period import BillingPeriod, parse_bill_from
from billing.domain.runs.period_lock import Holder, lock_key
from billing.domain.runs.run_input import parse_run_input

HELD_BY_THIS_RUN = "held by this run"
HELD_BY_ANOTHER = "held by another run"
NOT_NEEDED = "not needed"
BY_HAND = "by hand"
BY_THE_SCHEDULE = "by the schedule"
# Nobody has said no, and nothing was drafted: what was listed may still be what is to be asked.
_UNANSWERED = (ApprovalExpired.__name__, ApprovalUndeliverable.__name__)


class Locks(Protocol):
    """The lock of a period, and the day from which the stack bills."""

    def bill_from(self) -> date | None: ...
    def first_billed_day(self) -> date | None: ...
    def remember_bill_from(self, day: date, run_id: str, at: str) -> date: ...
    def bill_from_told(self, cycle: str) -> str: ...
    def holder(self, key: str) -> Holder | None: ...
    def note_start(self, run_id: str, requested_by: str, at: str) -> None: ...
    def take(self, key: str, run_id: str, execution_arn: str, at: str, instead_of: str | None) -> bool: ...


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The stack's parameters that a run carries along. `subsidiaries` are NetSuite's internal ids of those whose orders
    the stack bills, empty for all."""

    zone: ZoneInfo
    cycle: str
    bill_from: str
    approvers: str
    deputies: str
    delegate_domains: str
    requester_may_sign: bool
    waiting: WaitingRules
    draft_concurrency: int
    subsidiaries: tuple[str, ...] = ()
    tolerated_failure_percentage: int = 100


@dataclass(frozen=True, slots=True)
class Start:
    """What an execution starts with: its input as it was given, its own names, and its state until now (None for a
    definition that does not hand it over), see `former_listing`; and how often it was redriven."""

    input: object
    execution_arn: str
    execution_name: str
    before: object = None
    redrive_count: int = 0


def open_the_run(
    start: Start, settings: RunSettings, locks: Locks, is_running: Callable[[str], bool], now: datetime
) -> Run:
    """Answer the run: its id, period, file prefix and settings, and whether it holds the period.

    The run's id is the execution's name. The invoices' date is the firm's own day of the schedule (by hand: of the
    start), however long the approval takes; due dates count from it. Orders are listed from `bill_from` on: see
    `_bill_from`. A dry run writes nothing and therefore takes no lock. Safe to repeat.

    Raises InputInvalid (input, or the parameters that say who signs and from when on) and PassingError (two runs race
    for the lock).
    """
    run_input = parse_run_input(start.input, settings.zone, settings.cycle)
    run_input = replace(run_input, filter=_of_this_stack(run_input.filter, settings.subsidiaries))
    requester = requester_id(run_input.requested_by) if run_input.requested_by else ""
    # A schedule gives its own time, and never a period.
    by_hand = run_input.scheduled_at is None or (isinstance(start.input, Mapping) and "period" in start.input)
    if by_hand and not run_input.dry_run and not requester and not settings.requester_may_sign:
        raise InputInvalid(
            'The field "requestedBy" is missing. The parameter RequesterMaySign is false: a run that a person starts '
            "says who that is, by their e-mail address, and they may not sign it."
        )
    barred = "" if settings.requester_may_sign else requester
    check_who_signs(settings, run_input.cycle, barred)
    period = run_input.period
    opened = run_input.scheduled_at or now
    former = _ended_unanswered(start.before, start.execution_name)
    key = lock_key(run_input.cycle, period.name)
    bill_from = _bill_from(settings, period, locks)
    listed_from = period.listed_from(bill_from)
    run = Run(
        id=start.execution_name,
        execution_arn=start.execution_arn,
        cycle=run_input.cycle,
        zone=run_input.zone.key,
        period=period.name,
        listed_from=listed_from.isoformat(),
        listed_before=period.listed_before.isoformat(),
        # Asked anew about the same orders, a run by hand keeps its date: else the same content would have other dates.
        invoice_date=former.run.invoice_date if former else opened.astimezone(run_input.zone).date().isoformat(),
        bill_from=bill_from.isoformat(),
        # Told once, and again whenever it moves. A trial is no place for it, nor a month before the start.
        bill_from_is_new=(
            listed_from == bill_from
            and not run_input.filter.is_trial
            and locks.bill_from_told(run_input.cycle) != bill_from.isoformat()
        ),
        dry_run=run_input.dry_run,
        filter=run_input.filter,
        prefix=f"runs/{period.name}/{start.execution_name}/",
        map_results_prefix=f"runs/{period.name}/{start.execution_name}/map",
        lock_key=key,
        requested_by=requester,
        barred=barred,
        round=start.redrive_count,
        lock=NOT_NEEDED,
        started=BY_HAND if by_hand else BY_THE_SCHEDULE,
        settings=RunLimits(
            approval_timeout_seconds=settings.waiting.timeout,
            reminder_interval_seconds=settings.waiting.reminder_interval,
            escalation_after_seconds=settings.waiting.escalation_after,
            first_wait_seconds=settings.waiting.first_wait,
            draft_concurrency=settings.draft_concurrency,
            tolerated_failure_percentage=settings.tolerated_failure_percentage,
        ),
    )
    if run_input.dry_run:
        return run
    holder = locks.holder(key)
    gone: str | None = None
    if holder is not None and holder.held and holder.run_id != start.execution_name:
        if is_running(holder.execution_arn):
            said = _said(period.name, holder)
            return replace(run, lock=HELD_BY_ANOTHER, holder=holder.execution_arn, said=said)
        gone = holder.run_id
    if not locks.take(key, run.id, run.execution_arn, now.isoformat(), gone):
        raise PassingError(f"Another run took the period {period.name} at the same moment.")
    if not run_input.filter.is_trial:
        bill_from_now = _remembered(settings, listed_from, locks, run.id, now)
        if bill_from_now != bill_from:
            raise PassingError("Another run has fixed the day from which this stack bills at the same moment.")
    if run_input.requested_by:
        # Beside the execution, whose history keeps the approver id alone: a question to them needs their address.
        locks.note_start(run.id, run_input.requested_by, now.isoformat())
    finished = holder.finished_by if holder is not None else ""
    return replace(run, lock=HELD_BY_THIS_RUN, finished_by="" if finished == run.id else finished)


def _of_this_stack(chosen: OrderFilter, subsidiaries: tuple[str, ...]) -> OrderFilter:
    """The run's filter within the subsidiaries that the stack bills. Raises InputInvalid where it asks for another's:
    that stack has another Stripe account, and a ledger of its own."""
    if not subsidiaries:
        return chosen
    others = [one for one in chosen.subsidiaries if one not in subsidiaries]
    if others:
        raise InputInvalid(
            f'The field "filter.subsidiaries" asks for {", ".join(others)}, which this stack does not bill. Its '
            f"parameter Subsidiaries names {', '.join(subsidiaries)}."
        )
    return chosen if chosen.subsidiaries else replace(chosen, subsidiaries=subsidiaries)


def _bill_from(settings: RunSettings, period: BillingPeriod, locks: Locks) -> date:
    """The day from which the stack bills: the parameter BillFrom; else what the first run has remembered; else, on a
    stack that billed before it remembered, the first day of the first month that it has billed; else this period's."""
    return (
        parse_bill_from(settings.bill_from)
        or locks.bill_from()
        or min(filter(None, (locks.first_billed_day(), period.first_day)))
    )


def _remembered(settings: RunSettings, listed_from: date, locks: Locks, run_id: str, now: datetime) -> date:
    """The day from which the stack bills, after the first run has remembered it. It never moves by itself: what a
    person wants otherwise is said by the parameter."""
    remembered = locks.remember_bill_from(listed_from, run_id, now.isoformat())
    return parse_bill_from(settings.bill_from) or remembered


def former_listing(run: Run, before: object) -> Former:
    """What "Compare with the listing" compares with.

    `before` is the execution's state until now. On a fresh start that is its input, in which nothing is believed: the
    input's own check knows no such fields, and has refused them before. On a redrive it is the state in which the run
    ended. Only an end as expired or undeliverable hands its listing on, and only one that this run itself has written.
    """
    former = _ended_unanswered(before, run.id)
    listed = former.listed if former else None
    mine = listed is not None and listed.snapshot_key == f"{run.prefix}orders.json"
    return Former(asks_anew=mine, listed=listed if mine else None)


def _ended_unanswered(before: object, run_id: str) -> RunState | None:
    """The state in which this run ended, if that was without an answer. What cannot be read is not compared with."""
    if not isinstance(before, Mapping):
        return None
    run, closed = before.get("run"), before.get("closed")
    if not isinstance(run, Mapping) or not isinstance(closed, Mapping):
        return None
    if run.get("id") != run_id or closed.get("error") not in _UNANSWERED:
        return None
    try:
        return read_run_state(before)
    except RecordUnreadable:
        return None


def check_who_signs(settings: RunSettings, cycle: str, barred: str) -> None:
    """Read the parameters that say who signs in a cycle. `barred` is the approver id of one
    who may not sign, or "".

    Raises InputInvalid with the mistake: it must show when it is made, or at the start, and not after the listing."""
    check_rules(settings.waiting)
    rules = parse_slot_rules(settings.approvers)
    check_slot_rules(rules)
    slots_for(rules, cycle, {})
    if barred:
        without([rule.slot for rule in rules_of(rules, cycle)], barred)
    deputies = parse_people(settings.deputies, "The parameter Deputies")
    if bool(deputies) != bool(settings.waiting.escalation_after):
        raise InputInvalid(
            "The parameters Deputies and EscalationAfterSeconds belong together: set both, or neither (empty and 0)."
        )
    parse_domains(settings.delegate_domains)
    one_mailbox_twice(rules, deputies)


def _said(period: str, holder: Holder) -> str:
    return (
        f"The period {period} is being billed by the run {holder.run_id}, which is still at work or "
        "waits for approval. This run does nothing and ends well."
    )
