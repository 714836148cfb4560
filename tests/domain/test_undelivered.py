"""What is not delivered is not billed, unless the firm bills in advance. Amounts worked out by hand."""

from __future__ import annotations

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import Row, hours, line, order


def laptops(ordered: str = "10", fulfilled: str = "4", billed: str = "0", **columns: str | None) -> Row:
    """Ten laptops for 1,000.00: one is 100.00."""
    row = {"quantity": ordered, "quantitybilled": billed, "quantityshiprecv": fulfilled, **columns}
    return line(2, row.pop("kind", "InvtPart"), "1000.00", **row)


def planned(*lines: Row, total: str = "1000.00", status: str = "E", **policy):
    return plan_invoices(read_orders(order(total, *lines, status=status)), BillingPolicy(**policy))


def billed(*lines: Row, total: str = "1000.00", status: str = "E", **policy) -> list[tuple[str, int]]:
    plans = planned(*lines, total=total, status=status, **policy)
    assert plans.problems == ()
    return [(each.kind, each.amount) for each in plans.invoices[0].lines]


def test_of_ten_ordered_and_four_delivered_four_are_billed_and_the_rest_is_named():
    plans = planned(laptops())
    (plan,) = plans.invoices
    assert [(each.quantity, each.amount) for each in plan.lines] == [("4", 40000)]
    (warning,) = [each for each in plan.warnings if each.code == "not_delivered"]
    assert warning.message == (
        "Not billed yet, because it was not delivered: 6 of 10 on line 2 (Item 2). It is billed when NetSuite shows it "
        "as fulfilled."
    )


def test_what_netsuite_billed_of_the_delivered_part_is_not_billed_again():
    assert billed(laptops(fulfilled="4", billed="3")) == [("item", 10000)]


def test_an_order_of_which_nothing_that_is_open_was_delivered_is_named_and_not_billed():
    plans = planned(laptops(fulfilled="4", billed="4"))
    assert plans.invoices == ()
    (problem,) = plans.problems
    assert problem.reason_code == "not_delivered"
    assert problem.message == (
        "Order SO-1001 has nothing to bill yet, because it was not delivered: 6 of 10 on line 2 (Item 2): fulfill it "
        "in NetSuite, or set InvoiceInAdvanceOfFulfillment if the firm bills before it delivers."
    )


def test_services_on_the_same_order_are_billed_without_delivery():
    assert billed(hours(), laptops(fulfilled="0"), total="2000.00") == [("item", 100000)]


def test_a_firm_that_bills_in_advance_bills_what_was_not_delivered_too():
    assert billed(laptops(), invoice_in_advance=True) == [("item", 100000)]


def test_pending_billing_says_that_nothing_waits_for_delivery():
    """In status F NetSuite bills all of it, whatever the lines say."""
    assert billed(laptops(fulfilled="0"), status="F") == [("item", 100000)]


@pytest.mark.parametrize("status", ["B", "D", "E"])
def test_no_status_before_pending_billing_bills_what_was_not_delivered(status):
    assert billed(laptops(), status=status) == [("item", 40000)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"kind": "Assembly"}, 40000),
        ({"kind": "Kit"}, 40000),
        ({"kind": "InvtPart", "isfulfillable": "F"}, 40000),
        ({"kind": "Kit", "isfulfillable": "F"}, 100000),
        ({"kind": "NonInvtPart", "isfulfillable": "T"}, 40000),
        ({"kind": "NonInvtPart", "isfulfillable": "F"}, 100000),
        ({"kind": "OthCharge", "isfulfillable": "T"}, 40000),
        ({"kind": "Service", "isfulfillable": "T"}, 40000),
        ({"kind": "Service", "isfulfillable": "F"}, 100000),
        ({"kind": "Service"}, 100000),
        ({"kind": "DwnLdItem"}, 100000),
    ],
)
def test_only_items_that_are_fulfilled_at_all_wait_for_delivery(columns, expected):
    assert billed(laptops(**columns)) == [("item", expected)]


@pytest.mark.parametrize("kind", ["NonInvtPart", "OthCharge"])
def test_where_netsuite_does_not_say_whether_an_item_is_delivered_it_is_billed_and_the_approver_is_told(kind):
    (plan,) = planned(laptops(kind=kind)).invoices
    assert plan.total == 100000
    assert "delivery_unknown" in {each.code for each in plan.warnings}
    (plan,) = planned(laptops(kind=kind), status="F").invoices
    assert "delivery_unknown" not in {each.code for each in plan.warnings}


def test_more_delivered_than_ordered_bills_what_was_ordered():
    assert billed(laptops(fulfilled="12")) == [("item", 100000)]


def test_a_closed_line_waits_for_nothing():
    assert billed(hours(), laptops(fulfilled="0", isclosed="T"), total="2000.00") == [("item", 100000)]


def test_deliveries_that_are_billed_one_after_another_come_to_the_line_to_the_cent():
    """100.00 for 3, one delivered each month and billed in NetSuite: 33.33, 33.34, 33.33."""
    parts = [
        billed(
            line(2, "InvtPart", "100.00", quantity="3", quantitybilled=str(before), quantityshiprecv=str(before + 1)),
            total="100.00",
            status="E" if before < 2 else "F",
        )
        for before in range(3)
    ]
    assert parts == [[("item", 3333)], [("item", 3334)], [("item", 3333)]]


def test_discount_shipping_and_tax_go_with_what_was_delivered():
    """1,000.00 less 10 %, 20.00 shipping, 9 % tax on 900.00 (81.00); 4 of 10 delivered: 400 - 40 + 8 + 32.40."""
    lines = (
        laptops(),
        line(3, "Discount", "-100.00", rate="-10.0%"),
        line(4, "ShipItem", "20.00"),
        line(5, "TaxItem", "81.00", taxline="T", rate="9%"),
    )
    assert billed(*lines, total="1001.00") == [("item", 40000), ("discount", -4000), ("shipping", 800), ("tax", 3240)]


def test_the_tax_of_what_waits_waits_with_it():
    """Undelivered goods of 1,000.00 at 20 % (200.00) and services of 100.00 at 5 % (5.00): 105.00 is billed."""
    lines = (
        laptops(fulfilled="0"),
        line(3, "Service", "100.00", quantity="1"),
        line(4, "TaxItem", "200.00", taxline="T", rate="20%"),
        line(5, "TaxItem", "5.00", taxline="T", rate="5%"),
    )
    assert billed(*lines, total="1305.00") == [("item", 10000), ("tax", 500)]
