"""Days, amounts, memos, periods, ids and shares."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.settlement import external_ids
from billing.domain.settlement.dues import Dues, shares
from billing.domain.settlement.periods import AccountingPeriod, Parked, Posting, posting
from billing.domain.settlement.postings import AmountNotHeld, from_netsuite, in_netsuite, memo, moved
from billing.domain.settlement.records import Apply


@pytest.mark.parametrize(
    ("minor", "currency", "precision", "held"),
    [
        (12345, "usd", 2, "123.45"),
        (-1, "usd", 2, "-0.01"),
        (5000, "jpy", 0, "5000"),
        (5000, "jpy", 2, "5000.00"),
        (12350, "kwd", 2, "12.35"),  # Stripe's last digit of three-decimal currencies is 0
        (12300, "huf", 0, "123"),
    ],
)
def test_amounts_are_exact_in_netsuites_decimals(minor: int, currency: str, precision: int, held: str) -> None:
    assert in_netsuite(minor, currency, precision) == Decimal(held)
    assert from_netsuite(Decimal(held), currency) == minor


def test_an_amount_that_netsuites_currency_cannot_hold_is_refused_and_not_rounded() -> None:
    with pytest.raises(AmountNotHeld, match="HUF has 0 decimals"):
        in_netsuite(12345, "huf", 0)
    with pytest.raises(AmountNotHeld):
        from_netsuite(Decimal("0.5"), "jpy")


def test_a_memo_names_stripe_first_and_a_moved_date_last_and_fits_its_field() -> None:
    assert memo("in_1", "", "Voided") == "Stripe: in_1. Voided"
    assert moved("Stripe: in_1", date(2026, 5, 31)) == "Stripe: in_1. Original transaction date: 2026-05-31"
    assert len(memo("x" * 2000)) == 999


def month(number: int, closed: bool = False, locked: bool = False) -> AccountingPeriod:
    last = {4: 30, 5: 31, 6: 30, 7: 31}[number]
    return AccountingPeriod(
        str(number), f"2026-{number:02}", date(2026, number, 1), date(2026, number, last), closed, locked
    )


QUARTER = AccountingPeriod("Q", "Q2", date(2026, 4, 1), date(2026, 6, 30), False, False, is_quarter=True)
YEAR = AccountingPeriod("Y", "2026", date(2026, 1, 1), date(2026, 12, 31), False, False, is_year=True)
ADJUSTMENT = AccountingPeriod("A", "Adj", date(2026, 6, 30), date(2026, 6, 30), False, False, is_adjustment=True)


def test_a_record_posts_to_the_month_of_its_day_and_to_no_quarter_year_or_adjustment() -> None:
    found = posting(date(2026, 6, 30), [YEAR, QUARTER, ADJUSTMENT, month(7), month(6), month(5)], "park")
    assert found == Posting(month(6), date(2026, 6, 30), moved=False)


@pytest.mark.parametrize("shut", [month(5, closed=True), month(5, locked=True)])
def test_a_closed_or_locked_month_parks_or_moves_to_the_first_open_one(shut: AccountingPeriod) -> None:
    months = [month(4), shut, month(6, closed=True), month(7)]
    parked = posting(date(2026, 5, 12), months, "park")
    assert isinstance(parked, Parked)
    assert "2026-05" in parked.reason
    assert posting(date(2026, 5, 12), months, "first_open") == Posting(month(7), date(2026, 7, 1), moved=True)
    assert isinstance(posting(date(2026, 5, 12), months[:3], "first_open"), Parked)


def test_a_day_without_a_period_is_parked_whatever_the_policy() -> None:
    for policy in ("park", "first_open"):
        assert isinstance(posting(date(2027, 1, 1), [month(5)], policy), Parked)


def test_coupons_are_hashed_where_their_id_is_no_legal_external_id() -> None:
    assert external_ids.coupon_item("SPRING10") == "coupon-SPRING10"
    found = external_ids.coupon_item("Für Müller | 10 %")
    assert external_ids.is_legal(found)
    assert found != external_ids.coupon_item("Für Müller | 20 %")
    assert external_ids.is_legal(external_ids.coupon_item("x" * 500))


@pytest.mark.parametrize(
    ("item", "subsidiary", "found"),
    [
        ("coupon-SPRING10", "", "coupon-SPRING10"),
        ("coupon-SPRING10", "2", "coupon-SPRING10-s2"),
        ("gold-monthly", "2", "gold-monthly-s2"),
        ("price_1QabcDEFghiJKL", "2", "price_1QabcDEFghiJKL"),
    ],
)
def test_an_id_that_people_type_is_an_item_of_each_subsidiary(item: str, subsidiary: str, found: str) -> None:
    assert external_ids.item_of_subsidiary(item, subsidiary) == found
    assert external_ids.is_legal(external_ids.item_of_subsidiary("x" * 100, "2"))


def test_dues_are_taken_in_order_with_one_first_if_asked() -> None:
    dues = Dues([("a", 5), ("b", 5), ("c", 5)])
    assert dues.take(7, first="b") == (Apply("b", 5), Apply("a", 2))
    assert (dues.total, dues.of("a"), dues.close("c"), dues.total) == (8, 3, 5, 3)
    assert dues.take(9) == (Apply("a", 3),)


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30))
def test_shares_are_whole_exact_and_within_one_of_the_proportion(amount: int, weights: list[int]) -> None:
    whole = sum(weights)
    if not whole:
        weights[0] += 1
        whole = 1
    found = shares(amount, weights)
    assert sum(found) == amount
    for part, weight in zip(found, weights, strict=True):
        assert abs(part * whole - amount * weight) <= abs(whole)


def test_nothing_can_be_shared_by_nothing() -> None:
    assert shares(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="nothing to share"):
        shares(1, [1, -1])
