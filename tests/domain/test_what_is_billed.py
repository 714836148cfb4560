"""Orders that differ from a plain one in one thing each, with the amounts worked out by hand.

The plain order: SO-1001, ten hours of Service for 1,000.00 USD, no tax, Net 30; it bills 1,000.00. The
right-hand side of every case is (kind, minor units) per invoice line, or the reason why it is not billed.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from billing.domain.invoices.invoice_plan import BillingPolicy, plan_invoices
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import Row, hours, line, order

Lines = Sequence[tuple[str, int]]

BILLED: dict[str, tuple[list[Row], Lines]] = {
    "the plain order": (order("1000.00", hours()), [("item", 100000)]),
    # What is open. 10 hours for 1,000.00: one hour is 100.00.
    "three of ten hours billed: seven are open": (
        order("1000.00", {**hours(), "quantitybilled": "3"}),
        [("item", 70000)],
    ),
    "a quarter of an hour of 10 is open": (
        order("1000.00", {**hours(), "quantitybilled": "9.75"}),
        [("item", 2500)],
    ),
    "a billed quantity with the sign of the quantity": (
        order("1000.00", {**hours(), "quantitybilled": "-3"}),
        [("item", 70000)],
    ),
    "100.00 for 3, 1 billed: 66.666.. is 66.67": (
        order("100.00", {**hours("3", "100.00"), "quantitybilled": "1"}),
        [("item", 6667)],
    ),
    "100.00 for 3, 2 billed: 33.333.. is 33.33": (
        order("100.00", {**hours("3", "100.00"), "quantitybilled": "2"}),
        [("item", 3333)],
    ),
    "0.25 for 2, 1 billed: 12.5 cents are 13 (half up, not half to even)": (
        order("0.25", {**hours("2", "0.25"), "quantitybilled": "1"}),
        [("item", 13)],
    ),
    "a closed second line drops out": (
        order("1500.00", hours(), line(2, "Service", "500.00", quantity="5", isclosed="T")),
        [("item", 100000)],
    ),
    "a closed second line that NetSuite left out of the total": (
        order("1000.00", hours(), line(2, "Service", "500.00", quantity="5", isclosed="T")),
        [("item", 100000)],
    ),
    "tax beside a closed line that NetSuite left out of the total is billed in full": (
        order(
            "1100.00",
            hours(),
            line(2, "Service", "500.00", quantity="5", isclosed="T"),
            line(3, "TaxItem", "100.00", taxline="T"),
        ),
        [("item", 100000), ("tax", 10000)],
    ),
    "tax beside a closed line that is in the total goes with the open part: 150.00 x 1000 / 1500": (
        order(
            "1650.00",
            hours(),
            line(2, "Service", "500.00", quantity="5", isclosed="T"),
            line(3, "TaxItem", "150.00", taxline="T"),
        ),
        [("item", 100000), ("tax", 10000)],
    ),
    "a billing schedule of a line that is billed to its end holds nothing up": (
        order(
            "2200.00",
            hours(),
            line(2, "Service", "1200.00", quantity="12", quantitybilled="12", linebillingschedule="4"),
        ),
        [("item", 100000)],
    ),
    "a fully billed second line drops out": (
        order("1500.00", hours(), line(2, "Service", "500.00", quantity="5", quantitybilled="5")),
        [("item", 100000)],
    ),
    "a line billed beyond its quantity drops out and takes nothing back": (
        order("1500.00", hours(), line(2, "Service", "500.00", quantity="5", quantitybilled="6")),
        [("item", 100000)],
    ),
    "an amount without a quantity is billed": (
        order("1000.00", line(1, "OthCharge", "1000.00")),
        [("item", 100000)],
    ),
    "a free line stays on the invoice": (
        order("1000.00", hours(), line(2, "Service", "0.00", quantity="1")),
        [("item", 100000), ("item", 0)],
    ),
    "a returned item reduces the invoice": (
        order("900.00", hours(), line(2, "InvtPart", "-100.00", quantity="-1")),
        [("item", 100000), ("item", -10000)],
    ),
    # Item types that are billed.
    **{
        f"a line of type {item_type} is billed": (
            order("1000.00", line(1, item_type, "1000.00", quantity="10")),
            [("item", 100000)],
        )
        for item_type in (
            "InvtPart",
            "NonInvtPart",
            "OthCharge",
            "Kit",
            "Assembly",
            "DwnLdItem",
            "GiftCert",
            "Expense",
            "SubscriPlan",
        )
    },
    "the item type in another case": (
        order("1000.00", line(1, "SERVICE", "1000.00", quantity="10")),
        [("item", 100000)],
    ),
    "a markup adds": (
        order("1050.00", hours(), line(2, "Markup", "50.00")),
        [("item", 100000), ("item", 5000)],
    ),
    # What reduces.
    "a discount line is negative": (
        order("900.00", hours(), line(2, "Discount", "-100.00", rate="-10.0%")),
        [("item", 100000), ("discount", -10000)],
    ),
    "a payment line is negative and stands last": (
        order("700.00", line(2, "Payment", "-300.00"), hours()),
        [("item", 100000), ("payment", -30000)],
    ),
    "a discount follows its half-billed line: -100.00 / 2": (
        order("900.00", {**hours(), "quantitybilled": "5"}, line(2, "Discount", "-100.00")),
        [("item", 50000), ("discount", -5000)],
    ),
    "a discount below a fully billed line goes with it": (
        order(
            "1350.00",
            line(1, "Service", "500.00", quantity="5", quantitybilled="5"),
            line(2, "Discount", "-150.00"),
            line(3, "Service", "1000.00", quantity="10"),
        ),
        [("item", 100000)],
    ),
    "a discount of the whole order is shared: 1,000 of 1,500 open, 2/3 of -150.00": (
        order(
            "1350.00",
            hours(),
            line(2, "Service", "500.00", quantity="5", quantitybilled="5"),
            line(3, "Discount", "-150.00", transactiondiscount="T"),
        ),
        [("item", 100000), ("discount", -10000)],
    ),
    "a discount below a subtotal takes both lines: 1,000 of 1,500 open, 2/3 of -150.00": (
        order(
            "1350.00",
            hours(),
            line(2, "Service", "500.00", quantity="5", quantitybilled="5"),
            line(3, None, "1500.00", item="-2", itemid=None, itemname=None),
            line(4, "Discount", "-150.00"),
        ),
        [("item", 100000), ("discount", -10000)],
    ),
    "a discount below a group's end takes its members: 400 of 1,000 open, 0.4 x -100.00": (
        order(
            "1100.00",
            line(1, "Group", None),
            line(2, "Service", "600.00", quantity="6", quantitybilled="6"),
            line(3, "Service", "400.00", quantity="4"),
            line(4, "EndGroup", "1000.00"),
            line(5, "Discount", "-100.00"),
            line(6, "Service", "200.00", quantity="2"),
        ),
        [("item", 40000), ("discount", -4000), ("item", 20000)],
    ),
    "10 % at the end that is 10 % of the order, not of the last line: 150.00 x 1000 / 1500": (
        order(
            "1350.00",
            hours(),
            line(2, "Service", "500.00", quantity="5", quantitybilled="5"),
            line(3, "Discount", "-150.00", rate="-10%"),
        ),
        [("item", 100000), ("discount", -10000)],
    ),
    "10 % at the end that is 10 % of the last line goes with that line": (
        order(
            "1450.00",
            hours(),
            line(2, "Service", "500.00", quantity="5", quantitybilled="5"),
            line(3, "Discount", "-50.00", rate="-10%"),
        ),
        [("item", 100000)],
    ),
    "a second discount in a row applies to the same line": (
        order(
            "880.00",
            {**hours(), "quantitybilled": "5"},
            line(2, "Discount", "-100.00"),
            line(3, "Discount", "-20.00"),
        ),
        [("item", 50000), ("discount", -5000), ("discount", -1000)],
    ),
    "a discount that NetSuite itself calls billed follows its own quantity": (
        order(
            "900.00", hours(), line(2, "Discount", "-100.00", quantity="1", quantitybilled="1")
        ),
        [("item", 100000)],
    ),
    # What is never billed.
    "a description is text": (
        order("1000.00", hours(), line(2, "Description", None)),
        [("item", 100000)],
    ),
    "a subtotal repeats and is never billed": (
        order("1000.00", hours(), line(2, "Subtotal", "1000.00")),
        [("item", 100000)],
    ),
    "a subtotal without an item row is known by its id": (
        order("1000.00", hours(), line(2, None, "1000.00", item="-2")),
        [("item", 100000)],
    ),
    "a group's members are billed, its head and end are not": (
        order(
            "1000.00",
            line(1, "Group", None, quantity="1"),
            line(2, "Service", "600.00", quantity="6"),
            line(3, "NonInvtPart", "400.00", quantity="1"),
            line(4, "EndGroup", "1000.00"),
        ),
        [("item", 60000), ("item", 40000)],
    ),
    "a group's members that name the group as their kit are billed": (
        order(
            "600.00",
            line(1, "Group", None),
            line(2, "Service", "600.00", quantity="6", kitmemberof="1"),
            line(3, "EndGroup", "600.00"),
        ),
        [("item", 60000)],
    ),
    "a kit is billed, its components are not": (
        order(
            "1000.00",
            line(1, "Kit", "1000.00", quantity="1"),
            line(2, "InvtPart", "700.00", quantity="1", kitmemberof="1"),
            line(3, "InvtPart", "250.00", quantity="2", kitmemberof="1"),
        ),
        [("item", 100000)],
    ),
    "cost of goods sold is not billed": (
        order("1000.00", hours(), line(2, "InvtPart", "480.00", quantity="1", iscogs="T")),
        [("item", 100000)],
    ),
    "the header's own line is not billed": (
        order("1000.00", {"line": "0", "mainline": "T", "foreignamount": "1000.00"}, hours()),
        [("item", 100000)],
    ),
    # Shipping and tax.
    "shipping is a line of its own": (
        order("1025.00", hours(), line(2, "ShipItem", "25.00")),
        [("item", 100000), ("shipping", 2500)],
    ),
    "shipping and handling are two lines": (
        order("1031.00", hours(), line(2, "ShipItem", "25.00"), line(3, "ShipItem", "6.00")),
        [("item", 100000), ("shipping", 2500), ("shipping", 600)],
    ),
    "shipping goes with the open part: 7 of 10, 25.00 x 0.7": (
        order("1025.00", {**hours(), "quantitybilled": "3"}, line(2, "ShipItem", "25.00")),
        [("item", 70000), ("shipping", 1750)],
    ),
    "tax of 10 % stands after shipping": (
        order(
            "1125.00",
            line(2, "TaxItem", "100.00", taxline="T", rate="10.0%"),
            hours(),
            line(3, "ShipItem", "25.00"),
        ),
        [("item", 100000), ("shipping", 2500), ("tax", 10000)],
    ),
    "a tax line whose item cannot be read": (
        order("1100.00", hours(), line(2, None, "100.00", taxline="T", item=None)),
        [("item", 100000), ("tax", 10000)],
    ),
    "two tax codes are two lines": (
        order(
            "1088.75",
            hours(),
            line(2, "TaxItem", "40.00", taxline="T"),
            line(3, "TaxGroup", "48.75", taxline="T"),
        ),
        [("item", 100000), ("tax", 4000), ("tax", 4875)],
    ),
    "tax goes with the open net: 300 of 300 + 450, 75.00 x 0.4": (
        order(
            "825.00",
            line(1, "Service", "500.00", quantity="5", quantitybilled="5"),
            line(2, "Discount", "-50.00"),
            line(3, "Service", "300.00", quantity="3"),
            line(4, "TaxItem", "75.00", taxline="T"),
        ),
        [("item", 30000), ("tax", 3000)],
    ),
    "a zero tax line is not shown": (
        order("1000.00", hours(), line(2, "TaxItem", "0.00", taxline="T")),
        [("item", 100000)],
    ),
    # Signs, amounts and currencies.
    "lines in the header's sign, as the record service writes them": (
        order("900.00", {**hours(), "foreignamount": "1000.00", "quantity": "10"},
              {**line(2, "Discount", None), "foreignamount": "-100.00"}),
        [("item", 100000), ("discount", -10000)],
    ),
    "the amount counts, not rate times quantity (3 x 33.33 is 99.99)": (
        order("100.00", hours("3", "100.00", rate="33.33")),
        [("item", 10000)],
    ),
    "a number with an exponent, as Java writes ten million": (
        order("1.0E7", {**hours(), "foreignamount": "-1.0E7"}),
        [("item", 1000000000)],
    ),
    "a number without its leading zero": (
        order(".75", {**hours(), "foreignamount": "-.75"}),
        [("item", 75)],
    ),
    "yen have no decimals": (order("1000", hours(), currencycode="JPY"), [("item", 1000)]),
    "yen written with decimals of nought": (order("1000.00", hours(), currencycode="JPY"), [("item", 1000)]),
    "1,000 yen for 3, 1 billed: 666.67 is 667": (
        order("1000", {**hours("3", "1000"), "quantitybilled": "1"}, currencycode="JPY"),
        [("item", 667)],
    ),
    "dinars have three decimals": (
        order("12.340", hours("10", "12.340"), currencycode="KWD"),
        [("item", 12340)],
    ),
    "3.000 KWD for 3, 1 billed: 2.000": (
        order("3.000", {**hours("3", "3.000"), "quantitybilled": "1"}, currencycode="KWD"),
        [("item", 2000)],
    ),
    "1.00 KWD for 3, 1 billed, in an account that keeps dinars with two decimals: 0.67": (
        order("1.00", {**hours("3", "1.00"), "quantitybilled": "1"}, currencycode="KWD", currencyprecision="2"),
        [("item", 670)],
    ),
    "a precision that the order's own amounts disprove says nothing: 10.50 for 3, 1 billed, is 7.00": (
        order("10.50", {**hours("3", "10.50"), "quantitybilled": "1"}, currencyprecision="0"),
        [("item", 700)],
    ),
    "100.00 for 3, 1 billed, in an account that keeps whole dollars: 67.00": (
        order("100", {**hours("3", "100"), "quantitybilled": "1"}, currencyprecision="0"),
        [("item", 6700)],
    ),
    "krónur are sent times 100": (order("1000", hours(), currencycode="ISK"), [("item", 100000)]),
    "1,000 ISK for 3, 1 billed: 667 whole krónur": (
        order("1000", {**hours("3", "1000"), "quantitybilled": "1"}, currencycode="ISK"),
        [("item", 66700)],
    ),
    "Ugandan shillings are sent times 100": (
        order("5000", hours("1", "5000"), currencycode="UGX"),
        [("item", 500000)],
    ),
    "forint have two decimals in charges": (
        order("1000.50", hours("1", "1000.50"), currencycode="HUF"),
        [("item", 100050)],
    ),
    "Taiwan dollars have two decimals in charges": (
        order("300.25", hours("1", "300.25"), currencycode="TWD"),
        [("item", 30025)],
    ),
    "a currency code in lower case": (order("1000.00", hours(), currencycode="eur"), [("item", 100000)]),
    "a client known by first and last name": (
        order("1000.00", hours(), clientname=None, clientfirstname="Ada", clientlastname="Lovelace"),
        [("item", 100000)],
    ),
    "a client without an e-mail is left to the matching": (
        order("1000.00", hours(), clientemail=None),
        [("item", 100000)],
    ),
}  # fmt: skip

HELD: dict[str, tuple[list[Row], str]] = {
    "no customer": (order("1000.00", hours(), entity=None), "customer_missing"),
    "a customer without any name": (
        order("1000.00", hours(), clientname=None, clientnumber=None),
        "customer_missing",
    ),
    "no currency": (order("1000.00", hours(), currencycode=None), "currency_missing"),
    "a currency that Stripe does not hold": (
        order("1000.00", hours(), currencycode="XTS"),
        "currency_unknown",
    ),
    "a currency's name in place of its code": (
        order("1000.00", hours(), currencycode="US Dollar"),
        "currency_unknown",
    ),
    "no number": (order("1000.00", hours(), tranid=None), "number_missing"),
    "no date": (order("1000.00", hours(), trandate=None), "date_missing"),
    "a date in the user's preference": (order("1000.00", hours(), trandate="5/12/2026"), "field_unreadable"),
    "a day that does not exist": (order("1000.00", hours(), trandate="2026-02-30"), "field_unreadable"),
    "no total": (order(None, hours()), "total_missing"),
    "a total that is text": (order("n/a", hours()), "amount_unreadable"),
    "a total that is NaN": (order("NaN", hours()), "amount_unreadable"),
    "a total of 1e400": (order("1e400", hours()), "amount_unreadable"),
    "a total in digits of another script": (order("١٠٠٠", hours()), "amount_unreadable"),
    "no amount on a line": (order("1000.00", {**hours(), "foreignamount": ""}), "amount_missing"),
    "a line's amount that is text": (
        order("1000.00", {**hours(), "foreignamount": "ten"}),
        "amount_unreadable",
    ),
    "a line's amount that is infinite": (
        order("1000.00", {**hours(), "foreignamount": "Infinity"}),
        "amount_unreadable",
    ),
    "half a cent": (order("0.005", hours("1", "0.005")), "amount_not_representable"),
    "half a yen": (order("10.5", hours("1", "10.5"), currencycode="JPY"), "amount_not_representable"),
    # NetSuite's share of 1.000 for 3 with 1 billed is 0.667, and Stripe's last digit must be 0.
    "two thirds of 1.000 KWD": (
        order("1.000", {**hours("3", "1.000"), "quantitybilled": "1"}, currencycode="KWD"),
        "share_not_representable",
    ),
    "two thirds of 1,000 yen in an account that keeps yen with two decimals": (
        order("1000", {**hours("3", "1000"), "quantitybilled": "1"}, currencycode="JPY", currencyprecision="2"),
        "share_not_representable",
    ),
    "half of a tax of 0.150 KWD: 0.075": (
        order(
            "3.150",
            {**hours("2", "3.000"), "quantitybilled": "1"},
            line(2, "TaxItem", "0.150", taxline="T", rate="5%"),
            currencycode="KWD",
        ),
        "share_not_representable",
    ),
    "a billing schedule on the order": (
        order("1200.00", hours("12", "1200.00"), billingschedule="4", billingschedulename="Monthly, 12 times"),
        "billing_schedule",
    ),
    "a billing schedule on one open line of two": (
        order("2200.00", hours(), line(2, "Service", "1200.00", quantity="12", linebillingschedule="4")),
        "billing_schedule",
    ),
    "1.234 KWD": (order("1.234", hours("1", "1.234"), currencycode="KWD"), "amount_not_representable"),
    "10.50 ISK": (order("10.50", hours("1", "10.50"), currencycode="ISK"), "amount_not_representable"),
    "float noise in an amount": (
        order("187.5", {**hours(), "foreignamount": "-187.49999999999997"}),
        "amount_not_representable",
    ),
    "a quantity that is text": (order("1000.00", {**hours(), "quantity": "many"}), "field_unreadable"),
    "quantity 0 with an amount": (order("1000.00", {**hours(), "quantity": "0"}), "quantity_zero"),
    "no lines": (order("1000.00"), "no_lines"),
    "only the header's own line": (
        order("1000.00", {"line": "0", "mainline": "T", "foreignamount": "1000.00"}),
        "no_lines",
    ),
    "an item type nobody knows": (
        order("1000.00", line(1, "Hologram", "1000.00", quantity="1")),
        "item_type_unknown",
    ),
    "an item that cannot be read": (
        order("1000.00", line(1, None, "1000.00", quantity="1")),
        "item_type_unknown",
    ),
    "a line without line id": (order("1000.00", {**hours(line=None, uniquekey=None)}), "line_unidentified"),
    "the same line twice": (order("2000.00", hours(), hours()), "line_twice"),
    "a negative total": (order("-100.00", hours("1", "-100.00")), "total_negative"),
    "a total of zero": (order("0.00", hours("1", "0.00")), "total_zero"),
    "an order that its discount brings to zero": (
        order("0.00", hours(), line(2, "Discount", "-1000.00")),
        "total_zero",
    ),
    "a negative open total, since the payment is larger than the open part": (
        order(
            "500.00",
            {**hours(), "quantitybilled": "9"},
            line(2, "Payment", "-500.00", quantity="2", quantitybilled="1"),
        ),
        "total_negative",
    ),
    "everything billed, and a prepayment that is not used up": (
        order(
            "700.00",
            {**hours(), "quantitybilled": "10"},
            line(2, "Payment", "-300.00", quantity="2", quantitybilled="1"),
        ),
        "nothing_open",
    ),
    "everything billed, and shipping that is not": (
        order(
            "1025.00",
            {**hours(), "quantitybilled": "10"},
            line(2, "ShipItem", "25.00", quantity="2", quantitybilled="1"),
        ),
        "nothing_open",
    ),
    "partly billed, with a line of which nobody can tell": (
        order("1700.00", {**hours(), "quantitybilled": "5"}, line(2, "OthCharge", "700.00")),
        "billed_part_unknown",
    ),
    "everything billed": (order("1000.00", {**hours(), "quantitybilled": "10"}), "nothing_open"),
    "everything closed": (order("1000.00", {**hours(), "isclosed": "T"}), "nothing_open"),
    "everything billed but shipping and tax": (
        order(
            "1125.00",
            {**hours(), "quantitybilled": "10"},
            line(2, "ShipItem", "25.00"),
            line(3, "TaxItem", "100.00", taxline="T"),
        ),
        "nothing_open",
    ),
    "a header one cent above its lines": (order("1000.01", hours()), "header_differs"),
    "a header without its tax line": (order("1100.00", hours()), "header_differs"),
    "an order edited between two pages": (
        [*order("1500.00", hours()), *order("1600.00", line(2, "Service", "500.00", quantity="5"))],
        "edited_while_listed",
    ),
    "an order number of 61 characters": (order("1000.00", hours(), tranid="S" * 61), "field_unreadable"),
    "a name of 10,000 characters": (order("1000.00", hours(), clientname="N" * 10_000), "field_unreadable"),
    "a name with a control character": (
        order("1000.00", hours(), clientname="Acme\x00Ltd"),
        "field_unreadable",
    ),
    "a name that turns the reading direction": (
        order("1000.00", hours(), clientname="Acme\u202eLtd"),
        "field_unreadable",
    ),
    "a customer id that is no id": (order("1000.00", hours(), entity="../77"), "field_unreadable"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), BILLED.values(), ids=BILLED.keys())
def test_an_order_bills_what_finance_would_have_typed(rows, expected):
    listing = read_orders(rows)
    assert listing.problems == ()
    plans = plan_invoices(listing, BillingPolicy())
    assert plans.problems == ()
    (plan,) = plans.invoices
    assert [(each.kind, each.amount) for each in plan.lines] == list(expected)
    assert plan.total == sum(amount for _, amount in expected)
    assert plan.tax_total == sum(amount for kind, amount in expected if kind == "tax")
    assert plan.net_total + plan.tax_total == plan.total


@pytest.mark.parametrize(("rows", "reason"), HELD.values(), ids=HELD.keys())
def test_an_order_that_cannot_be_billed_says_why_and_what_to_do(rows, reason):
    plans = plan_invoices(read_orders(rows), BillingPolicy())
    assert plans.invoices == ()
    (problem,) = plans.problems
    assert problem.reason_code == reason
    assert problem.order_id == "500"
    assert problem.field
    if problem.order_number:
        assert problem.message.startswith(f"Order {problem.order_number[:40]}")
    assert ": " in problem.message
    assert problem.message.endswith(".")
    assert len(problem.message) < 700


def test_the_table_holds_the_sixty_orders_it_promises():
    assert len(BILLED) + len(HELD) >= 60


def test_a_difference_from_the_header_is_told_to_the_cent():
    (problem,) = read_orders(order("1100.00", hours())).problems
    assert "header total of 1,100.00 USD" in problem.message
    assert "add up to 1,000.00 USD, which is 100.00 USD less" in problem.message
    (problem,) = read_orders(order("999.99", hours())).problems
    assert "which is 0.01 USD more" in problem.message


def test_an_amount_that_stripe_cannot_hold_is_named_as_a_person_sees_it():
    (problem,) = read_orders(order("1.234", hours("1", "1.234"), currencycode="KWD")).problems
    assert problem.message == (
        "Order SO-1001 has an amount of 1.234 KWD on its total, and Stripe holds it only in steps of 0.010: "
        "change the amount in NetSuite, or bill it outside Stripe."
    )


def test_an_order_listed_twice_is_billed_by_nobody_and_told_once():
    rows = [*order("1000.00", hours()), *order("50.00", hours("1", "50.00"), id="501", tranid="SO-2"),
            *order("1000.00", hours())]  # fmt: skip
    listing = read_orders(rows)
    assert [each.id for each in listing.orders] == ["501"]
    assert [(each.order_id, each.reason_code) for each in listing.problems] == [("500", "order_twice")]


def test_two_orders_of_one_number_are_billed_and_the_approver_is_told():
    rows = [*order("1000.00", hours()), *order("1000.00", hours(), id="501")]
    plans = plan_invoices(read_orders(rows), BillingPolicy())
    assert [plan.key for plan in plans.invoices] == ["order-500", "order-501"]
    assert all("number_twice" in [each.code for each in plan.warnings] for plan in plans.invoices)


def test_a_share_that_stripe_cannot_hold_is_named_with_the_amount_that_netsuite_would_bill():
    rows = order("1.000", {**hours("3", "1.000"), "quantitybilled": "1"}, currencycode="KWD")
    (problem,) = plan_invoices(read_orders(rows), BillingPolicy()).problems
    assert problem.message == (
        "Order SO-1001 is billed in part, and that part of line 1 comes to 0.667 KWD, which Stripe holds only in steps "
        "of 0.010: bill this part in NetSuite, or change quantity or amount so that it divides."
    )


def test_an_order_with_a_billing_schedule_is_named_with_the_schedule_and_its_next_day():
    rows = order(
        "1200.00",
        hours("12", "1200.00", linebillingschedule="4", linebillingschedulename="Monthly, 12 times"),
        nextbill="2026-07-01",
    )
    (problem,) = plan_invoices(read_orders(rows), BillingPolicy()).problems
    assert problem.total_minor == 120000
    assert problem.message == (
        "Order SO-1001 is billed by a schedule (Monthly, 12 times on line 1, next on 2026-07-01), and NetSuite does "
        "not say how much of it is due: bill it by its schedule in NetSuite, or take the schedule off the order if all "
        "of it is due."
    )


def test_tax_that_no_invoice_shows_holds_nothing_up():
    """Without tax lines on the invoice it does not matter that half of 0.150 KWD is no amount that Stripe holds."""
    rows = order(
        "3.150",
        {**hours("2", "3.000"), "quantitybilled": "1"},
        line(2, "TaxItem", "0.150", taxline="T", rate="5%"),
        currencycode="KWD",
    )
    (plan,) = plan_invoices(read_orders(rows), BillingPolicy(tax="stripe")).invoices
    assert plan.total == 1500
