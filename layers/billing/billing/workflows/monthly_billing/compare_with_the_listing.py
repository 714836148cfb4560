"""State "Compare with the listing": whether NetSuite would still list what it listed before a request expired."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from billing.domain.batch.listing_comparison import ListedOrder, compare_listings, listed_orders
from billing.domain.errors import OurFault
from billing.domain.ledger.ended_orders import EndedOrder
from billing.domain.runs.order_query import OrderQuery, email_column
from billing.domain.runs.snapshot import read_snapshot
from billing.workflows.monthly_billing.list_the_sales_orders import (
    CarriedOrders,
    EndedOrders,
    coming_back,
    order_query,
)
from billing.workflows.ports import ReadableFiles


class NetSuite(Protocol):
    """Asks NetSuite, one row an order."""

    def __call__(self, query: OrderQuery, absent: Collection[str]) -> Mapping[str, ListedOrder]: ...


def compare_with_the_listing(
    run: Mapping[str, Any],
    listed: Mapping[str, Any],
    statuses: tuple[str, ...],
    email_fields: tuple[str, ...],
    stripe_id_field: str,
    columns_beside: Callable[[OrderQuery], Collection[str]],
    orders_now: NetSuite,
    carry_over: CarriedOrders,
    ended: EndedOrders,
    files: ReadableFiles,
) -> dict[str, Any]:
    """Answer whether the former listing still holds, and if not why: "same", "why", and how many orders NetSuite has
    now. Writes nothing.

    Whatever cannot be compared is not the same: listing again is always right. So a snapshot that is missing or
    altered is no error here. `listed` is what "List the sales orders" answered when the former request was asked.
    """
    try:
        snapshot = read_snapshot(files.read_json(listed["snapshotKey"], listed["sha256"]))
    except OurFault:
        return _differs("The former listing's file is missing or was altered.")
    if snapshot.email_columns != tuple(email_column(field) for field in email_fields):
        return _differs("The parameter BillingEmailFields was changed.")
    if _endings(ended.latest()) != _endings(snapshot.ended_by_order):
        return _differs("A person has ended orders, or opened them again.")
    # Closing the run put its own orders among those that come back; those that came back before may have left them.
    carried = {one.order_id for one in coming_back(run, carry_over)} | set(snapshot.carried)
    query = order_query(run, statuses, email_fields, stripe_id_field, sorted(carried, key=int))
    now = orders_now(query, snapshot.absent_columns)
    compared = compare_listings(listed_orders(snapshot.listed, columns_beside(query)), now)
    return {"same": compared.same, "why": compared.why, "orders": len(now)}


def _endings(ended: Mapping[str, EndedOrder]) -> set[tuple[str, str]]:
    return {(one.order_id, one.at) for one in ended.values() if not one.open_again}


def _differs(why: str) -> dict[str, Any]:
    return {"same": False, "why": why, "orders": 0}
