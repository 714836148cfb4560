"""What a link to the table asks for: which rows, in which order, which page. All of it stands in the query, so that
sorting and filtering need no script, and every link of the page can say what it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

LONGEST_QUERY: Final = 100
_LONGEST_NUMBER: Final = 6


class Show(StrEnum):
    """Kinds of rows that a link can ask for."""

    ABOVE = "above"
    CHANGED = "changed"
    NEW = "new"
    CARRIED = "carried"
    NOTE = "note"
    DUE = "due"
    AGAIN = "again"
    CUSTOMER = "customer"
    EARLIER = "earlier"
    UNBILLED = "unbilled"
    HELD = "held"
    DONE = "done"


SHOWN: Final[Mapping[Show, str]] = {
    Show.ABOVE: "Above the upper bound",
    Show.CHANGED: "Changed",
    Show.NEW: "New",
    Show.CARRIED: "Carried over",
    Show.NOTE: "With a note",
    Show.DUE: "Due at once",
    Show.AGAIN: "Asked again",
    Show.CUSTOMER: "Customer to check",
    Show.EARLIER: "Approved earlier",
    Show.UNBILLED: "Not billed",
    Show.HELD: "Held",
    Show.DONE: "Already drafted",
}
NOT_DRAFTED: Final = frozenset({Show.UNBILLED, Show.HELD, Show.DONE})
SORTS: Final = ("client", "total", "change", "due")


@dataclass(frozen=True, slots=True)
class Choice:
    """`show` is a Show or "" for what will be drafted; `cause` narrows what is not billed; `sort` is one of SORTS, with
    a minus before it from the largest down, or "" for the batch's own order. `every` asks for all rows, for printing,
    and `opened` for all of their lines. `hold` and `release` are the key of the plan whose
    form is open."""

    query: str = ""
    show: str = ""
    cause: str = ""
    currency: str = ""
    sort: str = ""
    page: int = 1
    every: bool = False
    opened: bool = False
    hold: str = ""
    release: str = ""

    @property
    def narrows(self) -> bool:
        """Whether it leaves rows out beyond paging."""
        return bool(self.query or self.show or self.cause or self.currency)

    def link(self, **changes: Any) -> str:
        """The relative link to the same table with `changes`; always its first page unless they name another."""
        wanted = replace(self, **{"page": 1, "hold": "", "release": "", **changes})
        fields = {
            "q": wanted.query,
            "show": wanted.show,
            "cause": wanted.cause,
            "currency": wanted.currency,
            "sort": wanted.sort,
            "page": str(wanted.page) if wanted.page > 1 else "",
            "rows": "all" if wanted.every else "",
            "lines": "open" if wanted.opened else "",
        }
        return "?" + urlencode({name: value for name, value in fields.items() if value}) + "#invoices-title"

    def sorted_by(self, column: str) -> str:
        """The link in a column's head: amounts from the largest down first, and the other way round when pressed
        again."""
        first, second = (f"-{column}", column) if column in ("total", "change") else (column, f"-{column}")
        return self.link(sort=second if self.sort == first else first)

    def aria_sort(self, column: str) -> str:
        """What the column's head says of itself."""
        return {column: "ascending", f"-{column}": "descending"}.get(self.sort, "none")


def choice_of(fields: Mapping[str, str]) -> Choice:
    """The choice in a query's fields. What is none of ours asks for nothing: a link that was cut shows the table."""
    page, sort, show = fields.get("page", ""), fields.get("sort", ""), fields.get("show", "")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < _LONGEST_NUMBER else 1
    return Choice(
        query=fields.get("q", "").strip()[:LONGEST_QUERY],
        show=show if show in set(Show) else "",
        cause=fields.get("cause", "")[:60] if show == Show.UNBILLED else "",
        currency=fields.get("currency", "")[:3].lower(),
        sort=sort if sort.removeprefix("-") in SORTS else "",
        page=max(1, number),
        every=fields.get("rows", "") == "all",
        opened=fields.get("lines", "") == "open",
        hold=fields.get("hold", "").strip()[:LONGEST_QUERY],
        release=fields.get("release", "").strip()[:LONGEST_QUERY],
    )
