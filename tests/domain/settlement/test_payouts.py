"""Payouts as deposits: every kind of movement, the proof, the ways out, and the size that NetSuite takes."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from billing.domain.settlement.payout import desired_for_payout, earlier_of
from billing.domain.settlement.policies import FREE_MOVEMENTS, PLACED_MOVEMENTS, SettlementPolicies
from billing.domain.settlement.records import NetSuiteRecord, SettlementPlan
from billing.domain.settlement.stripe_objects import Payout, PayoutFacts, PayoutMember
from billing.domain.settlement.write_backs import metadata_of
from tests.domain.settlement.facts import BANK, CALENDAR, at, held, movement, policies, written

FEE = (("stripe_fee", 320),)


def payout(amount: int, **more: Any) -> Payout:
    return Payout(
        **{
            "id": "po_1",
            "amount": amount,
            "currency": "usd",
            "status": "paid",
            "automatic": True,
            "reconciliation_status": "completed",
            "arrival_date": at("2026-06-15"),
            "created": at("2026-06-13"),
            "destination": "ba_1",
            **more,
        }
    )


def member(type: str, amount: int, fee: int = 0, id: str = "", **more: Any) -> PayoutMember:
    ids = {key: more.pop(key) for key in ("charge", "refund", "dispute", "metadata", "blocked") if key in more}
    fees = {"fees": (("stripe_fee", fee),)} if fee else {}
    return PayoutMember(movement(amount, id or f"txn_{type}", type=type, fee=fee, **{**fees, **more}), **ids)


def plan_of(*members: PayoutMember, policy: SettlementPolicies | None = None, **more: Any) -> SettlementPlan:
    earlier = more.pop("earlier", ())
    net = sum(one.movement.net for one in members) - sum(one.amount for one in earlier)
    facts = PayoutFacts(payout(more.pop("amount", net), **more), members, earlier)
    return desired_for_payout(facts, policy or policies(), CALENDAR)


def parts(record: NetSuiteRecord) -> list[tuple[str, int]]:
    assert record.deposit is not None
    return [
        *((one.external_id, one.amount) for one in record.deposit.payments),
        *((one.account, one.amount) for one in record.deposit.lines),
    ]


def test_a_payout_is_a_deposit_of_gross_payments_and_refunds_with_each_fee_on_its_account() -> None:
    """100.00 less 3.20, 50.00 refunded, 100.00 disputed with a fee of 15.00, billing fee 2.50; then 300.00 without."""
    plan = plan_of(
        member("charge", 10000, 320, charge="ch_1"),
        member("payment", 30000, charge="py_2"),
        member("refund", -5000, charge="ch_1", refund="re_1"),
        member("adjustment", -10000, 1500, charge="ch_1", dispute="dp_1"),
        member("stripe_fee", -250),
        trace_id="TR9",
    )
    assert written(plan) == ["deposit po_1 22930 usd 2026-06-15"]
    (made,) = plan.records
    assert parts(made) == [
        ("ch_1", 10000),
        ("py_2", 30000),
        ("re_1", -5000),
        ("dp_1", -10000),
        ("19", -1500),
        ("18", -570),
    ]
    assert (made.account, made.memo) == (BANK, "Stripe: po_1. Trace TR9")
    assert plan.waits_for == ("ch_1", "py_2", "re_1", "dp_1")
    assert metadata_of([(made, "900")]) == {"po_1": {"netsuite_deposit_id": "900"}}


TYPES = """
adjustment advance advance_funding anticipation_repayment application_fee application_fee_refund charge
climate_order_purchase climate_order_refund connect_collection_transfer contribution fee_credit_funding
inbound_transfer inbound_transfer_reversal issuing_authorization_hold issuing_authorization_release
issuing_dispute issuing_transaction obligation_outbound obligation_reversal_inbound payment
payment_failure_refund payment_network_reserve_hold payment_network_reserve_release payment_refund
payment_reversal payment_unreconciled payout payout_cancel payout_failure payout_minimum_balance_hold
payout_minimum_balance_release refund refund_failure reserve_hold reserve_release reserve_transaction
reserved_funds stripe_balance_payment_debit stripe_balance_payment_debit_reversal stripe_fee
stripe_fx_fee tax_fee tax_fund topup topup_reversal transfer transfer_cancel transfer_failure
transfer_refund
""".split()
"""Stripe's API reference, "The Balance Transaction object", `type`."""

RECORD = {
    "charge": "ch_1",
    "payment": "ch_1",
    "refund": "re_1",
    "payment_refund": "re_1",
    "payment_failure_refund": "ch_1-failed",
    "refund_failure": "re_1-back",
}
FEES = {"stripe_fee", "stripe_fx_fee", "tax_fee", "climate_order_purchase", "climate_order_refund"}
RESERVES = {
    "reserve_hold",
    "reserve_release",
    "reserve_transaction",
    "reserved_funds",
    "payout_minimum_balance_hold",
    "payout_minimum_balance_release",
    "payment_network_reserve_hold",
    "payment_network_reserve_release",
}


def test_there_are_fifty_types() -> None:
    assert len(TYPES) == len(set(TYPES)) == 50


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("amount", [-700, 700])
def test_every_type_of_movement_has_its_place_or_stops_the_payout_by_its_name(type: str, amount: int) -> None:
    base = member("charge", 10000, id="txn_base", charge="ch_base")
    ids = {"charge": "ch_1", "refund": "re_1"} if type in RECORD else {}
    plan = plan_of(base, member(type, amount, id="txn_x", **ids))
    assert type in PLACED_MOVEMENTS or type in FREE_MOVEMENTS
    if type == "payout":  # its own row, which the adapter leaves out: one that comes through stops the payout
        assert held(plan) == ["movement_not_mapped"]
        return
    if type in RECORD:
        assert parts(plan.records[0]) == [("ch_base", 10000), (RECORD[type], amount)]
    elif type in FEES:
        assert parts(plan.records[0]) == [("ch_base", 10000), ("18", amount)]
    elif type in RESERVES:
        assert parts(plan.records[0]) == [("ch_base", 10000), ("15", amount)]
    else:
        assert plan.records == ()
        assert held(plan) == [
            "payout_came_back" if type in ("payout_failure", "payout_cancel") else "movement_not_mapped"
        ]
        assert f"movements.{type}" in plan.holds[0].reason
        mapped = replace(policies(), movements={type: "70"})
        assert parts(plan_of(base, member(type, amount, id="txn_x"), policy=mapped).records[0])[1] == ("70", amount)


def test_a_dispute_that_was_won_is_a_line_or_its_payment_by_policy() -> None:
    won = member("adjustment", 10000, charge="ch_1", dispute="dp_1")
    assert parts(plan_of(won).records[0]) == [("16", 10000)]
    assert parts(plan_of(won, policy=policies(disputes_won="payment")).records[0]) == [("dp_1-won", 10000)]
    # However the firm maps other adjustments.
    mapped = replace(policies(), movements={"adjustment": "70"})
    assert parts(plan_of(won, policy=mapped).records[0]) == [("16", 10000)]


def test_fees_go_by_their_type_and_a_fee_that_came_back_is_another_deposit() -> None:
    policy = replace(policies(), fees={"stripe_fee": "18", "tax": "20", "application_fee": "21"})
    fees = (("stripe_fee", 300), ("tax", 57), ("application_fee", 100))
    plan = plan_of(member("charge", 10000, 457, charge="ch_1", fees=fees), member("stripe_fee", 1000), policy=policy)
    assert parts(plan.records[0]) == [("ch_1", 10000), ("21", -100), ("18", 700), ("20", -57)]


def test_an_account_that_is_missing_is_named() -> None:
    policy = replace(policies(), fees={}, reserve="", dispute_reversals="")
    plan = plan_of(member("charge", 10000, 320, charge="ch_1"), member("reserve_hold", -1), policy=policy)
    assert held(plan) == ["missing_netsuite_account_mapping"] * 2
    assert "accounts.reserve" in plan.holds[0].reason
    assert "accounts.fees.stripe_fee" in plan.holds[1].reason


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"amount": 9999}, "unequal_amounts"),
        ({"automatic": False, "reconciliation_status": "not_applicable"}, "manual_payout"),
        ({"currency": "eur"}, "unequal_amounts"),
    ],
)
def test_a_payout_that_cannot_be_deposited_is_held_by_name(changed: dict[str, Any], name: str) -> None:
    plan = plan_of(member("charge", 10000, charge="ch_1"), **changed)
    assert (plan.records, held(plan)) == ((), [name])


def test_a_movement_that_is_listed_twice_or_does_not_add_up_is_unequal() -> None:
    one = member("charge", 10000, charge="ch_1")
    assert held(plan_of(one, one)) == ["unequal_amounts"]
    wrong = replace(one, movement=replace(one.movement, net=9999))
    assert held(plan_of(wrong)) == ["unequal_amounts"]


def test_a_payout_without_a_bank_account_in_its_currency_is_held_by_name() -> None:
    plan = plan_of(member("charge", 10000, charge="ch_1", currency="gbp"), currency="gbp")
    assert held(plan) == ["payout_currency_account_missing"]


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"status": "failed"}, "failed"),
        ({"status": "canceled"}, "canceled"),
        ({"reconciliation_status": "in_progress"}, "not reconciled"),
        ({"status": "in_transit"}, "not reconciled"),
        ({"metadata": {"netsuite_block_integration": "true"}}, "block list"),
    ],
)
def test_a_payout_that_is_not_there_yet_is_nothing_and_says_why(changed: dict[str, Any], because: str) -> None:
    plan = plan_of(member("charge", 10000, charge="ch_1"), **changed)
    assert (plan.records, plan.holds) == ((), ())
    assert because in plan.nothing_because


def test_a_blocked_payment_holds_its_payout() -> None:
    for blocked in ({"blocked": True}, {"metadata": {"netsuite_block_integration": "true"}}):
        assert held(plan_of(member("charge", 10000, charge="ch_1", **blocked))) == ["blocked_payment_in_payout"]


def test_money_from_before_the_start_date_holds_its_payout_and_an_older_payout_is_left_out() -> None:
    policy = replace(policies(), start_date=date(2026, 6, 13))
    plan = plan_of(member("charge", 10000, charge="ch_1"), policy=policy)
    assert held(plan) == ["movement_before_start_date"]
    later = replace(policies(), start_date=date(2026, 6, 14))
    assert "start date" in plan_of(member("charge", 10000, charge="ch_1"), policy=later).nothing_because


@pytest.mark.parametrize("amount", [0, -5000])
def test_a_payout_that_is_not_above_zero_is_held_or_waits_for_the_next_by_policy(amount: int) -> None:
    members = [member("charge", 5000, charge="ch_1"), member("refund", amount - 5000, charge="ch_1", refund="re_1")]
    assert held(plan_of(*members)) == ["negative_payout"]
    plan = plan_of(*members, policy=policies(negative_payout="group"))
    assert (plan.records, plan.holds) == ((), ())
    assert "next payout" in plan.nothing_because


def test_the_next_payout_takes_the_negative_ones_with_it() -> None:
    before = payout(-5000, id="po_0", arrival_date=at("2026-06-14"))
    plan = plan_of(
        member("refund", -5000, charge="ch_1", refund="re_1"),
        member("charge", 8000, charge="ch_2"),
        earlier=(before,),
        policy=policies(negative_payout="group"),
    )
    assert written(plan) == ["deposit po_1 3000 usd 2026-06-15"]
    assert plan.records[0].memo == "Stripe: po_1. Together with po_0"
    assert set(metadata_of([(plan.records[0], "9")])) == {"po_1", "po_0"}


def test_which_payouts_wait_for_which() -> None:
    days = [-50, 10, 100, -5, 200, -1]
    payouts = [payout(amount, id=f"po_{n}", arrival_date=at(f"2026-06-{10 + n}")) for n, amount in enumerate(days)]
    elsewhere = payout(-9, id="po_x", destination="ba_2", arrival_date=at("2026-06-10"))
    everything = [*payouts, elsewhere]
    random.Random(1).shuffle(everything)
    waiting = {one.id: [each.id for each in earlier_of(one, everything)] for one in payouts}
    assert waiting == {
        "po_0": [],
        "po_1": ["po_0"],
        "po_2": ["po_0", "po_1"],
        "po_3": [],
        "po_4": ["po_3"],
        "po_5": [],
    }


def test_ten_thousand_members_are_deposits_of_500_each_above_zero_and_together_the_payout() -> None:
    chosen = random.Random(20260615)
    members = []
    for number in range(10_000):
        amount = chosen.randint(100, 50_000)
        if number % 9 == 0:
            members.append(member("refund", -amount, id=f"t{number}", charge=f"ch_{number}", refund=f"re_{number}"))
        else:
            fee = 30 + amount * 29 // 1000
            members.append(member("charge", amount, fee, id=f"t{number}", charge=f"ch_{number}"))
    plan = plan_of(*members)
    assert len(plan.records) == 20
    assert [one.external_id for one in plan.records[:2]] == ["po_1", "po_1-2"]
    assert all(one.amount > 0 and len(one.deposit.payments) <= 500 for one in plan.records if one.deposit)
    assert sum(one.amount for one in plan.records) == sum(one.movement.net for one in members)
    of_members = sorted((one.refund or one.charge, one.movement.amount) for one in members)
    deposited = [
        (one.external_id, one.amount) for each in plan.records if each.deposit for one in each.deposit.payments
    ]
    assert sorted(deposited) == of_members
    # Whatever order Stripe lists them in.
    chosen.shuffle(members)
    assert plan_of(*members).records == plan.records


def test_one_large_fee_is_shared_rather_than_left_on_a_deposit_below_zero() -> None:
    policy = replace(policies(), payments_per_deposit=1)
    charges = [member("charge", 100, id=f"t{n}", charge=f"ch_{n}") for n in range(3)]
    plan = plan_of(*charges, member("stripe_fee", -295), policy=policy)
    assert sorted(one.amount for one in plan.records) == [1, 1, 3]


def test_a_payout_that_cannot_be_split_above_zero_is_held_by_name() -> None:
    policy = replace(policies(), payments_per_deposit=1)
    plan = plan_of(
        member("charge", 1000, charge="ch_1"), member("refund", -400, charge="ch_1", refund="re_1"), policy=policy
    )
    assert (plan.records, held(plan)) == ((), ["deposit_cannot_be_split"])


# The rows of what becomes what that are about payouts, by the events' names.


def test_payout_created_waits_until_stripe_has_reconciled_it() -> None:
    created = plan_of(
        member("charge", 10000, charge="ch_1"), status="pending", reconciliation_status="in_progress"
    )  # fmt: skip
    assert (created.records, created.holds) == ((), ())
    assert "rings again" in created.nothing_because


def test_payout_paid_is_one_deposit_in_the_banks_account_on_the_day_of_its_arrival() -> None:
    plan = plan_of(member("charge", 10000, 320, charge="ch_1"))
    assert written(plan) == ["deposit po_1 9680 usd 2026-06-15"]
    assert plan.records[0].account == BANK


def test_payout_updated_changes_nothing_where_nothing_posts() -> None:
    before = plan_of(member("charge", 10000, charge="ch_1"))
    after = plan_of(member("charge", 10000, charge="ch_1"), metadata={"netsuite_deposit_id": "900"})
    assert after == before


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_payout_failed_is_nothing_and_a_persons_once_netsuite_has_its_deposit(status: str) -> None:
    facts = PayoutFacts(payout(10000, status=status), (member("charge", 10000, charge="ch_1"),))
    assert held(desired_for_payout(facts, policies(), CALENDAR)) == []
    deposited = desired_for_payout(replace(facts, deposited=True), policies(), CALENDAR)
    assert (deposited.records, held(deposited)) == ((), ["payout_failed_after_deposit"])


def test_an_allow_list_keeps_no_payout_out() -> None:
    policy = replace(policies(), allow=(("netsuite_allow_integration", "true"),))
    assert written(plan_of(member("charge", 10000, charge="ch_1"), policy=policy)) == [
        "deposit po_1 10000 usd 2026-06-15"
    ]
