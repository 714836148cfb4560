"""What is ordered and waits for delivery, of an order that is drafted as far as it is delivered. Pure."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.ledger.still_to_bill import plan_one
from billing.domain.money.money import Money
from billing.domain.orders.sales_order import Reason, SalesOrder


def undelivered_words(order: SalesOrder, policy: BillingPolicy) -> str:
    """A sentence with the sum that waits for delivery, "" if nothing does. The sum is what would be billed now if the
    firm billed in advance, less what is billed without that, with its share of discounts, shipping and tax."""
    plain = replace(order, preview=None)
    now, refused = plan_one(plain, policy)
    said = [note.message for plan in now for note in plan.warnings if note.code == Reason.NOT_DELIVERED]
    said += [problem.message for problem in refused if problem.reason_code == Reason.NOT_DELIVERED]
    if not said:
        return ""
    whole, _ = plan_one(plain, replace(policy, invoice_in_advance=True))
    left = sum(plan.total for plan in whole) - sum(plan.total for plan in now)
    amount = f"{Money(left, order.currency)} of it" if left > 0 else "part of it"
    return f"What was delivered is drafted, and {amount} waits for delivery. {said[0]}"
