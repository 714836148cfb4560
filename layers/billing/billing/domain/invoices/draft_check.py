"""Whether a draft in Stripe is what was approved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from billing.domain.invoices.invoice_days import InvoiceDays
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.money.money import format_amount


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs. The message holds amounts: it belongs in the ledger and the report."""

    code: str
    message: str


def differences(
    plan: InvoicePlan, customer: str, held_customer: str, held_currency: str, held_lines: Sequence[str], held_total: int
) -> Difference | None:
    """Compare customer, currency, lines and total, in this order; answer the first difference, or None.

    `held_lines` are the NetSuite line ids that Stripe's lines bear; `held_total` is in minor units.
    """
    number = ", ".join(order.number for order in plan.orders)
    if held_customer != customer:
        return Difference("customer_differs", f"{number}: Stripe bills {held_customer} instead of {customer}.")
    if held_currency != plan.currency:
        return Difference("currency_differs", f"{number}: Stripe bills in {held_currency} instead of {plan.currency}.")
    if Counter(held_lines) != Counter(line.id for line in plan.lines):
        return Difference(
            "lines_differ",
            f"{number}: Stripe has {len(held_lines)} lines, approved were {len(plan.lines)}, or they are other lines.",
        )
    if held_total != plan.total:
        return Difference(
            "total_differs",
            f"{number}: Stripe's total is {format_amount(held_total, plan.currency)}, approved was "
            f"{format_amount(plan.total, plan.currency)} {plan.currency.upper()}.",
        )
    return None


def day_difference(plan: InvoicePlan, days: InvoiceDays, held: InvoiceDays) -> Difference | None:
    """Compare the draft's two days with those that were signed for."""
    if held == days:
        return None
    number = ", ".join(order.number for order in plan.orders)
    return Difference(
        "days_differ",
        f"{number}: Stripe has the invoice date {held.invoice} and the due date {held.due}, approved were "
        f"{days.invoice} and {days.due}.",
    )
