"""NetSuite's own amounts of a part of an order, in place of ours, and what of them cannot be placed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import Plans, plan_invoices
from billing.domain.orders.invoice_preview import InvoicePreview, PreviewLine, PreviewUnreadable, preview_of_record
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.sales_order import Listing
from billing.domain.records import from_record, to_record
from tests.domain.suiteql_rows import Row, line, order

# 300.00 at 20 % of which half is billed, 100.00 at 5 %; 10.00 of shipping.
ROWS = order(
    "475.00",
    line(1, "Service", "300.00", quantity="10", quantitybilled="5"),
    line(2, "Service", "100.00", quantity="10"),
    line(3, "ShipItem", "10.00"),
    line(4, "TaxItem", "60.00", taxline="T", item="901", itemid="VAT-20", rate="20%"),
    line(5, "TaxItem", "5.00", taxline="T", item="902", itemid="VAT-5", rate="5%"),
)
GOODS = (PreviewLine("1", Decimal(5), Decimal("150.00")), PreviewLine("2", Decimal(10), Decimal("100.00")))


def planned(preview: InvoicePreview, rows: list[Row] | None = None, **policy) -> Plans:
    (read,) = read_orders(rows or ROWS).orders
    stored = from_record(InvoicePreview, to_record(preview))
    return plan_invoices(Listing((replace(read, preview=stored),), ()), BillingPolicy(**policy))


def amounts(preview: InvoicePreview, rows: list[Row] | None = None, **policy) -> list[int]:
    plans = planned(preview, rows, **policy)
    assert plans.problems == ()
    return [each.amount for each in plans.invoices[0].lines]


def shown(total: str, shipping: str = "0", tax: str | None = None) -> InvoicePreview:
    return InvoicePreview(Decimal(total), GOODS, Decimal(shipping), Decimal(0), None if tax is None else Decimal(tax))


def test_the_shares_stay_where_netsuites_total_says_the_same():
    """150.00 and 100.00, 6.25 of shipping, taxes 30.00 and 5.00."""
    assert amounts(shown("291.25", "6.25")) == [15000, 10000, 625, 3000, 500]
    assert amounts(shown("291.25", "6.25", tax="35.00")) == [15000, 10000, 625, 3000, 500]


def test_netsuites_shipping_counts_and_not_our_share():
    assert amounts(shown("295.00", "10.00")) == [15000, 10000, 1000, 3000, 500]
    assert amounts(shown("285.00")) == [15000, 10000, 3000, 500]


def test_a_cent_of_rounding_in_netsuites_tax_goes_to_the_largest_tax_line():
    assert amounts(shown("291.26", "6.25")) == [15000, 10000, 625, 3001, 500]


def test_a_line_that_netsuite_would_not_bill_is_not_billed_and_its_tax_is_not_guessed_at():
    """NetSuite would bill the goods at 5 % alone; our shares are of both, and what of the 5.00 is whose is not said."""
    only = InvoicePreview(Decimal("105.00"), GOODS[1:])
    (problem,) = planned(only).problems
    assert problem.reason_code == "preview_differs"
    assert "5.00 USD of tax" in problem.message
    assert amounts(only, tax="none") == [10000]


@pytest.mark.parametrize(
    ("preview", "said"),
    [
        (shown("391.25", "6.25"), "more than all of it has"),
        (shown("300.00", "6.25", tax="35.00"), "we can place only 291.25 USD"),
        (
            replace(shown("291.25", "6.25"), lines=(*GOODS, PreviewLine("9", None, Decimal("7.00")))),
            "7.00 USD on lines",
        ),
        (InvoicePreview(refused="This record has been locked."), "This record has been locked."),
    ],
)
def test_what_cannot_be_placed_is_a_problem_with_netsuites_numbers(preview, said):
    plans = planned(preview)
    assert plans.invoices == ()
    (problem,) = plans.problems
    assert problem.reason_code == "preview_differs"
    assert said in problem.message


def test_an_order_that_is_billed_whole_needs_no_preview():
    rows = order("100.00", line(1, "Service", "100.00", quantity="1"))
    assert amounts(InvoicePreview(refused="anything"), rows) == [10000]


def test_a_share_of_netsuites_own_that_stripe_cannot_hold_is_a_problem():
    rows = order("1.000", line(1, "Service", "1.000", quantity="3", quantitybilled="1"), currencycode="KWD")
    preview = InvoicePreview(Decimal("0.667"), (PreviewLine("1", Decimal(2), Decimal("0.667")),))
    assert [one.reason_code for one in planned(preview, rows).problems] == ["share_not_representable"]


@pytest.mark.parametrize("record", [{}, {"total": 1.0}, {"item": {"links": []}, "total": 1.0}])
def test_an_answer_that_is_no_invoice_is_refused(record):
    with pytest.raises(PreviewUnreadable):
        preview_of_record(record)


def test_netsuites_json_is_read_to_the_cent():
    record = {
        "total": 291.25,
        "shippingCost": 4.25,
        "handlingCost": 2.0,
        "discountTotal": -12.5,
        "item": {"items": [{"orderLine": 1, "quantity": 5.0, "amount": 150.1}, {"description": "text", "line": 2}]},
    }
    found = preview_of_record(record)
    assert (found.total, found.shipping, found.discount, found.tax) == (
        Decimal("291.25"),
        Decimal("6.25"),
        Decimal("-12.5"),
        None,
    )
    assert found.lines == (PreviewLine("1", Decimal(5), Decimal("150.1")),)
