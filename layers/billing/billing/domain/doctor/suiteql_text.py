"""Which tables and columns a SuiteQL query of ours reads, from its own text.

Our queries write tables with a small alias (`transaction t`) or none (`JOIN term ON`), and every column with its alias.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_TABLE: Final = re.compile(r"\b(?:FROM|JOIN) ([a-z]\w*)(?: ([a-z]\w*))?")
_COLUMN: Final = re.compile(r"\b([a-z]\w*)\.([a-z]\w*)")
_TEXT: Final = re.compile(r"'[^']*'")


def columns_read(queries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Columns in alphabetical order by table, over all queries."""
    found: dict[str, set[str]] = {}
    for query in queries:
        bare = _TEXT.sub("''", query)
        tables = {alias or table: table for table, alias in _TABLE.findall(bare)}
        for table in tables.values():
            found.setdefault(table, set())
        for alias, column in _COLUMN.findall(bare):
            found[tables[alias]].add(column)
    return {table: tuple(sorted(columns)) for table, columns in sorted(found.items())}


def asking_nothing(query: str) -> str:
    """The same query for no rows: NetSuite reads its tables, columns and functions, and answers none of them."""
    head, where, tail = query.partition(" WHERE ")
    if where:
        # The first WHERE is the outermost: our queries have subqueries in their conditions only.
        conditions, ending = _before_the_end(tail)
        return f"{head} WHERE 1 = 0 AND ({conditions}){ending}"
    conditions, ending = _before_the_end(query)
    return f"{conditions} WHERE 1 = 0{ending}"


def _before_the_end(text: str) -> tuple[str, str]:
    places = [place for word in (" GROUP BY ", " ORDER BY ") if (place := text.find(word)) >= 0]
    return (text[: min(places)], text[min(places) :]) if places else (text, "")
