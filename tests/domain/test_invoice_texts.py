"""What the client and Stripe get to read: lines, templates, PO number, addresses, tax, service period."""

from __future__ import annotations

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy, PolicyInvalid
from billing.domain.invoices.charge_limits import with_charge_warnings
from billing.domain.invoices.grouping import group_by_client
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import hours, line, order


def planned(rows, **policy):
    plans = plan_invoices(read_orders(rows), BillingPolicy(**policy))
    assert plans.problems == ()
    (plan,) = plans.invoices
    return plan


@pytest.mark.parametrize(
    ("quantity", "billed", "amount", "columns", "text"),
    [
        # 7.25 x 187.50 is 1,359.375, which NetSuite rounds to 1,359.38.
        ("7.25", "0", "1359.38", {"rate": "187.5"}, "Item 1 — 7.25 × 187.50"),
        ("7.25", "0", "1359.38", {"rate": "187.5", "unitname": "h"}, "Item 1 — 7.25 h × 187.50"),
        ("7.25", "0", "1359.38", {"rate": "187.5", "unitname": "3"}, "Item 1 — 7.25 × 187.50"),
        ("10", "0", "1000.00", {}, "Item 1 — 10 × 100.00"),
        ("10", "4", "1000.00", {}, "Item 1 — 6 × 100.00"),
        ("8", "0", "1.00", {}, "Item 1 — 8 × 0.125"),
        # No price that could be checked: 100.00 for 3; a rate that is another currency's; a percentage.
        ("3", "0", "100.00", {"rate": "33.33"}, "Item 1"),
        ("3", "0", "100.00", {"rate": "10.0%"}, "Item 1"),
        ("7", "0", "100.00", {"rate": "93.22"}, "Item 1"),
        ("1.33333", "0", "133.33", {"rate": "100"}, "Item 1"),
        ("1", "0", "100.00", {}, "Item 1"),
        ("10", "0", "1000.00", {"linememo": "Senior consultant"}, "Senior consultant — 10 × 100.00"),
        ("1", "0", "9.00", {"linememo": "two\nlines\tand\x07bell"}, "two lines and bell"),
        ("1", "0", "9.00", {"itemname": None}, "ITEM-1"),
        ("1", "0", "9.00", {"itemname": None, "itemid": None}, "Item"),
    ],
)
def test_a_line_reads_as_a_client_expects(quantity, billed, amount, columns, text):
    plan = planned(order(amount, {**hours(quantity, amount, **columns), "quantitybilled": billed}))
    assert plan.lines[0].description == text


def test_a_yen_price_has_no_decimals():
    assert planned(order("30000", hours("2", "30000"), currencycode="JPY")).lines[0].description == (
        "Item 1 — 2 × 15000"
    )


@pytest.mark.parametrize(
    ("currency", "quantity", "amount", "rate", "price"),
    [
        ("USD", "10", "1000.00", None, "10000"),
        ("USD", "7.25", "1359.38", "187.5", "18750"),  # 135937.5: both ways of rounding give 135938
        ("USD", "0.5", "0.13", "0.25", None),  # 12.5 cents: half up is 13, half to even 12
        ("USD", "3", "100.00", None, None),
        ("USD", "3", "99.99", None, "3333"),
        ("USD", "8", "1.00", None, "12.5"),
        ("JPY", "4", "10", None, "2.5"),
        ("KWD", "4", "1.000", None, "250"),
        ("ISK", "4", "1000", None, "25000"),
    ],
)
def test_quantity_and_price_go_to_stripe_only_where_its_arithmetic_is_exact(currency, quantity, amount, rate, price):
    rows = order(amount, hours(quantity, amount, rate=rate), currencycode=currency)
    by_amount, by_quantity = planned(rows), planned(rows, line_style="quantity")
    assert by_quantity.lines[0].unit_amount_minor_decimal == price
    assert by_amount.lines[0].unit_amount_minor_decimal is None
    assert by_quantity.total == by_amount.total
    # Stripe shows quantity and price itself, so the text does not repeat them.
    if price is not None:
        assert by_quantity.lines[0].description == "Item 1"
        assert by_quantity.lines[0].quantity == quantity


def test_tax_is_netsuites_or_stripes_or_none_and_never_two_of_them():
    rows = order("1100.00", hours(), line(2, "TaxItem", "100.00", taxline="T", itemid="GST-AU", rate="10.0%"))
    own, stripe, none = (planned(rows, tax=mode) for mode in ("netsuite", "stripe", "none"))
    assert (own.total, own.net_total, own.tax_total) == (110000, 100000, 10000)
    assert [(each.kind, each.description, each.tax) for each in own.lines][1:] == [
        ("tax", "GST-AU 10%", own.lines[1].tax)
    ]
    assert own.lines[1].tax is not None
    assert (own.lines[1].tax.code, own.lines[1].tax.rate) == ("GST-AU", "10%")
    for net in (stripe, none):
        assert (net.total, net.net_total, net.tax_total) == (100000, 100000, 0)
        assert [each.kind for each in net.lines] == ["item"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [("10.0%", "10%"), ("8.875%", "8.875%"), ("10", "10%"), ("0.1", "10%"), ("-0.1", "10%"), ("zero", None)],
)
def test_a_tax_rate_is_shown_as_per_cent_however_netsuite_wrote_it(written, shown):
    plan = planned(order("1100.00", hours(), line(2, "TaxItem", "100.00", taxline="T", rate=written)))
    assert plan.lines[1].tax is not None
    assert plan.lines[1].tax.rate == shown


def test_a_tax_code_that_names_its_rate_is_not_given_it_twice():
    columns = {"taxline": "T", "rate": "20.0%", "itemid": "VAT 20%"}
    plan = planned(order("1200.00", hours(), line(2, "TaxItem", "200.00", **columns)))
    assert plan.lines[1].description == "VAT 20%"


def test_the_service_period_is_the_lines_own_or_the_orders():
    rows = order(
        "1500.00",
        hours(linestart="2026-05-04", lineend="2026-05-15"),
        line(2, "Service", "500.00", quantity="5"),
        startdate="2026-05-01",
        enddate="2026-05-31",
    )
    first, second = planned(rows).lines
    assert first.service_period is not None
    assert (first.service_period.start, first.service_period.end) == ("2026-05-04", "2026-05-15")
    assert second.service_period is not None
    assert (second.service_period.start, second.service_period.end) == ("2026-05-01", "2026-05-31")


@pytest.mark.parametrize(
    ("dates", "warned"),
    [
        ({"startdate": "2026-05-01"}, False),
        ({"startdate": "2026-05-31", "enddate": "2026-05-01"}, False),
        ({"startdate": "1/5/2026", "enddate": "2026-05-31"}, True),
    ],
)
def test_a_service_period_without_two_readable_ends_is_left_out(dates, warned):
    plan = planned(order("1000.00", hours(), **dates))
    assert plan.lines[0].service_period is None
    assert ("service_date_unreadable" in [each.code for each in plan.warnings]) is warned


def test_the_po_number_is_a_custom_field_and_a_long_one_is_cut_with_a_warning():
    assert planned(order("1000.00", hours(), otherrefnum="PO-77")).custom_fields == (("PO number", "PO-77"),)
    plan = planned(order("1000.00", hours(), otherrefnum="9" * 200))
    assert len(plan.custom_fields[0][1]) == 140
    assert [warning.code for warning in plan.warnings] == ["po_cut"]
    assert planned(order("1000.00", hours())).custom_fields == ()


@pytest.mark.parametrize(
    ("header", "email", "codes"),
    [
        ({}, "ap@northwind.example", []),
        ({"orderemail": "Project@Northwind.example"}, "Project@Northwind.example", []),
        ({"billingemail": "bills@northwind.example"}, "bills@northwind.example", []),
        ({"orderemail": "ask Jane"}, "ap@northwind.example", ["email_unreadable"]),
        ({"orderemail": "a@b.example; c@d.example"}, "a@b.example", ["several_emails"]),
        ({"orderemail": "a@b.example\x00"}, "ap@northwind.example", ["column_unreadable"]),
        ({"clientemail": None}, None, []),
        ({"clientemail": "nobody@nowhere"}, None, ["email_unreadable"]),
    ],
)
def test_the_billing_email_is_the_first_usable_one_of_the_chain(header, email, codes):
    plan = planned(order("1000.00", hours(), **header), email_fields=("billingemail", "orderemail", "clientemail"))
    assert plan.client.email == email
    assert [warning.code for warning in plan.warnings] == codes


def test_templates_are_filled_once_so_that_braces_in_a_name_stay_text():
    plan = planned(
        order("1000.00", hours(), clientname="{memo} & {Sons}", memo="secret", otherrefnum="PO-9"),
        description_template="{orders} for {client}, {po}, {period}",
        footer_template="Ref {client_number}",
        period="May 2026",
    )
    assert plan.description == "SO-1001 for {memo} & {Sons}, PO-9, May 2026"
    assert plan.footer == "Ref CUST-77"
    assert plan.memo == "secret"


def test_texts_stay_within_stripes_lengths():
    plan = planned(
        order("1000.00", hours(linememo="x" * 9000), memo="m" * 9000),
        description_template="{memo}",
        footer_template="{memo}{memo}",
    )
    assert len(plan.lines[0].description) <= 5000
    assert len(plan.description) <= 1500
    assert len(plan.footer) <= 5000
    assert "text_cut" in [warning.code for warning in plan.warnings]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("line_style", "both"),
        ("tax", "vat"),
        ("grouping", "month"),
        ("default_due_days", -1),
        ("email_fields", ()),
        ("email_fields", ("OrderEmail",)),
        ("description_template", "{order}"),
        ("description_template", "{orders"),
        ("footer_template", "{client.__class__}"),
    ],
)
def test_a_policy_that_cannot_be_followed_names_its_field(field, value):
    with pytest.raises(PolicyInvalid, match=field):
        BillingPolicy(**{field: value})


@pytest.mark.parametrize(
    ("total", "currency", "codes"),
    [
        ("0.49", "USD", ["below_minimum_charge"]),
        ("0.50", "USD", []),
        ("0.29", "GBP", ["below_minimum_charge"]),
        ("0.010", "KWD", []),
        ("999999.99", "USD", []),
        ("1000000.00", "USD", ["above_maximum_charge"]),
        ("100000000", "JPY", ["above_maximum_charge"]),
        ("1000000", "ISK", ["above_maximum_charge"]),
        ("5000000.00", "IDR", []),
    ],
)
def test_a_total_that_one_charge_cannot_pay_is_warned_about_and_still_planned(total, currency, codes):
    plan = planned(order(total, hours("1", total), currencycode=currency))
    assert [warning.code for warning in plan.warnings] == codes


def test_grouped_by_client_only_the_invoice_that_is_charged_is_warned_about():
    def charge_warnings(plans):
        return [warning.code for plan in plans for warning in plan.warnings if "charge" in warning.code]

    small = [row for n in range(3) for row in order("0.30", hours("1", "0.30"), id=str(500 + n), tranid=f"SO-{n}")]
    alone = plan_invoices(read_orders(small), BillingPolicy()).invoices
    assert charge_warnings(alone) == ["below_minimum_charge"] * 3
    together = [with_charge_warnings(plan) for plan in group_by_client(alone, BillingPolicy(grouping="client"))]
    assert [plan.total for plan in together] == [90]
    assert charge_warnings(together) == []
    (two,) = group_by_client(alone[:1], BillingPolicy(grouping="client"))
    assert charge_warnings([with_charge_warnings(with_charge_warnings(two))]) == ["below_minimum_charge"], "said once"
    large = [
        row for n in range(2) for row in order("600000.00", hours("1", "600000.00"), id=str(500 + n), tranid=f"SO-{n}")
    ]
    whole = plan_invoices(read_orders(large), BillingPolicy())
    assert charge_warnings(whole.invoices) == []
    grouped = group_by_client(whole.invoices, BillingPolicy(grouping="client"))
    assert charge_warnings(map(with_charge_warnings, grouped)) == ["above_maximum_charge"], "on the grouped one"


def test_what_was_shared_or_assumed_is_told_to_the_approver():
    partly = planned(
        order(
            "1625.00",
            {**hours(), "quantitybilled": "5"},
            line(2, "Discount", "-100.00"),
            line(3, "OthCharge", "700.00", quantity="1"),
            line(4, "ShipItem", "25.00"),
        )
    )
    assert {warning.code for warning in partly.warnings} == {
        "shared_in_proportion",
        "discount_placed",
    }
    half = planned(order("0.25", {**hours("2", "0.25"), "quantitybilled": "1"}))
    assert "half_rounded_up" in [warning.code for warning in half.warnings]
    over = planned(order("1500.00", hours(), line(2, "Service", "500.00", quantity="5", quantitybilled="6")))
    assert "billed_too_much" in [warning.code for warning in over.warnings]
    assert planned(order("1000.00", hours())).warnings == ()
