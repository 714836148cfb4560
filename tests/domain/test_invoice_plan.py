"""The plan as a record: stored and read back, hashed, cut into parts, grouped by client."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_hash, plan_invoices
from billing.domain.invoices.parts import split_lines
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.sales_order import Problem
from billing.domain.records import RecordUnreadable, from_record, to_record
from tests.domain.suiteql_rows import hours, line, order


def plans_of(rows, **policy):
    plans = plan_invoices(read_orders(rows), BillingPolicy(**policy))
    assert plans.problems == ()
    return plans.invoices


def full_order():
    return order(
        "1031.25",
        hours("7.5", "937.50", rate="125", linestart="2026-05-01", lineend="2026-05-31"),
        line(2, "TaxItem", "93.75", taxline="T", rate="10%"),
        otherrefnum="PO-1",
        memo="May",
        clientstripeid="cus_1",
        orderemail="nobody",
    )


def test_a_plan_survives_storage_exactly():
    for policy in ({}, {"line_style": "quantity"}, {"grouping": "client"}):
        (plan,) = plans_of(full_order(), **policy)
        stored = json.dumps(to_record(plan))
        assert from_record(InvoicePlan, json.loads(stored, parse_float=pytest.fail)) == plan
        assert plan_hash(from_record(InvoicePlan, json.loads(stored))) == plan_hash(plan)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("total",), 1),
        (("total",), "103125"),
        (("total",), 103125.0),
        (("tax_total",), 0),
        (("lines", 0, "amount"), 93751),
        (("lines", 0, "kind"), "heading"),
        (("lines",), None),
        (("lines",), ["x"]),
        (("currency",), "xts"),
        (("client",), "Acme"),
        (("custom_fields",), [["PO number"]]),
        (("due",), {"days": "30"}),
        (("key",), None),
    ],
)
def test_a_stored_plan_that_was_altered_is_refused(path, value):
    (plan,) = plans_of(full_order())
    data = json.loads(json.dumps(to_record(plan)))
    target = data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(RecordUnreadable):
        from_record(InvoicePlan, data)


def test_a_stored_plan_without_a_field_is_refused():
    (plan,) = plans_of(full_order())
    for field in to_record(plan):
        data = to_record(plan)
        del data[field]
        with pytest.raises(RecordUnreadable, match=field):
            from_record(InvoicePlan, data)


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "order-9"},
        {"currency": "eur"},
        {"total": 1},
        {"description": "other"},
        {"footer": "other"},
        {"custom_fields": (("PO number", "PO-2"),)},
        {"memo": None},
        {"lines": ()},
        {"orders": ()},
        {"part": 2},
    ],
)
def test_the_hash_changes_with_what_is_billed(changed):
    (plan,) = plans_of(full_order())
    assert plan_hash(replace(plan, **changed)) != plan_hash(plan)


def test_the_hash_changes_with_who_is_billed_and_when_it_is_due():
    (plan,) = plans_of(full_order())
    (other_terms,) = plans_of([{**row, "daysuntilnetdue": "14"} for row in full_order()])
    (other_address,) = plans_of([{**row, "orderemail": "new@northwind.example"} for row in full_order()])
    assert len({plan_hash(each) for each in (plan, other_terms, other_address)}) == 3


def test_the_hash_stays_when_only_bookkeeping_changed():
    (plan,) = plans_of(full_order())
    same = [
        replace(plan, warnings=()),
        replace(plan, status="E"),
        replace(plan, last_modified="2026-06-01 00:00:00"),
        replace(plan, client=replace(plan.client, stripe_id=None)),
    ]
    assert {plan_hash(each) for each in same} == {plan_hash(plan)}
    assert len(plan_hash(plan)) == 64


def test_a_problem_survives_storage_and_an_altered_one_is_refused():
    (problem,) = read_orders(order("1100.00", hours())).problems
    assert from_record(Problem, json.loads(json.dumps(to_record(problem)))) == problem
    assert (problem.currency, problem.total_minor, problem.client_id) == ("usd", 110000, "77")
    for field, value in (("message", None), ("total_minor", "1"), ("currency", 3)):
        with pytest.raises(RecordUnreadable, match=field):
            from_record(Problem, {**to_record(problem), field: value})


def many_lines(count, amount="10.00"):
    return [line(number, "Service", amount, quantity="1") for number in range(1, count + 1)]


@pytest.mark.parametrize(("count", "sizes"), [(250, [250]), (251, [126, 125]), (501, [167, 167, 167])])
def test_more_than_250_lines_become_numbered_parts_that_add_up(count, sizes):
    plans = plans_of(order(f"{count * 10}.00", *many_lines(count)))
    assert [len(plan.lines) for plan in plans] == sizes
    assert sum(plan.total for plan in plans) == count * 1000
    assert [line.id for plan in plans for line in plan.lines] == [str(9000 + n) for n in range(1, count + 1)]
    if count > 250:
        assert [plan.key for plan in plans] == [f"order-500-part-{n}" for n in range(1, len(sizes) + 1)]
        assert [(plan.part, plan.parts) for plan in plans] == [(n, len(sizes)) for n in range(1, len(sizes) + 1)]
        assert plans[0].description == f"Services for SO-1001 (part 1 of {len(sizes)})"


@pytest.mark.parametrize(
    ("reductions", "total"),
    [
        # Half of 251 x 10.00 is less than 1,500.00: the discount goes where 249 lines carry it.
        ([("Discount", "-1500.00")], 101000),
        # 249 discounts of 9.00 fill the last part of two unless they are dealt out: 2,510.00 - 2,241.00.
        ([("Discount", "-9.00")] * 249, 26900),
    ],
)
def test_reductions_at_the_end_never_leave_a_part_at_zero_or_below(reductions, total):
    below = [
        line(300 + number, kind, amount, transactiondiscount="T") for number, (kind, amount) in enumerate(reductions)
    ]
    plans = plans_of(order(f"{total // 100}.00", *many_lines(251), *below))
    assert [plan.parts for plan in plans] == [2, 2]
    assert all(plan.total > 0 and len(plan.lines) <= 250 for plan in plans)
    assert sum(plan.total for plan in plans) == total
    assert len({each.id for plan in plans for each in plan.lines}) == 251 + len(reductions)


def test_an_order_that_has_no_parts_above_zero_goes_to_a_person():
    rows = order("0.01", line(1, "Service", "0.01", quantity="1"), *many_lines(300, "0.00")[1:])
    (problem,) = plan_invoices(read_orders(rows), BillingPolicy()).problems
    assert problem.reason_code == "part_not_positive"
    assert problem.total_minor == 1


@given(
    amounts=st.lists(st.integers(-500, 1000) | st.just(0), min_size=1, max_size=30),
    most=st.integers(2, 6),
)
def test_parts_hold_every_line_once_and_are_all_above_zero(amounts, most):
    (plan,) = plans_of(order("1000.00", hours()))
    lines = [replace(plan.lines[0], id=str(n), amount=amount) for n, amount in enumerate(amounts)]
    parts = split_lines(lines, most)
    if parts is None:
        assert len(lines) > most or sum(amounts) <= 0
        return
    assert sorted((each.id for part in parts for each in part), key=int) == [each.id for each in lines]
    assert len(parts) == -(-len(lines) // most)
    for part in parts:
        assert len(part) <= most
        assert sum(each.amount for each in part) > 0


def month_of_one_client():
    return [
        *order("1000.00", hours(), otherrefnum="PO-1", memo="first"),
        *order("200.00", line(1, "Service", "200.00", quantity="2", uniquekey="9101"), id="501",
               tranid="SO-1002", otherrefnum="PO-2"),
        *order("50.00", line(1, "Service", "50.00", quantity="1", uniquekey="9102"), id="502",
               tranid="SO-1003", currencycode="EUR"),
        *order("70.00", line(1, "Service", "70.00", quantity="1", uniquekey="9103"), id="503",
               tranid="SO-1004", daysuntilnetdue="14"),
        *order("90.00", line(1, "Service", "90.00", quantity="1", uniquekey="9104"), id="504",
               tranid="SO-1005", entity="78", clientname="Contoso"),
    ]  # fmt: skip


def test_a_client_gets_one_invoice_per_currency_and_terms_with_its_order_numbers_on_the_lines():
    grouped = plans_of(month_of_one_client(), grouping="client")
    assert [(plan.key, plan.total) for plan in grouped] == [
        ("client-77-usd-net30", 120000),
        ("client-77-eur-net30", 5000),
        ("client-77-usd-net14", 7000),
        ("client-78-usd-net30", 9000),
    ]
    first = grouped[0]
    assert [order.number for order in first.orders] == ["SO-1001", "SO-1002"]
    assert [each.description for each in first.lines] == [
        "SO-1001: Item 1 — 10 × 100.00",
        "SO-1002: Item 1 — 2 × 100.00",
    ]
    assert [each.netsuite.order_id for each in first.lines] == ["500", "501"]
    assert first.custom_fields == (("PO number", "PO-1, PO-2"),)
    assert first.memo == "SO-1001: first"
    assert first.description == "Services for SO-1001, SO-1002"


def test_grouping_changes_no_total_of_a_client_and_currency():
    def totals(plans):
        sums = Counter()
        for plan in plans:
            sums[plan.client.netsuite_id, plan.currency] += plan.total
        return sums

    rows = month_of_one_client()
    assert totals(plans_of(rows)) == totals(plans_of(rows, grouping="client"))


def test_lines_that_share_a_key_across_orders_keep_ids_of_their_own():
    rows = [*order("1000.00", hours()), *order("1000.00", hours(), id="501", tranid="SO-2")]
    (plan,) = plans_of(rows, grouping="client")
    assert [each.id for each in plan.lines] == ["500-9001", "501-9001"]


def test_orders_that_name_different_addresses_are_told_to_the_approver():
    rows = [
        *order("1000.00", hours(), orderemail="a@northwind.example"),
        *order("1000.00", hours(uniquekey="9201"), id="501", tranid="SO-2", orderemail="b@northwind.example"),
    ]
    (plan,) = plans_of(rows, grouping="client")
    assert plan.client.email == "a@northwind.example"
    assert "emails_differ" in [warning.code for warning in plan.warnings]


def test_a_group_of_more_than_250_lines_keeps_orders_whole_in_its_parts():
    rows = []
    for number in range(3):
        lines = [{**each, "uniquekey": f"{number}-{each['line']}"} for each in many_lines(100)]
        rows += order("1000.00", *lines, id=str(600 + number), tranid=f"SO-{number}")
    plans = plans_of(rows, grouping="client")
    assert [(plan.key, len(plan.lines), [o.number for o in plan.orders]) for plan in plans] == [
        ("client-77-usd-net30-part-1", 200, ["SO-0", "SO-1"]),
        ("client-77-usd-net30-part-2", 100, ["SO-2"]),
    ]
    assert sum(plan.total for plan in plans) == 300000


def test_an_order_in_parts_keeps_its_parts_in_a_group():
    plans = plans_of(order("3000.00", *many_lines(300)), grouping="client")
    assert [(plan.key, len(plan.lines), plan.total) for plan in plans] == [
        ("client-77-usd-net30-part-1", 150, 150000),
        ("client-77-usd-net30-part-2", 150, 150000),
    ]
