"""Promises for every order, whatever its mixture: nothing is lost, and everything adds up."""

from __future__ import annotations

import json
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_hash, plan_invoices
from billing.domain.orders.open_amount import open_share
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.row_columns import HEADER_COLUMNS, LINE_COLUMNS
from billing.domain.records import from_record, to_record
from tests.domain.suiteql_rows import Row, line, order

# Per class of currency: decimals in NetSuite, the smallest amount that Stripe holds, minor units of 1.00.
CURRENCIES = {
    "USD": (Decimal("0.01"), 100),
    "EUR": (Decimal("0.01"), 100),
    "HUF": (Decimal("0.01"), 100),
    "TWD": (Decimal("0.01"), 100),
    "JPY": (Decimal(1), 1),
    "XOF": (Decimal(1), 1),
    "KWD": (Decimal("0.010"), 1000),
    "TND": (Decimal("0.010"), 1000),
    "ISK": (Decimal(1), 100),
    "UGX": (Decimal(1), 100),
}
# What NetSuite rounds a share to, where its currency has more decimals than Stripe holds.
SHARES = {"KWD": Decimal("0.001"), "TND": Decimal("0.001")}
GOODS = ("Service", "InvtPart", "NonInvtPart", "OthCharge", "Kit", "Assembly", "Expense", "SubscriPlan")


def minor(amount: Decimal, currency: str) -> int:
    scaled = amount * CURRENCIES[currency][1]
    assert scaled == scaled.to_integral_value()
    return int(scaled)


def in_steps(amount: Decimal, currency: str) -> Decimal:
    """The test's own rounding, with Decimal where the product uses fractions."""
    step = SHARES.get(currency, CURRENCIES[currency][0])
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


@st.composite
def goods_line(draw, number: int, currency: str):
    """A row, its whole amount and its open amount worked out here."""
    units = draw(st.integers(0, 10**7))
    amount = units * CURRENCIES[currency][0]
    quantity = Decimal(draw(st.integers(1, 10**6))) / draw(st.sampled_from([1, 4, 100]))
    closed = draw(st.booleans()) and draw(st.booleans())
    billed = quantity * draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("0.25"), Decimal(1)]))
    row = line(
        number,
        draw(st.sampled_from(GOODS)),
        f"{amount:f}",
        quantity=f"{quantity:f}",
        quantitybilled=f"{billed:f}",
        isclosed="T" if closed else "F",
    )
    opened = Decimal(0) if closed else in_steps(amount * (quantity - billed) / quantity, currency)
    return row, amount, opened


@st.composite
def noise_line(draw, number: int):
    """A line that must change nothing, with amounts that would hurt if it did."""
    amount = f"{draw(st.integers(1, 9999))}"
    kind = draw(st.sampled_from(["Description", "Subtotal", "Group", "EndGroup", "component", "cogs"]))
    if kind == "component":
        return line(number, "InvtPart", amount, quantity="1", kitmemberof="1")
    if kind == "cogs":
        return line(number, "InvtPart", amount, quantity="1", iscogs="T")
    return line(number, kind, amount)


@st.composite
def measured_order(draw, order_id: int = 500):
    """An order of measured goods and noise: rows, currency, and its open total worked out by the test; None where a
    line's open part is no amount that Stripe holds."""
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    lines: list[Row] = []
    whole = opened = Decimal(0)
    held = True
    for number in range(1, draw(st.integers(1, 8)) + 1):
        row, amount, part = draw(goods_line(number, currency))
        lines.append(row)
        whole += amount
        opened += part
        held = held and part % CURRENCIES[currency][0] == 0
    for number in range(100, 100 + draw(st.integers(0, 3))):
        lines.insert(draw(st.integers(0, len(lines))), draw(noise_line(number)))
    for row in lines:
        row["uniquekey"] = f"{order_id}{row['line']}"
    header = {
        "id": str(order_id),
        "tranid": f"SO-{order_id}",
        "currencycode": currency,
        "entity": str(draw(st.integers(1, 3))),
        "daysuntilnetdue": draw(st.sampled_from(["14", "30"])),
    }
    return order(f"{whole:f}", *lines, **header), currency, opened if held else None


@st.composite
def whole_order(draw, order_id: int = 500):
    """An order of which nothing is billed, with discounts, shipping, tax and payments: rows and its total."""
    rows, currency, _ = draw(measured_order(order_id))
    step = CURRENCIES[currency][0]
    lines = [{**{c: t for c, t in row.items() if c in LINE_COLUMNS}} for row in rows]
    for row in lines:
        row.update(quantitybilled="0", isclosed="F")
    total = Decimal(rows[0]["foreigntotal"])
    for number, kind in enumerate(draw(st.lists(st.sampled_from(
            ["Discount", "Markup", "Payment", "ShipItem", "TaxItem"]), max_size=5)), 200):  # fmt: skip
        amount = draw(st.integers(0, 10**5)) * step * (-1 if kind in {"Discount", "Payment"} else 1)
        added = line(number, kind, f"{amount:f}", uniquekey=f"{order_id}{number}")
        lines.insert(draw(st.integers(0, len(lines))), added)
        total += amount
    header = {c: t for c, t in rows[0].items() if c in HEADER_COLUMNS and c != "foreigntotal"}
    return order(f"{total:f}", *lines, **header), currency, total


@given(case=measured_order(), style=st.sampled_from(["amount", "quantity"]))
def test_the_lines_add_up_to_the_open_total_exactly(case, style):
    rows, currency, opened = case
    plans = plan_invoices(read_orders(rows), BillingPolicy(line_style=style))
    if opened is None:
        assert plans.invoices == ()
        assert plans.problems[0].reason_code == "share_not_representable"
        return
    if opened == 0:
        assert plans.invoices == ()
        assert plans.problems[0].reason_code in {"nothing_open", "total_zero"}
        return
    (plan,) = plans.invoices
    assert plan.currency == currency.lower()
    assert sum(each.amount for each in plan.lines) == plan.total == minor(opened, currency)
    for each in plan.lines:
        if each.unit_amount_minor_decimal is not None:
            product = Decimal(each.unit_amount_minor_decimal) * Decimal(each.quantity)
            assert product.quantize(Decimal(1), ROUND_HALF_UP) == each.amount


@given(case=whole_order())
def test_an_order_of_which_nothing_is_billed_bills_netsuites_total_to_the_cent(case):
    rows, currency, total = case
    plans = plan_invoices(read_orders(rows), BillingPolicy())
    if total <= 0:
        assert plans.invoices == ()
        assert plans.problems[0].reason_code in {"total_zero", "total_negative"}
        return
    assert sum(plan.total for plan in plans.invoices) == minor(total, currency)
    for mode in ("stripe", "none"):
        for net, own in zip(
            plan_invoices(read_orders(rows), BillingPolicy(tax=mode)).invoices, plans.invoices, strict=False
        ):
            assert net.total == own.net_total
            assert net.tax_total == 0


@given(case=whole_order(), share=st.integers(1, 99))
def test_what_was_billed_and_what_is_open_never_exceed_any_line(case, share):
    """The same order with every line billed by `share` per cent: no line bills more than it is worth."""
    rows, _, _ = case
    partly = [
        {**row, "quantitybilled": f"{abs(Decimal(row['quantity'])) * share / 100:f}"} if "quantity" in row else row
        for row in rows
    ]
    before = {
        each.id: each.amount
        for plan in plan_invoices(read_orders(rows), BillingPolicy()).invoices
        for each in plan.lines
    }
    for plan in plan_invoices(read_orders(partly), BillingPolicy()).invoices:
        for each in plan.lines:
            if each.id in before:
                assert abs(each.amount) <= abs(before[each.id])
                assert each.amount * before[each.id] >= 0


@given(
    units=st.integers(-(10**9), 10**9),
    step=st.sampled_from([1, 10, 100]),
    cuts=st.lists(st.fractions(0, 1), max_size=8),
)
def test_shares_that_are_billed_one_after_another_add_up_to_the_line(units, step, cuts):
    amount = units * step
    still_open = [Fraction(1), *sorted(cuts, reverse=True), Fraction(0)]
    shares = [
        open_share(amount, before, step) - open_share(amount, after, step) for before, after in pairwise(still_open)
    ]
    assert sum(shares) == amount
    assert all(share * amount >= 0 and share % step == 0 for share in shares)


@given(st.data())
def test_grouping_by_client_keeps_every_total_and_every_order(data):
    rows: list[Row] = []
    for order_id in range(500, 500 + data.draw(st.integers(1, 5))):
        rows += data.draw(whole_order(order_id))[0]
    listing = read_orders(rows)
    single = plan_invoices(listing, BillingPolicy())
    grouped = plan_invoices(listing, BillingPolicy(grouping="client"))

    def totals(plans):
        sums: Counter[tuple[str, str]] = Counter()
        for plan in plans.invoices:
            sums[plan.client.netsuite_id, plan.currency] += plan.total
        return sums

    assert totals(grouped) == totals(single)
    assert grouped.problems == single.problems
    for plans in (single, grouped):
        billed = [each.id for plan in plans.invoices for each in plan.orders]
        refused = [each.order_id for each in plans.problems]
        assert sorted(billed + refused) == sorted({row["id"] for row in rows})
        assert len({plan.key for plan in plans.invoices}) == len(plans.invoices)


@given(case=whole_order(), grouping=st.sampled_from(["order", "client"]))
def test_a_plan_and_its_hash_survive_storage(case, grouping):
    for plan in plan_invoices(read_orders(case[0]), BillingPolicy(grouping=grouping)).invoices:
        stored = json.loads(json.dumps(to_record(plan)))
        assert from_record(InvoicePlan, stored) == plan
        assert plan_hash(from_record(InvoicePlan, stored)) == plan_hash(plan)


SOME_TEXT = st.text(max_size=30) | st.sampled_from(
    ["", " ", "T", "F", "0", "-1", "1e400", "NaN", "-Infinity", "1E+9", "0.005", "USD", "JPY", "KWD",
     "Service", "Subtotal", "Kit", "2026-05-01", "9999-99-99", "500", "501", "\x00", "x" * 6000]
)  # fmt: skip
A_ROW = st.dictionaries(
    st.sampled_from([*HEADER_COLUMNS, *LINE_COLUMNS, "links", "billingemail"]) | st.text(max_size=8),
    SOME_TEXT | st.none() | st.integers() | st.floats() | st.booleans() | st.lists(st.integers(), max_size=2),
    max_size=30,
)


@given(rows=st.lists(A_ROW, max_size=8))
def test_rows_of_any_kind_raise_nothing_and_lose_no_order(rows):
    plans = plan_invoices(read_orders(rows), BillingPolicy())
    found = {each.id for plan in plans.invoices for each in plan.orders}
    found |= {problem.order_id for problem in plans.problems}
    for row in rows:
        if isinstance(row.get("id"), str) and row["id"] in {"500", "501"}:
            assert row["id"] in found
    assert len(found) > 0 or not rows


@settings(max_examples=300)
@given(
    case=whole_order(),
    column=st.sampled_from([*HEADER_COLUMNS, *LINE_COLUMNS]),
    row_number=st.integers(0, 20),
    text=SOME_TEXT | st.none(),
)
def test_one_broken_cell_never_loses_the_order_and_never_changes_what_adds_up(case, column, row_number, text):
    rows, currency, total = case
    broken = [dict(row) for row in rows]
    target = broken[row_number % len(broken)]
    if text is None:
        target.pop(column, None)
    else:
        target[column] = text
    listing = read_orders(broken)
    plans = plan_invoices(listing, BillingPolicy())
    if column != "id":
        billed = [each.id for plan in plans.invoices for each in plan.orders]
        assert billed + [problem.order_id for problem in plans.problems] == ["500"]
    if plans.invoices and column not in {"foreigntotal", "currencycode", "quantitybilled", "isclosed", "id"}:
        assert sum(plan.total for plan in plans.invoices) <= minor(total, currency)
