"""NetSuite is asked by the thousand, never order by order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.played.story import deployed
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import generate_world
from tests.sandbox.sandbox import Run

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
