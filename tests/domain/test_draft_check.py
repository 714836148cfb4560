"""Whether a draft in Stripe is what was approved: the first difference, with an order's number in the sentence."""

from __future__ import annotations

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.draft_check import differences
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_invoices
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import hours, line, order


def plan() -> InvoicePlan:
    rows = order("1500.00", hours(), line(2, "Service", "500.00", quantity="5"))
    (made,) = plan_invoices(read_orders(rows), BillingPolicy()).invoices
    return made


LINES = tuple(one.id for one in plan().lines)


def test_the_same_customer_currency_lines_and_total_are_no_difference() -> None:
    assert differences(plan(), "cus_1", "cus_1", "usd", LINES, 150_000) is None
    assert differences(plan(), "cus_1", "cus_1", "usd", LINES[::-1], 150_000) is None, "Stripe lists newer lines first"


@pytest.mark.parametrize(
    ("customer", "currency", "lines", "total", "code"),
    [
        ("cus_2", "usd", LINES, 150_000, "customer_differs"),
        ("cus_1", "eur", LINES, 150_000, "currency_differs"),
        ("cus_1", "usd", LINES[:1], 150_000, "lines_differ"),
        ("cus_1", "usd", (*LINES, LINES[0]), 150_000, "lines_differ"),
        ("cus_1", "usd", (*LINES, ""), 150_000, "lines_differ"),
        ("cus_1", "usd", (LINES[0], LINES[0]), 150_000, "lines_differ"),
        ("cus_1", "usd", (), 150_000, "lines_differ"),
        ("cus_1", "usd", LINES, 149_999, "total_differs"),
        ("cus_1", "usd", LINES, -150_000, "total_differs"),
        # What is worse is said first.
        ("cus_2", "eur", (), 0, "customer_differs"),
    ],
)
def test_each_difference_has_its_code_and_names_the_order(
    customer: str, currency: str, lines: tuple[str, ...], total: int, code: str
) -> None:
    found = differences(plan(), "cus_1", customer, currency, lines, total)
    assert found is not None
    assert found.code == code
    assert found.message.startswith("SO-1001: ")


def test_the_sentence_shows_both_totals_as_people_write_them() -> None:
    found = differences(plan(), "cus_1", "cus_1", "usd", LINES, 150_001)
    assert found is not None
    assert "1500.01" in found.message.replace(",", "")
    assert "1500.00" in found.message.replace(",", "")
