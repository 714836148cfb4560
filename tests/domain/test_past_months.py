"""The months before, as the page draws them: which they are, what they sum to, and how old batches are read."""

from __future__ import annotations

import pytest

from billing.domain.batch.month_comparison import MonthInvoice
from billing.domain.batch.past_months import PastMonths, past_months
from billing.domain.records import RecordUnreadable, from_record, to_record
from billing.domain.runs.period import months_to_read


def billed(client: str, total: int, currency: str = "usd") -> MonthInvoice:
    return MonthInvoice(client, f"Client {client}", currency, total)


def test_the_same_month_of_last_year_is_the_first_and_the_batchs_own_the_last() -> None:
    names = months_to_read("2026-02")
    assert (names[0], names[-2], names[-1], len(names)) == ("2025-02", "2026-01", "2026-02", 13)


def test_sums_stand_at_their_month_by_client_and_currency_and_the_total_is_over_everybody() -> None:
    past = past_months(
        [
            ("2026-03", [billed("7", 100_00), billed("7", 50_00), billed("8", 9_00)]),
            ("2026-04", []),
            ("2026-05", [billed("7", 20_00), billed("7", 5_000, "jpy")]),
            ("2026-06", [billed("7", 1_00)]),
        ],
        {"7", "9"},
    )
    assert past == PastMonths(
        ("2026-03", "2026-04", "2026-05", "2026-06"),
        {"jpy": (0, 0, 5_000, 0), "usd": (159_00, 0, 20_00, 1_00)},
        {"7": {"jpy": (0, 0, 5_000, 0), "usd": (150_00, 0, 20_00, 1_00)}},
    )
    assert past.last_month == "2026-05"
    # What an earlier run has drafted of this month is part of this month.
    assert past.of_client("7", "usd", 30_00) == (150_00, 0, 20_00, 31_00)
    assert past.of_all("usd", 30_00) == (159_00, 0, 20_00, 31_00)
    assert past.of_client("9", "usd", 30_00) == past.of_all("eur", 30_00) == (0, 0, 0, 30_00)


def test_where_no_month_before_has_billed_anything_there_is_nothing_to_draw() -> None:
    assert past_months([("2026-04", []), ("2026-05", []), ("2026-06", [billed("7", 1_00)])], {"7"}) is None


def test_it_is_read_as_it_was_written_and_a_sum_that_is_missing_is_an_error() -> None:
    past = past_months([("2026-05", [billed("7", 20_00)]), ("2026-06", [])], {"7"})
    assert past is not None
    assert from_record(PastMonths, to_record(past)) == past
    with pytest.raises(RecordUnreadable, match="not every month has a sum"):
        from_record(PastMonths, {**to_record(past), "totals": {"usd": [1]}})
