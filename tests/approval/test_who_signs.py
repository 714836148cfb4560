"""Delegates, deputies, people who were taken off, the one who asked: who may sign, and what lies signed on record."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.adapters.signatures import Signatures
from billing.domain.approval.approval_entries import Entry, EntryKind, holds, request_hash, slots_now
from billing.domain.approval.approvers import (
    Answer,
    Outcome,
    Slot,
    Vote,
    approver_id,
    lost_slots,
    parse_domains,
    parse_slot_rules,
    slots_for,
    without,
)
from billing.domain.approval.signed_links import InboxLink
from billing.domain.errors import InputInvalid
from billing.domain.records import to_record
from tests.adapters.aws_world import AwsWorld, aws_world
from tests.workflows.approval_world import ANN, BOB, CY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

DI, EVE = "di@partner.example", "eve@evil.example"
USD = {"usd": 100_000}


# The parameter -------------------------------------------------------------------------------------------


def test_a_slot_above_an_amount_is_asked_above_it_and_not_at_it() -> None:
    rules = parse_slot_rules(f"Lead: {ANN}; Partner above USD 1000, EUR 500: {BOB}")
    assert [slot.name for slot in slots_for(rules, "monthly", USD)] == ["Lead"]
    assert [slot.name for slot in slots_for(rules, "monthly", {"usd": 100_001})] == ["Lead", "Partner"]
    assert [slot.name for slot in slots_for(rules, "monthly", {"eur": 50_001})] == ["Lead", "Partner"]
    assert [slot.name for slot in slots_for(rules, "monthly", {"jpy": 10**9})] == ["Lead"]


def test_a_cycles_own_slots_stand_instead_of_the_others() -> None:
    rules = parse_slot_rules(f"Lead: {ANN}; apac > Lead (2): {BOB}, {CY}")
    assert slots_for(rules, "monthly", {}) == (Slot("Lead", 1, (ANN,)),)
    assert slots_for(rules, "apac", {}) == (Slot("Lead", 2, (BOB, CY)),)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (f"Partner above USD: {ANN}", "above"),
        (f"Partner above 1000 USD: {ANN}", "above"),
        (f"Partner above XYZ 1000: {ANN}", "XYZ"),
        (f"APAC > Lead: {ANN}", "cannot be read at slot 1"),
        (f"apac > Lead: {ANN}; apac > Lead: {BOB}", "twice"),
    ],
)
def test_a_mistake_in_amounts_and_cycles_is_named(text: str, mistake: str) -> None:
    with pytest.raises(InputInvalid, match="Approvers") as refused:
        parse_slot_rules(text)
    assert mistake in str(refused.value)


def test_a_cycle_in_which_nobody_is_always_asked_is_refused_at_the_start() -> None:
    with pytest.raises(InputInvalid, match='cycle "monthly"'):
        slots_for(parse_slot_rules(f"apac > Lead: {ANN}"), "monthly", {})
    with pytest.raises(InputInvalid, match="always asked"):
        slots_for(parse_slot_rules(f"Partner above USD 5: {ANN}"), "monthly", {})


def test_the_one_who_asked_is_in_no_slot_and_a_slot_that_needs_them_is_named() -> None:
    slots = (Slot("Lead", 1, (ANN, BOB)),)
    assert without(slots, approver_id(ANN)) == (Slot("Lead", 1, (BOB,)),)
    with pytest.raises(InputInvalid, match='"Both"'):
        without((Slot("Both", 2, (ANN, BOB)),), approver_id(ANN))


def test_domains_are_domains() -> None:
    assert parse_domains(" Firm.example, partner.example ") == {"firm.example", "partner.example"}
    with pytest.raises(InputInvalid, match="DelegateDomains"):
        parse_domains("ann@firm.example")


def test_the_requester_gets_no_mail_and_no_link(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, requested_by=approver_id(ANN))
    world.ask()
    assert world.outbox.receivers == [BOB]


# Passing on ----------------------------------------------------------------------------------------------


@pytest.fixture
def passed(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    """Ann has passed her request on to Di."""
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("partner.example",))
    world.ask()
    assert world.post(world.link(ANN), answer="delegate", delegate=DI.upper(), number="3")["statusCode"] == 200
    assert world.sleeper.woken == ["token-1"], "somebody has to be mailed"
    assert world.decide() == "undecided"
    assert world.ask("token-2", "undecided") == 1
    return world


def test_the_delegate_signs_with_a_link_of_their_own_instead_of_the_one_who_passed_on(passed: ApprovalWorld) -> None:
    shown = passed.post(passed.link(ANN), answer="approve", invoices="3")
    assert "delegated the request to" in shown["body"]
    assert passed.decide() == "undecided"
    passed.post(passed.link(BOB), answer="approve", invoices="3")
    passed.post(passed.link(DI), answer="approve", invoices="3")
    assert passed.decide() == "approved"


def test_a_delegate_cannot_pass_on_and_is_told(passed: ApprovalWorld) -> None:
    answer = passed.post(passed.link(DI), answer="delegate", delegate="fay@partner.example", number="3")
    assert answer["statusCode"] == 422
    assert "cannot delegate it again" in answer["body"]


@pytest.mark.parametrize(
    "to", ["", "eve@evil.example", "di@sub.partner.example", "partner.example", BOB, "a@b@partner.example"]
)
def test_only_new_people_of_an_allowed_domain_can_be_asked_instead(aws: AwsWorld, clock: MovingClock, to: str) -> None:
    world = ApprovalWorld(
        aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("partner.example", "firm.example")
    )
    world.ask()
    before = aws.dump()
    assert world.post(world.link(ANN), answer="delegate", delegate=to, number="3")["statusCode"] == 422
    assert aws.dump() == before


def test_a_delegation_that_no_key_has_signed_asks_nobody(aws: AwsWorld, clock: MovingClock) -> None:
    """Whoever can write to the table cannot give the right to sign away."""
    world = ApprovalWorld(aws, clock)
    world.ask()
    thief = Signatures({"first": "f" * 40})
    entry = Entry(EntryKind.DELEGATE, ANN, "t", people=(EVE,))
    world.requests.append("run-1.1", 0, thief.sign_entry("run-1.1", 1, to_record(entry)), world.matched["sha256"])
    other = world.signatures.sign_entry("run-2.1", 2, to_record(entry))
    world.requests.append("run-1.1", 1, other, world.matched["sha256"])
    elsewhere = world.signatures.sign_entry("run-1.1", 7, to_record(entry))
    world.requests.append("run-1.1", 2, elsewhere, world.matched["sha256"])
    assert world.ask("token-2", "undecided") == 0
    assert EVE not in world.outbox.receivers
    world.post(world.link(ANN), answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_a_delegate_whose_domain_is_no_longer_allowed_cannot_sign(passed: ApprovalWorld) -> None:
    passed.domains = ("other.example",)
    before = passed.aws.dump()
    shown = passed.post(passed.link(DI), answer="approve", invoices="3")
    assert "removed from the list" in shown["body"]
    assert passed.aws.dump() == before


# Taken off, and asked as well ----------------------------------------------------------------------------


def test_somebody_who_was_taken_off_can_no_longer_sign_and_is_told(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    link = world.link(ANN)
    world.approvers = f"Finance: {BOB}"
    before = aws.dump()
    shown = world.post(link, answer="approve", invoices="3")
    assert shown["statusCode"] == 422
    assert "removed from the list" in shown["body"]
    assert "removed from the list" in world.get(link)["body"]
    assert aws.dump() == before
    world.post(world.link(BOB), answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_deputies_sign_only_once_they_are_asked_and_only_where_a_slot_waits(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", deputies=(CY,))
    world.ask()
    world.post(world.link(BOB), answer="approve", invoices="3")
    assert world.escalate() == 1
    assert world.escalate() == 0, "safe to repeat"
    assert world.ask("token-2", "undecided") == 1
    stored = world.requests.newest("run-1")
    assert stored is not None
    world.post(world.link(CY), answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_a_deputy_who_asked_for_the_run_is_not_asked(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, deputies=(CY,), requested_by=approver_id(CY))
    world.ask()
    assert world.escalate() == 0


# Lost mail -----------------------------------------------------------------------------------------------


def test_a_slot_is_lost_when_too_few_of_it_can_be_reached_and_the_answered_count() -> None:
    slots = (Slot("Both", 2, (ANN, BOB, CY)), Slot("Lead", 1, (ANN, DI)))
    assert lost_slots(slots, [], "h", {ANN, DI}) == ("Lead",)
    assert lost_slots(slots, [], "h", {ANN}) == ()
    assert lost_slots(slots, [], "h", {BOB, CY}) == ("Both",)
    assert lost_slots(slots, [], "h", {BOB, DI}) == ("Both", "Lead"), "Ann fills one of the two"

    assert lost_slots(slots, [Vote(ANN, Answer.APPROVE, "h", "t")], "h", {ANN, BOB}) == ()
    assert lost_slots(slots, [Vote(ANN, Answer.APPROVE, "other", "t")], "h", {ANN, DI}) == ("Lead",)
    assert lost_slots(slots, [], "h", (), [Slot("Both", 2, (ANN, BOB)), Slot("Lead", 1, ())]) == ("Lead",)


# Holds ---------------------------------------------------------------------------------------------------


def test_what_is_signed_for_is_the_batch_and_what_is_held_whoever_holds_it_in_whichever_order() -> None:
    assert request_hash("b", []) == "b"
    assert request_hash("b", ["x", "y"]) == request_hash("b", ["y", "x"]) != request_hash("b", ["x"])
    assert request_hash("b", ["x"]) != request_hash("c", ["x"])
    steps = [Entry(kind, ANN, "t", plans=(key,)) for kind in (EntryKind.HOLD, EntryKind.RELEASE) for key in "xy"]
    assert set(holds([*steps[:2], steps[2]])) == {"y"}
    assert holds(steps) == {}


def test_an_earlier_approval_counts_no_more_after_a_hold_and_again_when_it_is_taken_back(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    bob = world.link(BOB)
    world.post(bob, answer="hold", order="SO-1001", reason="not final")
    assert world.decide() == "undecided"
    assert world.ask("token-2", "undecided") == 0, "Bob may hold back more in a moment"
    clock.move(hours=5 / 60)
    assert world.ask("token-2", "undecided") == 1, "Ann is asked again"
    assert world.ask("token-3", "undecided") == 0, "and only once"
    world.post(bob, answer="release", order="SO-1001", reason="final after all")
    world.post(bob, answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_a_hold_that_was_written_past_the_page_holds_nothing(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    world.requests.append("run-1.1", 0, "nonsense", request_hash(world.matched["sha256"], ["order-500"]))
    shown = world.post(world.link(ANN), answer="approve", invoices="3")
    assert shown["statusCode"] == 422, "the table asks about other content than its signed rows give"
    assert world.expire() == "expired", "nothing is drafted"


def test_a_vote_that_crosses_a_hold_is_not_counted_for_what_it_was_not_given_for(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    world.ask()
    old = world.matched["sha256"]
    world.post(world.link(BOB), answer="hold", order="SO-1001", reason="not final")
    assert world.requests.vote("run-1.1", approver_id(ANN), "signed before the hold", old) is False


# Everything at once --------------------------------------------------------------------------------------

PEOPLE = (ANN, BOB, CY)
FORMS = (
    {"answer": "approve", "invoices": "3"},
    {"answer": "approve", "invoices": "2"},
    {"answer": "reject", "number": "3", "reason": "not so"},
    {"answer": "hold", "order": "SO-1001", "reason": "not final"},
    {"answer": "release", "order": "SO-1001", "reason": "final"},
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(FORMS)), min_size=1, max_size=7))
def test_whatever_people_do_in_whichever_order_the_outcome_is_the_one_that_the_rules_give(
    acts: list[tuple[str, dict[str, str]]],
) -> None:
    with aws_world() as aws:
        world = ApprovalWorld(aws, MovingClock(), approvers=f"Two (2): {ANN}, {BOB}, {CY}")
        world.ask()
        links = {person: world.link(person) for person in PEOPLE}
        held, signed, expected = False, dict[tuple[str, bool], str](), "undecided"
        for person, form in acts:
            world.post(links[person], **form)
            if expected != "undecided" or (person, held) in signed:
                continue
            count = "2" if held else "3"
            if form["answer"] in ("approve", "reject") and count in (form.get("invoices"), form.get("number")):
                signed[person, held] = form["answer"]
            elif form["answer"] == "hold" and not held:
                held = True
            elif form["answer"] == "release" and held:
                held = False
            given_now = [answer for (_, about), answer in signed.items() if about == held]
            if "reject" in given_now:
                expected = "rejected"
            elif given_now.count("approve") >= 2:
                expected = "approved"
        assert world.decide() == expected
        assert world.sleeper.woken in ([], ["token-1"]), "one callback succeeds"
        assert (world.sleeper.woken == ["token-1"]) >= (expected != "undecided")


def test_votes_and_holds_at_the_same_instant_end_in_one_outcome_that_the_rules_give(
    aws: AwsWorld, clock: MovingClock
) -> None:
    for number, forms in enumerate(itertools.combinations(FORMS[:4], 2)):
        world = ApprovalWorld(aws, clock, approvers=f"{ANN}, {BOB}", run_id=f"run-{number}")
        world.ask(f"token-{number}")
        links = {ANN: world.link(ANN), BOB: world.link(BOB)}
        people = [
            threading.Thread(target=world.post, args=(links[person],), kwargs=form)
            for person, form in zip((ANN, BOB), forms, strict=True)
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        stored = world.requests.newest(world.run_id)
        assert stored is not None
        outcome = world.decide()
        # Without an outcome yet, the run reads the votes itself, and what it reads stands.
        assert world.decide() == outcome
        if stored.outcome is not None:
            assert outcome == stored.outcome.outcome in {str(Outcome.APPROVED), str(Outcome.REJECTED)}
        assert len(world.sleeper.woken) <= 1


# Killed between two steps --------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [["OUTCOME"], []])
@pytest.mark.parametrize("then", ["click", "slice"])
def test_killed_between_vote_outcome_and_callback_the_run_goes_on_right(
    aws: AwsWorld, clock: MovingClock, gone: list[str], then: str
) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    world.sleeper.failing = True
    world.post(world.link(ANN), answer="approve", invoices="3")
    for sk in gone:
        aws.dynamodb.delete_item(TableName="approvals", Key={"pk": {"S": "REQUEST#run-1.1"}, "sk": {"S": sk}})
    world.sleeper.failing = False
    if then == "click":
        world.post(world.link(BOB), answer="", invoices="")
        assert world.sleeper.woken == ["token-1"]
    else:
        assert world.ask("token-2", "undecided") == 0
        assert world.sleeper.woken == ["token-2"], "the next turn finds the decision and ends its own wait"
    assert world.decide() == "approved"


def test_a_decision_between_two_turns_ends_the_next_wait_at_once_and_asks_nobody_anew(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    world.sleeper.woken.append("token-1")  # its wait has timed out
    world.post(world.link(ANN), answer="reject", number="3", reason="not so")
    assert world.ask("token-2", "undecided") == 0
    assert world.sleeper.woken == ["token-1", "token-2"]
    assert world.decide() == "rejected"
    assert world.requests.current_number("run-1") == 1


def test_the_end_of_the_wait_that_falls_between_two_turns_is_an_end_and_no_new_request(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    clock.move(days=3)
    assert world.ask("token-2", "undecided") == 0
    assert world.sleeper.woken == ["token-2"]
    assert world.decide() == "expired"
    assert world.requests.current_number("run-1") == 1


# The inbox -----------------------------------------------------------------------------------------------


def test_the_inbox_shows_what_waits_and_what_was_decided_and_changes_nothing(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    before = aws.dump()
    body = world.look_into(world.inbox(ANN))["body"]
    assert "3 invoices for May 2026" in body.split("Earlier requests")[0]
    link = body.split('href="../')[1].split('"')[0]
    assert aws.dump() == before
    assert world.post(link, answer="approve", invoices="3")["statusCode"] == 200
    after = world.look_into(world.inbox(ANN))["body"]
    assert "Nothing is waiting for you" in after
    assert "You approved on" in after
    assert "Approved: the invoices are being drafted" in after
    bobs = world.look_into(world.inbox(BOB))["body"]
    assert "You did not answer" in bobs
    assert ANN not in bobs


def test_an_inbox_link_decides_nothing_and_a_deciding_link_opens_no_inbox(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    before = aws.dump()
    refused = world.get("nonsense")
    assert refused["statusCode"] == 404
    assert world.get(world.inbox(ANN)) == refused
    assert world.post(world.inbox(ANN), answer="approve", invoices="3") == refused
    assert world.look_into(world.link(ANN)) == refused
    assert world.look_into("nonsense") == refused
    never = world.signatures.sign_inbox(InboxLink(approver_id(EVE), int(clock()) + 60))
    assert world.look_into(never) == refused
    ended = world.signatures.sign_inbox(InboxLink(approver_id(ANN), int(clock())))
    over = world.look_into(ended)
    assert (over["statusCode"], "This link has expired" in over["body"]) == (410, True)
    assert "newer link" in over["body"]
    assert aws.dump() == before


def test_slots_now_keeps_need_and_order() -> None:
    slots = (Slot("Two", 2, (ANN, BOB, CY)), Slot("Lead", 1, (ANN,)))
    entries = [
        Entry(EntryKind.DELEGATE, ANN, "t", people=(DI,)),
        Entry(EntryKind.ESCALATE, "", "t", people=(EVE, DI), slots=("Lead",)),
    ]
    assert slots_now(slots, entries) == (Slot("Two", 2, (DI, BOB, CY, EVE)), Slot("Lead", 1, (DI, EVE)))
