"""NetSuite is asked by the thousand, never order by order; Stripe no more than it takes to be sure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.results import read_results
from tests.played.story import deployed
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import generate_world
from tests.sandbox.sandbox import REPOSITORY, Run

COUNTED = ("netsuite", "stripe reads", "stripe writes", "matching reads", "drafting reads", "transitions")
SMALL, CLIENTS = 10, 3
DRY = {"scheduledAt": "2026-06-01T13:00:00Z", "dryRun": True}


def _netsuite_calls(sandbox: Sandbox) -> int:
    return sum(1 for request in sandbox.requests if request.service == "netsuite")


@pytest.fixture(scope="module")
def listed() -> Iterator[tuple[Sandbox, Run]]:
    """5,000 orders with 15,000 lines, listed by a run that is stopped as soon as the snapshot is there."""
    with deployed(generate_world(5000, lines_per_order=3)) as sandbox:
        run = sandbox.start(DRY)
        while not any(state.name == "Match the customers" for state in sandbox.states(run)):
            assert sandbox.result(run).status == "RUNNING"
            time.sleep(0.1)
        sandbox.stop(run)
        yield sandbox, run


def test_five_thousand_orders_of_three_lines_cost_at_most_thirty_calls(
    listed: tuple[Sandbox, Run],
) -> None:
    sandbox, _ = listed
    assert 0 < _netsuite_calls(sandbox) <= 30
    assert sandbox.netsuite.counts()["record"] == 0


def test_every_one_of_five_thousand_orders_is_in_the_snapshot_with_all_its_lines(listed: tuple[Sandbox, Run]) -> None:
    sandbox, _ = listed
    key = next(key for key in sandbox.objects() if key.endswith("orders.json"))
    snapshot = json.loads(sandbox.objects()[key])
    order, line = (snapshot["columns"].index(name) for name in ("id", "line"))
    found = {(row[order], row[line]) for row in snapshot["rows"]}
    assert len(found) == len(snapshot["rows"]) == 15_000
    assert len({of_order for of_order, _ in found}) == 5_000


def test_the_states_output_stays_a_small_summary(listed: tuple[Sandbox, Run]) -> None:
    sandbox, run = listed
    outputs = [
        event["stateExitedEventDetails"]["output"]
        for event in sandbox.history(run)
        if "stateExitedEventDetails" in event
    ]
    assert outputs
    assert all(len(output) < 4_000 for output in outputs)


@pytest.fixture(scope="module")
def ten() -> dict[str, Any]:
    """A month of ten orders of three clients whom Stripe does not know, and the same month started again: the
    functions' own entries in one process (tests.histories). A process of its own, in which nobody has logged in yet."""
    counted = f"import json; from benchmarks.calls import calls_of; print(json.dumps(calls_of({SMALL})))"
    done = subprocess.run(
        [sys.executable, "-c", counted],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'layers' / 'billing'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_an_invoice_is_looked_for_and_read_back_and_nothing_else_of_stripe_is_read_for_it(ten: dict[str, Any]) -> None:
    """A client just created has nothing to look for, and one list of its address instead: two reads for each order."""
    assert ten["first"]["drafting reads"] == 2 * SMALL


def test_an_unknown_client_costs_one_search(ten: dict[str, Any]) -> None:
    """Besides, for the whole run: what was created lately, and the drafts and open invoices that wait in Stripe."""
    assert ten["first"]["matching reads"] == CLIENTS + 1 + 2


def test_writes_are_the_floor_and_a_month_that_is_billed_is_written_no_more(ten: dict[str, Any]) -> None:
    """Two an invoice, its draft and its lines, and one a new client."""
    assert ten["first"]["stripe writes"] == 2 * SMALL + CLIENTS
    assert ten["replay"]["stripe writes"] == 0


@pytest.mark.parametrize("which", ["first", "replay"])
def test_ten_orders_cost_the_calls_that_the_last_benchmark_counted(ten: dict[str, Any], which: str) -> None:
    kept = read_results()["counts"]["calls"][str(SMALL)]
    found = {name: ten[which][name] for name in COUNTED}
    assert found == {name: kept[which][name] for name in COUNTED}, "run `make bench BENCH_ARGS=calls-10`, and say why"
