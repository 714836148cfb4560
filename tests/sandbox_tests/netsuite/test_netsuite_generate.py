"""The generator gives any number of orders, the same for the same arguments."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.sandbox.netsuite import NetSuiteServer, generate_world, load_world
from tests.sandbox.netsuite.generated_world import generate_json
from tests.sandbox_tests.netsuite.account_client import JUNE_FIRST


def test_a_generated_world_has_the_size_that_was_asked_for() -> None:
    world = generate_world(orders=120, lines_per_order=4, clients=7, seed=5)
    dump = NetSuiteServer(world, lambda: JUNE_FIRST).dump()
    assert (len(dump["transaction"]), len(dump["customer"])) == (120, 7)
    assert len(dump["transactionline"]) == 120 * 5
    assert {str(row["trandate"])[:7] for row in dump["transaction"]} == {"2026-05"}


def test_every_line_is_quantity_times_rate_in_its_currency() -> None:
    for order in generate_world(60, 3, 10, 9).orders:
        step = {"JPY": Decimal(1), "KWD": Decimal("0.001")}.get(str(order.currency), Decimal("0.01"))
        for line in order.lines:
            product = line.quantity * line.rate  # type: ignore[operator, union-attr]
            assert abs(line.amount - product) <= step / 2  # type: ignore[operator, union-attr]


def test_the_same_seed_gives_the_same_world_and_another_another() -> None:
    assert generate_json(30, 2, 4, 1) == generate_json(30, 2, 4, 1)
    assert generate_json(30, 2, 4, 1) != generate_json(30, 2, 4, 2)


def test_no_orders_at_all_is_a_world() -> None:
    assert NetSuiteServer(generate_world(0, 1, 1, 1), lambda: JUNE_FIRST).dump()["transaction"] == []
    with pytest.raises(ValueError, match="at least"):
        generate_world(1, 0, 1, 1)


def test_the_command_writes_a_world_that_loads(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    command = [sys.executable, "-m", "tests.sandbox.netsuite.generate", "--orders", "12", "--out", str(file)]
    done = subprocess.run(command, check=True, cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True)
    assert done.stderr == ""
    assert json.loads(file.read_text(encoding="utf-8"))["account"] == "1234567_SB1"
    assert len(load_world(file).orders) == 12
