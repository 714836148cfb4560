"""State "Open the run": the input is checked, the billing period fixed, and the period's lock taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from billing.adapters.runs_table import Holder, lock_key
from billing.domain.approvers import (
    approver_id,
    check_slot_rules,
    parse_domains,
    parse_people,
    parse_slot_rules,
    rules_of,
    slots_for,
    without,
)
from billing.domain.errors import InputInvalid, PassingError
from billing.domain.run_input import parse_run_input
from billing.domain.waiting import WaitingRules, check_rules

HELD_BY_THIS_RUN = "held by this run"
HELD_BY_ANOTHER = "held by another run"
NOT_NEEDED = "not needed"


class Locks(Protocol):
    """The lock of a period."""

    def holder(self, key: str) -> Holder | None: ...
    def take(self, key: str, run_id: str, execution_arn: str, at: str, instead_of: str | None) -> bool: ...


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The stack's parameters that a run carries along."""

    zone: ZoneInfo
    cycle: str
    lookback_months: int
    approvers: str
    deputies: str
    delegate_domains: str
    requester_may_sign: bool
    waiting: WaitingRules
    draft_concurrency: int


def open_the_run(
    raw_input: object,
    execution_arn: str,
    execution_name: str,
    settings: RunSettings,
    locks: Locks,
    is_running: Callable[[str], bool],
    now: datetime,
) -> dict[str, Any]:
    """Answer the run's frame: its id, period, file prefix and settings, and whether it holds the period.

    The run's id is the execution's name. The invoices' date is the firm's own day of the schedule (by hand: of the
    start), however long the approval takes; due dates count from it. A dry run writes nothing and therefore takes no
    lock. Safe to repeat. Raises InputInvalid (input, or the parameters that say who signs) and PassingError (two runs
    race for the lock).
    """
    run_input = parse_run_input(raw_input, settings.zone, settings.lookback_months, settings.cycle)
    requester = approver_id(run_input.requested_by) if run_input.requested_by else ""
    barred = "" if settings.requester_may_sign else requester
    _check_approvers(settings, run_input.cycle, barred)
    period = run_input.period
    opened = run_input.scheduled_at or now
    key = lock_key(run_input.cycle, period.name)
    run: dict[str, Any] = {
        "id": execution_name,
        "executionArn": execution_arn,
        "cycle": run_input.cycle,
        "zone": run_input.zone.key,
        "period": period.name,
        "listedFrom": period.listed_from.isoformat(),
        "listedBefore": period.listed_before.isoformat(),
        "invoiceDate": opened.astimezone(run_input.zone).date().isoformat(),
        "dryRun": run_input.dry_run,
        "filter": run_input.filter.to_dict(),
        "prefix": f"runs/{period.name}/{execution_name}/",
        "mapResultsPrefix": f"runs/{period.name}/{execution_name}/map",
        "lockKey": key,
        "requestedBy": requester,
        "barred": barred,
        "lock": NOT_NEEDED,
        "settings": {
            "approvalTimeoutSeconds": settings.waiting.timeout,
            "reminderIntervalSeconds": settings.waiting.reminder_interval,
            "escalationAfterSeconds": settings.waiting.escalation_after,
            "firstWaitSeconds": settings.waiting.first_wait,
            "draftConcurrency": settings.draft_concurrency,
        },
    }
    if run_input.dry_run:
        return run
    holder = locks.holder(key)
    gone: str | None = None
    if holder is not None and holder.held and holder.run_id != execution_name:
        if is_running(holder.execution_arn):
            return {**run, "lock": HELD_BY_ANOTHER, "holder": holder.execution_arn, "said": _said(period.name, holder)}
        gone = holder.run_id
    if not locks.take(key, execution_name, execution_arn, now.isoformat(), gone):
        raise PassingError(f"Another run took the period {period.name} at the same moment.")
    return {**run, "lock": HELD_BY_THIS_RUN}


def _check_approvers(settings: RunSettings, cycle: str, barred: str) -> None:
    """A mistake in who signs must show at the start, not after the listing."""
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


def _said(period: str, holder: Holder) -> str:
    return (
        f"The period {period} is being billed by the run {holder.run_id}, which is still at work or "
        "waits for approval. This run does nothing and ends well."
    )
