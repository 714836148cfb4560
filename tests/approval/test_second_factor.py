"""The second factor: nothing is recorded without the code that was sent to this person, whatever a machine fills in.
And what is kept with a vote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing.adapters.dynamodb.codes import Codes
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.second_factor import MOST_CODES, Code, typed_code
from billing.domain.errors import PassingError
from billing.workflows.approval.votes import verified_votes, vote_fields
from tests.adapters.aws_world import APPROVALS, AwsWorld
from tests.approval.machine import guesses
from tests.pages.parsed_page import parse
from tests.sandbox.person import read_page
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

ANSWERS = [
    ("approve", {"invoices": "3", "comment": "Fine."}),
    ("reject", {"number": "3", "reason": "Not this month."}),
    ("hold", {"order": "SO-1001", "reason": "Not this one."}),
    ("delegate", {"number": "3", "delegate": "dee@firm.example"}),
]


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    asked = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("firm.example",))
    asked.factor = "mail"
    asked.ask()
    return asked


def newest_code(world: ApprovalWorld, person: str) -> str:
    """What the person reads in the newest mail with a code."""
    text = [content.text for to, content, _ in world.outbox.mails if to == person and "Your code" in content.subject][
        -1
    ]
    return next(line for line in text.splitlines() if "good for" in line).split("good for")[0].strip()


def confirmed(world: ApprovalWorld, page: dict[str, Any], code: str) -> dict[str, Any]:
    """Type a code into the page that asks for it, as a browser sends that form."""
    form = next(
        form for form in read_page("", 200, page["body"], {}).forms if any(f.name == "code" for f in form.fields)
    )
    fields = {field.name: field.value for field in form.fields if field.name}
    return world.send(world.link(ANN), **{**fields, "code": code})


@pytest.mark.parametrize(("answer", "typed"), ANSWERS)
def test_nothing_is_recorded_before_the_code_and_all_of_it_after(
    world: ApprovalWorld, answer: str, typed: dict[str, str]
) -> None:
    before = world.requests.read("run-1.1")
    page = world.post(world.link(ANN), answer=answer, **typed)
    assert (page["statusCode"], "Nothing is recorded yet" in page["body"]) == (200, True)
    assert world.requests.read("run-1.1") == before
    assert confirmed(world, page, "000000")["statusCode"] == 422
    assert world.requests.read("run-1.1") == before
    assert world.sleeper.woken == []
    done = confirmed(world, page, newest_code(world, ANN))
    assert done["statusCode"] == 200
    after = world.requests.read("run-1.1")
    assert after is not None
    assert before is not None
    assert after.changes == before.changes + 1
    if answer == "approve":
        assert "Your comment: Fine." in " ".join(parse(done["body"]).text.split())


def test_the_code_goes_to_that_person_alone_and_into_no_subject_no_page_no_row(
    world: ApprovalWorld, caplog: pytest.LogCaptureFixture
) -> None:
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    code = newest_code(world, ANN)
    digits = code.replace(" ", "")
    mails = [(to, content) for to, content, _ in world.outbox.mails if "Your code" in content.subject]
    assert [to for to, _ in mails] == [ANN]
    assert "http" not in mails[0][1].text
    for hidden_from in (
        mails[0][1].subject,
        page["body"],
        json.dumps(page["headers"]),
        str(world.aws.dump()),
        caplog.text,
    ):
        assert code not in hidden_from
        assert digits not in hidden_from


def test_a_machine_that_copies_every_number_of_the_page_and_the_mail_decides_nothing(world: ApprovalWorld) -> None:
    """The one that runs scripts, finds the right number and leaves the unseen field alone."""
    mail = " ".join(content.subject + " " + content.text for _, content, _ in world.outbox.mails)
    page = read_page("", 200, world.get(world.link(ANN))["body"], {})
    before = world.requests.read("run-1.1")
    hidden = world.shown(world.link(ANN))
    for answer, typed in ANSWERS:
        asked = world.send(world.link(ANN), **hidden, answer=answer, **typed)
        confirm = read_page("", 200, asked["body"], {})
        for form in (form for form in confirm.forms if form.method == "post"):
            carried = {field.name: field.value for field in form.fields if field.name}
            for filled in list(guesses(form, confirm, mail))[:25]:
                world.send(world.link(ANN), **{**carried, **filled})
    assert page.forms
    assert world.requests.read("run-1.1") == before
    assert world.sleeper.woken == []
    sent = [to for to, content, _ in world.outbox.mails if "Your code" in content.subject]
    assert sent == [ANN], "and a person gets one mail of it in a minute, not a hundred"


def test_a_form_that_is_wrong_anyway_sends_no_code(world: ApprovalWorld) -> None:
    for typed in ({"invoices": "4"}, {"invoices": ""}, {"invoices": "3", "note": "x"}):
        assert world.post(world.link(ANN), answer="approve", **typed)["statusCode"] == 422
    assert world.made_codes == 0


def test_a_code_is_of_one_person_and_one_request_and_ends(world: ApprovalWorld, clock: MovingClock) -> None:
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    code = newest_code(world, ANN)
    bob = world.post(world.link(BOB), answer="approve", invoices="3", code=code)
    assert "not the code" in bob["body"] or "too old" in bob["body"]
    clock.move(hours=0.2)
    over = confirmed(world, page, code)
    assert (over["statusCode"], "too old" in over["body"]) == (422, True)
    again = world.post(world.link(ANN), answer="approve", invoices="3", resend="yes", code=code)
    assert "We sent a code to" in again["body"]
    assert newest_code(world, ANN) != code
    assert confirmed(world, again, newest_code(world, ANN))["statusCode"] == 200


def test_five_tries_and_the_code_is_worth_nothing(world: ApprovalWorld) -> None:
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    code = newest_code(world, ANN)
    for guess in range(5):
        assert "not the code" in confirmed(world, page, f"{guess:06d}")["body"]
    assert "too old, or was tried too often" in confirmed(world, page, code)["body"]
    stored = world.requests.read("run-1.1")
    assert stored is not None
    assert stored.changes == 0


def test_of_one_person_and_request_no_more_than_twenty_codes_are_made(aws: AwsWorld) -> None:
    codes = Codes(aws.dynamodb, APPROVALS)
    made = [codes.keep(Code("r.1", "a", "123456", 600 + at), "s", at) for at in range(0, 60 * (MOST_CODES + 5), 60)]
    assert made == [True] * MOST_CODES + [False] * 5
    assert not codes.keep(Code("r.1", "b", "1", 1), "s", 0) or not codes.keep(Code("r.1", "b", "1", 1), "s", 59)


def test_a_code_that_the_table_was_given_by_somebody_else_counts_for_nothing(world: ApprovalWorld) -> None:
    """Whoever can write to the table has no key."""
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    bob = world.signatures.sign_code(Code("run-1.1", approver_id(BOB), "111111", 2_000_000_000))
    for signature in ("", "x", bob):
        world.aws.dynamodb.update_item(
            TableName=APPROVALS,
            Key={"pk": {"S": "REQUEST#run-1.1"}, "sk": {"S": f"CODE#{approver_id(ANN)}"}},
            UpdateExpression="SET signature = :s, tries = :none",
            ExpressionAttributeValues={":s": {"S": signature}, ":none": {"N": "0"}},
        )
        assert "not the code" in confirmed(world, page, "111111")["body"]


def test_a_mail_that_cannot_be_sent_is_said_and_asked_for_again(world: ApprovalWorld, clock: MovingClock) -> None:
    world.outbox.refuses[ANN] = PassingError("SES is tired")
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    assert (page["statusCode"], "could not be sent" in page["body"]) == (422, True)
    world.outbox.refuses.clear()
    clock.move(hours=0.1)
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    assert confirmed(world, page, newest_code(world, ANN))["statusCode"] == 200


def test_a_second_click_after_the_answer_asks_for_no_code(world: ApprovalWorld) -> None:
    page = world.post(world.link(ANN), answer="approve", invoices="3")
    code = newest_code(world, ANN)
    confirmed(world, page, code)
    made = world.made_codes
    assert confirmed(world, page, code)["statusCode"] == 200
    assert world.made_codes == made


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("482 913", "482913"),
        (" 482-913 ", "482913"),
        ("482913", "482913"),
        ("48291", ""),
        ("４８２９１３", ""),
        ("abcdef", ""),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, code: str) -> None:
    assert typed_code(typed) == code


def test_an_answer_before_the_least_time_is_not_taken_and_the_page_keeps_when_it_was_opened(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=ANN)
    world.least_seconds = 10
    world.ask()
    link = world.link(ANN)
    before = world.aws.dump()
    fields = {f.name: f.value for f in read_page("", 200, world.get(link)["body"], {}).forms[-1].fields if f.name}
    assert fields["seen"]
    typed = {**world.shown(link), "answer": "approve", "invoices": "3"}
    for mark in ({}, {"seen": "forged"}, {"seen": fields["seen"]}):
        refused = world.send(link, **typed, **mark)
        assert (refused["statusCode"], "10 seconds after the page was opened" in refused["body"]) == (422, True)
    assert fields["seen"] in refused["body"], "the first view counts, not the page that says so"
    assert world.aws.dump() == before
    clock.move(hours=11 / 3600)
    assert world.send(link, **typed, seen=fields["seen"])["statusCode"] == 200


def test_where_an_answer_came_from_is_kept_with_it_and_shown_to_controllers_alone(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    world.controllers = (BOB,)
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.post(world.link(BOB), answer="approve", invoices="3")
    stored = world.requests.read("run-1.1")
    assert stored is not None
    votes = verified_votes(stored.signed_votes, "run-1.1", world.signatures.read_vote)
    assert {(vote.address, vote.agent, vote.confirmed) for vote in votes} == {("203.0.113.7", "Firefox/140", "")}
    assert "203.0.113.7" in world.get(world.link(BOB))["body"]
    assert "203.0.113.7" not in world.get(world.link(ANN))["body"]


def test_a_vote_that_an_earlier_version_wrote_is_read_as_it_was(world: ApprovalWorld) -> None:
    fields = {
        "request": "run-1.1",
        "approver": ANN,
        "answer": "approve",
        "reason": "",
        "at": "2026-06-01T10:00:00+00:00",
    }
    old = {**fields, "batch_sha256": "h", "shown": "", "slots": "Lead"}
    (vote,) = verified_votes([world.signatures.sign_vote(old)], "run-1.1", world.signatures.read_vote)
    assert (vote.address, vote.agent, vote.confirmed, vote.slots) == ("", "", "", ("Lead",))
    assert {name: value for name, value in vote_fields("run-1.1", vote).items() if name in old} == old
