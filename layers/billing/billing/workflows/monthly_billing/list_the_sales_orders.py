"""State "List the sales orders": what NetSuite answered, kept word for word as the run's snapshot."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.domain.ledger.ended_orders import EndedOrder, contents_of
from billing.domain.orders.invoice_preview import InvoicePreview
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.other_subsidiaries import other_subsidiaries
from billing.domain.orders.outstanding import (
    Carried,
    CarriedGone,
    OrderState,
    Outstanding,
    not_asked,
    outside_the_listing,
)
from billing.domain.orders.sales_order import SalesOrder
from billing.domain.records import stored
from billing.domain.run import Listed, Run
from billing.domain.runs.order_query import ListedRows, OrderQuery, email_column
from billing.domain.runs.snapshot import Snapshot, rows_in_columns
from billing.workflows.ports import Files

Row = Mapping[str, str]


class EndedOrders(Protocol):
    """Orders that a person has ended."""

    def latest(self) -> dict[str, EndedOrder]: ...


class CarriedOrders(Protocol):
    """Orders that earlier runs listed and did not draft."""

    def of(self, cycle: str) -> tuple[Carried, ...]: ...


@dataclass(frozen=True, slots=True)
class NetSuite:
    """What a listing asks: the orders with their lines; open orders before the listing's first day as (currency code,
    count, sum); how single orders are now, by internal id; the invoice that it would make of an order, None for one
    that it is not asked about; and the open orders that belong to none of these subsidiaries."""

    orders: Callable[[OrderQuery], ListedRows]
    before: Callable[[OrderQuery], list[tuple[str, int, str]]]
    states: Callable[[Iterable[str]], Mapping[str, OrderState]]
    preview: Callable[[SalesOrder], InvoicePreview | None]
    of_others: Callable[[OrderQuery, Sequence[str]], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class ListingSettings:
    """The stack's parameters for a listing: letters of sales order statuses such as "F", the fields in which an address
    for bills may stand, the one in which NetSuite stores Stripe's customer, "" for none, and the subsidiaries that the
    stack bills (internal ids), empty for all."""

    statuses: tuple[str, ...]
    email_fields: tuple[str, ...] = ()
    stripe_id_field: str = ""
    subsidiaries: tuple[str, ...] = ()


def list_the_sales_orders(
    run: Run,
    settings: ListingSettings,
    netsuite: NetSuite,
    carry_over: CarriedOrders,
    ended: EndedOrders,
    files: Files,
) -> Listed:
    """Write the snapshot; answer its key, its SHA-256 and two counts. Reads NetSuite, writes one file, safe to repeat.

    The snapshot holds raw rows, so that what NetSuite said can be told from what we made of it.

    Of orders that came back and were not listed NetSuite is asked how they are now: one call more, and only if there
    are any. What lies before the start is summed up in one call, in the first run only (`bill_from_is_new`).
    Where the stack bills some subsidiaries only, the open orders of the others are summed up by every run that is no
    trial, a thousand a call. The invoice that NetSuite would make of an order is kept beside its rows.
    """
    every = carry_over.of(run.cycle)
    carried = _coming_back(run, every)
    query = order_query(run, settings, [one.order_id for one in carried])
    listed = netsuite.orders(query)
    found = {row.get("id", "") for row in listed.rows}
    ended_now = {order_id: one for order_id, one in ended.latest().items() if not one.open_again}
    # What a person has ended is nobody's to wait for; it stays on the list to be seen when it changes.
    waiting = [one for one in every if not _is_ended(one, ended_now)]
    outstanding, gone = _outside(run, settings.statuses, waiting, carried, found, netsuite)
    if not run.filter.is_trial:
        # Neither open nor waited for any more, it is named once with who ended it and why, and leaves the list.
        gone = (
            *gone,
            *(
                CarriedGone(one.order_id, one.number, one.period, ended_now[one.order_id].words)
                for one in carried
                if _is_ended(one, ended_now) and one.order_id not in found
            ),
        )
    left_alone = netsuite.before(query) if run.bill_from_is_new else None
    names_others = settings.subsidiaries and not run.filter.is_trial
    others = other_subsidiaries(netsuite.of_others(query, settings.subsidiaries)) if names_others else ()
    listing = read_orders(listed.rows)
    contents = contents_of(row for row in listed.rows if row.get("id") in ended_now)
    # Nobody is asked about what a person has ended: NetSuite need not say what it would bill of it.
    asleep = {order_id for order_id, content in contents.items() if ended_now[order_id].holds_for(content)}
    key = f"{run.prefix}orders.json"
    columns, rows = rows_in_columns(listed.rows)
    snapshot = Snapshot(
        columns=columns,
        rows=rows,
        absent_columns=tuple(listed.absent_columns),
        email_columns=tuple(email_column(field) for field in settings.email_fields),
        carried_over=tuple(carried),
        ended=tuple(ended_now.values()),
        outstanding=outstanding,
        carried_gone=gone,
        left_alone=None if left_alone is None else tuple(left_alone),
        of_others=others,
        previews={
            order.id: shown
            for order in listing.orders
            if order.id not in asleep and (shown := netsuite.preview(order)) is not None
        },
    )
    sha256 = files.write_json(key, stored(snapshot))
    return Listed(key, sha256, len(listing.orders) + len(listing.problems), len(listing.problems))


def coming_back(run: Run, carry_over: CarriedOrders) -> list[Carried]:
    """The orders that come back in this run. A month that is billed late, by hand, takes up nothing that a later month
    has left over."""
    return _coming_back(run, carry_over.of(run.cycle))


def _coming_back(run: Run, carried: Iterable[Carried]) -> list[Carried]:
    return [one for one in carried if one.period <= run.period]


def _is_ended(carried: Carried, ended: Mapping[str, EndedOrder]) -> bool:
    """Whether a person has ended it as it was when it was last listed, also where an earlier version did not keep how
    that was. What is listed now is another matter: see EndedOrder.holds_for."""
    one = ended.get(carried.order_id)
    return one is not None and not one.open_again and one.content == carried.content


def _outside(
    run: Run,
    statuses: tuple[str, ...],
    every: Iterable[Carried],
    coming: Iterable[Carried],
    found: Container[str],
    netsuite: NetSuite,
) -> tuple[tuple[Outstanding, ...], tuple[CarriedGone, ...]]:
    """What waits outside this listing, and what was ended in NetSuite since."""
    asked = {one.order_id for one in coming}
    left = [one for one in every if one.order_id not in found]
    later = not_asked(
        (one for one in left if one.order_id not in asked), "It belongs to a later period than this run's."
    )
    missing = [one for one in left if one.order_id in asked]
    if not missing:
        return later, ()
    if run.filter.is_trial:
        return (*not_asked(missing, "This run is narrowed and did not ask for it."), *later), ()
    states = netsuite.states(one.order_id for one in missing)
    waiting, gone = outside_the_listing(missing, states, statuses, run.listed_before)
    return (*waiting, *later), gone


def order_query(run: Run, settings: ListingSettings, carried: Iterable[str]) -> OrderQuery:
    """What a run lists. `carried` are the internal ids of orders that come back."""
    return OrderQuery(
        statuses=settings.statuses,
        listed_from=date.fromisoformat(run.listed_from),
        listed_before=date.fromisoformat(run.listed_before),
        filter=run.filter,
        carried=tuple(carried),
        email_fields=settings.email_fields,
        stripe_id_field=settings.stripe_id_field,
    )
