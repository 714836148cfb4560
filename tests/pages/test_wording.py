"""Promises about how things are put into words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.domain.approval.approvers import Slot
from billing.domain.invoices.invoice_days import InvoiceDays
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.orders.due_date import DayOfMonth, Due, NetDays
from billing.domain.period_name import period_name
from billing.pages.formatting import (
    customer_words,
    due_words,
    instant_words,
    money_words,
    ordinal,
    remaining_words,
    slot_words,
    sums_words,
)


def test_a_period_is_a_month_with_its_english_name() -> None:
    assert period_name("2026-05") == "May 2026"
    assert period_name("2025-12") == "December 2025"
    assert period_name("not a period") == "not a period"


def test_instants_are_shown_in_utc_with_the_zone_named() -> None:
    assert instant_words("2026-06-01T09:05:00+10:00") == "31 May 2026, 23:05 UTC"
    assert instant_words("2026-06-01T09:05:00Z") == "1 June 2026, 09:05 UTC"


def test_an_instant_without_a_zone_is_not_guessed_at() -> None:
    assert instant_words("2026-06-01T09:05:00") == "2026-06-01T09:05:00"


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (1234567, "usd", "USD 12,345.67"),
        (5337820, "jpy", "JPY 5,337,820"),
        (15851130, "kwd", "KWD 15,851.130"),
        (-1200, "eur", "EUR −12.00"),
    ],
)
def test_money_names_its_currency_first_and_has_its_own_decimals(minor: int, currency: str, expected: str) -> None:
    assert money_words(minor, currency) == expected


def test_many_currencies_are_counted_where_room_is_short() -> None:
    sums = {"aud": 100, "eur": 200, "usd": 300}
    assert sums_words(sums, 2) == "AUD 1.00, EUR 2.00, and 1 more currency"
    assert sums_words(sums, 3) == "AUD 1.00, EUR 2.00, USD 3.00"


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (NetDays(30), "Due 30 days after the invoice’s date"),
        (NetDays(1), "Due 1 day after the invoice’s date"),
        (NetDays(0), "Due on the invoice’s date"),
        (DayOfMonth(31), "Due on the last day of the month"),
        (DayOfMonth(30), "Due on the 30th of the month, or its last day"),
        (
            DayOfMonth(20, 5),
            "Due on the 20th of the month, a month later if that is within 5 days of the invoice’s date",
        ),
    ],
)
def test_due_rules_are_told_in_words(due: Due, expected: str) -> None:
    assert due_words(due) == expected


def test_a_due_date_is_named_where_the_invoices_day_is_known() -> None:
    days = InvoiceDays("2026-06-01", "2026-07-01")
    assert due_words(NetDays(30), days) == "Due 1 July 2026 (30 days after the invoice’s date)"
    assert due_words(NetDays(30), days, date(2026, 7, 1)) == "Due 1 July 2026 (30 days after the invoice’s date)"
    assert due_words(NetDays(30), days, date(2026, 7, 2)) == (
        "Due 2 July 2026 if drafted today. By its terms it was due 1 July 2026 (30 days after the invoice’s date)"
    )


def test_ordinals_end_as_english_has_it() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 30th 31st".split()
    )


def test_a_customer_says_whether_it_exists_and_how_it_was_found() -> None:
    assert customer_words(MatchedCustomer(None, How.NEW)) == "New: will be created in Stripe"
    for how in (How.STORED, How.KNOWN, How.METADATA, How.EMAIL):
        assert customer_words(MatchedCustomer("cus_1", how)).startswith("cus_1, ")


def test_slots_say_how_many_of_whom_must_sign() -> None:
    assert slot_words(Slot("A", 1, ("ann",))) == "ann"
    assert slot_words(Slot("A", 1, ("ann", "bob"))) == "any one of ann and bob"
    assert slot_words(Slot("A", 2, ("ann", "bob"))) == "both of ann and bob"
    assert slot_words(Slot("A", 2, ("ann", "bob", "cy"))) == "any 2 of ann, bob and cy"
    assert slot_words(Slot("A", 3, ("ann", "bob", "cy"))) == "all 3 of ann, bob and cy"


def test_time_left_has_its_two_largest_units() -> None:
    assert remaining_words(timedelta(days=6, hours=23, minutes=30)) == "6 days 23 hours"
    assert remaining_words(timedelta(hours=1, minutes=1)) == "1 hour 1 minute"
    assert remaining_words(timedelta(seconds=59)) == "less than a minute"
    assert remaining_words(timedelta(days=-1)) == "less than a minute"
