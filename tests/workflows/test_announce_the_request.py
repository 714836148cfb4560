"""The channel hears of each request once, also of one that asks anew about the same content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.approval.approvers import Slot, parse_slot_rules
from billing.domain.batch.batch import Batch
from billing.domain.errors import PassingError
from billing.domain.run import Matched, Run, read_state
from billing.pages.approval.approval_notices import asked_notice
from billing.workflows.monthly_billing.announce_the_request import announce_the_request
from tests.a_run import a_run
from tests.adapters.aws_world import RUNS, AwsWorld
from tests.workflows.approval_world import ApprovalWorld
from tests.workflows.moving_clock import MovingClock


@dataclass
class Channel:
    """A channel in memory. `lost` lets the next post arrive and then fail, as a killed process leaves it."""

    posts: dict[str, str] = field(default_factory=dict)
    lost: bool = False

    def post(self, message_id: str, text: str, blocks: Sequence[dict[str, Any]]) -> None:
        assert message_id not in self.posts
        self.posts[message_id] = f"{text} {blocks}"
        if self.lost:
            self.lost = False
            raise PassingError("Slack was silent.")

    def has(self, message_id: str, oldest: float) -> bool:
        return message_id in self.posts


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    return ApprovalWorld(aws, clock)


def announce(world: ApprovalWorld, channel: Channel, **run: Any) -> int:
    def write(run: Run, batch: Batch, slots: Sequence[Slot]) -> tuple[str, list[dict[str, Any]]]:
        message = asked_notice(run, batch, slots, world.clock.now - world.clock.now)
        return message.text, message.blocks

    return announce_the_request(
        a_run(world.run, **run),
        read_state(Matched, world.matched),
        parse_slot_rules(world.approvers),
        world.files,
        MessageLog(world.aws.dynamodb, RUNS),
        lambda: channel,
        write,
        world.clock.now,
    )["posts"]


def test_a_repeated_announcement_is_posted_once(world: ApprovalWorld) -> None:
    channel = Channel()
    assert [announce(world, channel, round=0) for _ in range(3)] == [1, 0, 0]
    assert "redriven" not in "".join(channel.posts.values())


def test_the_same_content_is_announced_once_in_each_round(world: ApprovalWorld) -> None:
    channel = Channel()
    assert [announce(world, channel, round=number) for number in (0, 0, 1, 1, 3)] == [1, 0, 1, 0, 1]
    assert "The run was redriven and is asking again." in list(channel.posts.values())[1]


def test_a_run_opened_by_an_earlier_version_is_not_announced_twice(world: ApprovalWorld) -> None:
    channel = Channel()
    assert [announce(world, channel), announce(world, channel, round=0)] == [1, 0]


def test_other_content_of_the_same_round_is_announced(world: ApprovalWorld) -> None:
    channel = Channel()
    announce(world, channel, round=1)
    world.matched = world.batch(2)
    assert announce(world, channel, round=1) == 1


def test_an_announcement_whose_answer_was_lost_is_not_posted_again(world: ApprovalWorld) -> None:
    channel = Channel(lost=True)
    with pytest.raises(PassingError):
        announce(world, channel, round=1)
    assert announce(world, channel, round=1) == 0
    assert len(channel.posts) == 1
