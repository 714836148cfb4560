"""Months of a firm, made at random: nobody is billed twice, nothing is drafted unsigned, and nothing leaves sight.

A share of them runs here, the same for everybody; `make soak` looks for new ones. What fails is played again, with its
story, by its number: `python -m tests.histories 4711`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.histories.history import ACTIONS, Played, play, play_on_template
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
WITH_EVERYTHING, ON_THE_TEMPLATE = 0, 7


@settings(max_examples=3, **FEW)
@given(SEEDS)
def test_runs_that_are_killed_held_rejected_and_started_twice_bill_each_order_once(seed: int) -> None:
    run_only = ("kill", "hold", "reject", "expire", "start twice", "finalise", "pay", "taxes")
    history = play(seed, run_only, months=3)
    assert not history.broken, history.story()
    assert history.drafts > 0


# Played by `make soak` alone, for it takes long.
SOAK_ONLY = ("big order",)
QUICK = tuple(name for name in ACTIONS if name not in SOAK_ONLY)
BILLED_BY_BOTH = ("bill in NetSuite", "extend", "add a line", "enter late", "approve late", "hold", "kill", "finalise")


@settings(max_examples=2, **FEW)
@given(SEEDS)
def test_at_every_months_end_each_order_is_drafted_billed_or_named_as_open(seed: int) -> None:
    history = play(seed, QUICK, months=5)
    assert not history.broken, history.story()


@settings(max_examples=3, **FEW)
@given(SEEDS)
def test_what_we_and_netsuite_bill_together_is_what_is_ordered(seed: int) -> None:
    history = play(seed, BILLED_BY_BOTH, months=4)
    assert not history.broken, history.story()


@settings(max_examples=2, **FEW)
@given(SEEDS)
def test_with_the_settlement_on_both_books_agree_at_every_months_end(seed: int) -> None:
    """Events are lost, repeated and out of order, and workers die."""
    actions = ("finalise", "pay", "refund", "void", "pay out", "extend", "bill in NetSuite", "kill", "settlement")
    history = play(seed, actions, months=4, Settlement="on")
    assert not history.broken, history.story()
    assert history.records > 0, "something was finalised"


def test_the_same_number_plays_the_same_months() -> None:
    """With the settlement, and with people who change things at the very moment of a call."""
    one, again = (play(WITH_EVERYTHING, QUICK, months=1) for _ in range(2))
    assert one.trace == again.trace
    assert "Settlement=on" in one.trace[0]
    assert any("(meanwhile" in said for said in one.trace)
    assert one.trace != play(WITH_EVERYTHING + 1, QUICK, months=1).trace


def test_the_deployed_template_plays_a_history_as_the_quick_world_does() -> None:
    """So what is found in the one can be replayed on the other: the same words, but for the ids of what is drafted by
    several functions at once."""
    actions = ("parameters", "extend", "add a line", "enter late", "hold", "reject", "start twice", "taxes")
    quick, deployed = (one(ON_THE_TEMPLATE, actions, months=1, orders=2) for one in (play, play_on_template))
    assert not quick.broken + deployed.broken
    assert _without_ids(deployed) == _without_ids(quick)
    assert quick.drafts == deployed.drafts > 0


def _without_ids(history: Played) -> list[str]:
    return [re.sub(r"\bin_\w+", "in_...", said) for said in history.trace]


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
