"""One bell a root object, in DynamoDB: who works on it, who takes over, and that no ring is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from billing.adapters.dynamodb.settlement_bells import Bells
from billing.domain.errors import Differs, OurFault, PassingError, PersonNeeded, Superseded
from billing.domain.settlement.event_roots import Doorbell, RootKind
from billing.domain.settlement.passes import READ, BellList, Pass
from billing.domain.settlement.records import Hold
from billing.workflows.settlement.finish_the_pass import hold_the_object
from billing.workflows.settlement.ring_the_bells import Ringing, StillStopping, ring_the_bells
from tests.adapters.aws_world import OneCallAtATime

TABLE = "settlement"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT = NOW.isoformat()
HOLD = Hold("order_and_invoice_differ", "They differ.", (("total", "USD 1.00", "USD 1.01"),))


@pytest.fixture
def bells() -> Iterator[Bells]:
    with mock_aws():
        client: Any = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "list", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "ByList",
                    "KeySchema": [
                        {"AttributeName": "list", "KeyType": "HASH"},
                        {"AttributeName": "pk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield Bells(OneCallAtATime(client), TABLE)  # type: ignore[arg-type]


@dataclass
class Machine:
    """Executions by ARN: running or ended."""

    running: set[str] = field(default_factory=set)
    started: list[str] = field(default_factory=list)
    refuse: Exception | None = None

    def arn(self, name: str) -> str:
        return f"arn:{name}"

    def is_running(self, execution_arn: str) -> bool:
        return execution_arn in self.running

    def start(self, name: str, execution_input: object) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.started.append(name)
        self.running.add(self.arn(name))


def doorbell(root: str = "in_1", kind: RootKind = RootKind.INVOICE, intent: str = "") -> Doorbell:
    return Doorbell(f"evt_{root}", "invoice.paid", root, False, "", 1, kind, root, intent)


def ringing(bells: Bells, machine: Machine, invoice: str | None = None) -> Ringing:
    return Ringing(bells, machine, lambda charge, intent: invoice, lambda: NOW, lambda seconds: None)


def test_the_first_ring_starts_an_execution_and_the_next_ones_start_none(bells: Bells) -> None:
    machine = Machine()
    assert [ringing(bells, machine).ring(doorbell(), False) for _ in range(3)] == [True, False, False]
    assert machine.started == ["in_1-1"]
    assert bells.begin("in_1", "arn:in_1-1") == 3, "one pass answers all three"


def test_a_ring_while_a_pass_runs_makes_it_begin_again(bells: Bells) -> None:
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    seen = bells.begin("in_1", "arn:in_1-1")
    ringing(bells, machine).ring(doorbell(), False)
    assert not bells.release("in_1", "arn:in_1-1", seen)
    assert bells.release("in_1", "arn:in_1-1", bells.begin("in_1", "arn:in_1-1"))
    bell = bells.bell("in_1")
    assert bell is not None
    assert (bell.wanted, bell.done, bell.holder, bell.list) == (2, 2, "", "")


def test_a_dead_worker_is_taken_over_only_when_its_execution_is_seen_finished(bells: Bells) -> None:
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    assert not ringing(bells, machine).ring(doorbell(), False), "however long it takes"
    machine.running.clear()
    assert ringing(bells, machine).ring(doorbell(), False)
    assert machine.started == ["in_1-1", "in_1-3"]
    with pytest.raises(Superseded):
        bells.still_holds("in_1", "arn:in_1-1")
    with pytest.raises(Superseded):
        bells.begin("in_1", "arn:in_1-1")
    with pytest.raises(Superseded):
        bells.release("in_1", "arn:in_1-1", 3)
    with pytest.raises(Superseded):
        bells.note("in_1", "arn:in_1-1", HOLD, AT)


def test_a_ring_killed_between_claim_and_start_is_made_up_for_when_the_message_comes_again(
    bells: Bells,
) -> None:
    machine = Machine(refuse=PassingError("AWS refused StartExecution for now."))
    with pytest.raises(PassingError):
        ringing(bells, machine).ring(doorbell(), False)
    machine.refuse = None
    assert ringing(bells, machine).ring(doorbell(), False)
    assert machine.started == ["in_1-2"]


def test_many_workers_at_once_start_one_execution_and_lose_no_ring(bells: Bells) -> None:
    machine = Machine()
    lock = threading.Lock()

    class Locked(Machine):
        def start(self, name: str, execution_input: object) -> None:
            with lock:
                machine.start(name, execution_input)

        def is_running(self, execution_arn: str) -> bool:
            # What is claimed is about to run: nobody may take it for dead in between.
            return True

    threads = [threading.Thread(target=lambda: ringing(bells, Locked()).ring(doorbell(), False)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(machine.started) == 1
    bell = bells.bell("in_1")
    assert bell is not None
    assert bell.wanted == 8


def test_a_charge_rings_its_invoice_and_a_charge_without_one_itself(bells: Bells) -> None:
    machine = Machine()
    charge = doorbell("ch_1", RootKind.CHARGE, "pi_1")
    ringing(bells, machine, "in_9").ring(charge, False)
    ringing(bells, machine, None).ring(charge, False)
    assert machine.started == ["in_9-1", "ch_1-1"]
    assert not ringing(bells, machine, None).ring(doorbell("pi_1", RootKind.CHARGE, "pi_1"), False)
    assert bells.bell("pi_1") is None, "a payment intent without a charge has moved no money"


def test_one_bad_message_fails_alone_with_what_stands_behind_it_in_its_group() -> None:
    def message(number: int, group: str) -> dict[str, Any]:
        return {"messageId": str(number), "body": f"{group}{number}", "attributes": {"MessageGroupId": group}}

    rung, errors = [], []

    def ring(body: str) -> bool:
        if body == "a2":
            raise PassingError("Stripe gave no answer.")
        rung.append(body)
        return True

    records = [message(1, "a"), message(2, "a"), message(3, "b"), message(4, "a"), message(5, "b")]
    answer = ring_the_bells(records, ring, errors.append)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "4"}]}
    assert rung == ["a1", "b3", "b5"]
    assert len(errors) == 1


def held(bells: Bells, error: str, redrives: int = 0, pass_: Pass | None = None) -> dict[str, Any]:
    one = pass_ or Pass("in_1", "invoice", "arn:in_1-1", 1)
    return hold_the_object(one, {"Error": error, "Cause": '{"errorMessage": "why"}'}, redrives, bells, NOW)


@pytest.mark.parametrize(
    ("error", "raised", "which"),
    [
        ("Differs", Differs, BellList.HELD),
        ("PersonNeeded", PersonNeeded, BellList.HELD),
        ("OurFault", OurFault, BellList.HELD),
        ("States.Timeout", OurFault, BellList.HELD),
        ("PassingError", PassingError, BellList.FAILED),
    ],
)
def test_what_cannot_go_on_is_listed_with_its_reason_and_ends_red_by_its_name(
    bells: Bells, error: str, raised: type[Exception], which: BellList
) -> None:
    ringing(bells, Machine()).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    with pytest.raises(raised, match="why"):
        held(bells, error)
    (bell,) = bells.listed(which)
    assert (bell.root, bell.stopped, bell.hold_error) == ("in_1", 0, error)
    assert bell.hold is not None
    assert bell.hold.reason == "why"


def test_both_columns_are_in_the_row_and_survive_the_end(bells: Bells) -> None:
    ringing(bells, Machine()).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    bells.note("in_1", "arn:in_1-1", HOLD, AT)
    with pytest.raises(Differs):
        held(bells, "Differs")
    (bell,) = bells.listed(BellList.HELD)
    assert bell.hold == HOLD


def test_a_redrive_reads_stripe_again_and_a_second_hold_of_it_ends_red_again(bells: Bells) -> None:
    ringing(bells, Machine()).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    with pytest.raises(Differs):
        held(bells, "Differs", 0)
    with pytest.raises(Differs):
        held(bells, "Differs", 0)  # Lambda's own repeat of the same redrive
    assert held(bells, "Differs", 1)["next"] == READ
    bells.begin("in_1", "arn:in_1-1")
    assert not list(bells.listed(BellList.HELD))
    with pytest.raises(Differs):
        held(bells, "Differs", 1)
    assert held(bells, "Differs", 2)["next"] == READ


def test_a_redrive_of_a_superseded_execution_writes_nothing(bells: Bells) -> None:
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    with pytest.raises(Differs):
        held(bells, "Differs")
    machine.running.clear()
    assert ringing(bells, machine).ring(doorbell(), False)
    with pytest.raises(Superseded):
        held(bells, "Differs", 1)


def test_a_hold_that_was_rung_meanwhile_looks_once_more_before_it_ends(bells: Bells) -> None:
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    ringing(bells, machine).ring(doorbell(), False)
    assert held(bells, "Differs")["next"] == READ


def test_a_state_that_failed_before_stripe_was_read_does_not_go_round_for_ever(bells: Bells) -> None:
    """The pass still has the number that it was started with, which is older than the bell's."""
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    ringing(bells, machine).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    with pytest.raises(PassingError):
        held(bells, "PassingError", 0, Pass("in_1", "invoice", "arn:in_1-1", 1))


def test_a_ring_at_the_moment_of_a_hold_comes_again_instead_of_being_lost(bells: Bells) -> None:
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    with pytest.raises(Differs):
        held(bells, "Differs")
    with pytest.raises(StillStopping):  # its function has failed, and the execution has not ended yet
        ringing(bells, machine).ring(doorbell(), False)
    machine.running.clear()
    assert ringing(bells, machine).ring(doorbell(), False)


def test_what_is_parked_is_free_and_on_the_nightly_list(bells: Bells) -> None:
    machine = Machine()
    ringing(bells, machine).ring(doorbell(), False)
    bells.begin("in_1", "arn:in_1-1")
    bells.note("in_1", "arn:in_1-1", Hold("period_closed", "May is closed."), AT)
    assert held(bells, "Parked")["next"] == "The object is parked"
    (bell,) = bells.listed(BellList.PARKED)
    assert (bell.holder, bell.hold and bell.hold.reason) == ("", "May is closed.")
    machine.running.clear()
    assert ringing(bells, machine).ring(doorbell(), False)


@pytest.mark.parametrize("seed", range(30))
def test_however_rings_passes_and_deaths_interleave_the_last_ring_is_answered(bells: Bells, seed: int) -> None:
    """What a pass has read counts only if it was read after the last ring."""
    chance, machine = random.Random(seed), Machine()
    world, known = 0, -1  # Stripe's state, and what the last finished pass has seen of it
    holder: tuple[str, int, int] | None = None  # execution, rings answered, state seen
    for _ in range(60):
        action = chance.choice(("ring", "ring", "begin", "finish", "die"))
        if action == "ring":
            world += 1
            ringing(bells, machine).ring(doorbell(), False)
        elif action == "begin" and machine.running:
            (execution,) = machine.running
            holder = execution, bells.begin("in_1", execution), world
        elif action == "finish" and holder is not None and holder[0] in machine.running:
            if bells.release("in_1", holder[0], holder[1]):
                known = holder[2]
                machine.running.clear()
            holder = None
        elif action == "die":
            machine.running.clear()
            holder = None
    machine.running.clear()
    bell = bells.bell("in_1")
    if bell is not None and not bell.list:
        assert known == world, "the bell is quiet, so the last state was seen"
    if bell is not None and known != world:
        assert bell.list == BellList.RINGING, "what is not answered is on the list that the sweep reads"
