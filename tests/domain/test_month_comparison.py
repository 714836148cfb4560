"""This month against the last one, per client and currency."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.batch.month_comparison import (
    BatchWarning,
    MonthInvoice,
    compare_with_last_month,
)
from billing.domain.records import RecordUnreadable, from_record, to_record


def invoice(client="7", total=100_00, currency="usd", name=None):
    return MonthInvoice(client, name or f"Client {client}", currency, total)


def codes(now, before, percent=20):
    return [(w.client, w.code) for w in compare_with_last_month(now, before, percent)]


def test_a_client_that_had_nothing_last_month_is_new_and_one_that_has_nothing_now_is_gone():
    warnings = compare_with_last_month([invoice("7", 1_234_50)], [invoice("8", 99_00)], 20)
    assert warnings == (
        BatchWarning(
            "new_client",
            "Client 7: new, 1,234.50 USD now; had nothing in this currency last month.",
            "7",
            currency="usd",
            now=1_234_50,
            name="Client 7",
        ),
        BatchWarning(
            "client_gone",
            "Client 8: gone, 99.00 USD last month; has nothing in this currency in this batch.",
            "8",
            currency="usd",
            last=99_00,
            name="Client 8",
        ),
    )


def test_only_a_change_of_strictly_more_than_the_percentage_warns():
    assert codes([invoice(total=120_00)], [invoice(total=100_00)]) == []
    assert codes([invoice(total=80_00)], [invoice(total=100_00)]) == []
    assert codes([invoice(total=120_01)], [invoice(total=100_00)]) == [("7", "client_changed")]
    assert codes([invoice(total=79_99)], [invoice(total=100_00)]) == [("7", "client_changed")]
    assert codes([invoice(total=100_00)], [invoice(total=100_00)], percent=0) == []
    assert codes([invoice(total=100_01)], [invoice(total=100_00)], percent=0) == [("7", "client_changed")]


def test_a_change_names_both_sums_the_difference_and_the_limit():
    (warning,) = compare_with_last_month([invoice(total=150_00)], [invoice(total=100_00)], 20)
    assert warning.message == (
        "Client 7: 150.00 USD now, 100.00 USD last month: 50.00 USD (50%) more, and the limit is 20%."
    )
    (warning,) = compare_with_last_month(
        [invoice(total=5000, currency="jpy")], [invoice(total=9000, currency="jpy")], 9
    )
    assert warning.message == (
        "Client 7: 5,000 JPY now, 9,000 JPY last month: 4,000 JPY (44%) less, and the limit is 9%."
    )


def test_several_invoices_of_a_client_count_together():
    now = [invoice(total=60_00), invoice(total=60_00)]
    assert codes(now, [invoice(total=100_00), invoice(total=20_00)]) == []
    assert codes([*now, invoice(total=25_00)], [invoice(total=120_00)]) == [("7", "client_changed")]


def test_a_client_that_changed_its_currency_is_gone_in_one_and_new_in_the_other():
    assert codes([invoice(currency="eur")], [invoice(currency="usd")]) == [("7", "new_client"), ("7", "client_gone")]


def test_without_a_record_of_last_month_it_says_that_nothing_was_compared():
    (warning,) = compare_with_last_month([invoice(), invoice("8")], None, 20)
    assert (warning.code, warning.client) == ("no_last_month", None)
    assert "nothing could be compared" in warning.message


def test_a_recorded_month_without_invoices_is_not_a_missing_record():
    assert codes([invoice()], []) == [("7", "new_client")]
    assert codes([], []) == []


def test_within_a_currency_the_biggest_change_comes_first_and_ties_go_by_client():
    before = [invoice("1", 100_00), invoice("2", 100_00), invoice("3", 100_00), invoice("4", 100_00, "eur")]
    now = [invoice("1", 150_00), invoice("2", 900_00), invoice("3", 50_00), invoice("4", 1_00, "eur")]
    assert codes(now, before) == [
        ("4", "client_changed"),
        ("2", "client_changed"),
        ("1", "client_changed"),
        ("3", "client_changed"),
    ]


def test_a_client_that_was_renamed_bears_its_name_of_now():
    (warning,) = compare_with_last_month(
        [invoice(name="New Name", total=300)], [invoice(name="Old Name", total=100)], 5
    )
    assert warning.message.startswith("New Name: ")


def test_a_negative_percentage_is_refused():
    with pytest.raises(ValueError, match="percent must be 0 or more"):
        compare_with_last_month([], [], -1)


months = st.lists(
    st.builds(
        MonthInvoice,
        st.sampled_from(["1", "2", "3"]),
        st.just("A client"),
        st.sampled_from(["usd", "jpy", "kwd", "isk"]),
        st.integers(1, 10**7),
    ),
    max_size=8,
)


@given(now=months, before=months, percent=st.integers(0, 300), data=st.data())
def test_the_warnings_depend_on_nothing_but_the_sums(now, before, percent, data):
    """Recomputed here by hand, and the order in which invoices come changes nothing."""
    warnings = compare_with_last_month(now, before, percent)
    assert warnings == compare_with_last_month(
        data.draw(st.permutations(now)), data.draw(st.permutations(before)), percent
    )

    def total(invoices, client, currency):
        return sum(i.total for i in invoices if (i.client_id, i.currency) == (client, currency))

    expected = []
    for client, currency in {(i.client_id, i.currency) for i in now + before}:
        this, last = total(now, client, currency), total(before, client, currency)
        if not last:
            expected.append((client, "new_client"))
        elif not this:
            expected.append((client, "client_gone"))
        elif this * 100 > last * (100 + percent) or this * 100 < last * (100 - percent):
            expected.append((client, "client_changed"))
    assert sorted((w.client, w.code) for w in warnings) == sorted(expected)


@given(month=months)
def test_the_same_month_again_warns_of_nothing(month):
    assert compare_with_last_month(month, month, 0) == ()


@pytest.mark.parametrize("client", ["7", None])
def test_a_warning_survives_storage(client):
    warning = BatchWarning("new_client", "Zoë & Sons: new", client)
    assert from_record(BatchWarning, json.loads(json.dumps(to_record(warning)))) == warning


@pytest.mark.parametrize(
    "altered", [{"code": "x", "client": None}, {"code": 1, "message": "m"}, {"code": "x", "message": "m", "client": 7}]
)
def test_an_altered_warning_is_refused(altered):
    with pytest.raises(RecordUnreadable):
        from_record(BatchWarning, altered)
