"""Due dates, counted from the invoice's own day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices.invoice_plan import BillingPolicy, plan_invoices
from billing.domain.orders.due_date import DayOfMonth, Due, NetDays, due_date
from billing.domain.orders.order_rows import read_orders
from billing.domain.records import RecordUnreadable, from_record, to_record
from tests.domain.suiteql_rows import hours, order


@pytest.mark.parametrize(
    ("due", "issued", "expected"),
    [
        (NetDays(30), "2026-06-01", "2026-07-01"),
        (NetDays(0), "2026-06-01", "2026-06-01"),
        (NetDays(60), "2026-12-31", "2027-03-01"),
        (DayOfMonth(20), "2026-06-01", "2026-06-20"),
        # The due day that counts lies after the invoice's own day.
        (DayOfMonth(20), "2026-06-20", "2026-07-20"),
        (DayOfMonth(20), "2026-06-21", "2026-07-20"),
        (DayOfMonth(20), "2026-12-21", "2027-01-20"),
        # NetSuite's own example: due on the 30th, within 5 days: the 25th to the 30th go to next month.
        (DayOfMonth(30, 5), "2026-06-24", "2026-06-30"),
        (DayOfMonth(30, 5), "2026-06-25", "2026-07-30"),
        (DayOfMonth(30, 5), "2026-06-30", "2026-07-30"),
        (DayOfMonth(30, 5), "2026-07-31", "2026-08-30"),
        # A day that the month has not: its last day.
        (DayOfMonth(31), "2026-06-05", "2026-06-30"),
        (DayOfMonth(30), "2026-02-05", "2026-02-28"),
        (DayOfMonth(30), "2028-02-05", "2028-02-29"),
        (DayOfMonth(30, 5), "2026-01-26", "2026-02-28"),
        # The window reaches back into the month before.
        (DayOfMonth(3, 10), "2026-06-28", "2026-08-03"),
        (DayOfMonth(20, 0), "2026-06-20", "2026-07-20"),
        (DayOfMonth(31), "2026-02-28", "2026-03-31"),
        (DayOfMonth(30), "2026-12-30", "2027-01-30"),
    ],
)
def test_terms_give_the_date_that_netsuite_would_give(due, issued, expected):
    assert due_date(due, date.fromisoformat(issued)) == date.fromisoformat(expected)


# Oracle's second example on the page of the Term record: Day of Month Net Due 15, Due Next Month if Within Days 30.
ORACLES_RANGES = [
    ("2026-05-16", "2026-06-14", "2026-07-15"),
    ("2026-06-15", "2026-07-15", "2026-08-15"),
    ("2026-08-16", "2026-09-14", "2026-10-15"),
    ("2026-09-15", "2026-10-15", "2026-11-15"),
    ("2026-10-16", "2026-11-14", "2026-12-15"),
    ("2026-11-15", "2026-12-15", "2027-01-15"),
]


@pytest.mark.parametrize(("first", "last", "expected"), ORACLES_RANGES)
def test_every_day_of_oracles_own_ranges_is_due_when_oracle_says(first, last, expected):
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        assert due_date(DayOfMonth(15, 30), day) == date.fromisoformat(expected), day
        day += timedelta(days=1)


@pytest.mark.parametrize("day", range(25, 31))
@pytest.mark.parametrize("month", [1, 3, 4, 5, 6, 7, 8, 9, 10, 11])
def test_an_invoice_of_the_25th_to_the_30th_is_due_on_the_30th_of_the_following_month(month, day):
    """Oracle's first example: due on the 30th, within 5 days. January's following month ends on its 28th."""
    following = date(2026, month + 1, 28 if month == 1 else 30)
    assert due_date(DayOfMonth(30, 5), date(2026, month, day)) == following


@given(
    due=st.one_of(
        st.builds(NetDays, st.integers(0, 3660)),
        st.builds(DayOfMonth, st.integers(1, 31), st.none() | st.integers(0, 60)),
    ),
    issued=st.dates(date(2000, 1, 1), date(2200, 1, 1)),
)
def test_an_invoice_is_never_due_before_its_own_day_and_terms_survive_storage(due, issued):
    assert due_date(due, issued) >= issued
    assert isinstance(due, NetDays) or due_date(due, issued) > issued
    assert from_record(Due, to_record(due)) == due
    # A window of a month or more postpones once all the same, so the days it asks for need not be there.
    if isinstance(due, DayOfMonth) and due.next_month_if_within and due.next_month_if_within < 28:
        assert due_date(due, issued) > issued + timedelta(days=due.next_month_if_within)


@pytest.mark.parametrize(
    ("header", "expected", "warned"),
    [
        ({}, {"days": 30}, False),
        ({"terms": None, "termsname": None, "daysuntilnetdue": None}, {"days": 14}, False),
        ({"daysuntilnetdue": "0"}, {"days": 0}, False),
        ({"daysuntilnetdue": None}, {"days": 14}, True),
        ({"daysuntilnetdue": "soon"}, {"days": 14}, True),
        ({"daysuntilnetdue": "-3"}, {"days": 14}, True),
        ({"datedriven": "T", "daysuntilnetdue": None, "dayofmonthnetdue": "20"}, {"day_of_month": 20}, False),
        (
            {"datedriven": None, "daysuntilnetdue": None, "dayofmonthnetdue": "20"},
            {"day_of_month": 20},
            False,
        ),
        (
            {"datedriven": "T", "dayofmonthnetdue": "30", "duenextmonthifwithindays": "5"},
            {"day_of_month": 30, "next_month_if_within": 5},
            False,
        ),
        ({"datedriven": "T", "dayofmonthnetdue": "32"}, {"days": 14}, True),
        ({"datedriven": "T"}, {"days": 14}, True),
    ],
)
def test_an_orders_terms_count_and_else_the_parameter(header, expected, warned):
    listing = read_orders(order("1000.00", hours(), **header))
    (plan,) = plan_invoices(listing, BillingPolicy(default_due_days=14)).invoices
    assert to_record(plan.due) == expected
    assert ("terms_unreadable" in [warning.code for warning in plan.warnings]) is warned


@pytest.mark.parametrize(
    "stored", [{}, {"days": "30"}, {"days": 30, "day_of_month": 3}, {"day_of_month": 32}, {"days": True}]
)
def test_terms_that_were_altered_are_refused(stored):
    with pytest.raises(RecordUnreadable, match=r"days|day_of_month|NetDays"):
        from_record(Due, stored)
