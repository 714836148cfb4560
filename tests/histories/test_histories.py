"""Months of a firm, made at random: nobody is billed twice, nothing is drafted unsigned, and nothing leaves sight.

A share of them runs here, the same for everybody; `make soak` looks for new ones. What fails is played again, with its
story, by its number: `python -m tests.histories 4711`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.histories.history import ACTIONS, play
from tests.histories.promises import written_again
from tests.histories.world import ANN, HistoryWorld, history_world
from tests.sandbox.netsuite import load_world

# A history is a number: there is nothing smaller to look for.
FEW = {
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": (HealthCheck.too_slow,),
    "deadline": None,
}
SEEDS = st.integers(0, 10**6)


@settings(max_examples=6, **FEW)
@given(SEEDS)
def test_runs_that_are_killed_held_rejected_and_started_twice_bill_each_order_once(seed: int) -> None:
    run_only = ("kill", "hold", "reject", "expire", "start twice", "finalise", "pay", "taxes")
    history = play(seed, run_only, months=3)
    assert not history.broken, history.story()
    assert history.drafts > 0


def test_the_same_number_plays_the_same_months() -> None:
    one, again = play(7, months=2), play(7, months=2)
    assert one.trace == again.trace
    assert one.trace != play(8, months=2).trace


def test_i5_a_complete_month_that_is_run_again_writes_nothing_anywhere_but_its_own_report() -> None:
    with history_world(load_world("tiny"), datetime(2026, 6, 1, 14, tzinfo=UTC)) as world:
        run = world.start("first", {"scheduledAt": "2026-06-01T13:00:00Z"})
        assert world.post(ANN, answer="approve", invoices="3") == 200
        world.machine.go_on(run)
        before = _stores(world)
        world.clock.pause(3600)
        assert world.start("again", {"scheduledAt": "2026-06-01T13:00:00Z"}).status == "SUCCEEDED"
        assert written_again(before, _stores(world)) == []


def _stores(world: HistoryWorld) -> bytes:
    """What is billed, by whom and for whom: Stripe, the ledger, the approvals and the customers."""
    tables = {name: world.aws.rows(name) for name in ("ledger", "approvals", "customers")}
    return world.stripe.dump() + repr(tables).encode()


def test_every_action_is_one_that_can_be_left_out() -> None:
    assert len(set(ACTIONS)) == len(ACTIONS)
