"""docs/benchmarks.md says what was measured last; tests/played/test_call_counts.py, that it is so today."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cost import PARTS, dollars, grown, prices
from benchmarks.results import read_results
from benchmarks.tables import pages

ROOT = Path(__file__).parents[2]


def test_every_table_is_the_one_of_the_last_measurement() -> None:
    for path, text in pages(ROOT, read_results()).items():
        assert path.read_text(encoding="utf-8") == text, "run `make bench BENCH_ARGS=tables`"


def test_a_dollar_is_the_sum_of_what_was_counted_at_its_price() -> None:
    """By hand: 1,000 transitions, 10 invocations of a function of 512 MB that waits for one call of Stripe each, 8
    writes, 4 files written, a gigabyte kept in the bucket for 84 months."""
    counts = {
        "transitions": 1000,
        "invocations": {"DraftTheInvoiceFunction": 10},
        "calls": {"put_object": 4, "stripe read": 10},
        "calls by function": {"DraftTheInvoiceFunction": {"stripe read": 10, "put_object": 4}},
        "units": {"dynamodb write": 8},
    }
    found = dollars(counts, {"bucket": 1024**3, "tables": 0})
    assert found["transitions"] == pytest.approx(0.025)
    assert found["tables"] == pytest.approx(8 * 0.625 / 1e6)
    assert found["files"] == pytest.approx(4 * 5 / 1e6)
    # 10 x (250 + 100) ms and 4 x 10 ms, at half a gigabyte, and ten requests.
    assert found["functions"] == pytest.approx(0.5 * 3.54 * 0.0000133334 + 10 * 0.2 / 1e6)
    assert found["storage"] == pytest.approx(84 * 0.023)
    assert found["other requests"] == 0


def test_what_is_not_counted_lies_on_the_line_through_what_is() -> None:
    small, large = dict.fromkeys(PARTS, 1.0), dict.fromkeys(PARTS, 3.0)
    assert grown(small, large, 11) == dict.fromkeys(PARTS, 23.0)


def test_prices_say_when_and_where_they_were_read() -> None:
    assert len(prices()["read"]) == len("2026-11-27")
    assert all(one.startswith("https://aws.amazon.com/") for one in prices()["sources"])
