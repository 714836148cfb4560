"""The report of a run whose evidence is in pieces: a file of it is lost, or it stopped before it had planned anything.

What is still known is said: by the ledger about every order that was listed, and by the run's own earlier report, to
which a later one adds and from which it takes nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from billing.domain.batch.batch import Batch
from billing.domain.ledger.ledger import EntryState, LedgerEntry, OrderRecord
from billing.domain.orders.sales_order import Listing, SalesOrder
from billing.domain.run import RunFrame
from billing.domain.runs.report import LineOutcome, ReportLine, failure_words, report_lines

NOT_PLANNED: Final = "not_planned"
"""The code of a line that says no more than that the order was listed."""
NO_LONGER_LISTED: Final = "no_longer_listed"
"""The code of a line that an earlier report of the run had, and whose order NetSuite no longer lists."""

_GONE: Final = "NetSuite no longer lists it as billable."


def plan_keys(orders: Iterable[SalesOrder], records: Mapping[str, OrderRecord]) -> tuple[str, ...]:
    """Keys of the ledger's entries that may be about these orders: an order's own, and those that have billed of it."""
    keys = []
    for order in orders:
        keys.append(_own_key(order))
        if order.id in records:
            keys += [billed.plan_key for billed in records[order.id].billed.values()]
    return tuple(dict.fromkeys(keys))


def lines_without_a_batch(
    listing: Listing,
    records: Mapping[str, OrderRecord],
    entries: Mapping[str, LedgerEntry],
    run_id: str,
    reason: str,
) -> tuple[ReportLine, ...]:
    """One line for each invoice that the ledger knows of this run, and one for every other order that was listed.

    `records` go by order id, `entries` by plan key (see `plan_keys`). What this run has drafted is drafted, what failed
    in it has failed with its reason; everything else is held for `reason`, and comes back in the next run, which sees
    for itself what an earlier one has drafted.
    """
    of_plan: dict[str, list[SalesOrder]] = {}
    for order in listing.orders:
        mine = [
            key
            for key in plan_keys([order], records)
            if (entry := entries.get(key)) is not None and entry.run_id == run_id
        ]
        for key in mine or [_own_key(order)]:
            of_plan.setdefault(key, []).append(order)
    lines = [_line(key, orders, entries.get(key), run_id, reason) for key, orders in of_plan.items()]
    problems = report_lines(Batch(RunFrame(), (), listing.problems), {}, run_id, False, reason, {})
    return (*lines, *problems)


def _own_key(order: SalesOrder) -> str:
    return f"order-{order.id}"


def _line(key: str, orders: Sequence[SalesOrder], entry: LedgerEntry | None, run_id: str, reason: str) -> ReportLine:
    mine = entry if entry is not None and entry.run_id == run_id else None
    currencies = {order.total.currency for order in orders}
    fate, why = LineOutcome.HELD, reason
    if mine is not None and mine.state is EntryState.DRAFTED:
        fate, why = LineOutcome.DRAFTED, ""
    elif mine is not None:
        fate, why = LineOutcome.FAILED, failure_words(mine)
    elif entry is not None and entry.invoice_id is not None:
        why = f"{reason} The ledger has {entry.invoice_id} for it, from the run {entry.run_id}."
    known = mine is not None and mine.total is not None
    return ReportLine(
        key=key,
        orders=tuple(order.number for order in orders),
        order_ids=tuple(order.id for order in orders),
        client=orders[0].client.name,
        fate=fate,
        reason=why,
        currency=mine.currency if mine and known else (currencies.pop() if len(currencies) == 1 else None),
        total=mine.total if mine and known else _sum(orders),
        invoice_id=entry.invoice_id if entry else None,
        invoice_hash=mine.invoice_hash if mine else None,
        stripe_customer=mine.stripe_customer if mine else None,
        new_customer=False,
        client_id=orders[0].client.netsuite_id,
        code=NOT_PLANNED
        if fate is LineOutcome.HELD
        else ((mine.reason_name or "") if mine and fate is LineOutcome.FAILED else ""),
    )


def _sum(orders: Sequence[SalesOrder]) -> int | None:
    if len({order.total.currency for order in orders}) > 1:
        return None
    return sum(order.total.minor for order in orders)


def with_earlier(
    lines: Sequence[ReportLine], earlier: Sequence[ReportLine], listed_anew: bool
) -> tuple[ReportLine, ...]:
    """The lines of a report, and what an earlier report of the same run said that they do not. Pure; done again with
    its own result as the earlier report it answers the same.

    A line that only says that its order was listed gives way to what was known before. An order that these lines leave
    out keeps the line it had: a draft stays a draft, and if the orders were listed and planned anew (`listed_anew`),
    what was not drafted is held, because NetSuite no longer lists it.
    """
    known_before = {order_id for line in earlier for order_id in line.order_ids}
    now = [line for line in lines if line.code != NOT_PLANNED or not known_before.issuperset(line.order_ids)]
    covered = {order_id for line in now for order_id in line.order_ids}
    kept = [_without(line, covered) for line in earlier if not covered.issuperset(line.order_ids)]
    return (*now, *(_no_longer_listed(line) if listed_anew else line for line in kept))


def _without(line: ReportLine, covered: set[str]) -> ReportLine:
    """What is left of a line whose other orders have lines of their own: its amount was of them all together."""
    left = [(number, id_) for number, id_ in zip(line.orders, line.order_ids, strict=True) if id_ not in covered]
    if len(left) == len(line.order_ids):
        return line
    numbers, ids = zip(*left, strict=True)
    return replace(line, orders=numbers, order_ids=ids, total=None, currency=None)


def _no_longer_listed(line: ReportLine) -> ReportLine:
    if line.fate in (LineOutcome.DRAFTED, LineOutcome.SKIPPED, LineOutcome.ENDED) or line.code == NO_LONGER_LISTED:
        return line
    reason = f"{line.reason.rstrip('.')}. {_GONE}" if line.reason else _GONE
    return replace(line, fate=LineOutcome.HELD, reason=reason, code=NO_LONGER_LISTED)
