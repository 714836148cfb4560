"""From the mail to the decision: asked once, opened by machines, answered by people, read by the run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from billing.adapters.dynamodb.runs import RunsTable
from billing.adapters.signatures import Signatures
from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import approver_id, everybody, requester_id
from billing.domain.errors import AddressRefused, OurFault, PassingError, PersonNeeded, RequestAltered
from tests.adapters.aws_world import APPROVALS, RUNS, AwsWorld
from tests.slots import slots_of
from tests.workflows.approval_world import ANN, BOB, CY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock


@pytest.fixture
def asked(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    world = ApprovalWorld(aws, clock)
    world.ask()
    return world


# Asking --------------------------------------------------------------------------------------------------


def test_the_mail_and_the_signed_request_name_who_started_the_run(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, run_id="run-of-dana", requested_by=requester_id("dana@firm.example"))
    RunsTable(aws.dynamodb, RUNS).note_start("run-of-dana", "dana@firm.example", "2026-06-01T13:00:00+00:00")
    world.ask()
    assert "Run started: by dana@firm.example" in world.outbox.mails[0][1].text
    stored = world.requests.newest("run-of-dana")
    assert stored is not None
    assert stored.request.requested_by == "dana@firm.example"
    aws.dynamodb.update_item(
        TableName=APPROVALS,
        Key={"pk": {"S": f"REQUEST#{stored.request.id}"}, "sk": {"S": "REQUEST"}},
        UpdateExpression="SET requested_by = :other",
        ExpressionAttributeValues={":other": {"S": "mallory@elsewhere.example"}},
    )
    with pytest.raises(RequestAltered, match="requested_by"):
        world.decide()


def test_every_approver_gets_a_link_of_their_own(asked: ApprovalWorld) -> None:
    assert asked.outbox.receivers == [ANN, BOB]
    assert asked.link(ANN) != asked.link(BOB)
    assert {thread for _, _, thread in asked.outbox.mails} == {"run-1"}
    for _, content, _ in asked.outbox.mails:
        assert "token-1" not in content.text + content.html
        assert asked.link(ANN) in content.html or asked.link(BOB) in content.html


def test_asking_again_mails_nobody_and_keeps_the_new_token(asked: ApprovalWorld) -> None:
    assert asked.ask("token-2") == 0
    assert len(asked.outbox.mails) == 2
    asked.post(asked.link(ANN), answer="approve", invoices="3")
    assert asked.sleeper.woken == ["token-2"], "the first token's wait is over: it would wake nobody"


def test_a_mail_that_failed_is_sent_by_the_next_attempt_and_no_other(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.outbox.refuses[BOB] = PassingError("SES is tired")
    with pytest.raises(PassingError):
        world.ask()
    world.outbox.refuses.clear()
    assert world.ask("token-2") == 1
    assert world.outbox.receivers == [ANN, BOB]


def test_a_process_killed_after_opening_asks_for_the_same_request(asked: ApprovalWorld) -> None:
    asked.aws.dynamodb.delete_item(TableName=APPROVALS, Key={"pk": {"S": "RUN#run-1"}, "sk": {"S": "CURRENT"}})
    assert asked.ask("token-2") == 0
    assert asked.requests.current_number("run-1") == 1


def test_after_an_end_the_next_number_is_asked_and_old_links_show_the_end(asked: ApprovalWorld) -> None:
    old = asked.link(ANN)
    assert asked.expire() == "expired"
    assert asked.ask("token-2") == 2
    assert asked.requests.current_number("run-1") == 2
    shown = asked.post(old, answer="approve", invoices="3")
    assert shown["statusCode"] == 200
    assert "Expired" in shown["body"]
    assert "This request was replaced" in shown["body"]
    assert asked.decide() == "undecided"
    asked.post(asked.link(ANN), answer="approve", invoices="3")
    assert asked.decide() == "approved"


def test_a_run_redriven_after_its_links_have_ended_asks_anew(asked: ApprovalWorld) -> None:
    """Aborted while it waited: no outcome is on record, and the links in the mails are dead."""
    asked.clock.move(days=4)
    assert asked.ask("token-2") == 2
    asked.post(asked.link(ANN), answer="approve", invoices="3")
    assert asked.decide() == "approved"


def newest(world: ApprovalWorld, person: str = ANN) -> tuple[str, str]:
    """Subject and text of the newest mail to a person."""
    content = [content for to, content, _ in world.outbox.mails if to == person][-1]
    return content.subject, " ".join(content.text.split())


def test_the_mail_of_a_new_request_says_what_became_of_the_former_one(asked: ApprovalWorld) -> None:
    asked.post(asked.link(BOB), answer="hold", order="SO-1002", reason="Hours are not final.")
    asked.expire()
    asked.ask("token-2")
    subject, text = newest(asked)
    assert subject.startswith("Approval needed again: 3 invoices for May 2026")
    assert "which expired before everyone had signed. Nothing was drafted." in text
    assert "The orders and amounts have not changed." in text
    assert "1 invoice was held then: hold again whatever must not be billed." in text
    asked.expire()
    asked.matched = asked.batch(2)
    asked.ask("token-3")
    _, text = newest(asked)
    assert "What will be billed has changed since then." in text
    assert "held then" not in text
    assert asked.requests.current_number("run-1") == 3


def test_an_aborted_runs_dead_request_is_told_as_expired(asked: ApprovalWorld) -> None:
    asked.clock.move(days=4)
    asked.ask("token-2")
    assert "expired before everyone had signed" in newest(asked)[1]


def test_an_answered_request_is_not_asked_anew_but_about_what_is_new(asked: ApprovalWorld) -> None:
    asked.post(asked.link(ANN), answer="reject", number="3", reason="The rate is wrong.")
    assert asked.decide() == "rejected"
    asked.ask("token-2")
    subject, text = newest(asked)
    assert subject.startswith("Approve 3 invoices")
    assert "asked anew" not in text


def test_a_dead_link_says_how_it_ended_though_other_content_took_the_place_of_its_own(asked: ApprovalWorld) -> None:
    old = asked.link(ANN)
    asked.expire()
    asked.files.write(asked.matched["batchKey"], b"{}", "application/json")
    for answer in (asked.get(old), asked.post(old, answer="approve", invoices="3"), asked.post(old)):
        assert answer["statusCode"] == 200
        assert "Expired" in answer["body"]
        assert "This request was replaced" not in answer["body"], "nobody was asked since"
    assert asked.decide() == "expired"


def test_other_content_is_asked_about_anew(asked: ApprovalWorld) -> None:
    asked.matched = asked.batch(2)
    assert asked.ask("token-2") == 2
    assert asked.requests.current_number("run-1") == 2


# GET and HEAD --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "answer=approve&invoices=3", "q=SO-1001&page=2", "format=csv", "page=x&q=%ff"])
def test_opening_a_link_changes_nothing_in_any_store(asked: ApprovalWorld, method: str, query: str) -> None:
    before = asked.aws.dump()
    for person in (ANN, BOB):
        assert asked.get(asked.link(person), method, query)["statusCode"] == 200
    assert asked.aws.dump() == before
    assert asked.sleeper.woken == []
    assert asked.decide() == "undecided"


def test_a_page_is_never_kept_or_framed_and_says_nothing_to_others(asked: ApprovalWorld) -> None:
    headers = {name.lower(): value for name, value in asked.get(asked.link(ANN))["headers"].items()}
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" in headers


# POST ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"answer": ""},
        {"answer": "approve"},
        {"answer": "approve", "invoices": ""},
        {"answer": "approve", "invoices": "2"},
        {"answer": "approve", "invoices": "33"},
        {"answer": "approve", "invoices": "3 or so"},
        {"answer": "reject"},
        {"answer": "reject", "reason": "long enough, and no number"},
        {"answer": "reject", "reason": "long enough", "number": "1"},
        {"answer": "reject", "number": "3", "reason": "  "},
        {"answer": "reject", "number": "3", "reason": "no"},
        {"answer": "maybe", "invoices": "3", "reason": "long enough"},
        {"invoices": "3"},
        {"invoices": "3", "reason": "on"},
    ],
)
def test_a_form_that_a_machine_would_post_decides_nothing(asked: ApprovalWorld, form: dict[str, str]) -> None:
    before = asked.aws.dump()
    answer = asked.post(asked.link(ANN), **form)
    assert answer["statusCode"] == 422
    assert asked.aws.dump() == before
    assert asked.sleeper.woken == []


def test_the_typed_number_approves_and_wakes_the_run(asked: ApprovalWorld) -> None:
    answer = asked.post(asked.link(ANN), answer="approve", invoices=" 3 ")
    assert answer["statusCode"] == 200
    assert "Approved" in answer["body"]
    assert asked.sleeper.woken == ["token-1"]
    assert asked.decide() == "approved"
    (hashes,) = [
        set(asked.ledger.entries_and_approvals({f"order-{500 + n}": h for n, h in enumerate(signed(asked))})[1])
    ]
    assert hashes == {"order-500", "order-501", "order-502"}


def signed(world: ApprovalWorld) -> list[str]:
    return [one["content_hash"] for one in world.files.read_json(world.matched["batchKey"])["invoices"]]


def test_a_reason_rejects_and_nothing_is_approved(asked: ApprovalWorld) -> None:
    asked.post(asked.link(BOB), answer="reject", number="3", reason=" wrong   client \n again ")
    assert asked.sleeper.woken == ["token-1"]
    assert asked.decide() == "rejected"
    stored = asked.requests.newest("run-1")
    assert stored is not None
    assert stored.outcome is not None
    assert stored.outcome.reason == "wrong client again"
    hashes = {f"order-{500 + n}": one for n, one in enumerate(signed(asked))}
    assert asked.ledger.entries_and_approvals(hashes) == ({}, {})


def test_a_reason_of_any_length_is_kept_shortened(asked: ApprovalWorld) -> None:
    assert asked.post(asked.link(ANN), answer="reject", number="3", reason="x" * 12_000)["statusCode"] == 200
    assert asked.decide() == "rejected"


def test_a_second_answer_shows_what_stands_and_changes_nothing(asked: ApprovalWorld) -> None:
    asked.post(asked.link(ANN), answer="approve", invoices="3")
    before = asked.aws.dump()
    for person in (ANN, BOB):
        shown = asked.post(asked.link(person), answer="reject", number="3", reason="changed my mind")
        assert shown["statusCode"] == 200
        assert "Approved" in shown["body"]
    assert asked.aws.dump() == before
    assert asked.sleeper.woken == ["token-1"]


def test_both_of_two_have_to_sign_and_one_alone_wakes_nobody(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Both (2): {ANN}, {BOB}; Lead: {CY}")
    world.ask()
    for person, outcome in ((ANN, "undecided"), (CY, "undecided"), (BOB, "approved")):
        world.post(world.link(person), answer="approve", invoices="3")
        assert world.decide() == outcome
    assert world.sleeper.woken == ["token-1"]


def test_a_reject_while_others_still_sign_ends_it(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Both (2): {ANN}, {BOB}")
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.post(world.link(BOB), answer="reject", number="3", reason="not May's")
    assert world.decide() == "rejected"


def test_a_late_answer_is_told_so_and_counts_for_nothing(asked: ApprovalWorld) -> None:
    asked.clock.move(days=3)
    before = asked.aws.dump()
    shown = asked.post(asked.link(ANN), answer="approve", invoices="3")
    assert shown["statusCode"] == 200
    assert "Expired" in shown["body"]
    assert asked.aws.dump() == before
    assert asked.expire() == "expired"


def test_an_unfilled_form_with_a_body_that_is_no_form_is_a_mistake_not_an_error(asked: ApprovalWorld) -> None:
    for body in ("\xff" * 10, "a" * 50_000, "=&=&", "%zz"):
        assert asked._call(asked.link(ANN), "POST", "", body)["statusCode"] == 422


# Links ---------------------------------------------------------------------------------------------------


def test_unknown_forged_cut_and_foreign_links_get_the_same_answer(asked: ApprovalWorld, clock: MovingClock) -> None:
    good = asked.signatures.read_link(asked.link(ANN))
    assert good is not None
    sign = asked.signatures.sign_link
    links = [
        "",
        "nonsense",
        asked.link(ANN)[:-5],
        asked.link(ANN)[:-5] + "AAAAA",
        Signatures({"first": "f" * 40}).sign_link(good),
        sign(replace(good, request_id="run-9.1")),
        sign(replace(good, request_hash="0" * 64)),
        sign(replace(good, approver=approver_id("eve@evil.example"))),
        sign(replace(good, approver=ANN)),
    ]
    before = asked.aws.dump()
    answers = [asked.get(link) for link in links] + [asked.post(link, answer="approve", invoices="3") for link in links]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["statusCode"] == 404
    assert asked.aws.dump() == before


def test_a_link_that_ended_itself_cannot_decide(asked: ApprovalWorld) -> None:
    good = asked.signatures.read_link(asked.link(ANN))
    assert good is not None
    ended = asked.signatures.sign_link(replace(good, expires_at=int(asked.clock())))
    before = asked.aws.dump()
    assert asked.post(ended, answer="approve", invoices="3")["statusCode"] == 200
    assert asked.aws.dump() == before


def test_what_cannot_be_shown_cannot_be_signed_for(asked: ApprovalWorld) -> None:
    asked.files.write(asked.matched["batchKey"], b"{}", "application/json")
    before = asked.aws.dump()
    for answer in (asked.get(asked.link(ANN)), asked.post(asked.link(ANN), answer="approve", invoices="3")):
        assert answer["statusCode"] == 500
        assert "ref-1" in answer["body"]
        assert "Traceback" not in answer["body"]
    assert asked.aws.dump() == before


# Reading -------------------------------------------------------------------------------------------------


def test_a_lost_callback_is_sent_by_the_next_answer_and_read_at_the_latest_at_the_end(asked: ApprovalWorld) -> None:
    asked.sleeper.failing = True
    shown = asked.post(asked.link(ANN), answer="approve", invoices="3")
    assert shown["statusCode"] == 200, "the person has done everything right"
    assert asked.sleeper.woken == []
    asked.sleeper.failing = False
    asked.post(asked.link(BOB), answer="approve", invoices="3")
    assert asked.sleeper.woken == ["token-1"]
    assert asked.expire() == "approved"


def test_a_vote_without_an_outcome_is_counted_when_the_run_wakes(asked: ApprovalWorld) -> None:
    """Killed between the vote and the outcome."""
    link = asked.link(BOB)
    asked.post(link, answer="reject", number="3", reason="wrong month")
    key = {"pk": {"S": "REQUEST#run-1.1"}, "sk": {"S": "OUTCOME"}}
    asked.aws.dynamodb.delete_item(TableName=APPROVALS, Key=key)
    assert asked.expire() == "rejected"
    stored = asked.requests.newest("run-1")
    assert stored is not None
    assert stored.outcome is not None
    assert stored.outcome.outcome == "rejected"


def test_waking_without_a_decision_goes_on_waiting(asked: ApprovalWorld) -> None:
    before = asked.aws.dump()
    assert asked.decide() == "undecided"
    assert asked.aws.dump() == before


def test_the_decision_is_the_same_however_often_it_is_read(asked: ApprovalWorld) -> None:
    assert [asked.expire(), asked.expire(), asked.decide()] == ["expired"] * 3
    assert asked.post(asked.link(ANN), answer="approve", invoices="3")["statusCode"] == 200
    assert asked.decide() == "expired"


def test_an_outcome_that_nobody_signed_for_is_refused(asked: ApprovalWorld) -> None:
    """Whoever can write the table cannot approve."""
    assert asked.requests.conclude("run-1.1", RecordedOutcome("approved", "trust me", "now"), 0)
    with pytest.raises(OurFault, match="signed votes do not"):
        asked.decide()
    assert asked.aws.rows("ledger") == []


@pytest.mark.parametrize(
    "forged",
    [
        "nonsense",
        Signatures({"first": "f" * 40}).sign_vote(
            {"request": "run-1.1", "approver": ANN, "answer": "approve", "reason": "", "at": "t", "batch_sha256": "h"}
        ),
    ],
)
def test_a_forged_vote_is_ignored(asked: ApprovalWorld, forged: str) -> None:
    asked.requests.vote("run-1.1", approver_id(ANN), forged, asked.matched["sha256"])
    assert asked.decide() == "undecided"
    assert asked.expire() == "expired"


def test_a_vote_copied_from_another_request_is_ignored(asked: ApprovalWorld) -> None:
    asked.post(asked.link(ANN), answer="approve", invoices="3")
    stored = asked.requests.newest("run-1")
    assert stored is not None
    other = ApprovalWorld(asked.aws, asked.clock, run_id="run-2")
    other.ask()
    other.requests.vote("run-2.1", approver_id(ANN), stored.signed_votes[0], other.matched["sha256"])
    assert other.decide() == "undecided"


def test_one_signed_vote_under_two_names_counts_once(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Both (2): {ANN}, {BOB}")
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    stored = world.requests.newest("run-1")
    assert stored is not None
    world.requests.vote("run-1.1", approver_id(BOB), stored.signed_votes[0], world.matched["sha256"])
    assert world.decide() == "undecided"


def test_a_decision_about_another_batch_is_none_for_this_one(asked: ApprovalWorld) -> None:
    asked.post(asked.link(ANN), answer="approve", invoices="3")
    asked.matched = asked.batch(2)
    with pytest.raises(OurFault, match="no request for this run's batch"):
        asked.decide()


def test_one_address_that_is_refused_keeps_nobody_else_from_being_asked(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.outbox.refuses[ANN] = PersonNeeded("SES refuses")
    others = [address for address in everybody(slots_of(world.approvers)) if address != ANN]
    assert world.ask() == len(others)


def test_a_request_that_reaches_nobody_needs_a_person(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    for address in everybody(slots_of(world.approvers)):
        world.outbox.refuses[address] = PersonNeeded("SES refuses")
    with pytest.raises(PersonNeeded):
        world.ask()


# An address that SES refuses ------------------------------------------------------------------------------

TWO_SLOTS = f"Lead: {ANN}, {BOB}; Controller: {CY}"
BAD = AddressRefused("Domain contains illegal character")


def test_an_address_that_is_refused_is_put_on_record_wakes_the_run_once_and_is_not_tried_again(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock)
    world.outbox.refuses[ANN] = BAD
    assert world.ask() == 1
    stored = world.requests.newest("run-1")
    assert stored is not None
    (bounce,) = stored.bounces
    assert (bounce.approver, bounce.kind, bounce.detail) == (approver_id(ANN), "refused", BAD.answer)
    assert world.sleeper.woken == ["token-1"]
    assert world.read()["due"] == "reminder", "Bob and Slack have to hear"
    world.outbox.refuses[ANN] = OurFault("it was tried again")
    assert world.ask("token-2", "undecided") == 0
    assert world.sleeper.woken == ["token-1"], "a run that is woken in every turn would never wait"


def test_a_slot_whose_only_address_is_refused_is_lost_at_once(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=TWO_SLOTS)
    world.outbox.refuses[CY] = BAD
    assert world.ask() == 2
    assert world.sleeper.woken == ["token-1"]
    assert world.decide() == "undeliverable"


def test_killed_between_the_record_and_the_wake_the_next_attempt_wakes(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=TWO_SLOTS)
    world.outbox.refuses[CY] = BAD
    world.sleeper.failing = True
    with pytest.raises(ClientError):
        world.ask()
    world.sleeper.failing = False
    assert world.ask("token-2", "undecided") == 0
    assert world.sleeper.woken == ["token-2"]
    assert world.decide() == "undeliverable"


def test_a_slot_that_only_the_account_keeps_from_being_asked_needs_a_person_and_loses_nobody(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=TWO_SLOTS)
    world.outbox.refuses[CY] = PersonNeeded("SES refuses to send (MessageRejected)")
    with pytest.raises(PersonNeeded):
        world.ask()
    assert world.outbox.receivers == [ANN, BOB]
    world.outbox.refuses.clear()
    assert world.ask("token-2") == 1, "once it is put right, who was not asked is asked"
    assert world.decide() == "undecided"


def test_whoever_has_a_link_can_sign_while_the_account_may_not_send(asked: ApprovalWorld) -> None:
    asked.outbox.refuses[ANN] = asked.outbox.refuses[BOB] = PersonNeeded("SES refuses to send (SendingPaused)")
    asked.post(asked.link(ANN), answer="hold", order="SO-1001", reason="Disputed.")
    asked.ask("token-2", "undecided")
    asked.post(asked.link(BOB), answer="approve", invoices="2")
    assert asked.decide() == "approved"
