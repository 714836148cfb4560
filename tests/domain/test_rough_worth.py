"""Which amount is named first: by what it is about worth, never by its digits."""

from __future__ import annotations

from billing.domain.money.rough_worth import largest_first, rough_worth


def test_what_is_worth_the_most_comes_first_whatever_its_digits() -> None:
    # Some 35,000, 52,000, 128,000 and 166,000 dollars, by the rates of the end of 2025.
    sums = {"eur": 111_336_40, "jpy": 5_337_820, "kwd": 15_851_130, "usd": 166_018_00}
    assert list(largest_first(sums)) == ["usd", "eur", "kwd", "jpy"]
    assert largest_first(sums) == sums


def test_equal_sums_keep_one_order_and_a_minus_sign_makes_no_sum_small() -> None:
    assert list(largest_first({"usd": 100, "pab": 100, "bsd": 100})) == ["bsd", "pab", "usd"]
    assert list(largest_first({"usd": 100, "eur": -50_000})) == ["eur", "usd"]


def test_a_currency_that_stripe_does_not_hold_comes_last_and_breaks_nothing() -> None:
    assert rough_worth(10**9, "zzz") == 0
    assert list(largest_first({"zzz": 10**9, "usd": 1})) == ["usd", "zzz"]
