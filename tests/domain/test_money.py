"""Money: exact, in one currency, and only what Stripe can hold."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money.currencies import (
    THREE_DECIMAL,
    TWO_DECIMAL,
    WHOLE_UNITS_TIMES_100,
    ZERO_DECIMAL,
    CurrencyUnknown,
    maximum_charge,
    minimum_charge,
    rule_of,
)
from billing.domain.money.money import (
    AmountNotRepresentable,
    CurrenciesDiffer,
    Money,
    format_amount,
    plain_amount,
    round_half_up,
    terminating_decimal,
    to_minor,
)

EVERY_CURRENCY = sorted(TWO_DECIMAL | ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS_TIMES_100)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1234.50", "usd", 123450),
        ("-0.01", "eur", -1),
        ("1E+3", "usd", 100000),
        ("1000", "jpy", 1000),
        ("1000.000", "krw", 1000),
        ("1.230", "kwd", 1230),
        ("0.010", "bhd", 10),
        ("10", "isk", 1000),
        ("3", "ugx", 300),
        ("10.25", "huf", 1025),
        ("10.25", "twd", 1025),
    ],
)
def test_an_amount_becomes_stripes_integer(amount, currency, minor):
    assert to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.005", "usd"),
        ("0.5", "jpy"),
        ("1.234", "kwd"),
        ("1.2345", "kwd"),
        ("10.50", "isk"),
        ("0.01", "ugx"),
        ("NaN", "usd"),
        ("Infinity", "usd"),
        ("1E+400", "usd"),
        ("1E-400", "usd"),
    ],
)
def test_an_amount_that_stripe_cannot_hold_is_refused_and_never_rounded(amount, currency):
    with pytest.raises(AmountNotRepresentable):
        to_minor(Decimal(amount), currency)


def test_a_currency_that_stripe_does_not_hold_is_refused():
    for currency in ("xts", "USD", "", "us dollar"):
        with pytest.raises(CurrencyUnknown):
            to_minor(Decimal(1), currency)
        with pytest.raises(CurrencyUnknown):
            Money(1, currency)


def test_two_currencies_are_never_added():
    assert Money(100, "usd") + Money(-30, "usd") == Money(70, "usd")
    assert Money(100, "usd") - Money(30, "usd") == -Money(-70, "usd")
    with pytest.raises(CurrenciesDiffer):
        Money(100, "usd") + Money(100, "eur")
    with pytest.raises(CurrenciesDiffer):
        Money(100, "usd") - Money(100, "eur")


@pytest.mark.parametrize(
    ("value", "step", "rounded"),
    [
        ("0.5", 1, 1),
        ("1.5", 1, 2),
        ("2.5", 1, 3),
        ("-2.5", 1, -3),
        ("2.4999999", 1, 2),
        ("665", 10, 670),
        ("664.999", 10, 660),
        ("66650", 100, 66700),
        ("-66650", 100, -66700),
        ("0", 100, 0),
    ],
)
def test_halves_go_away_from_zero(value, step, rounded):
    assert round_half_up(Decimal(value), step) == rounded


@pytest.mark.parametrize(
    ("minor", "currency", "read", "plain"),
    [
        (123450, "usd", "1,234.50", "1234.50"),
        (-5, "usd", "-0.05", "-0.05"),
        (1234567, "jpy", "1,234,567", "1234567"),
        (1230, "kwd", "1.230", "1.230"),
        (123400, "isk", "1,234", "1234"),
        (123450, "isk", "1,234.50", "1234.50"),
        (100050, "huf", "1,000.50", "1000.50"),
        (0, "usd", "0.00", "0.00"),
    ],
)
def test_an_amount_reads_as_its_currency_is_written(minor, currency, read, plain):
    assert format_amount(minor, currency) == read
    assert plain_amount(minor, currency) == plain
    assert str(Money(minor, currency)) == f"{read} {currency.upper()}"


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(EVERY_CURRENCY))
def test_what_is_written_is_read_back_as_the_same_amount(minor, currency):
    whole = minor * rule_of(currency).step
    assert to_minor(Decimal(plain_amount(whole, currency)), currency) == whole
    assert to_minor(Decimal(format_amount(whole, currency).replace(",", "")), currency) == whole


@given(
    value=st.fractions(max_denominator=10**6).filter(lambda value: abs(value) < 10**12),
    step=st.sampled_from([1, 10, 100]),
)
def test_rounding_is_never_further_off_than_half_a_step(value, step):
    rounded = round_half_up(value, step)
    assert rounded % step == 0
    assert abs(rounded - value) <= Fraction(step, 2)
    assert round_half_up(-value, step) == -rounded


def test_an_exact_decimal_is_found_or_refused():
    assert terminating_decimal(Fraction(1, 8), 3) == Decimal("0.125")
    assert terminating_decimal(Fraction(-1, 8), 3) == Decimal("-0.125")
    assert terminating_decimal(Fraction(1, 8), 2) is None
    assert terminating_decimal(Fraction(1, 3), 12) is None
    assert str(terminating_decimal(Fraction(1000), 8)) == "1000"


def test_no_currency_is_in_two_classes_and_limits_are_in_range():
    classes = (TWO_DECIMAL, ZERO_DECIMAL, THREE_DECIMAL, WHOLE_UNITS_TIMES_100)
    assert sum(map(len, classes)) == len(EVERY_CURRENCY)
    assert minimum_charge("usd") == 50
    assert minimum_charge("gbp") == 30
    assert minimum_charge("jpy") == 50
    assert minimum_charge("huf") == 17500
    assert minimum_charge("kwd") is None
    assert maximum_charge("usd") == 99_999_999
    assert maximum_charge("idr") == 999_999_999_999
