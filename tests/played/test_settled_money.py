"""The stories of settled_money.py through the deployed template, and one order that is extended while the settlement
bills it: 10 hours drafted, then 15 ordered, at 100.00. One sandbox for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.histories.settled_firm import MONEY_CHOICES, TAXES, WORLD, policies
from tests.played.settled_money import *  # noqa: F403 - the tests
from tests.played.settled_money import Played, play
from tests.played.story import asked, decided, deployed
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import load_world
from tests.sandbox.settlement import POLICIES_KEY

ORDER: dict[str, Any] = {
    "number": "SO-1", "status": "F", "date": {"month": -1, "day": 10}, "customer": "C-1", "currency": "USD",
    "lines": [{"item": "Consulting", "quantity": "10", "rate": "100.00"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    parameters = {"Settlement": "on", "SettlementPolicies": POLICIES_KEY}
    world = load_world({**WORLD, "orders": [ORDER]})
    with deployed(world, parameters=parameters, settlement_policies="") as opened:
        opened.settlement.set_policies(policies(opened.netsuite, MONEY_CHOICES, TAXES))
        yield opened


@pytest.fixture(scope="module")
def played(sandbox: Sandbox) -> Played:
    """All events at once when all is over: each object is settled in one pass."""
    sandbox.stripe.hold_events()
    found = play(sandbox.stripe, sandbox.clock, sandbox.clock.advance)
    found.netsuite = sandbox.netsuite
    sandbox.stripe.release_events()
    sandbox.settle(300)
    found.before_payout = sandbox.netsuite.ledger()
    for currency in ("usd", "eur", "jpy"):
        sandbox.stripe.payout(currency)
    sandbox.settle(120)
    found.held, found.parked = sandbox.settlement.held(), sandbox.settlement.parked()
    assert sandbox.denials == []
    return found


def test_a_transform_between_listing_and_drafting_holds_nothing_and_each_hour_is_billed_once(
    played: Played, sandbox: Sandbox
) -> None:
    """After the stories, so that their balances are theirs. The second run lists five open hours beside ten drafted
    ones; while it waits for its approval the settlement bills the ten in NetSuite."""
    before = sandbox.netsuite.ledger()["Services Revenue"]["USD"]
    assert decided(sandbox, sandbox.fire_schedule()).status == "SUCCEEDED"
    (first,) = sandbox.drafts()
    sandbox.netsuite.edit_line("SO-1", 1, quantity="15")
    run = sandbox.start({"period": "2026-05"})
    asked(sandbox, run, 1)
    sandbox.stripe.finalise(first["id"])
    sandbox.settle(60)
    assert decided(sandbox, run).status == "SUCCEEDED"
    report = sandbox.report(run)
    assert (report["counts"]["drafted"], report["counts"]["held"]) == (1, 0), report["lines"]
    (second,) = sandbox.drafts()
    assert (first["total"], second["total"]) == (100_000, 50_000)
    sandbox.stripe.finalise(second["id"])
    sandbox.settle(60)
    assert sandbox.netsuite.orders()["SO-1"].status == "G"
    assert sandbox.netsuite.ledger()["Services Revenue"]["USD"] - before == -Decimal(1500)
    assert sandbox.denials == []
