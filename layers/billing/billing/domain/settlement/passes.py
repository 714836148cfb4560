"""A pass: everything about one root object of Stripe's, read, planned and written by one execution. Pure.

An event is a doorbell. Of each root (an invoice, a charge without one, a payout, a customer) there is one bell: how
often it was rung (`wanted`), what a pass has answered (`done`), and the execution that holds it. A pass works until
done = wanted, so that a burst of events becomes one pass, and two executions never work on one root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from billing.domain.settlement.records import Hold, ItemRef, NetSuiteRecord, Phase, SettlementPlan


class Step(StrEnum):
    """The states of a pass after Stripe was read, in their order. The values are the states' names."""

    CUSTOMER = "Find the customer"
    ITEMS = "Find the items"
    INVOICES = "Write the invoices"
    CREDITS = "Write the credits"
    PAYMENTS = "Write the payments"
    REFUNDS = "Write the refunds"
    DEPOSIT = "Write the deposit"
    BACK = "Write back to Stripe"
    FINISH = "Finish the pass"


READ: Final = "Read the Stripe object"
PARKED: Final = "The object is parked"
SETTLED: Final = "The object is settled"
NOTHING: Final = "Nothing to write"

WRITING: Final[Mapping[Phase, Step]] = {
    Phase.INVOICES: Step.INVOICES,
    Phase.CREDITS: Step.CREDITS,
    Phase.PAYMENTS: Step.PAYMENTS,
    Phase.REFUNDS: Step.REFUNDS,
    Phase.DEPOSIT: Step.DEPOSIT,
}

DIFFERING: Final = frozenset({"record_differs", "order_and_invoice_differ", "edited_in_stripe", "unequal_amounts"})
"""Holds that show two columns which should agree: they end as Differs, all others as PersonNeeded."""

WAITS_FOR_MEMBERS: Final = "waiting_on_child_records"
PERIOD_CLOSED: Final = "period_closed"


class BellList(StrEnum):
    """The lists that a bell may be on; one that is settled is on none."""

    RINGING = "ringing"  # somebody works on it, or should
    PARKED = "parked"  # waits for a period or for members; rung again every night
    HELD = "held"  # a person decides
    FAILED = "failed"  # something passing did not pass in time; rung again every night


@dataclass(frozen=True, slots=True)
class Pass:
    """What travels from state to state: ids, hashes and counts, never contents. `wanted` is what the bell said when
    Stripe was read; `plan_key` and `plan_sha256` name the plan's file."""

    root: str
    kind: str
    execution: str
    wanted: int = 0
    plan_key: str = ""
    plan_sha256: str = ""
    todo: tuple[Step, ...] = ()
    records: int = 0
    written: int = 0

    @classmethod
    def of(cls, data: Mapping[str, Any], execution: str) -> Pass:
        """What `to_dict` gave, or the execution's own input."""
        plan = data.get("plan") or {}
        counts = data.get("counts") or {}
        return cls(
            str(data["root"]),
            str(data["kind"]),
            execution,
            int(data.get("wanted", 0)),
            str(plan.get("key", "")),
            str(plan.get("sha256", "")),
            tuple(Step(one) for one in data.get("todo", ())),
            int(counts.get("records", 0)),
            int(counts.get("written", 0)),
        )

    def to_dict(self, next_state: str | None = None) -> dict[str, Any]:
        """JSON-safe, with the name of the next state."""
        return {
            "root": self.root,
            "kind": self.kind,
            "wanted": self.wanted,
            "plan": {"key": self.plan_key, "sha256": self.plan_sha256},
            "todo": [one.value for one in self.todo],
            "next": next_state or (self.todo[0].value if self.todo else Step.FINISH.value),
            "counts": {"records": self.records, "written": self.written},
        }

    def after(self, step: Step, written: int = 0) -> Pass:
        """The pass when a step is done. Repeating a step changes nothing."""
        todo = tuple(one for one in self.todo if one is not step)
        return Pass(
            self.root,
            self.kind,
            self.execution,
            self.wanted,
            self.plan_key,
            self.plan_sha256,
            todo,
            self.records,
            self.written + written,
        )


def steps_for(
    unwritten: Sequence[NetSuiteRecord], items_to_find: Sequence[ItemRef], write_back: bool
) -> tuple[Step, ...]:
    """What is left to do, in order. A plan whose records are all in NetSuite goes straight to its end."""
    steps = []
    if any(record.netsuite_customer is None and record.stripe_customer for record in unwritten):
        steps.append(Step.CUSTOMER)
    if items_to_find:
        steps.append(Step.ITEMS)
    phases = {record.phase for record in unwritten}
    steps += [WRITING[phase] for phase in Phase if phase in phases]
    if write_back or unwritten:
        steps.append(Step.BACK)
    return (*steps, Step.FINISH)


def first_hold(plan: SettlementPlan) -> Hold | None:
    """The hold that names the end of a pass; the others are in the plan's file."""
    return plan.holds[0] if plan.holds else None


def execution_name(root: str, wanted: int) -> str:
    """Names of executions are unique for ninety days and take 80 characters: root and number of the ring."""
    return f"{root[:60]}-{wanted}"
