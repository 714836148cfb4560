"""A firm of one order or two, played month by month in the world of the histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.histories.machine import Execution
from tests.histories.world import ANN, HistoryWorld, history_world
from tests.sandbox.netsuite import load_world

START = datetime(2026, 6, 1, 14, tzinfo=UTC)


def order(number: str, *hours: int, client: str = "C-1", **more: Any) -> dict[str, Any]:
    """An order of May, one line of work for each number of hours at 100.00."""
    return {
        "number": number, "status": "F", "date": "2026-05-10", "customer": client, "currency": "USD", "terms": "Net 30",
        "lines": [
            {"item": "Consulting", "description": f"work {place}", "quantity": quantity, "rate": "100.00"}
            for place, quantity in enumerate(hours, 1)
        ],
        **more,
    }  # fmt: skip


@contextmanager
def small_firm(orders: Sequence[dict[str, Any]], account: dict[str, Any], **parameters: str) -> Iterator[HistoryWorld]:
    """Two clients and these orders; `account` lies over the account's own fields."""
    world = load_world(
        {
            "account": "1234567_SB1",
            "timeZone": "America/New_York",
            "currencies": [{"symbol": "USD", "name": "US Dollar"}],
            "terms": [{"name": "Net 30", "daysUntilNetDue": 30}],
            "customers": [
                {"number": f"C-{place}", "name": f"Client {place} LLC", "email": f"ap@client{place}.example"}
                for place in (1, 2)
            ],
            "items": [{"name": "Consulting", "type": "Service"}],
            "orders": list(orders),
            **account,
        }
    )
    with history_world(world, START, **parameters) as opened:
        yield opened


def month(world: HistoryWorld, number: int) -> tuple[Execution, dict[str, Any]]:
    """The run of May (0), June (1), ...; whatever it asks is approved. Answers it and its report."""
    moment = START
    for _ in range(number):
        moment = (moment + timedelta(days=32)).replace(day=1)
    world.clock.move_to(moment)
    run = world.start(f"run-{number}", {"scheduledAt": moment.strftime("%Y-%m-%dT13:00:00Z")})
    approve(world, run)
    return run, world.report(run) or {}


def approve(world: HistoryWorld, run: Execution) -> None:
    """Sign what the run asks, if it asks."""
    if run.waits:
        assert world.post(ANN, answer="approve", invoices=str(run.data["matched"]["toAsk"])) == 200
        world.machine.go_on(run)
