"""A row of the table in words: what stands in its cells, and what it opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from billing.domain.approval.approval_entries import HELD_BY
from billing.domain.batch.batch import BatchInvoice
from billing.domain.invoices.invoice_days import InvoiceDays
from billing.domain.ledger.ledger import Disposition
from billing.domain.orders.sales_order import Problem
from billing.domain.period_name import MONTHS
from billing.pages.approval.approval_view import order_numbers
from billing.pages.approval.batch_table import Item, Lookup, Pages, client_of, past_of
from billing.pages.approval.table_choice import Show
from billing.pages.approval.unbilled import amount_of, cause_of, cause_title
from billing.pages.bar_line import BarLine, bar_line
from billing.pages.formatting import counted, money_words

_WORDS: Final = {
    Show.ABOVE: "Above bound",
    Show.CHANGED: "Changed",
    Show.CARRIED: "Carried over",
    Show.DUE: "Due at once",
    Show.AGAIN: "Asked again",
    Show.EARLIER: "Approved earlier",
    Show.CUSTOMER: "Check customer",
    Show.DONE: "Already drafted",
}


@dataclass(frozen=True, slots=True)
class TableRow:
    """What a row says. `position` is its place in what was found, from 1. Of an order that is not billed `why` says the
    reason and `unbilled` the cause, "" for what is drafted. `hold` and `release` are the plan's key where it can be
    held or released with a click, "" where it cannot."""

    position: int
    client: str
    orders: str
    amount: str
    change: str
    last_month: str
    bars: BarLine | None
    due: str
    customer: str
    flags: tuple[str, ...]
    unbilled: str
    why: str
    hold: str
    release: str
    invoice: BatchInvoice | None
    days: InvoiceDays | None


def table_rows(pages: Pages, known: Lookup, *, can_hold: bool) -> tuple[TableRow, ...]:
    """The rows of a page. `can_hold` says whether there is anything to be left after a hold, and somebody to hold."""
    return tuple(
        _row(item, position, known, can_hold=can_hold) for position, item in enumerate(pages.items, start=pages.first)
    )


def short_day(day: str, year: int) -> str:
    """ "2026-06-30" as "30 Jun", with its year where that is not `year`; anything else as it is."""
    try:
        of = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{of.day} {MONTHS[of.month - 1][:3]}{f' {of.year}' if of.year != year else ''}"


def _row(item: Item, position: int, known: Lookup, *, can_hold: bool) -> TableRow:
    amount = amount_of(item)
    kinds = known.kinds(item)
    unbilled = cause_title(cause_of(item)) if Show.UNBILLED in kinds else ""
    if isinstance(item, Problem):
        return TableRow(
            position,
            item.client_name or "",
            item.order_number,
            money_words(amount[1], amount[0]) if amount else "amount unknown",
            "",
            "",
            None,
            "",
            "",
            (),
            unbilled,
            item.message,
            "",
            "",
            None,
            None,
        )
    plan, drafted = item.plan, not kinds & {Show.UNBILLED, Show.DONE}
    against = known.against(plan.client.netsuite_id, plan.currency) if drafted else None
    months = past_of(known.batch.past, item, known) if drafted else None
    past = known.batch.past
    held = item.disposition is Disposition.HOLD and item.reason.startswith(HELD_BY)
    return TableRow(
        position,
        client_of(item),
        order_numbers(item),
        money_words(item.total, plan.currency),
        against.words if against else "",
        money_words(against.last, plan.currency) if against else "",
        bar_line(past.periods, months, plan.currency) if past is not None and months is not None else None,
        short_day(known.due(item), known.today.year),
        _customer(item),
        _flags(item, kinds),
        unbilled,
        "" if drafted and item.disposition is Disposition.ASK and Show.AGAIN not in kinds else item.reason,
        plan.key if drafted and can_hold else "",
        plan.key if held else "",
        item,
        known.batch.days_of(item),
    )


def _customer(invoice: BatchInvoice) -> str:
    if invoice.customer is None:
        return ""
    return invoice.customer.id or "New"


def _flags(invoice: BatchInvoice, kinds: frozenset[Show]) -> tuple[str, ...]:
    words: Sequence[str] = [said for show, said in _WORDS.items() if show in kinds]
    notes = [counted(len(invoice.plan.warnings), "note")] if Show.NOTE in kinds else []
    return (*words, *notes)
