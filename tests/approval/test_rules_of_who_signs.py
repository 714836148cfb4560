"""Who counts for what while a request waits: the barred requester, people taken off a slot, deputies, and what is due
at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.approval.approval_entries import QUIET, Entry, EntryKind, run_must_look, slots_now
from billing.domain.approval.approval_request import Bounce
from billing.domain.approval.approvers import (
    Answer,
    Outcome,
    Slot,
    Vote,
    approver_id,
    count_votes,
    parse_slot_rules,
    requester_id,
)
from billing.domain.batch.batch import Batch
from billing.domain.records import to_record
from billing.domain.run import Matched, Run, read_state
from billing.pages.approval.approval_mail import approval_mail, bounce_mail
from billing.pages.approval.approval_notices import bounce_notice
from billing.workflows.approval.approval_history import record_of
from billing.workflows.approval.approval_links import ApproverLinks
from billing.workflows.approval.present_request import PresentRequest, present_request
from billing.workflows.monthly_billing.announce_the_request import announce_the_request
from billing.workflows.monthly_billing.remind_the_approvers import Reminding
from tests.a_run import a_run
from tests.adapters.aws_world import APPROVALS, AwsWorld
from tests.approval.test_reminders import Channel
from tests.workflows.approval_world import ANN, BOB, CY, DAY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

EVE, FAY = "eve@firm.example", "fay@firm.example"
MINUTE = 1 / 60


class Escalating(ApprovalWorld):
    """Deputies are asked after a day, like the first reminder, and the states follow each other as in the machine."""

    @property
    def run(self) -> dict[str, Any]:
        run = super().run
        return {**run, "settings": {**run["settings"], "escalationAfterSeconds": DAY}}

    def turn(self, token: str) -> list[str]:
        """From the end of a slice to the next wait. Answers the states in between."""
        due = self.read()["due"]
        states = {"escalation": ["deputies", "remind"], "reminder": ["remind"], "nothing": []}[due]
        if "deputies" in states:
            self.escalate()
        if "remind" in states:
            self.remind()
        self.ask(token, "undecided")
        return states

    def remind(self) -> dict[str, int]:
        return Reminding(
            listed=self.listed,
            requests=self.requests,
            files=self.files,
            messages=MessageLog(self.aws.dynamodb, APPROVALS),
            mail=self.outbox,
            channel=Channel,
            signed=self.signatures,
            links=ApproverLinks("https://approve.example", self.signatures.sign_link, self.signatures.sign_inbox),
            write_reminder=approval_mail,
            write_bounce=bounce_mail,
            write_slack=lambda request, lost: (bounce_notice(request, lost).text, bounce_notice(request, lost).blocks),
            now=self.clock.now,
        ).remind(a_run(self.run))

    def subjects(self, person: str) -> list[str]:
        return [content.subject.split(":")[0] for to, content, _ in self.outbox.mails if to == person]


def present(world: ApprovalWorld) -> PresentRequest:
    stored = world.requests.newest(world.run_id)
    assert stored is not None
    return present_request(stored, world.signatures).among(world.listed)


# The requester ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approvers", [f"Lead: {ANN}; Controller: {BOB}", f"Lead: {ANN}, {EVE}; Controller: {BOB}"])
def test_a_barred_requester_cannot_be_delegated_to(aws: AwsWorld, clock: MovingClock, approvers: str) -> None:
    world = ApprovalWorld(aws, clock, approvers=approvers, domains=("firm.example",), requested_by=approver_id(EVE))
    world.ask()
    assert EVE not in world.outbox.receivers
    before = aws.dump()
    refused = world.post(world.link(ANN), answer="delegate", delegate=EVE.upper(), number="3")
    assert (refused["statusCode"], "started the run" in refused["body"]) == (422, True)
    assert aws.dump() == before


def test_a_signed_entry_that_names_the_barred_requester_still_gives_them_no_place(
    aws: AwsWorld, clock: MovingClock
) -> None:
    """Whatever a former version of the page has written."""
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", deputies=(EVE,))
    world.domains, world.requested_by = ("firm.example",), approver_id(EVE)
    world.ask()
    for number, entry in enumerate(
        (Entry(EntryKind.DELEGATE, ANN, "t", people=(EVE,)), Entry(EntryKind.ESCALATE, "", "t", people=(EVE,)))
    ):
        signed = world.signatures.sign_entry("run-1.1", number + 1, to_record(entry))
        assert world.requests.append("run-1.1", number, signed, world.matched["sha256"])
    assert EVE not in present(world).people
    assert EVE not in present(world).signers
    assert world.ask("token-2", "undecided") == 0


def test_who_is_barred_is_fixed_when_the_request_is_opened(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, requested_by=approver_id(EVE))
    world.ask()
    world.requested_by = ""
    world.ask("token-2", "undecided")
    assert present(world).request.barred == approver_id(EVE)
    assert world.requests.open(replace(present(world).stored.request, barred=""), "") is False, "written once"


def test_the_channel_is_not_told_that_the_barred_requester_signs(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, requested_by=approver_id(BOB))
    told: list[Slot] = []

    def write(run: Run, batch: Batch, slots: Sequence[Slot]) -> tuple[str, list[dict[str, Any]]]:
        told.extend(slots)
        return "asked", []

    announce_the_request(
        a_run(world.run),
        read_state(Matched, world.matched),
        parse_slot_rules(world.approvers),
        world.files,
        MessageLog(aws.dynamodb, APPROVALS),
        Channel,
        write,
        clock.now,
    )
    assert told == [Slot("Finance", 1, (ANN,))]


# Taken off a slot -------------------------------------------------------------------------------------------


def test_somebody_moved_to_another_cycle_or_slot_cannot_sign_for_the_one_they_left(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}, {CY}")
    world.ask()
    link = world.link(BOB)
    world.approvers = f"Lead: {ANN}, {BOB}; Controller: {CY}; apac > Controller: {BOB}"
    before = aws.dump()
    refused = world.post(link, answer="approve", invoices="3")
    assert (refused["statusCode"], "removed from the list" in refused["body"]) == (422, True)
    assert aws.dump() == before
    assert present(world).missing == (ANN, CY), "and is not reminded"


def test_somebody_taken_off_one_of_two_slots_signs_for_the_other_alone(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}, {BOB}; Controller: {ANN}, {CY}")
    world.ask()
    world.approvers = f"Lead: {ANN}, {BOB}; Controller: {CY}"
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.post(world.link(BOB), answer="approve", invoices="3")
    assert world.decide() == "undecided", "Ann and Bob are two for Lead; Controller is Cy's"
    world.approvers = f"Lead: {ANN}, {BOB}; Controller: {ANN}, {CY}"
    assert world.decide() == "undecided", "what she signed for does not grow"
    world.post(world.link(CY), answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_what_somebody_signed_before_they_were_taken_off_stands(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    world.ask()
    world.post(world.link(BOB), answer="approve", invoices="3")
    world.approvers = f"Lead: {ANN}; Controller: {CY}"
    assert world.decide() == "undecided"
    world.post(world.link(ANN), answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_a_slot_that_nobody_listed_can_fill_ends_the_run_with_a_sentence_that_says_so(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    world.ask()
    world.approvers = f"Lead: {ANN}; Controller: {CY}"
    assert world.decide() == "undeliverable"
    outcome = present(world).stored.outcome
    assert outcome is not None
    assert outcome.reason.startswith("The parameter Approvers no longer lists enough people for Controller.")
    world.ask("token-2", "not asked")
    assert world.outbox.receivers[-2:] == [ANN, CY], "a redrive asks those who are listed now"


def test_a_mistake_in_the_parameters_takes_no_decision_back(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.approvers = "Lead: nobody"
    assert world.decide() == "approved"


# Deputies ---------------------------------------------------------------------------------------------------


def test_one_deputy_fills_one_slot(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", deputies=(CY, EVE))
    world.ask()
    world.escalate()
    world.ask("token-2", "undecided")
    world.post(world.link(CY), answer="approve", invoices="3")
    assert world.decide() == "undecided"
    assert set(present(world).missing) == {ANN, BOB, EVE}
    world.post(world.link(EVE), answer="approve", invoices="3")
    assert world.decide() == "approved"


def test_deputies_stand_in_a_slot_that_a_hold_opened_after_the_escalation(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", deputies=(CY, EVE))
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.escalate()
    world.ask("token-2", "undecided")
    world.post(world.link(CY), answer="hold", order="SO-1001", reason="not final yet")
    for deputy in (CY, EVE):
        world.post(world.link(deputy), answer="approve", invoices="2")
    assert world.decide() == "approved", "one of the two for Ann, the other for Bob"


def test_a_deputy_who_has_passed_the_request_on_is_out(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(
        aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", deputies=(ANN,), domains=("firm.example",)
    )
    world.ask()
    world.post(world.link(ANN), answer="delegate", delegate=FAY, number="3")
    world.ask("token-2", "undecided")
    assert world.escalate() == 0
    assert ANN not in present(world).people
    for person in (FAY, BOB):
        world.requests.note_bounce("run-1.1", Bounce(approver_id(person), "bounce", "General", "t"))
    assert world.decide() == "undeliverable", "and does not count as somebody who can be reached"


def test_a_deputy_who_passes_on_after_the_escalation_is_replaced_everywhere() -> None:
    slots = (Slot("A", 1, (ANN,)), Slot("B", 1, (BOB,)))
    entries = [
        Entry(EntryKind.ESCALATE, "", "t", people=(CY,)),
        Entry(EntryKind.DELEGATE, CY, "t", people=(FAY,)),
    ]
    assert slots_now(slots, entries) == (Slot("A", 1, (ANN, FAY)), Slot("B", 1, (BOB, FAY)))


def test_an_escalation_that_finds_nobody_is_on_record_and_starves_neither_reminders_nor_news(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = Escalating(aws, clock, deputies=(CY,), requested_by=approver_id(CY))
    world.ask()
    clock.move(days=1)
    world.requests.note_bounce("run-1.1", Bounce(approver_id(BOB), "bounce", "General", clock.now.isoformat()))
    assert world.turn("token-2") == ["deputies", "remind"]
    assert world.subjects(ANN)[1:] == ["Reminder", "Email to an approver is bouncing"]
    assert world.turn("token-3") == [], "it is not tried again"
    record = [line for line in record_of([present(world)]) if "no deputy" in line.what]
    assert [line.reason for line in record] == ["The parameter Deputies lists no one who may sign this request."]
    clock.move(days=1)
    assert world.turn("token-4") == ["remind"]
    assert "No deputy could be asked" in world.get(world.link(ANN))["body"]


def test_a_reminder_that_is_due_together_with_the_escalation_is_sent_and_deputies_are_asked_not_reminded(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = Escalating(aws, clock, deputies=(CY,))
    world.ask()
    clock.move(days=1)
    assert world.turn("token-2") == ["deputies", "remind"]
    assert [subject.startswith(("Reminder", "Urgent reminder")) for subject in world.subjects(ANN)] == [False, True]
    assert [subject.startswith(("Reminder", "Urgent reminder")) for subject in world.subjects(CY)] == [False]
    assert world.turn("token-3") == []


def test_an_escalation_that_keeps_failing_does_not_keep_the_reminder_back(aws: AwsWorld, clock: MovingClock) -> None:
    world = Escalating(aws, clock, deputies=(CY,))
    world.ask()
    clock.move(days=1)
    answer = world.read()
    assert (answer["due"], answer["seconds"]) == ("escalation", 3_600), "and the next look is an hour away"
    assert world.remind()["mails"] == 2, "its Catch goes on to the reminders"


# Holds ------------------------------------------------------------------------------------------------------


def test_ten_holds_in_a_row_wake_the_run_once_and_ask_again_with_one_mail(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}")
    world.matched = world.batch(30)
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="30")
    bob = world.link(BOB)
    for number in range(10):
        world.post(bob, answer="hold", order=f"SO-{1001 + number}", reason="not final yet")
        clock.move(hours=MINUTE)
    assert world.sleeper.woken == ["token-1"]
    assert world.read()["seconds"] == 4 * 60
    assert world.ask("token-2", "undecided") == 0
    clock.move(hours=4 * MINUTE)
    assert world.ask("token-3", "undecided") == 1
    assert world.outbox.receivers.count(ANN) == 2
    world.post(bob, answer="hold", order="SO-1020", reason="not final yet")
    assert world.sleeper.woken == ["token-1", "token-3"], "the quiet was over: the run must look again"


def test_a_hold_wakes_the_run_unless_it_looks_anyway() -> None:
    now = datetime(2026, 6, 1, 13, tzinfo=UTC)

    def held(minutes: float) -> Entry:
        return Entry(EntryKind.HOLD, BOB, (now - timedelta(minutes=minutes)).isoformat())

    signed = [(now - timedelta(minutes=30)).isoformat()]
    assert not run_must_look([], [], now), "nobody has signed"
    assert run_must_look([], signed, now)
    assert not run_must_look([held(1)], signed, now)
    assert run_must_look([held(QUIET / timedelta(minutes=1))], signed, now)
    assert run_must_look([held(1)], [(now - timedelta(seconds=10)).isoformat()], now), "that hold woke nobody"


# One mailbox with a tag is one person ---------------------------------------------------------------------


def test_a_request_is_not_passed_on_to_somebody_who_is_asked_with_a_tag(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("firm.example",))
    world.ask()
    for to in ("bob+x@firm.example", "ann+x@firm.example"):
        page = world.post(world.link(ANN), answer="delegate", delegate=to, number="3")
        assert (page["statusCode"], "has already been asked" in page["body"]) == (422, True), to


def test_a_request_is_not_passed_on_to_the_barred_requester_with_a_tag(aws: AwsWorld, clock: MovingClock) -> None:
    barred = requester_id("eve+billing@firm.example")
    world = ApprovalWorld(
        aws, clock, approvers=f"Lead: {ANN}; Controller: {BOB}", domains=("firm.example",), requested_by=barred
    )
    world.ask()
    for to in ("eve@firm.example", "eve+other@firm.example"):
        page = world.post(world.link(ANN), answer="delegate", delegate=to, number="3")
        assert (page["statusCode"], "started the run" in page["body"]) == (422, True), to


def test_the_requesters_tagged_address_is_in_no_slot_and_is_no_deputy(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(
        aws, clock, approvers=f"Lead: {ANN}, eve+lead@firm.example", deputies=("eve+dep@firm.example", CY),
        requested_by=requester_id("eve@firm.example"),
    )  # fmt: skip
    assert world.ask() == 1
    assert world.escalate() == 1


def test_two_addresses_of_one_mailbox_fill_one_place() -> None:
    """A request that waits may still name both: the version before took them for two people."""
    slots = (Slot("Lead", 1, ("ann@firm.example",)), Slot("Controller", 1, ("ann+c@firm.example", BOB)))
    votes = [
        Vote("ann@firm.example", Answer.APPROVE, "h", "2026-06-01T10:00"),
        Vote("ann+c@firm.example", Answer.APPROVE, "h", "2026-06-01T11:00"),
    ]
    assert count_votes(slots, votes, "h").outcome is Outcome.UNDECIDED
    both = [*votes, Vote(BOB, Answer.APPROVE, "h", "2026-06-01T12:00")]
    assert count_votes(slots, both, "h").outcome is Outcome.APPROVED
