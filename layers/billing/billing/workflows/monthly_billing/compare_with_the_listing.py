"""State "Compare with the listing": whether NetSuite would still list what it listed before a request expired."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from billing.domain.batch.listing_comparison import ListedOrder, compare_listings, listed_orders
from billing.domain.errors import OurFault
from billing.domain.ledger.ended_orders import EndedOrder
from billing.domain.run import Compared, Listed, Run
from billing.domain.runs.order_query import OrderQuery, email_column
from billing.domain.runs.snapshot import read_snapshot
from billing.workflows.monthly_billing.list_the_sales_orders import (
    CarriedOrders,
    EndedOrders,
    ListingSettings,
    coming_back,
    order_query,
)
from billing.workflows.ports import ReadableFiles


class NetSuite(Protocol):
    """Asks NetSuite, one row an order."""

    def __call__(self, query: OrderQuery, absent: Collection[str]) -> Mapping[str, ListedOrder]: ...


@dataclass(frozen=True, slots=True)
class ListingNow:
    """What a comparison asks: the columns of the orders that it compares with, and the orders as they are now."""

    columns_beside: Callable[[OrderQuery], Collection[str]]
    orders: NetSuite


def compare_with_the_listing(
    run: Run,
    listed: Listed,
    settings: ListingSettings,
    netsuite: ListingNow,
    carry_over: CarriedOrders,
    ended: EndedOrders,
    files: ReadableFiles,
) -> Compared:
    """Answer whether the former listing still holds, and if not why. Writes nothing.

    Whatever cannot be compared is not the same: listing again is always right. So a snapshot that is missing or
    altered is no error here. `listed` is what "List the sales orders" answered when the former request was asked.
    """
    try:
        snapshot = read_snapshot(files.read_json(listed.snapshot_key, listed.sha256))
    except OurFault:
        return _differs("The former listing's file is missing or was altered.")
    if snapshot.email_columns != tuple(email_column(field) for field in settings.email_fields):
        return _differs("The parameter BillingEmailFields was changed.")
    if _endings(ended.latest()) != _endings(snapshot.ended_by_order):
        return _differs("A person has ended orders, or opened them again.")
    # Closing the run put its own orders among those that come back; those that came back before may have left them.
    carried = {one.order_id for one in coming_back(run, carry_over)} | set(snapshot.carried)
    query = order_query(run, settings, sorted(carried, key=int))
    now = netsuite.orders(query, snapshot.absent_columns)
    compared = compare_listings(listed_orders(snapshot.listed, netsuite.columns_beside(query)), now)
    return Compared(compared.same, compared.why, len(now))


def _endings(ended: Mapping[str, EndedOrder]) -> set[tuple[str, str]]:
    return {(one.order_id, one.at) for one in ended.values() if not one.open_again}


def _differs(why: str) -> Compared:
    return Compared(same=False, why=why, orders=0)
