"""A worker that is gone for good: its execution is stopped at each state, the sweep has another one take over, and a
late redrive of the first writes nothing. NetSuite holds each record once.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.histories.machine import Killed
from tests.histories.settled_firm import settled_firm
from tests.histories.settling import SettlingWorld
from tests.sandbox.stripe import InvoiceLine


@pytest.fixture(scope="module")
def world() -> Iterator[SettlingWorld]:
    with settled_firm() as opened:
        yield opened


def life(world: SettlingWorld, number: int) -> str:
    """An invoice of a new client, paid, credited and refunded: a pass through every state but items and deposits."""
    stripe = world.stripe
    buyer = stripe.create_customer(name=f"Gone {number} Inc", email=f"gone{number}@client.example")["id"]
    world.settle()
    invoice = stripe.bill(buyer, [InvoiceLine(60_00), InvoiceLine(40_00)])
    stripe.credit(invoice, 10_00)
    stripe.refund(stripe.pay(invoice), 20_00)
    return str(invoice["id"])


STATES = (
    "ReadTheStripeObjectFunction",
    "FindTheCustomerFunction",
    "WriteTheInvoicesFunction",
    "WriteTheCreditsFunction",
    "WriteThePaymentsFunction",
    "WriteTheRefundsFunction",
    "WriteBackToStripeFunction",
    "FinishThePassFunction",
)


@pytest.mark.parametrize("state", STATES)
def test_a_stopped_execution_is_taken_over_and_its_redrive_writes_nothing(world: SettlingWorld, state: str) -> None:
    root = life(world, STATES.index(state))
    stopped: list[str] = []

    def stop(function: str) -> None:
        if function == state and not stopped:
            stopped.append(function)
            raise Killed  # outside of the function: the whole execution goes

    world.before_state = stop
    world.settle()
    world.before_state = lambda _: None
    assert stopped
    (dead,) = [run for run in world.runs(root) if run.status == "ABORTED"]
    if world.parked():
        assert world.parked() == {root: ""}, "its bell rings, and whoever held it is gone"
        world.world.clock.pause(600)
        world.sweep()
        world.settle()
    assert world.held() == world.parked() == {}
    kinds = [one["recordType"] for one in world.records_of(root).values()]
    assert sorted(kinds) == ["creditMemo", "creditMemo", "customerPayment", "customerRefund", "invoice"]
    books = world.netsuite.dump()
    world.redrive(dead)
    assert (dead.status, dead.visited[-1]) == ("SUCCEEDED", "Another execution took over")
    world.settle()
    assert world.netsuite.dump() == books
