"""Calls of a whole run: the deployed definition and the functions' own entry files, in one process."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.counted import Counting, Tally, stored_bytes
from benchmarks.firm import ORDERS_PER_CLIENT, firm
from tests.adapters.aws_world import APPROVALS, CUSTOMERS, LEDGER, RUNS
from tests.histories.machine import Machine
from tests.histories.settled_firm import MONEY_CHOICES, policies
from tests.histories.settling import settling_world
from tests.histories.small_firm import START, approve
from tests.histories.world import HistoryWorld, history_world

SIZES = (10, 100, 1000)
LARGE = 10_000
SETTLED = 10
_TABLES = (LEDGER, RUNS, APPROVALS, CUSTOMERS)
_MATCHING, _DRAFTING = "MatchTheCustomersFunction", "DraftTheInvoiceFunction"

Counts = dict[str, Any]


def calls_of(orders: int) -> Counts:
    """Counts of a month of `orders` orders, approved: the first run, and the same month started again."""
    # One after the other here, so it is paced as one: the clock must not run away from the check for changes.
    with history_world(firm(orders), START, DraftConcurrency="1") as world, Counting(world) as counting:
        first, transitions = _run(world, counting, "run-1", orders), counting.transitions(world.machine)
        kept = stored_bytes(world, *_TABLES)
        again = _run(world, counting, "run-2", 0)
        return {
            "orders": orders,
            "clients": -(-orders // ORDERS_PER_CLIENT),
            "first": {
                **_by_step(first),
                "transitions": transitions,
                "kept": kept,
                **first.record(),
            },
            "replay": {**_by_step(again), "transitions": counting.transitions(world.machine)},
        }


def _run(world: HistoryWorld, counting: Counting, name: str, expected: int) -> Tally:
    run = world.start(name, {"scheduledAt": "2026-06-01T13:00:00Z"})
    approve(world, run)
    report = world.report(run) or {}
    if run.status != "SUCCEEDED" or (expected and report["counts"]["drafted"] != expected):
        raise RuntimeError(f"{name}: {run.status} {run.error} {report.get('counts')}: nothing to count")
    return counting.taken()


def _by_step(tally: Tally) -> Counts:
    return {
        "netsuite": tally.of("netsuite"),
        "stripe reads": tally.of("stripe read"),
        "stripe writes": tally.of("stripe write"),
        "matching reads": tally.of("stripe read", _MATCHING),
        "drafting reads": tally.of("stripe read", _DRAFTING),
    }


def settled_calls(orders: int = SETTLED) -> Counts:
    """Counts of `orders` invoices on their way back: finalised, paid by card, and paid out together, each told as soon
    as it happens."""
    with settling_world(firm(orders), START, lambda netsuite: policies(netsuite, MONEY_CHOICES)) as settling:
        settling.stripe.add_bank_account("jpy")
        run = settling.world.start("run-1", {"scheduledAt": "2026-06-01T13:00:00Z"})
        approve(settling.world, run)
        with Counting(settling.world) as counting:
            machines: tuple[Machine, ...] = (settling.machine,)
            drafts = [one["id"] for one in settling.stripe.invoices()]
            for draft in drafts:
                settling.stripe.finalise(draft)
                settling.settle()
                settling.stripe.pay(draft)
                settling.settle()
            for currency in sorted({one["currency"] for one in settling.stripe.invoices()}):
                settling.stripe.payout(currency)
            settling.settle()
            tally, transitions = counting.taken(), counting.transitions(*machines)
        letters = Counter(one.status for one in settling.netsuite.orders().values())
        if letters != {"G": orders} or settling.held() or settling.parked():
            raise RuntimeError(f"not settled: {letters} {settling.held()} {settling.parked()}")
        return {
            "invoices": orders,
            **{key: value for key, value in _by_step(tally).items() if not key.endswith("ing reads")},
            "transitions": transitions,
            **tally.record(),
        }
