"""Promises about text that others wrote."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing.domain.text import clean, shown
from billing.pages.csv_file import Amount, csv_bytes, number_cell, text_cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Northwind\u202e dlrow", "Northwind dlrow"),
        ("a\u2066b\u2069c\u200e\u200f\u061c", "abc"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("line\r\nSubject: other\tcell", "line Subject: other cell"),
        ("\x1b[31mred\x00", "[31mred"),
        ("half\ud800pair", "halfpair"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("شركة الخليج", "شركة الخليج"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Café", "Café"),
    ],
)
def test_what_hides_or_reorders_text_is_removed_and_scripts_stay(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_piled_marks_cannot_cover_other_lines() -> None:
    assert clean("Z" + "\u0301" * 500) == "Z" + "\u0301" * 3


def test_what_is_only_invisible_is_shown_as_a_dash() -> None:
    assert shown("\u202e\u200b \u3164") == "–"


def test_ten_thousand_characters_are_cut_for_display() -> None:
    text = shown("N" * 10_000, 120)
    assert len(text) == 120
    assert text.endswith("…")


@given(st.text(max_size=300), st.integers(2, 50))
def test_shown_text_is_never_longer_than_asked_and_always_encodable(text: str, most: int) -> None:
    result = shown(text, most)
    assert 1 <= len(result) <= most
    result.encode()
    assert "\n" not in result


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\ufeff=1",
        "\u200b=1",
        "\u2060=1",
        "\u00ad\u061c=1",
        "\x00=1",
        "\u202e=1",
        "\u2028=1",
        "\u3000=1",
        "﹦1",
        "﹫SUM(1)",
        "＠SUM(1)",
        "＋1",
        "＝1",
        "－1",
        "=HYPERLINK(1)",
    ],
)
def test_a_formula_in_a_csv_cell_begins_with_an_apostrophe(text: str) -> None:
    assert text_cell(text).startswith("'")


def test_a_text_that_is_no_formula_stays_as_it_is() -> None:
    assert text_cell("Services = more, at 10%") == "Services = more, at 10%"


def test_amounts_are_numbers_even_when_negative_and_texts_are_quoted() -> None:
    data = csv_bytes(("a", "b"), [(Amount(-1250, "usd"), "-1,250"), (number_cell("-1"), number_cell("=1"))])
    assert data.decode("utf-8-sig") == '"a","b"\r\n-12.50,"\'-1,250"\r\n-1,"\'=1"\r\n'


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_no_text_of_a_csv_can_leave_its_cell_or_begin_a_formula(texts: list[str]) -> None:
    data = csv_bytes(["x"] * len(texts), [texts]).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert len(rows) == 2
    assert len(rows[1]) == len(texts)
    for cell in rows[1]:
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


_NASTY = st.text(alphabet=";,|\t\r\n\"' =+-@＝\u200ba1", max_size=14)
_FORMULA = re.compile(r"[\s\u200b]*[=+\-@＝]")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@given(st.lists(_NASTY, min_size=1, max_size=4))
@example(["a", "b;=1+1"])
@example(["a", 'b;"=1+1'])
@example(["a", 'b"\n=1+1'])
@example(["a", 'b"\t =1+1'])
def test_no_cell_of_a_csv_begins_a_formula_whatever_the_list_separator(separator: str, texts: list[str]) -> None:
    """Opened where the list separator is another, a text's quotes count for nothing and cells begin within it."""
    data = csv_bytes(["x"], [[*texts, Amount(100, "usd"), texts[0]]]).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(data, newline=""), delimiter=separator):
        for cell in row:
            assert not _FORMULA.match(cell), (cell, data)


def test_a_text_with_separators_and_no_formula_stays_as_it_is() -> None:
    text = "Design; 4 h × 100.00, on site (-5 % agreed)\nsecond line = more"
    assert text_cell(text) == text


@pytest.mark.parametrize("text", ["1E+999999", "1E-999999", "9" * 5_000, "NaN", "Infinity", "-sNaN", "1_0", "٣"])
def test_a_number_that_is_no_amount_of_work_cannot_fill_a_cell_with_digits(text: str) -> None:
    data = csv_bytes(("a",), [(number_cell(text),)])
    assert len(data) < len(text.encode()) + 20


def test_a_csv_keeps_long_texts_in_full_and_survives_lone_surrogates() -> None:
    data = csv_bytes(("a",), [("N" * 10_000 + "\ud800",)]).decode("utf-8-sig")
    assert "N" * 10_000 in data
