"""Reminders go to those whose answer is missing, once each, however often the state is repeated or killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.approval.approval_request import Bounce
from billing.domain.approval.approvers import approver_id
from billing.domain.batch.batch import read_batch
from billing.domain.errors import AddressRefused, PassingError
from billing.pages.approval.approval_mail import approval_mail, bounce_mail
from billing.pages.approval.approval_notices import asked_notice, bounce_notice
from billing.workflows.approval.approval_links import ApproverLinks
from billing.workflows.monthly_billing.remind_the_approvers import Reminding
from tests.a_run import a_run
from tests.adapters.aws_world import APPROVALS, AwsWorld
from tests.slots import slots_of
from tests.workflows.approval_world import ANN, BOB, CY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock


@dataclass
class Channel:
    """A Slack channel that can be down."""

    posts: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    def post(self, message_id: str, text: str, blocks: Sequence[dict[str, Any]]) -> None:
        if self.down:
            raise PassingError("Slack is down")
        self.posts.append((message_id, text + str(blocks)))

    def has(self, message_id: str, oldest: float) -> bool:
        return any(known == message_id for known, _ in self.posts)


@dataclass
class Waiting:
    """A request of three people that waits, and its reminders."""

    world: ApprovalWorld
    channel: Channel = field(default_factory=Channel)

    def remind(self, *, by_hand: bool = False) -> dict[str, int]:
        """The state "Remind the approvers"."""
        world = self.world
        return Reminding(
            listed=world.listed,
            requests=world.requests,
            files=world.files,
            messages=MessageLog(world.aws.dynamodb, APPROVALS),
            mail=world.outbox,
            channel=lambda: self.channel,
            signed=world.signatures,
            links=ApproverLinks("https://approve.example", world.signatures.sign_link, world.signatures.sign_inbox),
            write_reminder=approval_mail,
            write_bounce=bounce_mail,
            write_slack=lambda request, lost: (bounce_notice(request, lost).text, bounce_notice(request, lost).blocks),
            now=world.clock.now,
        ).remind(a_run(world.run), by_hand=by_hand)

    @property
    def reminded(self) -> list[str]:
        return [
            to
            for to, content, _ in self.world.outbox.mails
            if content.subject.startswith(("Reminder", "Urgent reminder"))
        ]


@pytest.fixture
def waiting(aws: AwsWorld, clock: MovingClock) -> Waiting:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}; Either: {BOB}, {CY}")
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    return Waiting(world)


def test_nothing_is_sent_before_its_time(waiting: Waiting) -> None:
    assert waiting.remind() == {"mails": 0, "posts": 0}
    assert waiting.reminded == []


def test_those_who_are_missing_are_reminded_once_an_interval_with_the_time_that_is_left(waiting: Waiting) -> None:
    for day, left in ((1, "2 days left"), (2, "1 day left")):
        waiting.world.clock.move(days=1)
        assert waiting.world.read()["due"] == "reminder"
        assert waiting.remind() == {"mails": 2, "posts": 0}
        assert waiting.remind() == {"mails": 0, "posts": 0}
        assert waiting.world.read()["due"] == "nothing"
        assert waiting.reminded == [BOB, CY] * day
        mail = waiting.world.outbox.mails[-1][1]
        assert left in " ".join(mail.text.split())
        # On the second of three days no other reminder comes before the end.
        assert (mail.importance == "high", mail.subject.startswith("Urgent")) == (day == 2, day == 2)
    waiting.world.post(waiting.world.link(BOB), answer="approve", invoices="3")
    waiting.world.clock.move(hours=23)
    assert waiting.remind() == {"mails": 0, "posts": 0}


def test_of_reminders_that_were_missed_only_the_newest_is_sent(waiting: Waiting) -> None:
    waiting.world.clock.move(days=2.5)
    assert waiting.remind()["mails"] == 2
    assert waiting.world.read()["due"] == "nothing"


def test_a_reminder_that_failed_halfway_is_finished_and_not_repeated(waiting: Waiting) -> None:
    waiting.world.clock.move(days=1)
    waiting.world.outbox.refuses[CY] = PassingError("SES is tired")
    with pytest.raises(PassingError):
        waiting.remind()
    assert waiting.world.read()["due"] == "reminder"
    waiting.world.outbox.refuses.clear()
    assert waiting.remind()["mails"] == 1
    assert waiting.reminded == [BOB, CY]


def test_a_bounce_is_told_to_the_others_and_the_channel_once_and_the_lost_one_is_not_reminded(waiting: Waiting) -> None:
    world = waiting.world
    world.requests.note_bounce("run-1.1", Bounce(approver_id(BOB), "bounce", "General", world.clock.now.isoformat()))
    waiting.channel.down = True
    with pytest.raises(PassingError):
        waiting.remind()
    waiting.channel.down = False
    assert waiting.remind() == {"mails": 0, "posts": 1}, "the mails were sent before the channel failed"
    told = [to for to, content, _ in world.outbox.mails if "is bouncing" in content.subject]
    assert told == [ANN, CY]
    assert BOB in waiting.channel.posts[0][1]
    assert "/approvals/" not in waiting.channel.posts[0][1]
    assert world.read()["due"] == "nothing"
    world.clock.move(days=1)
    waiting.remind()
    assert waiting.reminded == [CY]


def test_a_request_that_is_decided_or_over_reminds_nobody(waiting: Waiting) -> None:
    waiting.world.post(waiting.world.link(BOB), answer="approve", invoices="3")
    waiting.world.clock.move(days=1)
    assert waiting.remind() == {"mails": 0, "posts": 0}
    waiting.world.clock.move(days=9)
    assert waiting.remind() == {"mails": 0, "posts": 0}


def test_the_channels_notice_says_how_much_and_who_and_has_no_link(waiting: Waiting) -> None:

    world = waiting.world
    batch = read_batch(world.files.read_json(world.matched["batchKey"]))
    said = str(asked_notice(a_run(world.run), batch, slots_of(world.approvers), timedelta(days=3)))
    for word in ("3 invoices for May 2026", "USD 3,000.00", ANN, f"any one of {BOB} and {CY}", "3 days"):
        assert word in said
    assert "http" not in said


def test_an_address_that_is_refused_by_now_keeps_nobody_else_from_being_reminded(waiting: Waiting) -> None:
    """It may not write who is lost: that is for the state that asks. What it must not do is stop halfway."""
    waiting.world.clock.move(days=1)
    waiting.world.outbox.refuses[BOB] = AddressRefused("Illegal address")
    assert waiting.remind() == {"mails": 1, "posts": 0}
    assert waiting.reminded == [CY]
    assert waiting.world.read()["due"] == "nothing"


def test_somebody_who_was_lost_after_signing_is_news_only_when_they_have_to_sign_again(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}, {CY}; Controller: {BOB}")
    waiting = Waiting(world)
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.requests.note_bounce("run-1.1", Bounce(approver_id(ANN), "complaint", "abuse", world.clock.now.isoformat()))
    assert world.read()["due"] == "nothing"
    assert waiting.remind() == {"mails": 0, "posts": 0}
    world.post(world.link(BOB), answer="hold", order="SO-1001", reason="Disputed.")
    assert world.read()["due"] == "reminder"
    assert waiting.remind() == {"mails": 2, "posts": 1}


def test_by_hand_those_who_are_missing_are_reminded_before_their_time_and_once_an_hour(waiting: Waiting) -> None:
    assert waiting.remind(by_hand=True) == {"mails": 2, "posts": 0}
    assert waiting.remind(by_hand=True) == {"mails": 0, "posts": 0}
    assert waiting.reminded == [BOB, CY]
    waiting.world.clock.move(hours=1)
    assert waiting.remind(by_hand=True)["mails"] == 2


def test_a_reminder_by_hand_takes_the_place_of_none_that_comes_by_itself(waiting: Waiting) -> None:
    waiting.world.clock.move(hours=23)
    waiting.remind(by_hand=True)
    assert waiting.world.read()["due"] == "nothing"
    waiting.world.clock.move(hours=1)
    assert waiting.world.read()["due"] == "reminder"
    assert waiting.remind() == {"mails": 2, "posts": 0}
    assert waiting.world.read()["due"] == "nothing"


def test_by_hand_what_is_due_is_what_is_sent(waiting: Waiting) -> None:
    waiting.world.clock.move(days=1)
    assert waiting.remind(by_hand=True) == {"mails": 2, "posts": 0}
    assert waiting.world.read()["due"] == "nothing"
    assert waiting.remind() == {"mails": 0, "posts": 0}


def test_by_hand_nobody_is_reminded_of_a_request_that_is_decided(waiting: Waiting) -> None:
    waiting.world.post(waiting.world.link(BOB), answer="approve", invoices="3")
    assert waiting.remind(by_hand=True) == {"mails": 0, "posts": 0}
