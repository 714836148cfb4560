"""Aborted in any state, just when it has done its work and before the next has begun: redriven or started anew, the
order is billed exactly once, and the team hears of it. The deployed definition says which states there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.histories.machine import Execution, Killed, StateFailed
from tests.histories.small_firm import approve, order, small_firm
from tests.histories.world import HistoryWorld, definition

MAY = {"period": "2026-05"}
ASKING, ANOTHER = "Ask for approval", "Another run holds the period"
REFUSED = "The input was refused"
DEPUTIES = {
    "Deputies": "dee@firm.example",
    "EscalationAfterSeconds": "3600",
    "ReminderIntervalSeconds": "3600",
}


def signs(world: HistoryWorld, run: Execution) -> None:
    """Finance signs at once."""
    approve(world, run)


def is_slow(world: HistoryWorld, run: Execution) -> None:
    """Finance signs after the deputies were asked and everybody reminded."""
    if {"Ask the deputies", "Remind the approvers"} <= set(run.visited):
        approve(world, run)
    else:
        sleeps(world, run)


def is_away_once(world: HistoryWorld, run: Execution) -> None:
    """Finance lets the first request expire, and signs the next."""
    if run.redrives and "Compare with the listing" in run.visited:
        approve(world, run)
    else:
        sleeps(world, run)


def sleeps(world: HistoryWorld, run: Execution) -> None:
    """The wait is over."""
    world.clock.pause(max(0.0, run.due - world.clock.seconds))
    world.machine.time_out(run)


@dataclass(frozen=True)
class Story:
    """How a run goes, and which states it passes that no story before it does. `broken` is a function that fails until
    somebody mends it, which is done when the run has ended red."""

    states: tuple[str, ...]
    person: Callable[[HistoryWorld, Execution], None] = signs
    broken: str = ""
    parameters: dict[str, str] | None = None


STORIES = {
    "signed": Story(
        (
            "Open the run", "Is the period free", "List the sales orders", "Match the customers",
            "Is there anything to bill", "Announce the request", ASKING, "Read the decision", "What was decided",
            "Check for changes", "Is anything left to draft", "Draft the invoices", "Draft the invoice",
            "Close the run", "Tell the team", "How did it end", "The month is billed",
        )
    ),
    "slow": Story(("Ask the deputies", "Remind the approvers"), is_slow, parameters=DEPUTIES),
    "expired": Story(
        ("Stop the run", "Compare with the listing", "Is the listing still true", "Keep the listing"),
        is_away_once,
        parameters={"ApprovalTimeoutSeconds": "7200", "ReminderIntervalSeconds": "0"},
    ),
    "not opened": Story(("The run was not opened", "Tell of the failure"), broken="OpenTheRunFunction"),
    "not closed": Story(("The run was not closed",), broken="CloseTheRunFunction"),
    "not drafted": Story(("Note the failure", "Was it drafted after all"), broken="DraftTheInvoiceFunction"),
}  # fmt: skip


def names(of: Mapping[str, Any]) -> set[str]:
    """Every state of a definition, those inside a Map included."""
    inner = [names(body["ItemProcessor"]) for body in of["States"].values() if "ItemProcessor" in body]
    return set(of["States"]).union(*inner)


EVERY_STATE = names(definition("MonthlyBilling"))
ENDS_OF_A_CHILD = {"The invoice is drafted", "The invoice was not drafted"}
"""Nothing is done in them that could be taken away."""


class Aborting:
    """Aborts the execution once in each of these states, when the state has done its work. The function's process is
    gone, and so is what it had answered."""

    def __init__(self, world: HistoryWorld, states: Iterable[str]) -> None:
        self._left, self.struck = set(states), set[str]()
        machine: Any = world.machine
        goes_on = machine._state

        def abort_after(execution: Execution, name: str, *rest: Any) -> Any:
            found = goes_on(execution, name, *rest)
            if self._strikes(name):
                raise Killed
            return found

        machine._state = abort_after

    def _strikes(self, state: str) -> bool:
        if state not in self._left:
            return False
        self._left.remove(state)
        self.struck.add(state)
        return True

    def while_it_waits(self, world: HistoryWorld, run: Execution) -> bool:
        """A wait is aborted while it lasts."""
        strikes = self._strikes(ASKING)
        if strikes:
            world.machine.stop(run)
        return strikes


class Broken:
    """A function that a person has to mend."""

    def __init__(self, world: HistoryWorld, function: str) -> None:
        self.function = function
        machine: Any = world.machine
        invokes = machine._invoke

        def invoke(name: str, event: dict[str, Any]) -> Any:
            if name == self.function:
                raise StateFailed("PersonNeeded", '{"errorMessage": "Somebody has taken a permission away."}')
            return invokes(name, event)

        machine._invoke = invoke

    def mend(self) -> None:
        self.function = ""


def seen_through(world: HistoryWorld, story: Story, how: str) -> Execution:
    """Play the story; abort once in every state of the definition that it comes to, and go on in this way each time;
    mend and redrive what ended red."""
    aborting, broken = Aborting(world, EVERY_STATE), Broken(world, story.broken)
    run = world.start("first", MAY)
    for turn in range(100):
        if run.status == "ABORTED":
            if how == "redrive":
                world.machine.redrive(run)
            else:
                run = world.start(f"again-{turn}", MAY)
        elif run.status == "FAILED":
            broken.mend()
            world.machine.redrive(run)
        elif run.waits:
            if not aborting.while_it_waits(world, run):
                story.person(world, run)
        else:
            break
    # Aborted in the Map's own state it stands in the Map, and has drafted: a new run has no Map to come to.
    elsewhere = {"Draft the invoices"} if how == "new execution" else set()
    assert set(story.states) - elsewhere <= aborting.struck
    return run


@pytest.mark.parametrize("how", ["redrive", "new execution"])
@pytest.mark.parametrize("name", STORIES)
def test_aborted_in_every_state_and_replayed_each_time_the_order_is_billed_once(name: str, how: str) -> None:
    story = STORIES[name]
    with small_firm([order("SO-1", 12)], {}, **(story.parameters or {})) as world:
        run = seen_through(world, story, how)
        assert (run.status, run.error) == ("SUCCEEDED", "")
        assert [(one["status"], one["total"]) for one in world.stripe.invoices()] == [("draft", 120_000)]
        assert len(world.stripe.customers()) == 1
        # The period is free: the same month once more drafts nothing and asks nobody.
        again = world.start("once more", MAY)
        assert again.status == "SUCCEEDED"
        assert ASKING not in again.visited
        assert len(world.stripe.invoices()) == 1


@pytest.mark.parametrize("how", ["redrive", "new execution"])
def test_aborted_as_it_gives_way_to_another_run_it_gives_way_again(how: str) -> None:
    with small_firm([order("SO-1", 12)], {}) as world:
        first = world.start("first", MAY)
        Aborting(world, {ANOTHER})
        second = world.start("second", MAY)
        assert (second.status, second.at) == ("ABORTED", ANOTHER)
        if how == "redrive":
            world.machine.redrive(second)
        else:
            second = world.start("third", MAY)
        assert (second.status, second.visited[-1]) == ("SUCCEEDED", ANOTHER)
        approve(world, first)
        assert first.status == "SUCCEEDED"
        assert [one["total"] for one in world.stripe.invoices()] == [120_000]


def test_a_refused_input_is_refused_again_and_a_new_execution_takes_a_corrected_one() -> None:
    with small_firm([order("SO-1", 12)], {}) as world:
        aborting = Aborting(world, {REFUSED, "Tell of the failure"})
        run = world.start("first", {"period": "May"})
        for _ in range(2):
            assert run.status == "ABORTED"
            world.machine.redrive(run)
        assert aborting.struck == {REFUSED, "Tell of the failure"}
        for _ in range(2):
            assert (run.status, run.error, run.at) == ("FAILED", "InputInvalid", "Stop the run")
            world.machine.redrive(run)
        assert not list(world.stripe.invoices())
        corrected = world.start("corrected", MAY)
        approve(world, corrected)
        assert corrected.status == "SUCCEEDED"
        assert [one["total"] for one in world.stripe.invoices()] == [120_000]


def test_every_state_of_the_definition_is_aborted_here() -> None:
    played = {state for story in STORIES.values() for state in story.states} | {ANOTHER, REFUSED}
    assert played | ENDS_OF_A_CHILD == EVERY_STATE
