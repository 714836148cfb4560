"""A question to whoever started the run: on record before anything else, mailed once, and no answer to the request."""

from __future__ import annotations

from typing import Any

import pytest

from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.approval.approvers import requester_id
from billing.domain.errors import PassingError
from billing.workflows.approval.approval_history import record_of
from billing.workflows.approval.present_request import present_request
from tests.adapters.aws_world import RUNS, AwsWorld
from tests.pages.parsed_page import parse
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

DANA, OWNER = "dana@firm.example", "owner@firm.example"
WHY = "Why is SO-1001 billed in May?"


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    asked = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", owners=(OWNER,))
    asked.requested_by = requester_id(DANA)
    RunsTable(aws.dynamodb, RUNS).note_start("run-1", DANA, "2026-06-01T09:00:00+00:00")
    asked.ask()
    return asked


def asks(world: ApprovalWorld, text: str = WHY, number: str = "3") -> dict[str, Any]:
    return world.post(world.link(ANN), answer="question", question=text, number=number)


def questions(world: ApprovalWorld) -> list[tuple[str, str]]:
    return [(to, content.reply_to) for to, content, _ in world.outbox.mails if content.subject.startswith("Question")]


def test_a_question_goes_to_whoever_started_the_run_who_can_reply_to_the_one_who_asks(world: ApprovalWorld) -> None:
    page = asks(world)
    said = " ".join(parse(page["body"]).text.split())
    assert f"Your question is on record. It was mailed to {DANA}." in said
    assert questions(world) == [(DANA, ANN)]
    mail = world.outbox.mails[-1][1]
    assert WHY in mail.text
    assert "http" not in mail.text


def test_it_is_on_record_and_the_others_see_it_and_it_is_no_answer(world: ApprovalWorld) -> None:
    asks(world)
    assert WHY in " ".join(parse(world.get(world.link(BOB))["body"]).text.split())
    stored = world.requests.read("run-1.1")
    assert stored is not None
    lines = record_of([present_request(stored, world.signatures)])
    assert [(line.who, line.reason) for line in lines if "question" in line.what] == [(ANN, WHY)]
    assert world.sleeper.woken == []
    assert world.post(world.link(ANN), answer="approve", invoices="3")["statusCode"] == 200
    assert world.post(world.link(BOB), answer="approve", invoices="3")["statusCode"] == 200
    assert world.decide() == "approved"


def test_the_same_question_twice_is_one_mail_and_one_line(world: ApprovalWorld) -> None:
    for _ in range(3):
        assert asks(world)["statusCode"] == 200
    assert len(questions(world)) == 1
    stored = world.requests.read("run-1.1")
    assert stored is not None
    assert len(stored.signed_entries) == 1


def test_a_question_that_could_not_be_mailed_is_on_record_and_mailed_when_it_is_sent_again(
    world: ApprovalWorld,
) -> None:
    world.outbox.refuses[DANA] = PassingError("SES is tired")
    assert "could not be mailed" in asks(world)["body"]
    world.outbox.refuses.clear()
    assert "It was mailed to" in asks(world)["body"]
    assert len(questions(world)) == 1


@pytest.mark.parametrize(("text", "number"), [("", "3"), ("3", "3"), (WHY, ""), (WHY, "4")])
def test_a_question_needs_words_and_the_number(world: ApprovalWorld, text: str, number: str) -> None:
    before = world.aws.dump()
    assert asks(world, text, number)["statusCode"] == 422
    assert world.aws.dump() == before
    assert questions(world) == []


def test_about_a_run_of_the_schedule_its_owners_are_asked_and_without_any_nobody_can_be(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"{ANN}, {BOB}", owners=(OWNER,))
    world.ask()
    asks(world)
    assert questions(world) == [(OWNER, ANN)]
    world.owners = ()
    assert "Ask a question" not in world.get(world.link(BOB))["body"]
    refused = world.post(world.link(BOB), answer="question", question=WHY, number="3")
    assert (refused["statusCode"], "Nobody is on record" in refused["body"]) == (422, True)


def test_a_question_needs_no_code_and_a_person_puts_ten_at_the_most(world: ApprovalWorld) -> None:
    world.factor = "mail"
    for number in range(10):
        assert asks(world, f"Question number {number}?")["statusCode"] == 200
    assert world.made_codes == 0
    assert asks(world, "One more?")["statusCode"] == 422
    assert len(questions(world)) == 10
