"""The interpreter does what Step Functions does with the deployed definition, and guesses nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.histories.machine import Killed, Machine, NotUnderstood, StateFailed

CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "End"}]


def task(name: str, following: str | None, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"${{{name}}}", "Payload": {"seen.$": "$"}},
        "ResultSelector": {"answer.$": "$.Payload"},
        "ResultPath": f"$.{name}",
        **({"Next": following} if following else {"End": True}),
        **more,
    }


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


class World:
    """Functions that answer what a test says; an exception among the answers is raised."""

    def __init__(
        self, states: dict[str, Any], start: str, items: list[Any] | None = None, **answers: list[Any]
    ) -> None:
        self.answers, self.calls, self.clock = answers, list[tuple[str, Any]](), Clock()
        self.machine = Machine(
            {"StartAt": start, "States": states},
            self.invoke,
            lambda _: json.dumps(items).encode(),
            self.clock,
            self.clock.pause,
        )

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        self.calls.append((function, event))
        answer = self.answers[function].pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


END = {"End": {"Type": "Succeed"}}


def test_an_answer_is_selected_and_put_where_the_state_says() -> None:
    world = World({"One": task("One", "End"), **END}, "One", One=[7])
    run = world.machine.start("a", {"kept": True})
    assert (run.status, run.data) == ("SUCCEEDED", {"kept": True, "One": {"answer": 7}})


def test_a_named_error_is_retried_as_often_as_the_state_says_and_costs_the_clock_its_waits() -> None:
    rule = {
        "ErrorEquals": ["PassingError"],
        "IntervalSeconds": 1,
        "BackoffRate": 2,
        "MaxAttempts": 3,
        "MaxDelaySeconds": 3,
    }
    passing = [StateFailed("PassingError", "down") for _ in range(3)]
    world = World({"One": task("One", "End", Retry=[rule]), **END}, "One", One=[*passing, 1])
    assert world.machine.start("a", {}).status == "SUCCEEDED"
    assert (len(world.calls), world.clock.seconds) == (4, 1 + 2 + 3)


@pytest.mark.parametrize("error", ["OurFault", "PassingError"])
def test_what_retry_does_not_name_or_gives_up_goes_where_catch_says(error: str) -> None:
    rule = {"ErrorEquals": ["PassingError"], "MaxAttempts": 1}
    failures = [StateFailed(error, "because") for _ in range(2)]
    world = World({"One": task("One", "End", Retry=[rule], Catch=CATCH_ALL), **END}, "One", One=failures)
    run = world.machine.start("a", {})
    assert (run.status, run.data) == ("SUCCEEDED", {"error": {"Error": error, "Cause": "because"}})


def test_what_nobody_catches_fails_the_run_and_redrive_goes_on_at_that_state_with_its_input() -> None:
    states = {"One": task("One", "Two"), "Two": task("Two", "End"), **END}
    world = World(states, "One", One=[1], Two=[StateFailed("OurFault", "because"), 2])
    run = world.machine.start("a", {})
    assert (run.status, run.error, run.cause, run.at) == ("FAILED", "OurFault", "because", "Two")
    world.machine.redrive(run)
    assert (run.status, run.redrives, len(world.calls)) == ("SUCCEEDED", 1, 3)
    assert world.calls[1] == world.calls[2]


WAIT = task("Ask", "End", ResultPath=None, TimeoutSecondsPath="$.wait") | {
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "${Ask}", "Payload": {"token.$": "$$.Task.Token"}},
    "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "End"}],
}
del WAIT["ResultSelector"]


def test_a_wait_ends_at_the_first_answer_and_a_later_one_finds_it_over() -> None:
    world = World({"Ask": WAIT, **END}, "Ask", Ask=[None])
    run = world.machine.start("a", {"wait": 60})
    token = world.calls[0][1]["token"]
    assert run.waits
    assert world.machine.answer_token(token, "{}")
    world.machine.go_on(run)
    assert (run.status, run.data) == ("SUCCEEDED", {"wait": 60})
    assert not world.machine.answer_token(token, "{}")


def test_a_wait_that_is_over_is_caught_as_a_time_out() -> None:
    world = World({"Ask": WAIT, **END}, "Ask", Ask=[None])
    run = world.machine.start("a", {"wait": 60})
    with pytest.raises(NotUnderstood):
        world.machine.time_out(run)
    world.clock.pause(60)
    world.machine.time_out(run)
    assert (run.status, run.data["late"]["Error"]) == ("SUCCEEDED", "States.Timeout")


MAP = {
    "Type": "Map",
    "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "items.json"}},
    "ItemSelector": {"item.$": "$$.Map.Item.Value"},
    "ToleratedFailurePercentage": 100.0,
    "ItemProcessor": {"StartAt": "Draft", "States": {"Draft": task("Draft", None)}},
    "ResultPath": None,
    "Next": "End",
}


def test_one_item_that_fails_does_not_stop_the_others() -> None:
    world = World({"All": MAP, **END}, "All", items=[1, 2, 3], Draft=[1, StateFailed("OurFault", ""), 3])
    assert world.machine.start("a", {}).status == "SUCCEEDED"
    assert [event["seen"]["item"] for _, event in world.calls] == [1, 2, 3]


def test_a_map_that_was_taken_away_goes_on_with_the_items_that_did_not_succeed() -> None:
    world = World({"All": MAP, **END}, "All", items=[1, 2, 3], Draft=[1, Killed(), 2, 3])
    run = world.machine.start("a", {})
    assert run.status == "ABORTED"
    world.machine.redrive(run)
    assert run.status == "SUCCEEDED"
    assert [event["seen"]["item"] for _, event in world.calls] == [1, 2, 2, 3]


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Parallel", "Branches": [], "Next": "End"},
        task("One", "End", HeartbeatSecondsPath="$.x"),
        task("One", "End") | {"Resource": "arn:aws:states:::sqs:sendMessage"},
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringMatches": "x*", "Next": "End"}]},
        {"Type": "Pass", "Parameters": {"a.$": "States.Format('x')"}, "Next": "End"},
    ],
)
def test_what_is_not_known_is_an_error(state: dict[str, Any]) -> None:
    world = World({"One": state, **END}, "One", One=[1])
    with pytest.raises(NotUnderstood):
        world.machine.start("a", {"a": "x"})


def test_a_path_that_finds_nothing_fails_and_is_not_caught() -> None:
    state = task("One", "End", Catch=CATCH_ALL) | {
        "Parameters": {"FunctionName": "${One}", "Payload": {"a.$": "$.absent"}}
    }
    run = World({"One": state, **END}, "One", One=[1]).machine.start("a", {})
    assert (run.status, run.error) == ("FAILED", "States.Runtime")
