"""The stack parameter UpperBounds, and the invoices above it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.batch.upper_bounds import bound_warnings, parse_upper_bounds
from billing.domain.errors import InputInvalid
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.money.currencies import THREE_DECIMAL, TWO_DECIMAL, WHOLE_UNITS_TIMES_100, ZERO_DECIMAL
from billing.domain.money.money import plain_amount, rule_of
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import hours, order


def plan(amount="1000.00", currency="USD"):
    (one,) = plan_invoices(
        read_orders(order(amount, hours("10", amount), currencycode=currency)), BillingPolicy()
    ).invoices
    return one


def test_bounds_are_read_in_each_currencys_own_minor_units():
    assert parse_upper_bounds("USD 50000, EUR 40000.50, JPY 5000000") == {
        "usd": 5_000_000,
        "eur": 4_000_050,
        "jpy": 5_000_000,
    }
    assert parse_upper_bounds("kwd 1.230,isk 10") == {"kwd": 1230, "isk": 1000}
    assert parse_upper_bounds("  usd   7  ") == {"usd": 700}


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_parameter_is_no_bound(text):
    assert parse_upper_bounds(text) == {}
    assert bound_warnings([plan()], parse_upper_bounds(text)) == ()


@pytest.mark.parametrize(
    ("text", "entry", "mistake"),
    [
        ("USD", "'USD'", "a currency, a space and an amount"),
        ("USD50000", "'USD50000'", "a currency, a space and an amount"),
        ("50000", "'50000'", "a currency, a space and an amount"),
        ("USD 50,000", "'000'", "without thousands separators"),
        ("USD 50 000", "'USD 50 000'", "without thousands separators"),
        ("USD 50000,", "''", "a comma without an entry"),
        ("USD 1,,EUR 2", "''", "a comma without an entry"),
        ("XXX 50000", "'XXX 50000'", "XXX is no currency that Stripe holds"),
        ("50000 USD", "'50000 USD'", "50000 is no currency that Stripe holds"),
        ("USD fifty", "'USD fifty'", "plain number"),
        ("USD -5", "'USD -5'", "plain number"),
        ("USD 1e5", "'USD 1e5'", "plain number"),
        ("USD .5", "'USD .5'", "plain number"),
        ("USD NaN", "'USD NaN'", "plain number"),
        ("USD ٥", "'USD ٥'", "plain number"),
        ("USD 0", "'USD 0'", "a bound of 0 would warn about every invoice"),
        ("USD 1.005", "'USD 1.005'", "only in steps of 0.01"),
        ("EUR 1, JPY 0.5", "'JPY 0.5'", "only in steps of 1"),
        ("KWD 1.234", "'KWD 1.234'", "only in steps of 0.010"),
        ("USD 1" + "0" * 30, "'USD 1000", "out of any invoice's range"),
        ("USD 1, usd 2", "'usd 2'", "USD has a bound already"),
    ],
)
def test_a_mistake_names_the_parameter_the_entry_and_what_is_wrong(text, entry, mistake):
    with pytest.raises(InputInvalid) as caught:
        parse_upper_bounds(text)
    message = str(caught.value)
    assert message.startswith(f"The parameter UpperBounds, entry {entry}")
    assert mistake in message
    assert "Write it as: USD 50000" in message


def test_a_long_mistake_is_not_repeated_in_full():
    with pytest.raises(InputInvalid) as caught:
        parse_upper_bounds("x" * 10_000)
    assert len(str(caught.value)) < 300


@given(
    st.dictionaries(
        st.sampled_from(sorted(TWO_DECIMAL | ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS_TIMES_100)),
        st.integers(1, 10**9),
        max_size=6,
    )
)
def test_every_bound_that_can_be_written_is_read_exactly(steps):
    bounds = {currency: count * rule_of(currency).step for currency, count in steps.items()}
    written = ", ".join(f"{currency.upper()} {plain_amount(minor, currency)}" for currency, minor in bounds.items())
    assert parse_upper_bounds(written) == bounds


def test_only_an_invoice_strictly_above_its_bound_warns():
    bounds = parse_upper_bounds("USD 1000")
    assert bound_warnings([plan("1000.00"), plan("999.99")], bounds) == ()
    (warning,) = bound_warnings([plan("999.99"), plan("1000.01")], bounds)
    assert (warning.code, warning.client) == ("above_upper_bound", "77")
    assert warning.message == (
        "SO-1001 for Northwind Pty Ltd: 1,000.01 USD is above the upper bound of 1,000.00 USD for one invoice."
    )


def test_each_currency_has_its_own_bound_and_one_without_has_none():
    plans = [plan("5000", "JPY"), plan("5000.00", "EUR"), plan("5000.00", "USD")]
    warnings = bound_warnings(plans, parse_upper_bounds("JPY 4999, USD 6000"))
    assert [warning.message.split(": ")[1].split(" is")[0] for warning in warnings] == ["5,000 JPY"]


def test_a_part_of_an_order_and_an_invoice_over_many_orders_are_named_as_such():
    part = replace(plan(), part=2, parts=3)
    (warning,) = bound_warnings([part], {"usd": 1})
    assert warning.message.startswith("SO-1001 (part 2 of 3) for ")
    many = replace(plan(), orders=tuple(replace(plan().orders[0], number=f"SO-{n:05}") for n in range(100)))
    (warning,) = bound_warnings([many], {"usd": 1})
    assert warning.message.startswith("SO-00000, SO-00001, ")
    assert len(warning.message) < 400
