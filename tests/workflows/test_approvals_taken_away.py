"""What "Read the decision" writes to the ledger about what was held back or rejected, killed and repeated anywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from billing.domain.batch.batch import read_batch
from billing.domain.errors import PersonNeeded
from billing.domain.ledger.ledger import Approval, Disposition, Objection, Revocation
from billing.domain.records import stored
from billing.domain.run import Matched, read_state, to_state
from billing.workflows.monthly_billing.read_the_decision import read_the_decision
from tests.a_run import a_run
from tests.adapters.aws_world import AwsWorld
from tests.domain.suiteql_rows import hours, order
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.drafting_world import Countdown, DraftingWorld, Killed
from tests.workflows.moving_clock import MovingClock


@dataclass
class Again:
    """A run that asks about two new orders, and beside them about SO-1001, which run-0 had signed for."""

    world: ApprovalWorld

    def __post_init__(self) -> None:
        world = self.world
        batch = read_batch(world.files.read_json(world.matched["batchKey"]))
        first, *others = batch.invoices
        self.key, self.hash = first.plan.key, first.invoice_hash
        self.before = world.clock.now.isoformat()
        world.ledger.record_approvals([Approval(self.key, self.hash, "cus_1")], "run-0", self.before)
        batch = replace(batch, invoices=(replace(first, disposition=Disposition.FINISH), *others))
        key = world.matched["batchKey"]
        world.matched = {
            "batchKey": key, "sha256": world.files.write_json(key, stored(batch)), "toAsk": 2, "toFinish": 1,
        }  # fmt: skip
        world.clock.move(days=0.1)
        world.ask()

    @property
    def approval(self) -> Approval:
        """The earlier one, as it is now."""
        return self.world.ledger.approvals([(self.key, self.hash)])[self.key, self.hash]

    def hold(self, answer: str = "hold") -> None:
        world = self.world
        posted = world.post(world.link(BOB), answer=answer, order="SO-1001", reason="Disputed.")
        assert posted["statusCode"] == 200

    def vote(self, answer: str, count: str) -> None:
        world = self.world
        field = "invoices" if answer == "approve" else "number"
        posted = world.post(world.link(ANN), answer=answer, reason="Wrong month.", **{field: count})
        assert posted["statusCode"] == 200

    def read(self, at: int = 0, after: bool = False) -> tuple[dict[str, Any] | None, int]:
        """The state, killed at the k-th call of any of its ports; its answer, and how many calls it made."""
        world, countdown = self.world, Countdown(at, after)
        requests, files, ledger = (countdown.around(port) for port in (world.requests, world.files, world.ledger))
        try:
            answer = read_the_decision(
                a_run(world.run),
                read_state(Matched, world.matched),
                requests,
                files,
                ledger,
                world.signatures,
                world.clock.now,
                lambda: world.listed,
            )
        except Killed:
            return None, countdown.calls
        return dict(to_state(answer)), countdown.calls


@pytest.fixture
def again(aws: AwsWorld, clock: MovingClock) -> Again:
    return Again(ApprovalWorld(aws, clock))


def test_a_held_plan_loses_its_earlier_approval_and_the_others_are_approved(again: Again) -> None:
    again.hold()
    again.vote("approve", "2")
    assert again.world.decide() == "approved"
    assert again.approval.run_id == "run-0"
    assert again.approval.revoked is not None
    assert again.approval.revoked.words == f"held back in run run-1 by {BOB}: Disputed."
    others = read_batch(again.world.files.read_json(again.world.matched["batchKey"])).of(Disposition.ASK)
    found = again.world.ledger.approvals((one.plan.key, one.invoice_hash) for one in others)
    assert [one.stands for one in found.values()] == [True, True]


def test_a_rejected_batch_takes_the_earlier_approval_in_it_away(again: Again) -> None:
    again.vote("reject", "3")
    assert again.world.decide() == "rejected"
    assert again.approval.revoked is not None
    assert again.approval.revoked.words == f"rejected in run run-1 by {ANN}: Wrong month."


def test_what_was_approved_earlier_is_signed_for_anew_with_the_batch_that_it_is_shown_in(again: Again) -> None:
    again.vote("approve", "3")
    assert again.world.decide() == "approved"
    assert (again.approval.run_id, again.approval.stands) == ("run-1", True)


def test_an_expired_request_leaves_what_nobody_objected_to_approved(again: Again) -> None:
    assert again.world.expire() == "expired"
    assert (again.approval.run_id, again.approval.stands) == ("run-0", True)


def test_a_hold_of_what_was_approved_earlier_wakes_the_run_which_writes_it_before_any_end(again: Again) -> None:
    again.hold()
    assert again.world.sleeper.woken == ["token-1"]
    assert again.world.decide() == "undecided"
    assert not again.approval.stands
    assert again.world.expire() == "expired"
    assert not again.approval.stands, "a hold counts although nobody answered"


def test_a_hold_that_was_taken_back_before_everybody_signed_takes_nothing_away(again: Again) -> None:
    again.hold()
    assert again.world.decide() == "undecided"
    again.world.clock.move(days=0.1)
    again.hold("release")
    again.vote("approve", "3")
    assert again.world.decide() == "approved"
    assert (again.approval.run_id, again.approval.stands) == ("run-1", True)


def test_a_hold_of_a_new_order_wakes_nobody(again: Again) -> None:
    world = again.world
    assert world.post(world.link(BOB), answer="hold", order="SO-1002", reason="Disputed.")["statusCode"] == 200
    assert world.sleeper.woken == []


def test_repeated_days_later_it_takes_nothing_away_that_was_signed_for_since(again: Again) -> None:
    again.vote("reject", "3")
    assert again.world.decide() == "rejected"
    again.world.clock.move(days=2)
    newer = again.world.clock.now.isoformat()
    again.world.ledger.record_approvals([Approval(again.key, again.hash, "cus_1")], "run-2", newer)
    again.world.clock.move(days=2)
    assert again.world.decide() == "rejected"
    assert (again.approval.run_id, again.approval.stands) == ("run-2", True)


def test_an_approval_repeated_days_later_gives_nothing_back(again: Again) -> None:
    again.vote("approve", "3")
    assert again.world.decide() == "approved"
    again.world.clock.move(days=1)
    later = ApprovalWorld(again.world.aws, again.world.clock, run_id="run-2")
    later.ask()
    later.post(later.link(ANN), answer="reject", number="3", reason="Disputed.")
    assert later.decide() == "rejected"
    again.world.clock.move(days=1)
    assert again.world.decide() == "approved", "its own request was approved, and stays so"
    assert not again.approval.stands, "but nothing is drafted on it any more"
    assert again.approval.revoked is not None
    assert again.approval.revoked.run_id == "run-2"


@pytest.mark.parametrize("answer", ["approve", "reject"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_and_repeated_it_writes_the_same(
    again: Again, answer: str, after: bool, clock: MovingClock
) -> None:
    again.hold()
    again.vote(answer, "2")
    killed = 0
    for at in range(1, 20):
        done, calls = again.read(at, after)
        if done is not None:
            break
        killed += 1
        assert calls == at
    assert killed == (5 if answer == "approve" else 3)
    assert done is not None
    assert done["outcome"] == ("approved" if answer == "approve" else "rejected")
    left = again.world.aws.rows("ledger")
    assert not again.approval.stands
    clock.move(days=1)
    assert again.read()[0] == done
    assert again.world.aws.rows("ledger") == left


# Another run drafts the same order right now ------------------------------------------------------------------


@pytest.mark.parametrize("at", range(1, 12))
def test_a_draft_that_is_killed_anywhere_and_then_held_by_another_run_gets_no_further(
    world: DraftingWorld, at: int
) -> None:
    """Drafted and settled before, it stays; begun, it is left as it is and named; not begun, nothing is made."""
    (item,) = world.approve(order("1000.00", hours()))
    world.kill(item, at)
    no = Revocation(item.key, item.invoice_hash, Objection.HELD, BOB, "Disputed.", "run-9", "now")
    world.ledger.revoke([no])
    entry, stripe = world.ledger.entry(item.key), world.stripe.dump()
    if entry is not None and entry.state == "drafted":
        assert world.draft(item) == "drafted"
    else:
        with pytest.raises(PersonNeeded, match=r"its approval was taken away\. It was held back in run run-9"):
            world.draft(item)
    assert world.stripe.dump() == stripe
    assert world.ledger.entry(item.key) == entry
