"""Payouts whose members NetSuite lacks: what comes is waited for and wakes the payout, what never comes is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.histories.settled_firm import settled_firm
from tests.histories.settling import SettlingWorld
from tests.sandbox.stripe import InvoiceExtras, InvoiceLine

BLOCK = {"netsuite_block_integration": "true"}


@pytest.fixture
def world() -> Iterator[SettlingWorld]:
    with settled_firm() as opened:
        yield opened


def sold(world: SettlingWorld, metadata: dict[str, str] | None = None) -> str:
    buyer = world.stripe.create_customer(name="Alder", email="ap@alder.example")
    invoice = world.stripe.bill(buyer, [InvoiceLine(10_000)], "usd", InvoiceExtras(metadata=metadata or {}))
    return str(invoice["id"])


def test_a_payout_that_waits_for_a_member_is_woken_by_it(world: SettlingWorld) -> None:
    invoice = sold(world)
    world.settle()
    charge = world.stripe.pay(invoice)
    payout = world.stripe.payout("usd")
    world.tell(one for one in world.new_events() if one["type"].startswith("payout."))
    world.work()
    assert world.parked() == {payout["id"]: "waiting_on_child_records"}
    assert charge["id"] in world.bells()[payout["id"]]["hold_reason"]
    assert world.netsuite.records("deposit") == []
    world.sweep(root=invoice)
    world.settle()
    assert world.held() == world.parked() == {}
    (deposit,) = world.netsuite.records("deposit")
    assert (deposit["externalId"], round(deposit["total"] * 100)) == (payout["id"], payout["amount"])


def test_a_payout_with_a_payment_of_a_blocked_invoice_is_held_and_names_it(world: SettlingWorld) -> None:
    """It would wait for that payment for ever."""
    invoice = sold(world, BLOCK)
    other = sold(world)
    charge = world.stripe.pay(invoice)
    world.stripe.pay(other)
    world.stripe.refund(charge, 2_000)
    payout = world.stripe.payout("usd")
    world.settle()
    assert world.held() == {payout["id"]: "blocked_payment_in_payout"}
    assert invoice in world.bells()[payout["id"]]["hold_reason"]
    assert [one["externalId"] for one in world.netsuite.records("invoice")] == [other]
    assert world.netsuite.records("deposit") == []
    # The block is taken away: everything is written, and the payout is woken by what it waited for.
    world.stripe.as_person("POST", f"/v1/invoices/{invoice}", {"metadata": {"netsuite_block_integration": ""}})
    world.settle()
    world.sweep(root=payout["id"])
    world.settle()
    assert world.held() == world.parked() == {}
    assert world.balance("Undeposited Funds") == 0
    assert world.balance("Checking USD") * 100 == payout["amount"]


def test_a_charge_of_a_blocked_client_and_one_that_no_allow_list_names_hold_the_payout() -> None:
    with settled_firm(extra='[allow]\nnetsuite_allow_integration = "true"') as world:
        sold(world)
        allowed = sold(world, {"netsuite_allow_integration": "true"})
        for invoice in world.stripe.invoices():
            world.stripe.pay(invoice["id"])
        payout = world.stripe.payout("usd")
        world.settle()
        assert world.held() == {payout["id"]: "blocked_payment_in_payout"}
        assert [one["externalId"] for one in world.netsuite.records("invoice")] == [allowed]


def test_payouts_below_zero_are_deposited_with_the_next_one_where_the_policies_group_them() -> None:
    with settled_firm(choices='negative_payout = "group"') as world:
        charge = world.stripe.pay(sold(world))
        world.stripe.payout("usd")
        world.world.clock.pause(86_400)
        world.stripe.refund(charge)
        below = world.stripe.payout("usd")
        assert below["amount"] < 0
        world.settle()
        assert world.held() == world.parked() == {}
        assert len(world.netsuite.records("deposit")) == 1
        world.world.clock.pause(86_400)
        world.stripe.pay(sold(world))
        world.stripe.pay(sold(world))
        above = world.stripe.payout("usd")
        world.settle()
        assert world.held() == world.parked() == {}
        deposits = {one["externalId"]: round(one["total"] * 100) for one in world.netsuite.records("deposit")}
        assert deposits[above["id"]] == above["amount"] + below["amount"]
        assert below["id"] not in deposits
        assert world.balance("Undeposited Funds") == 0
        assert world.stripe.object(below["id"])["metadata"].keys() == {"netsuite_deposit_id"}


def test_a_payout_that_fails_after_its_deposit_is_held_and_one_that_fails_before_is_nothing(
    world: SettlingWorld,
) -> None:
    world.stripe.pay(sold(world))
    payout = world.stripe.payout("usd")
    world.settle()
    assert len(world.netsuite.records("deposit")) == 1
    bank = world.balance("Checking USD")
    world.stripe.fail_payout(payout)
    world.settle()
    assert world.held() == {payout["id"]: "payout_failed_after_deposit"}
    assert world.balance("Checking USD") == bank, "nothing is undone by itself"
    world.stripe.as_person(
        "POST", f"/v1/payouts/{payout['id']}", {"metadata": {"netsuite_resolved": "payout_failed_after_deposit"}}
    )
    world.settle()
    world.sweep(root=payout["id"])
    world.settle()
    assert world.held() == {}


def test_a_payout_that_failed_before_anybody_saw_it_is_nothing(world: SettlingWorld) -> None:
    world.stripe.pay(sold(world))
    payout = world.stripe.payout("usd", arrives=False)
    world.stripe.fail_payout(payout)
    world.settle()
    assert world.held() == world.parked() == {}
    assert world.netsuite.records("deposit") == []


def test_the_money_of_a_failed_payout_stops_the_next_one_by_name(world: SettlingWorld) -> None:
    world.stripe.pay(sold(world))
    failed = world.stripe.payout("usd", arrives=False)
    world.stripe.fail_payout(failed)
    world.stripe.pay(sold(world))
    world.world.clock.pause(86_400)
    payout = world.stripe.payout("usd")
    world.settle()
    assert world.held() == {payout["id"]: "payout_came_back"}
    assert world.netsuite.records("deposit") == []


def test_a_manual_payout_is_a_persons(world: SettlingWorld) -> None:
    world.stripe.pay(sold(world))
    world.stripe.make_available("usd")
    payout = world.stripe.payout("usd", 50_00)
    world.settle()
    assert world.held() == {payout["id"]: "manual_payout"}


def test_a_manual_payout_is_deposited_by_a_person_who_writes_down_where(world: SettlingWorld) -> None:
    """100.00 were paid, 50.00 of it paid out by hand: the person posts what is left of it on the reserve."""
    bill = sold(world)
    charge = world.stripe.pay(bill)
    world.stripe.make_available("usd")
    payout = world.stripe.payout("usd", 50_00)
    world.settle()
    accounts = {str(one["acctName"]): str(one["id"]) for one in world.netsuite.records("account")}
    (payment,) = [one for one in world.netsuite.records("customerPayment") if one["externalId"] == charge["id"]]
    left = float(payment["payment"]) - 50.0
    deposit = world.create_in_netsuite(
        "deposit",
        {
            "account": {"id": accounts["Checking USD"]},
            "payment": {"items": [{"id": int(payment["id"]), "deposit": True}]},
            "cashback": {"items": [{"account": {"id": accounts["Stripe Reserve"]}, "amount": left}]},
        },
    )
    waiting = world.prove("2026-06-01")
    assert {one["kind"] for one in waiting["differences"]} == {"waiting", "deposited elsewhere"}
    metadata = {"netsuite_deposit_id": deposit, "netsuite_resolved": "manual_payout"}
    world.stripe.as_person("POST", f"/v1/payouts/{payout['id']}", {"metadata": metadata})
    world.settle()
    assert world.held() == {}
    proof = world.prove("2026-06-01")
    assert proof["differences"] == []
    assert [one for one in proof["equations"] if one["difference"] or one["waiting"]] == []
    assert next(one for one in proof["equations"] if one["name"] == "bank")["netsuite"] == 50_00
