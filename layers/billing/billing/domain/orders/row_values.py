"""One cell of a SuiteQL row at a time: text, numbers, dates and flags.

NetSuite answers every value as a string and leaves nulls out (SuiteQL over REST), flags as "T" and "F",
numbers at times with float noise, without a leading zero (".5") or with an exponent ("1.0E7").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from billing.domain.text import BIDI_CONTROLS, has_control, one_line

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_NUMBER: Final = 40
_LARGEST_EXPONENT: Final = 12
"""Ten to the twelfth major units: more than any order, and small enough for exact arithmetic."""
_SMALLEST_EXPONENT: Final = -25

LONGEST_NUMBER: Final = 60
LONGEST_NAME: Final = 256
"""Characters of an id or number, and of a name. NetSuite's own limits are lower (45 and 83)."""


class CellUnreadable(ValueError):
    """A cell holds something that is no number, date or name. `what` completes "it ...": "is no number"."""

    def __init__(self, column: str, what: str) -> None:
        super().__init__(f"{column} {what}")
        self.column = column
        self.what = what


Row = dict[str, str]


def as_row(raw: object) -> Row:
    """Any row-like object with lower-case keys and text values; nulls and blank cells left out.

    Never raises. Key casing may change between NetSuite releases, and the REST answer puts a list under
    "links" in every row: neither is data.
    """
    row: Row = {}
    if not isinstance(raw, Mapping):
        return row
    for key, value in raw.items():
        if not isinstance(key, str) or key.lower() == "links" or value is None:
            continue
        text = _as_text(value)
        if text.strip():
            row[key.lower()] = text.strip()
    return row


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int) and abs(value) < 10**_LONGEST_NUMBER:
        return str(value)
    if isinstance(value, float | Decimal):
        return str(value)
    return "(no text)"


def number(row: Row, column: str) -> Decimal | None:
    """The cell as a decimal, None when absent. Raises CellUnreadable for text, NaN, 1e400 and the like."""
    text = row.get(column)
    if text is None:
        return None
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise CellUnreadable(column, "is no number")
    value = Decimal(text)
    if value and not _SMALLEST_EXPONENT <= value.adjusted() <= _LARGEST_EXPONENT:
        raise CellUnreadable(column, "is a number out of any order's range")
    return value or Decimal(0)


def day(row: Row, column: str) -> date | None:
    """The cell as a date (the query asks for YYYY-MM-DD), None when absent. Raises CellUnreadable."""
    text = row.get(column)
    if text is None:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise CellUnreadable(column, "is no date of the form YYYY-MM-DD") from None


def flag(row: Row, column: str) -> bool:
    """True for "T" (NetSuite's spelling; "true" is accepted too); absent is false."""
    return row.get(column, "F").upper() in {"T", "TRUE"}


def whole_number(row: Row, column: str, at_least: int, at_most: int) -> int | None:
    """The cell as an integer within bounds, None when absent. Raises CellUnreadable."""
    value = number(row, column)
    if value is None:
        return None
    if value != value.to_integral_value() or not at_least <= value <= at_most:
        raise CellUnreadable(column, f"is no whole number from {at_least} to {at_most}")
    return int(value)


def name(row: Row, column: str, longest: int) -> str | None:
    """A short text that identifies something: refused, not repaired, when it is absurd.

    Raises CellUnreadable when it is longer than `longest` or holds control characters: a number or an
    address that we alter would no longer be NetSuite's.
    """
    text = row.get(column)
    if text is None:
        return None
    if len(text) > longest:
        raise CellUnreadable(column, f"has {len(text)} characters, more than {longest}")
    if has_control(text):
        raise CellUnreadable(column, "holds control characters")
    if any(character in BIDI_CONTROLS for character in text):
        raise CellUnreadable(column, "holds marks that change the reading direction")
    return text


def prose(row: Row, column: str) -> str | None:
    """A free text (memo, line description) on one line: control characters and directional overrides out."""
    text = row.get(column)
    return (one_line(text) or None) if text is not None else None
