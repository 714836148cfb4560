"""Finding and paging a batch's invoices on the server: ten orders or ten thousand, with no script on the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from billing.domain.batch.batch import BatchInvoice
from billing.domain.orders.sales_order import Problem

MOST_INVOICES: Final = 100
MOST_LINES: Final = 1_000
"""On one page. A response of a Lambda function holds 6 MB; a page of this size stays well under one."""

LONGEST_QUERY: Final = 100


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of what was found: its number from 1, how many there are, and the position of its first from 1."""

    invoices: tuple[BatchInvoice, ...]
    number: int
    count: int
    first: int
    found: int
    query: str

    @property
    def last(self) -> int:
        """The position of the page's last invoice."""
        return self.first + len(self.invoices) - 1

    def link(self, number: int) -> str:
        """The relative link to another page of the same search."""
        fields = {"page": str(number), **({"q": self.query} if self.query else {})}
        return "?" + urlencode(fields) + "#invoices-title"

    @property
    def links(self) -> tuple[tuple[int, str], ...]:
        """First, last and the pages around this one, with their links."""
        near = range(self.number - 2, self.number + 3)
        numbers = sorted({1, self.count, *(number for number in near if 1 <= number <= self.count)})
        return tuple((number, self.link(number)) for number in numbers)


def page_of(invoices: Sequence[BatchInvoice], query: str, number: int) -> Pages:
    """Page `number` of what `query` finds. A number that does not exist becomes the nearest that does."""
    query = query.strip()[:LONGEST_QUERY]
    found = [invoice for invoice in invoices if matches(invoice, query)]
    starts = _starts(found)
    number = min(max(number, 1), len(starts))
    start = starts[number - 1]
    end = starts[number] if number < len(starts) else len(found)
    return Pages(tuple(found[start:end]), number, len(starts), start + 1, len(found), query)


def matches(what: BatchInvoice | Problem, query: str) -> bool:
    """Whether every word of `query` occurs in the client's name or number or in an order's number. Case and accents
    written in another form make no difference."""
    if isinstance(what, Problem):
        texts = [what.client_name or "", what.order_number]
    else:
        texts = [what.plan.client.name, what.plan.client.number, *(order.number for order in what.plan.orders)]
    text = _folded(" ".join(texts))
    return all(word in text for word in _folded(query).split())


def _starts(invoices: Sequence[BatchInvoice]) -> list[int]:
    """Where each page begins: full at so many invoices or lines, and never without an invoice."""
    starts = [0]
    lines = 0
    for position, invoice in enumerate(invoices):
        full = position - starts[-1] >= MOST_INVOICES or lines + len(invoice.plan.lines) > MOST_LINES
        if full and position > starts[-1]:
            starts.append(position)
            lines = 0
        lines += len(invoice.plan.lines)
    return starts


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
