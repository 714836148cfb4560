"""The batch as one compact table: which rows a link asks for, in which order, and which page of them. Ten orders or ten
thousand are found, sorted and paged on the server, with no script on the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.batch.month_comparison import CLIENT_CHANGED, NEW_CLIENT, BatchWarning
from billing.domain.batch.past_months import PastMonths
from billing.domain.batch.upper_bounds import ABOVE_UPPER_BOUND, bound_subject
from billing.domain.ledger.customer_match import How
from billing.domain.ledger.ledger import Disposition
from billing.domain.orders.sales_order import Problem
from billing.pages.approval.table_choice import NOT_DRAFTED, Choice, Show
from billing.pages.approval.unbilled import amount_of, cause_of
from billing.pages.formatting import share_words

MOST_ROWS: Final = 50
"""On one page: what a person looks through before they search or sort."""
MOST_LINES: Final = 1_000
EVERY_ROWS: Final = 1_500
EVERY_LINES: Final = 4_000
"""On one page for printing. A response of a Lambda function holds 6 MB; rows and lines have some 1.5 KB and 0.3 KB."""
KEPT_ROWS: Final = 10_000
KEPT_LINES: Final = 50_000
"""On a page that is kept as a file, which leads to no other."""

NEW_REASON: Final = "New."
_DRAFTED: Final = (Disposition.ASK, Disposition.FINISH)
_TO_CHECK: Final = (How.EMAIL, How.SETTLED)

Item = BatchInvoice | Problem


@dataclass(frozen=True, slots=True)
class Against:
    """A client's sum in one currency against last month's, both in minor units."""

    last: int
    now: int

    @property
    def words(self) -> str:
        """ "+73%", "−8%", "new", "same". Rounded towards zero, as the warnings have it."""
        return share_words(self.now, self.last)

    @property
    def share(self) -> Fraction:
        """By how much it differs, for sorting: a client that is new is above everybody."""
        return Fraction(self.now - self.last, abs(self.last)) if self.last else Fraction(10**9 if self.now else 0)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is told of each row, made once for a batch and a day."""

    batch: Batch
    today: date
    sums: Mapping[tuple[str, str], int]
    codes: Mapping[str, frozenset[str]]
    above: frozenset[str]

    def against(self, client_id: str, currency: str) -> Against | None:
        """The client against last month; None where last month is not known."""
        past = self.batch.past
        if past is None:
            return None
        sums = past.of_client(client_id, currency, self.sums.get((client_id, currency), 0))
        return Against(sums[-2], sums[-1])

    def kinds(self, item: Item) -> frozenset[Show]:
        """Everything that a link can ask for and that this row is."""
        if isinstance(item, Problem):
            return frozenset({Show.UNBILLED})
        if item.disposition is Disposition.HOLD:
            return frozenset({Show.UNBILLED, Show.HELD})
        if item.disposition is Disposition.SKIP:
            return frozenset({Show.DONE})
        customer, days, client = item.customer, self.batch.days_of(item), item.plan.client.netsuite_id
        codes = self.codes.get(client, frozenset())
        found = {
            Show.ABOVE: item.plan.key in self.above,
            Show.CHANGED: CLIENT_CHANGED in codes and self._differs(client, item.plan.currency, new=False),
            Show.NEW: (customer is not None and customer.id is None)
            or (NEW_CLIENT in codes and self._differs(client, item.plan.currency, new=True)),
            Show.CARRIED: item.carried_from is not None,
            Show.NOTE: bool(item.plan.warnings),
            Show.DUE: days is not None and days.passed(self.today),
            Show.AGAIN: item.disposition is Disposition.ASK and item.reason not in ("", NEW_REASON),
            Show.CUSTOMER: customer is not None and customer.how in _TO_CHECK,
            Show.EARLIER: item.disposition is Disposition.FINISH,
        }
        return frozenset(kind for kind, is_so in found.items() if is_so)

    def due(self, item: Item) -> str:
        """The due day (YYYY-MM-DD) of a draft that is made today, "" where it is not known."""
        days = None if isinstance(item, Problem) else self.batch.days_of(item)
        return days.due_if_drafted(self.today) if days is not None else ""

    def _differs(self, client: str, currency: str, *, new: bool) -> bool:
        """Whether it is this currency in which the client is new, or changed: the warning names the client only."""
        against = self.against(client, currency)
        return against is None or (against.last == 0 if new else 0 != against.last != against.now)


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of what was found: its number from 1, how many there are, the position of its first from 1, and how many
    rows of each kind and currency there are whatever was asked for."""

    items: tuple[Item, ...]
    choice: Choice
    number: int
    count: int
    first: int
    found: int
    kinds: Mapping[Show, int]
    currencies: Mapping[str, int]

    @property
    def last(self) -> int:
        """The position of the page's last row."""
        return self.first + len(self.items) - 1

    def link(self, number: int) -> str:
        """The relative link to another page of the same table."""
        return self.choice.link(page=number)

    @property
    def links(self) -> tuple[tuple[int, str] | None, ...]:
        """First, last and the pages around this one, with their links; None where pages are left out between them."""
        near = range(self.number - 2, self.number + 3)
        numbers = sorted({1, self.count, *(number for number in near if 1 <= number <= self.count)})
        found: list[tuple[int, str] | None] = []
        for before, number in zip([0, *numbers], numbers, strict=False):
            if number - before == 2:
                found.append((number - 1, self.link(number - 1)))  # A gap of one page is that page.
            elif number - before > 2:
                found.append(None)
            found.append((number, self.link(number)))
        return tuple(found)


def lookup(batch: Batch, today: date) -> Lookup:
    """What is told of each row of a batch on a day in the cycle's zone."""
    sums: dict[tuple[str, str], int] = {}
    for one in batch.to_draft:
        client = (one.plan.client.netsuite_id, one.plan.currency)
        sums[client] = sums.get(client, 0) + one.plan.total
    codes: dict[str, set[str]] = {}
    bounds: dict[str, list[BatchWarning]] = {}
    for warning in batch.warnings:
        codes.setdefault(warning.client or "", set()).add(warning.code)
        if warning.code == ABOVE_UPPER_BOUND:
            bounds.setdefault(warning.client or "", []).append(warning)
    above = {
        one.plan.key
        for one in batch.to_draft
        for of in bounds.get(one.plan.client.netsuite_id, ())
        # A batch of an earlier version names the orders in the sentence alone.
        if (of.orders or of.message.partition(" for ")[0]) == bound_subject(one.plan)
    }
    return Lookup(batch, today, sums, {client: frozenset(found) for client, found in codes.items()}, frozenset(above))


def page_of(known: Lookup, choice: Choice, *, kept: bool = False) -> Pages:
    """The page that `choice` asks for. A number that does not exist becomes the nearest that does.

    Without a kind and without a search it is what will be drafted; a search also finds what is not. `kept` says that
    the page is kept as a file.
    """
    batch = known.batch
    everything: tuple[Item, ...] = (*batch.invoices, *batch.problems)
    kinds = [known.kinds(item) for item in everything]
    counts = {show: sum(1 for of in kinds if show in of) for show in Show}
    found = [item for item, of in zip(everything, kinds, strict=True) if _shown(of, choice)]
    if choice.cause:
        found = [item for item in found if cause_of(item) == choice.cause]
    if choice.query:
        found = _matching(found, choice.query)
    currencies: dict[str, int] = {}
    for one in batch.to_draft:
        currencies[one.plan.currency] = currencies.get(one.plan.currency, 0) + 1
    if choice.currency:
        found = [item for item in found if (amount_of(item) or ("",))[0] == choice.currency]
    found = _sorted(found, choice.sort, known)
    rows, lines = (EVERY_ROWS, EVERY_LINES) if choice.every else (MOST_ROWS, MOST_LINES)
    rows, lines = (KEPT_ROWS, KEPT_LINES) if kept else (rows, lines)
    starts = _starts(found, rows, lines)
    number = min(max(choice.page, 1), len(starts))
    start = starts[number - 1]
    end = starts[number] if number < len(starts) else len(found)
    return Pages(
        tuple(found[start:end]),
        choice,
        number,
        len(starts),
        start + 1,
        len(found),
        {show: count for show, count in counts.items() if count},
        dict(sorted(currencies.items())),
    )


def matches(what: Item, query: str) -> bool:
    """Whether every word of `query` occurs in the client's name or number or in an order's number. Case and accents
    written in another form make no difference."""
    if isinstance(what, Problem):
        texts = [what.client_name or "", what.order_number]
    else:
        texts = [what.plan.client.name, what.plan.client.number, *(order.number for order in what.plan.orders)]
    text = _folded(" ".join(texts))
    return all(word in text for word in _folded(query).split())


def client_of(item: Item) -> str:
    """The client's name, "" where it is not known."""
    return (item.client_name or "") if isinstance(item, Problem) else item.plan.client.name


def past_of(past: PastMonths | None, item: BatchInvoice, known: Lookup) -> tuple[int, ...] | None:
    """The client's months in the invoice's currency, this one last; None where no past is known."""
    if past is None:
        return None
    client, currency = item.plan.client.netsuite_id, item.plan.currency
    return past.of_client(client, currency, known.sums.get((client, currency), 0))


def _shown(kinds: frozenset[Show], choice: Choice) -> bool:
    if choice.show:
        return choice.show in kinds
    return bool(choice.query) or not kinds & NOT_DRAFTED


def _matching(found: Sequence[Item], query: str) -> list[Item]:
    """What the search finds. The whole number of an order finds that order, and not those whose numbers begin with it:
    the page's own links rely on it."""
    wanted = _folded(query)
    exactly = [item for item in found if wanted in map(_folded, _numbers(item))]
    return exactly or [item for item in found if matches(item, query)]


def _numbers(item: Item) -> Sequence[str]:
    return [item.order_number] if isinstance(item, Problem) else [order.number for order in item.plan.orders]


def _sorted(found: list[Item], sort: str, known: Lookup) -> list[Item]:
    """By currency first where amounts are compared: without an exchange rate, two of them cannot be ranked. Rows that
    have no such value come last either way."""
    if not sort:
        return found
    column, down = sort.removeprefix("-"), sort.startswith("-")

    def change(item: Item) -> Fraction | None:
        of = None if isinstance(item, Problem) else known.against(item.plan.client.netsuite_id, item.plan.currency)
        return of.share if of is not None else None

    def total(item: Item) -> int | None:
        amount = amount_of(item)
        return amount[1] if amount is not None else None

    values: dict[str, Callable[[Item], object]] = {
        "client": lambda item: _folded(client_of(item)) or None,
        "total": total,
        "change": change,
        "due": lambda item: known.due(item) or None,
    }
    value = values[column]
    told = [(value(item), item) for item in found]
    have = [one for one in told if one[0] is not None]
    have.sort(key=lambda one: one[0], reverse=down)  # type: ignore[arg-type,return-value]  # one kind of value a column
    if column == "total":
        have.sort(key=lambda one: (amount_of(one[1]) or ("",))[0])
    return [item for _, item in have] + [item for of, item in told if of is None]


def _starts(items: Sequence[Item], most_rows: int, most_lines: int) -> list[int]:
    """Where each page begins: full at so many rows or lines, and never without a row."""
    starts = [0]
    lines = 0
    for position, item in enumerate(items):
        has = 0 if isinstance(item, Problem) else len(item.plan.lines)
        full = position - starts[-1] >= most_rows or lines + has > most_lines
        if full and position > starts[-1]:
            starts.append(position)
            lines = 0
        lines += has
    return starts


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
