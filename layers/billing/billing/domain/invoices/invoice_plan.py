"""What a run bills: every listed order becomes part of an invoice plan, or a problem.

This is the domain's face for the steps:

    listing = read_orders(rows)
    plans = plan_invoices(listing, BillingPolicy(tax="netsuite", grouping="order"))
    plans.invoices[0].total      # minor units of plans.invoices[0].currency
    plan_hash(plans.invoices[0])
"""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.invoices.billing_policy import BillingPolicy, PolicyInvalid
from billing.domain.invoices.charge_limits import with_charge_warnings
from billing.domain.invoices.grouping import group_by_client
from billing.domain.invoices.order_plan import plan_order
from billing.domain.invoices.plan_record import (
    InvoicePlan,
    LineSource,
    LineTax,
    PlanClient,
    PlanLine,
    PlanOrder,
    PlanWarning,
    ServicePeriod,
    plan_hash,
)
from billing.domain.orders.due_date import Due, due_date
from billing.domain.orders.sales_order import Listing, Problem

__all__ = [
    "BillingPolicy",
    "Due",
    "InvoicePlan",
    "LineSource",
    "LineTax",
    "PlanClient",
    "PlanLine",
    "PlanOrder",
    "PlanWarning",
    "Plans",
    "PolicyInvalid",
    "ServicePeriod",
    "due_date",
    "plan_hash",
    "plan_invoices",
]


@dataclass(frozen=True, slots=True)
class Plans:
    """The invoices to draft, and every order that is not on one (the listing's problems included)."""

    invoices: tuple[InvoicePlan, ...]
    problems: tuple[Problem, ...]


def plan_invoices(listing: Listing, policy: BillingPolicy) -> Plans:
    """Invoices in the order of listing. Every order of `listing` is on an invoice or in a problem, once."""
    invoices: list[InvoicePlan] = []
    problems = list(listing.problems)
    for order in listing.orders:
        planned = plan_order(order, policy)
        if isinstance(planned, Problem):
            problems.append(planned)
        else:
            invoices.extend(planned)
    if policy.grouping == "client":
        invoices = list(group_by_client(invoices, policy))
    return Plans(tuple(with_charge_warnings(plan) for plan in invoices), tuple(problems))
