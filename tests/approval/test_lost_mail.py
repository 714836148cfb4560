"""What SES reports is put on record once for each person, wakes the run, and can do nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing.adapters.aws.task_tokens import TaskCallback
from billing.domain.approval.approvers import approver_id
from billing.domain.errors import PassingError
from billing.workflows.approval.approval_links import mail_tags, request_of_tag
from billing.workflows.approval.note_the_bounce import note_the_bounce
from tests.adapters.aws_world import AwsWorld
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.moving_clock import MovingClock


@pytest.fixture
def asked(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}, {BOB}")
    world.ask()
    return world


def event(kind: str = "Bounce", person: str = ANN, request: str = "run-1.1", **about: Any) -> dict[str, Any]:
    tags = {name: [value] for name, value in mail_tags(request, approver_id(person)).items()}
    message = {"eventType": kind, "mail": {"tags": tags}, kind.lower(): about or {"bounceType": "Permanent"}}
    return {"Records": [{"Sns": {"Message": json.dumps(message)}}]}


def noted(world: ApprovalWorld, said: dict[str, Any]) -> int:
    callback = TaskCallback(world.aws.kms, world.sleeper)  # type: ignore[arg-type]
    return note_the_bounce(said, world.requests, callback, world.clock.now)["bounces"]


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("Bounce", {"bounceType": "Permanent", "bounceSubType": "Suppressed"}),
        ("Complaint", {"complaintFeedbackType": "abuse"}),
        ("Reject", {"reason": "Bad content"}),
    ],
)
def test_a_lasting_failure_is_noted_and_wakes_the_run(asked: ApprovalWorld, kind: str, about: dict[str, str]) -> None:
    assert noted(asked, event(kind, **about)) == 1
    stored = asked.requests.newest("run-1")
    assert stored is not None
    (bounce,) = stored.bounces
    assert (bounce.approver, bounce.kind, bounce.detail) == (approver_id(ANN), kind.lower(), list(about.values())[-1])
    assert asked.sleeper.woken == ["token-1"]
    answer = asked.read()
    assert (answer["outcome"], answer["due"]) == ("undecided", "reminder"), "the others have to hear"
    asked.ask("token-2", "undecided")
    assert noted(asked, event(kind, person=BOB, **about)) == 1
    assert asked.decide() == "undeliverable"


def test_a_report_that_comes_twice_is_noted_once_and_wakes_again(asked: ApprovalWorld) -> None:
    assert noted(asked, event()) == 1
    asked.ask("token-2", "undecided")
    assert noted(asked, event()) == 0
    assert asked.sleeper.woken == ["token-1", "token-2"]


def test_a_run_between_two_turns_is_woken_by_lambdas_next_call(asked: ApprovalWorld) -> None:
    asked.sleeper.woken.append("token-1")
    with pytest.raises(PassingError):
        noted(asked, event())
    asked.ask("token-2", "undecided")
    assert noted(asked, event()) == 0
    assert asked.sleeper.woken[-1] == "token-2"


def test_whoever_has_answered_is_not_lost(asked: ApprovalWorld) -> None:
    world = ApprovalWorld(asked.aws, asked.clock, approvers=f"A: {ANN}; B: {BOB}", run_id="run-2")
    world.ask("token-9")
    world.post(world.link(ANN), answer="approve", invoices="3")
    noted(world, event(request="run-2.1"))
    assert world.decide() == "undecided"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"Records": []},
        {"Records": [{"Sns": {"Message": "no JSON"}}]},
        {"Records": [{"Sns": {"Message": "[]"}}]},
        {"Records": [{"Sns": {"Message": json.dumps({"eventType": "Bounce", "mail": {"tags": {}}})}}]},
        event("Delivery"),
        event("Bounce", bounceType="Transient"),
        event(request="run-9.1"),
    ],
)
def test_anything_else_is_left_alone(asked: ApprovalWorld, said: dict[str, Any]) -> None:
    before = asked.aws.dump()
    assert noted(asked, said) == 0
    assert asked.aws.dump() == before
    assert asked.sleeper.woken == []


@pytest.mark.parametrize("request_id", ["run-1.1", "Ünusual name [of] a run.12", "a" * 80 + ".1"])
def test_any_runs_name_fits_into_sess_tags(request_id: str) -> None:
    tag = mail_tags(request_id, "x")["request"]
    assert len(tag) <= 256
    assert set(tag) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert request_of_tag(tag) == request_id
