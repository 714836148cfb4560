"""An order that was invoiced and has changed: the newly open part is billed where it is clear, nothing twice, ever."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_hash, plan_invoices
from billing.domain.invoices.plan_record import LineSource, PlanLine, with_lines
from billing.domain.invoices.supplement import (
    BilledBefore,
    BilledLine,
    BilledUnreadable,
    MoreToBill,
    NothingNew,
    Unclear,
    plan_supplement,
)
from billing.domain.money.money import Money, rule_of
from billing.domain.orders.order_rows import read_orders
from billing.domain.records import from_record, to_record
from tests.domain.suiteql_rows import line, order


def plan_of(*lines, total, header=None, **policy) -> InvoicePlan:
    listing = read_orders(order(total, *lines, **(header or {})))
    plans = plan_invoices(listing, BillingPolicy(**policy))
    assert plans.problems == ()
    (plan,) = plans.invoices
    return plan


def consulting(quantity="10", amount="1000.00", **columns):
    return line(1, "Service", amount, quantity=quantity, quantitybilled="0", rate="100.00", **columns)


def tax(amount="100.00"):
    return line(90, "TaxItem", amount, itemname="VAT", itemid="VAT", rate="10%")


def shipping(amount="25.00"):
    return line(80, "ShipItem", amount)


def discount(amount="-100.00"):
    return line(70, "Discount", amount, rate="-10%", transactiondiscount="T")


BASE = plan_of(consulting(), total="1000.00")
FULL = plan_of(consulting(), discount(), shipping(), tax("90.00"), total="1015.00")


def billed_before(plans, invoices=("in_1",)):
    """What these plans have billed together, from their lines alone."""
    lines = [BilledLine.of(each) for plan in plans for each in plan.lines]
    return BilledBefore.from_lines(plans[0].client.netsuite_id, plans[0].currency, lines, invoices)


def after(before_plan, now_plan, number=1, invoices=("in_1",)):
    return plan_supplement(now_plan, billed_before([before_plan], invoices), number)


def amounts(plan):
    return [(each.kind, each.amount, each.quantity) for each in plan.lines]


def test_more_quantity_at_the_same_price_bills_the_difference_and_says_that_it_is_additional():
    more = after(BASE, plan_of(consulting("15", "1500.00"), total="1500.00"))
    assert isinstance(more, MoreToBill)
    assert more.plan.key == "order-500-more-1"
    assert amounts(more.plan) == [("item", 500_00, "5")]
    assert (more.plan.total, more.plan.net_total, more.plan.tax_total) == (500_00, 500_00, 0)
    assert more.plan.lines[0].description == "Item 1 — additional 5 × 100.00"
    assert more.plan.lines[0].id == BASE.lines[0].id
    assert more.changes == (
        "line 1 (Item 1 — 15 × 100.00) has grown from 10 to 15: 1,000.00 USD was billed, it is 1,500.00 USD now.",
    )


def test_the_units_name_stays_in_the_additional_text():
    now = plan_of(consulting("12.5", "1250.00", unitname="h"), total="1250.00")
    assert now.lines[0].description == "Item 1 — 12.5 h × 100.00"
    more = after(BASE, now)
    assert more.plan.lines[0].description == "Item 1 — additional 2.5 h × 100.00"


def test_a_new_line_is_billed_whole_and_an_unchanged_one_is_not():
    now = plan_of(consulting(), line(2, "Service", "300.00", quantity="2"), total="1300.00")
    more = after(BASE, now, number=3)
    assert more.plan.key == "order-500-more-3"
    assert more.plan.lines == (now.lines[1],)
    assert more.plan.total == 300_00
    assert more.changes == ("line 2 (Item 2 — 2 × 150.00) is new: 300.00 USD.",)


def test_a_new_line_of_a_fixed_price_is_billed_whole():
    more = after(BASE, plan_of(consulting(), line(2, "Service", "300.00"), total="1300.00"))
    assert amounts(more.plan) == [("item", 300_00, None)]


def test_tax_shipping_and_discount_that_grew_with_the_goods_are_billed_by_their_difference():
    now = plan_of(consulting("15", "1500.00"), discount("-150.00"), shipping("30.00"), tax("135.00"), total="1515.00")
    more = after(FULL, now)
    assert amounts(more.plan) == [
        ("item", 500_00, "5"),
        ("discount", -50_00, None),
        ("shipping", 5_00, None),
        ("tax", 45_00, None),
    ]
    assert (more.plan.total, more.plan.tax_total, more.plan.net_total) == (500_00, 45_00, 455_00)
    assert [each.description for each in more.plan.lines[1:]] == [
        "Item 70 (additional)",
        "Item 80 (additional)",
        "VAT 10% (additional)",
    ]


def test_the_additional_invoice_says_to_the_approver_what_it_is_and_of_which_invoice():
    more = after(BASE, plan_of(consulting("15", "1500.00"), total="1500.00"), invoices=("in_1", "in_2"))
    (warning,) = [each for each in more.plan.warnings if each.code == "newly_open"]
    assert "Order SO-1001 was billed as in_1, in_2; only what is new since is billed" in warning.message
    assert "from 10 to 15" in warning.message


def test_warnings_about_the_amount_are_those_of_the_additional_invoice():
    now = plan_of(consulting("10.001", "1000.10"), total="1000.10")
    assert now.warnings == ()
    more = after(BASE, now)
    assert more.plan.total == 10
    assert [each.code for each in more.plan.warnings] == ["newly_open", "below_minimum_charge"]
    small = plan_of(line(1, "Service", "0.10", quantity="1"), total="0.10")
    assert [each.code for each in small.warnings] == ["below_minimum_charge"]
    large = after(small, plan_of(line(1, "Service", "10.10", quantity="101"), total="10.10"))
    assert [each.code for each in large.plan.warnings] == ["newly_open"]


def test_the_additional_plan_survives_storage_and_is_other_content_than_the_order():
    now = plan_of(consulting("15", "1500.00"), total="1500.00")
    more = after(BASE, now)
    assert from_record(InvoicePlan, json.loads(json.dumps(to_record(more.plan)))) == more.plan
    assert len({plan_hash(plan) for plan in (BASE, now, more.plan)}) == 3


def test_sent_as_quantity_and_price_the_difference_is_still_exact():
    now = plan_of(consulting("15", "1500.00"), total="1500.00", line_style="quantity")
    more = after(BASE, now)
    (sent,) = more.plan.lines
    assert (sent.quantity, sent.unit_amount_minor_decimal, sent.description) == ("5", "10000", "Item 1 (additional)")


def test_where_rounding_left_a_unit_over_the_difference_is_an_amount_without_a_price():
    # 3 at 33.335 is 100.005, rounded 100.01; 5 are 166.675, rounded 166.68: 66.67 more, and 2 x 33.335 is 66.67.
    was = plan_of(line(1, "Service", "100.01", quantity="3", rate="33.335"), total="100.01")
    now = plan_of(line(1, "Service", "166.68", quantity="5", rate="33.335"), total="166.68")
    assert after(was, now).plan.lines[0].unit_amount == "33.335"
    # 1 at 0.333 is 0.33; 2 are 0.67: 0.34 more, which 1 x 0.333 is not.
    was = plan_of(line(1, "Service", "0.33", quantity="1", rate="0.333"), total="0.33")
    for style in ("amount", "quantity"):
        now = plan_of(line(1, "Service", "0.67", quantity="2", rate="0.333"), total="0.67", line_style=style)
        (left,) = after(was, now).plan.lines
        assert (left.amount, left.unit_amount, left.unit_amount_minor_decimal) == (34, None, None)
        assert left.description == "Item 1 — additional 1"


@pytest.mark.parametrize(
    ("amount", "clear"),
    # 1 for 1.00 leaves the price between 0.995 and 1.005 a unit; 100 are 99.50 to 100.50, and rounding adds 0.005.
    [("99.49", False), ("99.50", True), ("100.00", True), ("100.50", True), ("100.51", False)],
)
def test_the_price_is_the_same_only_as_far_as_one_price_can_round_to_both_amounts(amount, clear):
    was = plan_of(line(1, "Service", "1.00", quantity="1"), total="1.00")
    now = plan_of(line(1, "Service", amount, quantity="100"), total=amount)
    assert isinstance(after(was, now), MoreToBill if clear else Unclear)


def test_a_price_that_lies_only_on_the_edge_of_rounding_is_another_one():
    # 0.01 for 1 is below 0.015 a unit, and 0.05 for 3 is 0.015 or more.
    was = plan_of(line(1, "Service", "0.01", quantity="1"), total="0.01")
    assert isinstance(after(was, plan_of(line(1, "Service", "0.05", quantity="3"), total="0.05")), Unclear)
    assert isinstance(after(was, plan_of(line(1, "Service", "0.04", quantity="3"), total="0.04")), MoreToBill)


def test_an_order_above_the_maximum_charge_does_not_make_its_additional_invoice_so():
    was = plan_of(consulting("10000", "1000000.00"), total="1000000.00")
    now = plan_of(consulting("10001", "1000100.00"), total="1000100.00")
    assert [each.code for each in now.warnings] == ["above_maximum_charge"]
    assert [each.code for each in after(was, now).plan.warnings] == ["newly_open"]


# What a person must decide -------------------------------------------------------------------------------------------

VANISHED = plan_of(line(2, "Service", "1000.00", quantity="10"), total="1000.00")
TWO = plan_of(consulting(), line(2, "Service", "300.00", quantity="2"), total="1300.00")
FIXED = plan_of(line(1, "Service", "1000.00"), total="1000.00")
GREW = consulting("15", "1500.00")


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        pytest.param(BASE, plan_of(consulting("8", "800.00"), total="800.00"), "has shrunk", id="less"),
        pytest.param(BASE, plan_of(consulting("10", "1100.00"), total="1100.00"), "another price", id="dearer"),
        pytest.param(BASE, plan_of(consulting("10", "900.00"), total="900.00"), "has shrunk", id="cheaper"),
        pytest.param(BASE, plan_of(consulting("15", "1600.00"), total="1600.00"), "another price", id="more, dearer"),
        pytest.param(BASE, plan_of(consulting("15", "1400.00"), total="1400.00"), "another price", id="more, cheaper"),
        pytest.param(BASE, plan_of(consulting("15", "1000.00"), total="1000.00"), "another price", id="more for free"),
        pytest.param(BASE, plan_of(consulting("8", "1000.00"), total="1000.00"), "has shrunk", id="fewer, same sum"),
        pytest.param(BASE, VANISHED, "no longer open on the order", id="replaced"),
        pytest.param(TWO, plan_of(GREW, total="1500.00"), "no longer open on the order", id="vanished, other grew"),
        pytest.param(BASE, FIXED, "no quantity on both", id="quantity taken away"),
        pytest.param(FIXED, plan_of(line(1, "Service", "1500.00"), total="1500.00"), "no quantity", id="fixed grew"),
        pytest.param(
            BASE,
            plan_of(GREW, line(2, "Service", "-50.00", quantity="1"), total="1450.00"),
            "is new and reduces",
            id="new credit line",
        ),
        pytest.param(
            FULL,
            plan_of(consulting(), discount(), shipping(), tax("95.00"), total="1020.00"),
            "no goods with it",
            id="tax alone",
        ),
        pytest.param(BASE, plan_of(consulting(), shipping(), total="1025.00"), "no goods with it", id="new shipping"),
        pytest.param(
            FULL,
            plan_of(GREW, discount("-150.00"), shipping(), tax("80.00"), total="1455.00"),
            "less tax than before",
            id="tax fell",
        ),
        pytest.param(
            FULL,
            plan_of(GREW, discount("-150.00"), shipping("20.00"), tax("135.00"), total="1505.00"),
            "less shipping than before",
            id="shipping fell",
        ),
        pytest.param(
            FULL,
            plan_of(GREW, discount("-90.00"), shipping(), tax("141.00"), total="1576.00"),
            "less discount than before",
            id="discount fell",
        ),
        pytest.param(
            FULL,
            plan_of(GREW, shipping(), tax("150.00"), total="1675.00"),
            "no longer open on the order",
            id="discount vanished",
        ),
        pytest.param(
            BASE,
            plan_of(GREW, line(60, "Payment", "-200.00"), total="1300.00"),
            "A payment may be meant for the invoice that exists",
            id="payment received",
        ),
        pytest.param(
            BASE, plan_of(GREW, discount("-600.00"), total="900.00"), "which is no invoice", id="below zero in sum"
        ),
        pytest.param(
            BASE, plan_of(GREW, discount("-500.00"), total="1000.00"), "which is no invoice", id="zero in sum"
        ),
        pytest.param(
            BASE,
            plan_of(GREW, total="1500.00", header={"entity": "78"}),
            "billed to the client 77 and is now for 78",
            id="other client",
        ),
        pytest.param(
            BASE,
            plan_of(GREW, total="1500.00", header={"currencycode": "EUR"}),
            "billed in USD and is now in EUR",
            id="other currency",
        ),
        pytest.param(
            BASE,
            replace(plan_of(GREW, total="1500.00"), part=1, parts=2, key="order-500-part-1"),
            "billed in 2 parts",
            id="in parts",
        ),
    ],
)
def test_what_is_not_clear_goes_to_a_person_with_its_reason(was, now, why):
    result = after(was, now)
    assert isinstance(result, Unclear)
    assert why in result.reason
    assert result.reason.startswith("Order SO-1001 was billed as in_1 and has changed")
    assert result.reason.endswith("bill or credit the difference by hand, and end the order with that reason.")
    assert result.changes
    billed = Money(sum(one.amount for one in was.lines), was.currency)
    assert f"We have billed {billed} of it" in result.reason
    assert f"it comes to {Money(now.total, now.currency)} now" in result.reason
    assert all(result.reason.count(change) <= 1 for change in result.changes), "each thing once"
    assert not any(f"line {one.id}" in result.reason for one in (*was.lines, *now.lines)), "no key that nobody sees"


def test_a_doubt_about_one_line_holds_back_every_other():
    now = plan_of(consulting("10", "1100.00"), line(2, "Service", "300.00", quantity="2"), total="1400.00")
    result = after(BASE, now)
    assert isinstance(result, Unclear)
    assert [change.split(" (")[0] for change in result.changes] == ["line 1", "line 2"]


def test_many_changes_are_told_in_full_and_explained_in_short():
    lines = [line(number, "Service", "10.00", quantity="1") for number in range(2, 102)]
    more = after(BASE, plan_of(consulting(), *lines, total="2000.00"))
    assert len(more.changes) == len(more.plan.lines) == 100
    assert more.plan.warnings[0].message.endswith("(And 92 more.)")
    gone = after(more.plan, BASE)
    assert len(gone.changes) == 101
    assert "(And 92 more.)" in gone.reason


# What is never billed again ------------------------------------------------------------------------------------------


def test_an_order_of_which_only_texts_and_terms_changed_is_not_billed_again():
    header = {"otherrefnum": "PO-9", "daysuntilnetdue": "14", "clientemail": "new@northwind.example"}
    now = plan_of(consulting(), total="1000.00", header=header)
    assert plan_hash(now) != plan_hash(BASE)
    assert after(BASE, now) == NothingNew(("Lines, quantities and amounts are those that were billed.",))


def test_an_order_whose_line_text_alone_changed_is_not_billed_again():
    result = after(BASE, plan_of(consulting(linememo="Another text"), total="1000.00"))
    assert result == NothingNew(("Lines, quantities and amounts are those that were billed.",))


def test_a_free_line_alone_is_no_invoice_of_its_own():
    free = line(2, "Service", "0.00", quantity="2")
    result = after(BASE, plan_of(consulting(), free, total="1000.00"))
    assert result == NothingNew(("line 2 (Item 2) is new: 0.00 USD.",))
    with_more = after(BASE, plan_of(GREW, free, total="1500.00"))
    assert amounts(with_more.plan) == [("item", 500_00, "5"), ("item", 0, "2")]


def test_the_same_difference_is_never_billed_twice_and_a_second_one_builds_on_the_first():
    now = plan_of(consulting("15", "1500.00"), total="1500.00")
    before = billed_before([BASE], ["in_1"])
    first = plan_supplement(now, before, 1)
    so_far = billed_before([BASE, first.plan], ["in_1", "in_2"])
    assert isinstance(plan_supplement(now, so_far, 2), NothingNew)
    later = plan_of(consulting("16", "1600.00"), total="1600.00")
    second = plan_supplement(later, so_far, 2)
    assert (second.plan.key, amounts(second.plan)) == ("order-500-more-2", [("item", 100_00, "1")])


def test_an_invoice_that_a_person_voided_is_left_out_and_its_part_is_open_again():
    now = plan_of(consulting("15", "1500.00"), total="1500.00")
    first = plan_supplement(now, billed_before([BASE]), 1)
    again = plan_supplement(now, billed_before([BASE]), 2)
    assert again.plan.lines == first.plan.lines
    assert again.plan.key != first.plan.key


def test_additional_invoices_are_counted_from_one():
    with pytest.raises(ValueError, match="counts from 1"):
        plan_supplement(BASE, billed_before([BASE]), 0)


# What was billed -----------------------------------------------------------------------------------------------------


def test_a_quantity_that_is_no_plain_decimal_is_refused():
    with pytest.raises(BilledUnreadable):
        BilledLine("1", "NaN", 1)


def test_lines_are_summed_by_id_and_quantities_exactly():
    lines = [BilledLine("1", "0.1", 10), BilledLine("1", "0.2", 20), BilledLine("2", None, 5), BilledLine("2", "1", 5)]
    assert BilledBefore.from_lines("7", "usd", lines).lines == (BilledLine("1", "0.3", 30), BilledLine("2", None, 10))


# For every order -----------------------------------------------------------------------------------------------------

KINDS = ("item", "item", "item", "discount", "shipping", "tax", "payment")


@st.composite
def order_line(draw, number, currency):
    step = rule_of(currency).step
    kind = draw(st.sampled_from(KINDS))
    price = draw(st.integers(0, 5_000)) * step
    quantity = None
    amount = price * (-1 if kind in ("discount", "payment") else 1)
    if kind == "item" and draw(st.integers(0, 5)):
        quantity = Decimal(draw(st.integers(1, 400))) / 4
        amount = int((price * quantity / step).quantize(Decimal(1), ROUND_HALF_UP)) * step
    text = None if quantity is None else f"{quantity.normalize():f}"
    source = LineSource("500", str(number), None)
    return PlanLine(str(number), kind, f"Line {number}", amount, text, None, None, None, None, source)


@st.composite
def changed_order(draw):
    """An order as it was billed and as it is now: lines kept, grown at their price, changed at random, gone, new."""
    currency = draw(st.sampled_from(["usd", "jpy", "kwd", "isk"]))
    step = rule_of(currency).step
    was = [draw(order_line(number, currency)) for number in range(draw(st.integers(1, 5)))]
    now = []
    for billed in was:
        each = billed
        what = draw(st.sampled_from(["same", "same", "more", "more", "more", "any", "gone"]))
        if what == "more" and each.quantity is not None:
            factor = draw(st.integers(2, 4))
            each = replace(each, amount=each.amount * factor, quantity=f"{Decimal(each.quantity) * factor:f}")
        elif what == "more" and each.kind in ("tax", "shipping", "discount"):
            each = replace(each, amount=each.amount * draw(st.integers(1, 3)))
        elif what == "any":
            each = replace(each, amount=each.amount + draw(st.integers(-3, 3)) * step)
        if what != "gone":
            now.append(each)
    now += [draw(order_line(number, currency)) for number in range(100, 100 + draw(st.integers(0, 2)))]
    base = replace(BASE, currency=currency)
    return with_lines(base, was), with_lines(base, now)


def by_id(*plans):
    sums = {}
    for plan in plans:
        for each in plan.lines:
            sums[each.id] = sums.get(each.id, 0) + each.amount
    # A line of nothing is as good as none: a new one is not billed.
    return {line: amount for line, amount in sums.items() if amount}


@given(case=changed_order())
def test_what_was_billed_and_what_is_billed_more_are_the_order_line_by_line(case):
    was, now = case
    result = after(was, now)
    if not isinstance(result, MoreToBill):
        return
    assert by_id(was, result.plan) == by_id(now)
    assert was.total + result.plan.total == now.total
    assert result.plan.total > 0
    assert result.plan == with_lines(result.plan, result.plan.lines)
    quantities = {each.id: each.quantity for each in billed_before([was, result.plan]).lines}
    for each in now.lines:
        if each.id not in quantities:
            assert each.amount == 0
            continue
        known = quantities[each.id]
        assert (known is None) == (each.quantity is None)
        assert known is None or Decimal(known) == Decimal(each.quantity)
    before = billed_before([was, result.plan], ["in_1", "in_2"])
    assert isinstance(plan_supplement(now, before, 2), NothingNew)


@given(case=changed_order())
def test_nothing_is_billed_when_anything_shrank(case):
    was, now = case
    billed, opened = by_id(was), by_id(now)
    kinds = {each.id: each.kind for each in (*was.lines, *now.lines)}
    shrank = [
        key
        for key in billed
        if key not in opened or (opened[key] > billed[key] if kinds[key] == "discount" else opened[key] < billed[key])
    ]
    assume(shrank)
    result = after(was, now)
    assert not isinstance(result, MoreToBill)
    assert isinstance(result, Unclear)


@given(case=changed_order())
def test_an_order_that_did_not_change_is_never_billed_again(case):
    was, _ = case
    assert isinstance(after(was, was), NothingNew)


@given(
    price=st.integers(1, 10**6),
    places=st.integers(0, 4),
    first=st.integers(1, 4_000),
    more=st.integers(1, 4_000),
    currency=st.sampled_from(["usd", "jpy", "kwd", "isk"]),
)
def test_more_at_one_price_is_always_clear_however_it_rounds(price, places, first, more, currency):
    step = rule_of(currency).step
    exact = Decimal(price) / 10**places

    def at(quarters):
        amount = int((exact * quarters / 4 / step).quantize(Decimal(1), ROUND_HALF_UP)) * step
        source = LineSource("500", "1", None)
        one = PlanLine("1", "item", "Line", amount, f"{Decimal(quarters) / 4:f}", None, None, None, None, source)
        return with_lines(replace(BASE, currency=currency), [one])

    was, now = at(first), at(first + more)
    result = after(was, now)
    if now.total > was.total:
        assert isinstance(result, MoreToBill)
        assert result.plan.total == now.total - was.total
    else:
        assert isinstance(result, NothingNew)


@given(
    quantity=st.integers(1, 500), more=st.integers(1, 500), price=st.integers(1_000, 10**6), change=st.integers(1, 50)
)
def test_another_price_is_never_taken_for_more_of_the_same(quantity, more, price, change):
    """A price that differs by a per cent or more is beyond what rounding explains, from ten units of money on."""

    def at(units, unit_price):
        source = LineSource("500", "1", None)
        one = PlanLine("1", "item", "Line", units * unit_price, str(units), None, None, None, None, source)
        return with_lines(BASE, [one])

    for other in (price + price * change // 100, price - price * change // 100):
        assert isinstance(after(at(quantity, price), at(quantity + more, other)), Unclear)
