"""Whether one Stripe charge can pay an invoice: a warning at approval, never a refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from billing.domain.invoices.plan_record import InvoicePlan, PlanWarning
from billing.domain.money.money import Money, maximum_charge, minimum_charge, rule_of

CHARGE_WARNINGS: Final = frozenset({"below_minimum_charge", "above_maximum_charge"})
"""The codes of these warnings. They are about one invoice's total, so they do not go with an order into another one."""


def with_charge_warnings(plan: InvoicePlan) -> InvoicePlan:
    """`plan`, with a warning when its total lies outside what one charge can be, and without one about another total.

    Below the minimum Stripe marks the finalized invoice paid and moves the amount to the customer's
    balance; above the maximum no single charge pays it, a bank transfer or several payments do (Stripe
    documentation, "Supported currencies"). The limits may have moved since they were written down.
    """
    plan = replace(plan, warnings=tuple(one for one in plan.warnings if one.code not in CHARGE_WARNINGS))
    total = Money(plan.total, plan.currency)
    lowest, highest = minimum_charge(plan.currency), maximum_charge(plan.currency)
    if lowest is not None and plan.total < lowest:
        warning = PlanWarning(
            "below_minimum_charge",
            f"The total of {total} is below Stripe's minimum charge of {Money(lowest, plan.currency)}; once "
            "finalized, Stripe would mark it paid and move the amount to the client's balance.",
        )
    elif plan.total > highest:
        warning = PlanWarning(
            "above_maximum_charge",
            f"The total of {total} is above what one Stripe charge can take "
            f"({Money(highest - highest % rule_of(plan.currency).step, plan.currency)}); "
            "the client cannot pay it by card at once.",
        )
    else:
        return plan
    return replace(plan, warnings=(*plan.warnings, warning))
