"""An answer counts for exactly what the page showed: whatever changed since decides nothing and is shown anew."""

from __future__ import annotations

import threading

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy
from tests.adapters.aws_world import AwsWorld
from tests.domain.suiteql_rows import hours, order
from tests.workflows.approval_world import ANN, BOB, CY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

ANSWERS = (
    {"answer": "approve", "invoices": "2"},
    {"answer": "reject", "number": "2", "reason": "not so"},
    {"answer": "hold", "order": "SO-1003", "reason": "not final"},
    {"answer": "release", "order": "SO-1002", "reason": "final"},
    {"answer": "delegate", "delegate": "di@partner.example", "number": "2"},
)


@pytest.fixture
def asked(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    """Ann and Bob have to sign for three orders; Bob has held back SO-1001."""
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("partner.example",))
    world.ask()
    assert world.post(world.link(BOB), answer="hold", order="SO-1001", reason="not final")["statusCode"] == 200
    return world


@pytest.mark.parametrize("form", ANSWERS, ids=lambda form: form["answer"])
@pytest.mark.parametrize("content", ["old", "missing", "made up"])
def test_an_answer_to_another_content_with_the_same_number_changes_nothing(
    asked: ApprovalWorld, form: dict[str, str], content: str
) -> None:
    old = asked.shown(asked.link(ANN))
    bob = asked.link(BOB)
    assert asked.post(bob, answer="release", order="SO-1001", reason="final after all")["statusCode"] == 200
    assert asked.post(bob, answer="hold", order="SO-1002", reason="this one")["statusCode"] == 200
    hidden = {"old": old, "missing": {}, "made up": {"content": "0" * 64}}[content]
    before = asked.aws.dump()
    page = asked.send(asked.link(ANN), **hidden, **form)
    assert (page["statusCode"], asked.aws.dump() == before) == (422, True)
    assert "has changed since you opened it, so nothing was recorded" in page["body"]
    assert "this one" in page["body"], "the page as it is now"
    assert asked.shown(asked.link(ANN))["content"] in page["body"]
    assert asked.decide() == "undecided"


def test_what_is_signed_says_what_was_shown(asked: ApprovalWorld) -> None:
    assert asked.post(asked.link(ANN), answer="approve", invoices="2")["statusCode"] == 200
    stored = asked.requests.newest("run-1")
    assert stored is not None
    vote = asked.signatures.read_vote(stored.signed_votes[0])
    assert vote is not None
    assert vote["batch_sha256"] == asked.shown(asked.link(BOB))["content"]
    assert vote["shown"] == "2 invoices, USD 2,000.00"


def test_a_number_is_read_as_the_button_writes_it_and_as_people_do() -> None:
    from billing.workflows.approval_page.approval_page import _THOUSANDS

    for typed in ("10,000", "10 000", "10.000", "10'000", "10000"):
        assert _THOUSANDS.sub("", typed) == "10000"
    for typed in ("1,0000", "10,00", ",10000", "1-000", "10,000.5", "2,3"):
        assert _THOUSANDS.sub("", typed) not in ("10000", "1000", "23")


@pytest.mark.parametrize(
    "reason", ["\u200b\u200b\u200b", "\u3164" * 5, "\u2800" * 5, "...", "\u202e\u202c a", "\u0301" * 9]
)
@pytest.mark.parametrize("form", [{"answer": "reject", "number": "2"}, {"answer": "hold", "order": "SO-1002"}])
def test_a_reason_that_nobody_can_see_is_none(asked: ApprovalWorld, form: dict[str, str], reason: str) -> None:
    before = asked.aws.dump()
    assert asked.post(asked.link(ANN), reason=reason, **form)["statusCode"] == 422
    assert asked.aws.dump() == before


# Who has answered already --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ANSWERS[1:], ids=lambda form: form["answer"])
def test_whoever_has_answered_is_told_that_another_answer_was_not_recorded(
    asked: ApprovalWorld, form: dict[str, str]
) -> None:
    link = asked.link(ANN)
    shown = asked.shown(link)
    assert asked.post(link, answer="approve", invoices="2")["statusCode"] == 200
    before = asked.aws.dump()
    page = asked.send(link, **shown, **form)
    assert (page["statusCode"], asked.aws.dump() == before) == (422, True)
    assert "You have already responded, and your first answer counts" in page["body"]
    again = asked.send(link, **shown, answer="approve", invoices="2")
    assert again["statusCode"] == 200, "the same answer twice is no mistake"
    assert "not recorded" not in again["body"]


def test_two_clicks_at_once_are_one_answer_and_no_mistake(asked: ApprovalWorld) -> None:
    link = asked.link(ANN)
    pages: list[int] = []
    clicks = [
        threading.Thread(target=lambda: pages.append(asked.post(link, answer="approve", invoices="2")["statusCode"]))
        for _ in range(2)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert pages == [200, 200]
    stored = asked.requests.newest("run-1")
    assert stored is not None
    assert len(stored.signed_votes) == 1


def test_an_answer_after_the_end_is_told_that_it_came_too_late(asked: ApprovalWorld) -> None:
    asked.clock.move(days=3)
    page = asked.post(asked.link(ANN), answer="approve", invoices="2")
    assert page["statusCode"] == 200
    assert "had ended before you responded. Your answer was not recorded." in page["body"]
    assert "Expired" in page["body"]


def test_whoever_passed_the_request_on_is_told_that_they_cannot_answer(asked: ApprovalWorld) -> None:
    link = asked.link(ANN)
    asked.post(link, answer="delegate", delegate="di@partner.example", number="2")
    page = asked.post(link, answer="approve", invoices="2")
    assert page["statusCode"] == 422
    assert "You delegated this request to" in page["body"]


# A vote that a later hold has voided ---------------------------------------------------------------------


def test_a_signature_that_a_hold_voided_stays_visible_to_everybody(asked: ApprovalWorld) -> None:
    assert asked.post(asked.link(ANN), answer="approve", invoices="2")["statusCode"] == 200
    assert asked.post(asked.link(BOB), answer="hold", order="SO-1002", reason="this one")["statusCode"] == 200
    said = "approved other content"
    assert said in asked.get(asked.link(BOB))["body"]
    assert "You signed an earlier version" in asked.get(asked.link(ANN))["body"]
    assert "You approved other content on" in asked.look_into(asked.inbox(ANN))["body"]
    assert asked.expire() == "expired"
    page = asked.get(asked.link(ANN))["body"]
    assert said in page, "their own"
    assert "You did not answer" not in page
    assert said not in asked.get(asked.link(BOB))["body"], "and nobody else's: the link has ended"


# Orders that share an invoice ----------------------------------------------------------------------------


@pytest.fixture
def grouped(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    """One client's three orders on one invoice, and another client's."""
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    rows = [
        row
        for n, client in enumerate(("77", "77", "77", "78"))
        for row in order("1000.00", hours(), id=str(500 + n), tranid=f"SO-{1001 + n}", entity=client)
    ]
    world.matched = world.batch_of(rows, BillingPolicy(grouping="client"))
    world.ask()
    return world


def test_a_hold_that_takes_other_orders_along_names_them_and_has_to_be_confirmed(grouped: ApprovalWorld) -> None:
    link, hold = grouped.link(ANN), {"answer": "hold", "order": "so-1002", "reason": "not final"}
    before = grouped.aws.dump()
    for together in ({}, {"together": ""}, {"together": "2"}, {"together": "on"}):
        page = grouped.post(link, **hold, **together)
        assert (page["statusCode"], grouped.aws.dump() == before) == (422, True)
        assert "SO-1002 is billed on one invoice with SO-1001, SO-1003" in page["body"]
        assert 'name="together"' in page["body"]
    page = grouped.post(link, **hold, together="3")
    assert page["statusCode"] == 200
    assert "Order SO-1002 (with SO-1001, SO-1003) is on hold." in page["body"]
    bobs = grouped.get(grouped.link(BOB))["body"]
    assert "put SO-1002 (with SO-1001, SO-1003) on hold" in bobs
    assert "There is <strong>1</strong>" in bobs
    assert (
        grouped.post(grouped.link(BOB), answer="release", order="SO-1003", reason="it was right")["statusCode"] == 200
    )
    assert grouped.post(grouped.link(BOB), answer="approve", invoices="2")["statusCode"] == 200


def test_an_order_alone_on_its_invoice_is_held_without_a_second_question(grouped: ApprovalWorld) -> None:
    page = grouped.post(grouped.link(ANN), answer="hold", order="SO-1004", reason="not final")
    assert (page["statusCode"], "Order SO-1004 is on hold." in page["body"]) == (200, True)


# Many changes --------------------------------------------------------------------------------------------


def test_two_hundred_holds_do_not_push_the_warnings_off_the_page() -> None:
    from billing.pages.approval.approval_view import newest_first

    shown, folded, more = newest_first([f"change {number}" for number in range(200)])
    assert shown == ("change 199", "change 198", "change 197")
    assert (len(folded), folded[0], more) == (50, "change 196", 147)
    assert newest_first(["a", "b"]) == (("b", "a"), (), 0)


# Who is asked later, and why -----------------------------------------------------------------------------


def test_the_mails_to_delegates_and_deputies_say_why_they_are_asked(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(
        aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("partner.example",), deputies=(CY,)
    )
    world.ask()
    first = " ".join(world.outbox.mails[0][1].text.split())
    assert "delegated this request" not in first
    world.post(world.link(ANN), answer="delegate", delegate="di@partner.example", number="3")
    world.ask("token-2", "undecided")
    assert world.escalate() == 1
    world.ask("token-3", "undecided")
    texts = {to: " ".join(content.text.split()) for to, content, _ in world.outbox.mails}
    assert f"{ANN} delegated this request to you, so you decide in their place." in texts["di@partner.example"]
    assert "You are asked as a deputy: not everyone who was asked first has responded in time." in texts[CY]
