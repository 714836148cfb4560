"""What Stripe says of a root object, and the plan that follows from it: for a pass, and for the nightly proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time

from billing.domain.errors import OurFault
from billing.domain.settlement import external_ids
from billing.domain.settlement.desired_invoice import desired_for_charge, desired_for_invoice
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.payout import desired_for_payout, record_of
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import SettlementPlan
from billing.domain.settlement.resolved_holds import without_resolved
from billing.domain.settlement.sides import Facts
from billing.domain.settlement.stripe_objects import BilledOrder, InvoiceFacts, PayoutFacts
from billing.workflows.settlement.ports import BilledOrders, SettledRows, StripeReads

_LOOKED_AT = 50
_GONE = "It does not exist in Stripe (any more)."


@dataclass(frozen=True, slots=True)
class Planner:
    """What planning needs. `keep`: whether what an invoice bills of orders is noted for the day on which the ledger
    forgets it; a proof notes nothing."""

    stripe: StripeReads
    ledger: BilledOrders
    rows: SettledRows
    policies: SettlementPolicies
    calendar: Calendar
    keep: bool = True

    def planned(self, root: str, kind: str) -> tuple[Facts | None, SettlementPlan]:
        """What Stripe says, and the plan. An object that is gone asks for nothing."""
        if kind == RootKind.INVOICE:
            invoice = self.stripe.invoice(root)
            if invoice is None:
                return None, SettlementPlan(root, nothing_because=_GONE)
            invoice = replace(invoice, orders=self._orders(invoice))
            plan = desired_for_invoice(invoice, self.policies, self.calendar)
            return invoice, without_resolved(plan, invoice.invoice.metadata)
        if kind == RootKind.CHARGE:
            charge = self.stripe.charge(root)
            if charge is None:
                return None, SettlementPlan(root, nothing_because="It never succeeded, or does not exist in Stripe.")
            plan = desired_for_charge(charge, self.policies, self.calendar)
            return charge, without_resolved(plan, charge.charge.metadata)
        if kind == RootKind.PAYOUT:
            payout = self.stripe.payout(root, self._grouped_since())
            if payout is None:
                return None, SettlementPlan(root, nothing_because=_GONE)
            if payout.payout.status in ("failed", "canceled"):
                payout = replace(payout, deposited=bool(self.rows.records([external_ids.deposit(root)])))
            plan = desired_for_payout(payout, self.policies, self.calendar)
            named = self._with_blocked(payout, plan)
            if named is not payout:
                payout, plan = named, desired_for_payout(named, self.policies, self.calendar)
            return payout, without_resolved(plan, payout.payout.metadata)
        if kind == RootKind.CUSTOMER:
            why = "" if self.policies.choice("customer.when") == "at_creation" else "Customers are made at first use."
            if not why and self.rows.customer(root) is not None:
                why = "Its customer in NetSuite is known."
            return None, SettlementPlan(root, nothing_because=why)
        raise OurFault(f"{root} is of the unknown kind {kind!r}.")

    def _with_blocked(self, facts: PayoutFacts, plan: SettlementPlan) -> PayoutFacts:
        """Of the members whose records NetSuite lacks, those that it will never have: their invoice or charge is on the
        block list, or not on the allow list. A payout would wait for them for ever. Costs calls for what is lacking
        only, the first `_LOOKED_AT` charges."""
        known = self.rows.records(plan.waits_for)
        lacking = {one for one in plan.waits_for if one not in known or not known[one].internal_id}
        charges = dict.fromkeys(
            one.charge for one in facts.members if one.charge and record_of(one, self.policies) in lacking
        )
        roots = {one: self.stripe.root_of_charge(one) for one in list(charges)[:_LOOKED_AT]}
        blocked = {
            charge: root.root
            for charge, root in roots.items()
            if root is not None
            and (not self.policies.admits(root.metadata) or self.policies.blocks(root.charge_metadata))
        }
        if not blocked:
            return facts
        members = (
            replace(one, root=blocked[one.charge], blocked=True)
            if one.charge in blocked and record_of(one, self.policies) in lacking
            else one
            for one in facts.members
        )
        return replace(facts, members=tuple(members))

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
                if one.order_id in known:
                    continue
                again = self.ledger.is_billed_again(one)
                if again and not self.rows.records([external_ids.invoice(invoice.invoice.id, one.order_id)]):
                    # It waited, was voided, and another invoice bills the goods: NetSuite must not bill them by this.
                    continue
                known[one.order_id] = replace(one, billed_again=again)
        found = tuple(known[one] for one in orders if one in known)
        if found and self.keep:
            self.rows.keep_orders(invoice.invoice.id, tuple(replace(one, billed_again=False) for one in found))
        return found


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
