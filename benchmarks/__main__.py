"""Prints two tables: planning and showing a month in memory and whole runs in the sandbox; and how long the page takes
to refuse a link. `python -m benchmarks links` prints the second one alone.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

import requests

from benchmarks.link_times import REQUESTS, differences
from billing.adapters.netsuite.login import login_from_secret
from billing.adapters.netsuite.sales_orders import list_sales_orders
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.batch.batch import Batch, BatchInvoice, read_batch, with_pieces
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Disposition, invoice_hash
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.orders.order_rows import read_orders
from billing.domain.records import stored
from billing.domain.run import RunFrame
from billing.domain.runs.order_query import OrderQuery
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import NetSuiteServer, generate_world

T = TypeVar("T")
MANY = 5000
RUN_SIZES = (40, 200)
REPEATS = 3


@dataclass(frozen=True)
class Row:
    """One line of the table: what was done, how long it took (median seconds), and what it called."""

    what: str
    seconds: float
    calls: str = ""


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Median seconds over REPEATS, and the last result."""
    times, result = [], work()
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def in_memory() -> Iterator[Row]:
    """5,000 orders of three lines: listed over HTTP, read, planned, laid into pieces, read back."""
    world = generate_world(MANY, 3, 400, 1)
    with NetSuiteServer(world, credentials=(secret := NetSuiteServer.new_credentials("oauth2"))) as server:
        suiteql = SuiteQL(server.url, login_from_secret(secret, server.url, time.time), time.sleep, requests.Session())
        query = OrderQuery(("E", "F"), date(2000, 1, 1), date(2100, 1, 1), OrderFilter())
        start = time.perf_counter()
        rows = list_sales_orders(suiteql, query).rows
        yield Row(f"list {MANY} orders", time.perf_counter() - start, f"NetSuite {len(server.calls)}")
    seconds, listing = timed(lambda: read_orders(rows))
    yield Row(f"read {len(rows)} rows", seconds)
    seconds, plans = timed(lambda: plan_invoices(listing, BillingPolicy()))
    yield Row(f"plan {len(plans.invoices)} invoices", seconds)
    invoices = [
        BatchInvoice(plan, invoice_hash(plan, ()), Disposition.ASK, "New.", MatchedCustomer(None, How.NEW))
        for plan in plans.invoices
    ]
    seconds, (placed, data) = timed(lambda: with_pieces(invoices))
    yield Row("lay them into pieces", seconds, f"{len(data) / 1e6:.1f} MB")
    batch = Batch(RunFrame(id="bench", period="2026-05"), placed, plans.problems)
    seconds, _ = timed(lambda: read_batch(stored(batch)))
    yield Row("write and read the batch", seconds)


def whole_runs() -> Iterator[Row]:
    """Runs in the sandbox from the start to the last draft, with their calls."""
    for orders in RUN_SIZES:
        world = generate_world(orders, 3, max(1, orders // 4), 1)
        with Sandbox(world, now=datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)) as sandbox:
            start = time.perf_counter()
            run = sandbox.fire_schedule()
            mail = sandbox.wait_for_approval(run, 600)[0]
            asked = time.perf_counter() - start
            sandbox.answer(mail, "approve")
            result = sandbox.wait_for_end(run, 1200)
            calls = sum(sandbox.netsuite.counts().values())
            stripe = f"Stripe {sandbox.stripe.reads} reads, {sandbox.stripe.writes} writes"
            yield Row(f"run of {orders} orders, asked", asked)
            yield Row(
                f"run of {orders} orders, {result.status.lower()}",
                time.perf_counter() - start,
                f"NetSuite {calls}, {stripe}",
            )


def main() -> int:
    """Print the tables as Markdown."""
    if sys.argv[1:] != ["links"]:
        print("| what | seconds | calls |\n| --- | ---: | --- |")
        for source in (in_memory, whole_runs):
            for row in source():
                print(f"| {row.what} | {row.seconds:.2f} | {row.calls} |", flush=True)
        print()
    print(f"{REQUESTS} GETs of each kind in turn; milliseconds; p by Mann-Whitney\n")
    print("| page | kinds | medians | difference | 95 % of it | p |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for found in differences():
        first, second = (f"{median:.2f}" for median in found.medians)
        low, high = (f"{end:+.2f}" for end in found.interval)
        words = f"{found.difference:+.2f} | {low} to {high} | {found.probability:.2f}"
        print(f"| {found.page} | {' and '.join(found.kinds)} | {first}, {second} | {words} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
