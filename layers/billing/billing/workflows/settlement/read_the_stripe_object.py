"""State "Read the Stripe object": Stripe's present state, the plan that follows from it, and what of it is left to do.

An event only rings; what it said is not kept. So repeated, late and shuffled events change nothing, and a pass whose
records are all in NetSuite ends after one look at Stripe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.item_choice import items_to_find
from billing.domain.settlement.passes import WAITS_FOR_MEMBERS, Pass, Step, steps_for
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import Hold, SettlementPlan
from billing.workflows.settlement.holding import holds_noted
from billing.workflows.settlement.plan_files import keep
from billing.workflows.settlement.planning import Planner
from billing.workflows.settlement.ports import Bells, BilledOrders, Files, SettledRows, StripeReads
from billing.workflows.settlement.write_back_to_stripe import metadata_in_place
from billing.workflows.settlement.writing import Held


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading needs. `at` is the time of the pass (ISO, UTC)."""

    bells: Bells
    stripe: StripeReads
    ledger: BilledOrders
    rows: SettledRows
    files: Files
    policies: SettlementPolicies
    calendar: Calendar
    at: str

    def read(self, one: Pass) -> dict[str, Any]:
        """The pass with its plan and its steps. Raises Superseded, Parked (a payout whose members are not all in
        NetSuite yet), and what the ports raise."""
        wanted = self.bells.begin(one.root, one.execution)
        facts, plan = Planner(self.stripe, self.ledger, self.rows, self.policies, self.calendar).planned(
            one.root, one.kind
        )
        key, sha256 = keep(self.files, one, facts, plan)
        rows = self.rows.records(record.external_id for record in plan.records)
        unwritten = [
            record
            for record in plan.records
            if record.external_id not in rows or not rows[record.external_id].is_as(record)
        ]
        if unwritten:
            with holds_noted(self.bells, one, self.at):
                self._await_members(one, plan)
        in_place = not unwritten and metadata_in_place(facts, plan.records, rows)
        todo = steps_for(unwritten, items_to_find(unwritten, self.policies), not in_place)
        if one.kind == RootKind.CUSTOMER and not plan.nothing_because:
            todo = (Step.CUSTOMER, Step.FINISH)
        return replace(
            one,
            wanted=wanted,
            plan_key=key,
            plan_sha256=sha256,
            todo=todo,
            records=len(plan.records),
        ).to_dict()

    def _await_members(self, one: Pass, plan: SettlementPlan) -> None:
        """Raise Held as long as a payout's members are not all written. The wait is noted before the last look, so that
        a member that is written in between still finds it."""
        missing = self._missing(plan.waits_for)
        if missing:
            self.rows.wait_for(missing, one.root)
            missing = self._missing(missing)
        if missing:
            raise Held(
                Hold(
                    WAITS_FOR_MEMBERS,
                    f"The payout {one.root} waits for {len(missing)} of its {len(plan.waits_for)} members, which are "
                    f"not in NetSuite yet: {', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}. It goes on "
                    "by itself when they are.",
                )
            )

    def _missing(self, external_ids: Iterable[str]) -> list[str]:
        wanted = list(external_ids)
        rows = self.rows.records(wanted)
        return [one for one in wanted if one not in rows or not rows[one].internal_id]
