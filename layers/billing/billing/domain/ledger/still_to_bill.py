"""What is still to bill of every order that was listed, given what we and NetSuite have billed of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.ledger.billed_union import both_numbers, netsuite_billed, readings_of
from billing.domain.ledger.billing_state import Held, State, agreed, state_of_order
from billing.domain.ledger.ledger import LedgerEntry, OrderRecord
from billing.domain.orders.sales_order import Listing, Problem, SalesOrder


@dataclass(frozen=True, slots=True)
class Planned:
    """A state for each plan of every order, order by order, and the orders that cannot be billed as they are."""

    states: tuple[State, ...]
    problems: tuple[Problem, ...]


def still_to_bill(
    listing: Listing,
    policy: BillingPolicy,
    records: Mapping[str, OrderRecord],
    entries: Mapping[str, LedgerEntry],
    removed: Collection[str],
) -> Planned:
    """Every order of `listing` in a state or a problem. `records` go by order id, `entries` by plan key; `removed` are
    invoices of ours that a person deleted or voided in Stripe.

    Planned order by order: whether an order is billed already does not depend on how invoices are grouped.
    """
    states: list[State] = []
    problems = list(listing.problems)
    for order in listing.orders:
        record, noted = records.get(order.id), netsuite_billed(order)
        readings = readings_of(order, record, removed)
        plans, refused = plan_one(readings.least, policy)
        problems += refused
        if not plans:
            continue
        found = state_of_order(plans, record, entries, removed, noted)
        numbers = both_numbers(order, record, removed) if record is not None else ""
        if not readings.certain:
            others, _ = plan_one(readings.most, policy)
            other = state_of_order(others, record, entries, removed, noted) if others else None
            found = agreed(found, other, numbers)
        elif numbers:
            found = [replace(one, reason=f"{one.reason} {numbers}") if isinstance(one, Held) else one for one in found]
        states += found
    return Planned(tuple(states), tuple(problems))


def plan_one(order: SalesOrder, policy: BillingPolicy) -> tuple[tuple[InvoicePlan, ...], tuple[Problem, ...]]:
    """The plans of one order, ungrouped, or the problem that it has."""
    plans = plan_invoices(Listing((order,), ()), replace(policy, grouping="order"))
    return plans.invoices, plans.problems
