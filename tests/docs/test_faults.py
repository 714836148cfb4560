"""docs/faults.md has a row for every fault, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.docs.repository import ROOT, table_rows

PAGE = ROOT / "docs" / "faults.md"
NUMBER = re.compile(r"[SB]?\d+")
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
ROWS = {row[0]: row[1:] for row in table_rows(PAGE.read_text(encoding="utf-8")) if NUMBER.fullmatch(row[0])}
NAMED = sorted({found for _, played in ROWS.values() for found in TEST.findall(played)})
OF_A_RUN, OF_THE_SETTLEMENT, OF_INPUT = 51, 21, 5


@cache
def defined_in(file: str) -> frozenset[str]:
    """The names of the tests that pytest collects from a file below tests/; none if it is gone."""
    if not (ROOT / "tests" / file).exists():
        return frozenset()
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def test_every_fault_has_a_row_and_no_number_is_given_twice() -> None:
    numbers = [row[0] for row in table_rows(PAGE.read_text(encoding="utf-8")) if NUMBER.fullmatch(row[0])]
    of_a_run = [str(number) for number in range(1, OF_A_RUN + 1)]
    of_the_settlement = [f"S{number}" for number in range(1, OF_THE_SETTLEMENT + 1)]
    assert numbers == [*of_a_run, *of_the_settlement, *(f"B{number}" for number in range(1, OF_INPUT + 1))]


def test_every_row_names_the_fault_and_a_test_that_plays_it() -> None:
    assert [number for number, (fault, played) in ROWS.items() if not fault or not TEST.search(played)] == []


def test_every_test_that_is_named_is_there() -> None:
    assert [f"{file}::{name}" for file, name in NAMED if name not in defined_in(file)] == []
