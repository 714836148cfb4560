"""State "Read the Stripe object": Stripe's present state, the plan that follows from it, and what of it is left to do.

An event only rings; what it said is not kept. So repeated, late and shuffled events change nothing, and a pass whose
records are all in NetSuite ends after one look at Stripe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from billing.domain.errors import OurFault
from billing.domain.settlement.desired_invoice import desired_for_charge, desired_for_invoice
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.item_choice import items_to_find
from billing.domain.settlement.passes import WAITS_FOR_MEMBERS, Pass, Step, steps_for
from billing.domain.settlement.payout import desired_for_payout
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import Hold, SettlementPlan
from billing.domain.settlement.resolved_holds import without_resolved
from billing.domain.settlement.stripe_objects import BilledOrder, InvoiceFacts
from billing.workflows.settlement.holding import holds_noted
from billing.workflows.settlement.plan_files import keep
from billing.workflows.settlement.ports import Bells, BilledOrders, Files, SettledRows, StripeReads
from billing.workflows.settlement.write_back_to_stripe import metadata_in_place
from billing.workflows.settlement.writing import Held

_GONE = "It does not exist in Stripe (any more)."


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
        facts, plan = self._planned(one)
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

    def _planned(self, one: Pass) -> tuple[Any, SettlementPlan]:
        """What Stripe says, and the plan. An object that is gone asks for nothing."""
        if one.kind == RootKind.INVOICE:
            invoice = self.stripe.invoice(one.root)
            if invoice is None:
                return None, SettlementPlan(one.root, nothing_because=_GONE)
            invoice = replace(invoice, orders=self._orders(invoice))
            plan = desired_for_invoice(invoice, self.policies, self.calendar)
            return invoice, without_resolved(plan, invoice.invoice.metadata)
        if one.kind == RootKind.CHARGE:
            charge = self.stripe.charge(one.root)
            if charge is None:
                return None, SettlementPlan(
                    one.root, nothing_because="It never succeeded, or does not exist in Stripe."
                )
            plan = desired_for_charge(charge, self.policies, self.calendar)
            return charge, without_resolved(plan, charge.charge.metadata)
        if one.kind == RootKind.PAYOUT:
            payout = self.stripe.payout(one.root, self._grouped_since())
            if payout is None:
                return None, SettlementPlan(one.root, nothing_because=_GONE)
            plan = desired_for_payout(payout, self.policies, self.calendar)
            return payout, without_resolved(plan, payout.payout.metadata)
        if one.kind == RootKind.CUSTOMER:
            why = "" if self.policies.choice("customer.when") == "at_creation" else "Customers are made at first use."
            if not why and self.rows.customer(one.root) is not None:
                why = "Its customer in NetSuite is known."
            return None, SettlementPlan(one.root, nothing_because=why)
        raise OurFault(f"{one.root} is of the unknown kind {one.kind!r}.")

    def _grouped_since(self) -> int | None:
        """Since when payouts that are not above zero may wait for a later one; None where the policy groups none."""
        if self.policies.choice("negative_payout") != "group":
            return None
        start = self.policies.start_date
        return int(datetime.combine(start, time(0), self.calendar.zone).timestamp()) if start is not None else 0

    def _orders(self, invoice: InvoiceFacts) -> tuple[BilledOrder, ...]:
        """What our ledger says that the invoice bills of orders of ours; it knows a revision by what it revises.

        Of an invoice that was voided the ledger forgets what it billed as soon as another bills it. NetSuite may have
        the voided one, so it is kept here as well.
        """
        orders = _order_numbers(invoice)
        drafts = [one for one in (invoice.invoice.id, invoice.invoice.revises) if one]
        numbers = {
            key: line.metadata.get("netsuite_line", "")
            for line in invoice.lines
            if (key := line.metadata.get("netsuite_line_id"))
        }
        if not orders or invoice.invoice.finalized_at is None:
            return ()
        known = {one.order_id: one for one in self.ledger.billed_by(drafts, orders, numbers)}
        if len(known) < len(orders):
            for one in self.rows.orders(invoice.invoice.id):
                again = one.order_id not in known and self.ledger.is_billed_again(one)
                known.setdefault(one.order_id, replace(one, billed_again=again))
        found = tuple(known[one] for one in orders if one in known)
        if found:
            self.rows.keep_orders(invoice.invoice.id, tuple(replace(one, billed_again=False) for one in found))
        return found

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


def _order_numbers(facts: InvoiceFacts) -> Mapping[str, str]:
    """{order id: order number} of the orders on the lines, in their order. The invoice's own metadata, which has the
    numbers, is cut at 500 characters; an order whose number was cut off is named by its id."""
    ids = list(dict.fromkeys(one for line in facts.lines if (one := line.metadata.get("netsuite_so_id"))))
    metadata = facts.invoice.metadata
    numbers = dict(
        zip(
            metadata.get("netsuite_so_id", "").split(","),
            metadata.get("netsuite_so_number", "").split(","),
            strict=False,
        )
    )
    return {one: number if (number := numbers.get(one, "")) and "…" not in number else one for one in ids}
