"""CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from billing.domain.money.money import plain_amount

# Excel and its kin take a cell for a formula when it begins like this; some look past blanks and what shows as nothing,
# and Asian versions take the full-width and small signs too (OWASP, "CSV injection").
_PASSED_OVER: Final = r"\s\xad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"
_SIGNS: Final = r"=+\-@＝＋－＠﹦﹢﹣﹫"
_STARTS_A_FORMULA: Final = re.compile(rf"[{_PASSED_OVER}]*[{_SIGNS}]|[\t\r\n]")
# Where the list separator is none of ours, a cell begins inside a text: after the separator that is in force there, or
# on a new line, and perhaps within quotes (RFC 4180 knows the comma alone; Excel takes what the system's region says).
_STARTS_A_FORMULA_INSIDE: Final = re.compile(rf"[,;|\t\r\n](?=[\"'{_PASSED_OVER}]*[{_SIGNS}])")
_LONGEST_NUMBER: Final = 40
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number for the spreadsheet: minor units of a currency. It is never quoted and never altered."""

    minor: int
    currency: str


Cell = str | int | Decimal | Amount | None


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark (Excel reads it as Latin-1 without), CRLF, every text quoted."""
    return b"".join((_line(head, _MARK), *(_line(row) for row in rows)))


def csv_parts(head: Sequence[str], rows: Iterable[Sequence[Cell]], most: int) -> tuple[bytes, ...]:
    """The same table as files of at most `most` bytes each, every one with the head. A row that is longer than that by
    itself gets a file of its own."""
    top = _line(head, _MARK)
    parts: list[list[bytes]] = [[top]]
    size = len(top)
    for row in rows:
        line = _line(row)
        if size + len(line) > most and len(parts[-1]) > 1:
            parts.append([top])
            size = len(top)
        parts[-1].append(line)
        size += len(line)
    return tuple(b"".join(part) for part in parts)


def _line(row: Sequence[Cell], mark: str = "") -> bytes:
    return (mark + ",".join(_cell(cell) for cell in row) + "\r\n").encode()


def text_cell(text: str) -> str:
    """`text` in full, made harmless: an apostrophe before what a spreadsheet would take for a formula, at its beginning
    and wherever a cell would begin in it, whatever the list separator is."""
    safe = _STARTS_A_FORMULA_INSIDE.sub(r"\g<0>'", _UNWRITABLE.sub("", text))
    return f"'{safe}" if _STARTS_A_FORMULA.match(safe) else safe


def number_cell(text: str | None) -> Cell:
    """A plain decimal ("7.25", "-1") as a number; anything else stays the text that it is: "1E+999999", too, which
    would be a million digits."""
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return text or ""
    plain = number.is_finite() and len(text or "") <= _LONGEST_NUMBER and abs(number.adjusted()) <= _LONGEST_NUMBER
    return number if plain else text


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Amount):
        return plain_amount(cell.minor, cell.currency)
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    # Quoted always: a comma or a line break in a text must not begin a new cell.
    return '"' + text_cell(cell).replace('"', '""') + '"'
