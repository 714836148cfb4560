"""What differs from one NetSuite account to the next, as far as a client can see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

from tests.sandbox.netsuite.world_fields import WorldError

DATE_FORMATS = {"M/D/YYYY", "DD/MM/YYYY", "D.M.YYYY"}
KEY_CASINGS = {"lower", "upper", "mixed"}


@dataclass(frozen=True)
class Options:
    """`date_format`: the user's date preference, in which raw date columns come back.
    `key_casing`: lower, upper, or mixed (Oracle does not promise lower case).
    `columns_absent`: "record.column" that this account lacks; `records_absent`: records it lacks, or may not
    see.
    `item_rows_absent`: item types whose rows cannot be joined.
    `may_query`: False = the role lacks SuiteAnalytics Workbook (400 USER_ERROR).
    `concurrency_limit`: requests at once; the next gets 429, with `retry_after` seconds if that is given.
    `max_rows`: rows a query may page through.
    `shift_pages`: drop and repeat rows at page borders when ORDER BY is not a unique key with ASC.
    `lock_after`: bad token-based logins that lock the user for 30 minutes; None = never.
    `public_base`: further base URL that a JWT's aud may name and that OAuth 1.0a may sign.
    """

    date_format: str = "M/D/YYYY"
    key_casing: str = "lower"
    columns_absent: frozenset[str] = frozenset()
    records_absent: frozenset[str] = frozenset()
    item_rows_absent: frozenset[str] = frozenset({"Subtotal"})
    may_query: bool = True
    concurrency_limit: int = 5
    retry_after: int | None = None
    max_rows: int = 100_000
    shift_pages: bool = True
    lock_after: int | None = 5
    public_base: str | None = None

    def __post_init__(self) -> None:
        if self.date_format not in DATE_FORMATS:
            raise WorldError(f"option 'date_format' must be one of {sorted(DATE_FORMATS)}, not {self.date_format!r}")
        if self.key_casing not in KEY_CASINGS:
            raise WorldError(f"option 'key_casing' must be one of {sorted(KEY_CASINGS)}, not {self.key_casing!r}")

    def with_values(self, values: Mapping[str, object]) -> Self:
        """These options with those of a world file (or of keyword arguments) on top."""
        known = {field.name for field in fields(self)}
        changes: dict[str, object] = {}
        for name, value in values.items():
            if name not in known:
                raise WorldError(f"unknown option '{name}'; known are: {', '.join(sorted(known))}")
            changes[name] = frozenset(value) if isinstance(value, (list, tuple, set)) else value
        return replace(self, **changes)  # type: ignore[arg-type]
