"""What the settlement makes of Stripe's objects, read over real HTTP as the stand-in keeps them: the plan of each.

The stand-in's shapes are tested against Stripe's own description; what it does not make is written here by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.settlement import SettlementReads, _credit_note, _dispute, _invoice, _line, _tax
from billing.domain.settlement.desired_invoice import desired_for_charge, desired_for_invoice
from billing.domain.settlement.payout import desired_for_payout
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import RecordType, SettlementPlan
from billing.domain.settlement.stripe_objects import Tax
from tests.domain.settlement.facts import policies
from tests.sandbox.stripe import CreditLine, Fee, InvoiceExtras, InvoiceLine, RateLimits, StripeServer

NOW = 1_780_300_800.0  # 2026-06-01 08:00 UTC
CALENDAR = Calendar(ZoneInfo("America/New_York"))


@dataclass
class Account:
    server: StripeServer
    now: list[float]

    def __post_init__(self) -> None:
        self.reads = SettlementReads(
            stripe_client("sk_test_sandbox", self.server.url),
            Caller(lambda _: None, lambda: 0.0, share=0, jitter=lambda: 1.0),
        )
        self.customer = str(self.server.create_customer(name="Alder", email="ap@alder.example")["id"])

    def bill(self, *lines: InvoiceLine, **extras: Any) -> str:
        bought = list(lines) or [InvoiceLine(100_00, "Advice")]
        return str(self.server.invoice(self.customer, bought, "usd", InvoiceExtras(**extras))["id"])

    def plan(self, invoice: str, policy: SettlementPolicies | None = None) -> SettlementPlan:
        facts = self.reads.invoice(invoice)
        assert facts is not None
        return desired_for_invoice(facts, policy or policies(prepayment_credit_notes="at_once"), CALENDAR)

    def due(self, invoice: str, plan: SettlementPlan) -> int:
        records = {one.external_id: one for one in plan.records}
        applied = sum(
            apply.amount
            for one in plan.records
            for apply in one.applies
            if records[apply.external_id].type is RecordType.INVOICE
        )
        return sum(one.amount for one in plan.records if one.type is RecordType.INVOICE) - applied


@pytest.fixture
def account(no_sdk_pauses: None) -> Iterator[Account]:
    now = [NOW]
    with StripeServer(lambda: now[0], rate_limits=RateLimits.off()) as server:
        yield Account(server, now)
        assert server.errors == []


def named(plan: SettlementPlan) -> list[tuple[str, int]]:
    return [(f"{one.type.value} {one.external_id.partition('_')[0]}", one.amount) for one in plan.records]


def test_a_draft_a_deleted_draft_and_an_unknown_invoice_are_nothing(account: Account) -> None:
    draft = str(account.server.invoice(account.customer, [InvoiceLine(5)], "usd", finalise=False)["id"])
    assert account.plan(draft).records == ()
    account.server.delete(draft)
    assert account.reads.invoice(draft) is None
    assert account.reads.invoice("in_none") is None
    assert account.reads.charge("ch_none") is None
    assert account.reads.payout("po_none") is None


def test_a_paid_invoice_is_read_whole(account: Account) -> None:
    invoice = account.bill()
    charge = account.server.pay(invoice)
    facts = account.reads.invoice(invoice)
    assert facts is not None
    assert (facts.invoice.status, facts.invoice.total, facts.invoice.amount_remaining) == ("paid", 10000, 0)
    assert (facts.invoice.customer, facts.invoice.currency, facts.invoice.live) == (account.customer, "usd", False)
    assert [(one.amount, one.charge and one.charge.id) for one in facts.payments] == [(10000, charge["id"])]
    assert named(account.plan(invoice)) == [("invoice in", 10000), ("customerPayment ch", 10000)]
    assert account.reads.invoice_of_charge(charge["id"], str(charge["payment_intent"])) == invoice
    assert account.reads.invoice_of_charge(charge["id"], "") == invoice


def test_lines_beyond_a_page_coupons_and_tax_rates_are_read(account: Account) -> None:
    account.server.coupon("SPRING", percent_off=10)
    lines = [InvoiceLine(100_00, f"Day {n}", tax=10, coupon="SPRING") for n in range(130)]
    invoice = account.bill(*lines, shipping=9_00)
    facts = account.reads.invoice(invoice)
    assert facts is not None
    assert len(facts.lines) == 130
    assert {one.discounts[0].coupon for one in facts.lines} == {"SPRING"}
    (tax,) = facts.lines[0].taxes
    policy = replace(policies(tax__mode="item_lines"), tax_items={tax.rate: "110"})
    plan = account.plan(invoice, policy)
    # 130 x 100.00 less 10 %, tax of 10 % on the rest, shipping of 9.00.
    assert [(one.external_id, one.amount) for one in plan.records] == [(invoice, 130 * 9_900 + 9_00)]


def test_payments_in_parts_too_much_and_outside_stripe(account: Account) -> None:
    outside = account.bill()
    account.server.pay(outside, method="out_of_band")
    assert named(account.plan(outside)) == [("invoice in", 10000)]
    plan = account.plan(outside, policies(out_of_band="payment_to_account"))
    assert [one.amount for one in plan.records] == [10000, 10000]
    assert plan.records[1].applies[0].amount == 10000
    invoice = account.bill()
    account.server.pay(invoice, 40_00)
    account.now[0] += 60
    account.server.pay(invoice, 70_00)
    plan = account.plan(invoice)
    assert [(one.amount, sum(each.amount for each in one.applies)) for one in plan.records[1:]] == [
        (4000, 4000),
        (7000, 6000),
    ]


def test_a_debit_that_fails_days_later_opens_the_invoice_and_a_second_payment_closes_it(account: Account) -> None:
    invoice = account.bill()
    failed = account.server.pay(invoice, method="ach")
    account.server.fail(failed)
    plan = account.plan(invoice)
    assert [one.type.value for one in plan.records] == ["invoice", "customerPayment", "customerRefund"]
    assert account.due(invoice, plan) == 10000 == account.server.invoice(invoice)["amount_remaining"]
    account.server.pay(invoice)
    plan = account.plan(invoice)
    assert [one.type.value for one in plan.records] == [
        "invoice",
        "customerPayment",
        "customerPayment",
        "customerRefund",
    ]
    assert account.due(invoice, plan) == 0


def test_credit_notes_of_all_types_and_refunds_with_and_without_one(account: Account) -> None:
    invoice = account.bill(InvoiceLine(60_00), InvoiceLine(40_00))
    account.server.credit(invoice, 10_00)
    charge = account.server.pay(invoice)
    account.server.credit(invoice, 20_00)  # refunded
    account.server.credit(invoice, 5_00, to_balance=5_00)
    account.server.refund(charge, 7_00)
    plan = account.plan(invoice)
    assert sorted(one.amount for one in plan.records if one.type is RecordType.CREDIT_MEMO) == [700, 1000, 2000]
    assert sorted(one.amount for one in plan.records if one.type is RecordType.REFUND) == [700, 2000]
    assert account.due(invoice, plan) == 0
    for one in plan.records:
        if one.type is RecordType.REFUND:
            assert sum(apply.amount for apply in one.applies) == one.amount


def test_a_mixed_credit_note(account: Account) -> None:
    invoice = account.bill()
    account.server.pay(invoice, 70_00)
    account.server.credit(invoice, lines=[CreditLine(50_00)], refund=20_00)
    plan = account.plan(invoice)
    (memo,) = [one for one in plan.records if one.type is RecordType.CREDIT_MEMO]
    assert (memo.amount, [one.amount for one in memo.applies]) == (5000, [3000])
    assert account.due(invoice, plan) == 0 == account.server.invoice(invoice)["amount_remaining"]


def test_credit_of_the_balance_and_where_it_came_from(account: Account) -> None:
    first = account.bill()
    account.server.pay(first, 120_00)
    account.server.adjust_balance(account.customer, -5_00, "usd")
    second = account.bill()
    facts = account.reads.invoice(second)
    assert facts is not None
    assert [(one.type, one.amount) for one in facts.balance] == [("applied_to_invoice", 2500)]
    assert sorted((one.type, one.amount) for one in facts.balance_history) == [
        ("adjustment", -500),
        ("applied_to_invoice", 2500),
        ("invoice_overpaid", -2000),
    ]
    plan = account.plan(second)
    assert named(plan) == [("invoice in", 10000), ("creditMemo cbtxn", 500)]
    assert plan.holds[0].columns == ((first, "20.00 USD", "unapplied"),)


def test_void_uncollectible_and_revised(account: Account) -> None:
    void = account.bill()
    account.server.pay(void, 30_00)
    bad = account.bill()
    account.server.mark_uncollectible(bad)
    assert [one.amount for one in account.plan(bad).records] == [10000, 10000]
    old = account.bill()
    draft = account.server.revise(old)
    account.server.finalise(draft)
    replaced = account.plan(old)
    assert replaced.records[1].external_id == f"{old}-void"
    assert str(draft["id"]) in replaced.records[1].memo
    made = account.plan(str(draft["id"]))
    assert f"Replaces {old}" in made.records[0].memo


def test_refunds_that_wait_fail_and_come_back(account: Account) -> None:
    charge = account.server.charge(account.customer, 100_00, method="ach")
    refund = account.server.refund(charge, 40_00, pending=True)
    account.server.fail_refund(refund)
    facts = account.reads.charge(charge["id"])
    assert facts is not None
    plan = desired_for_charge(facts, policies(), CALENDAR)
    assert [one.external_id for one in plan.records] == [charge["id"], f"{refund['id']}-back", refund["id"]]
    assert [hold.name for hold in plan.holds] == ["refund_failed"]
    assert account.reads.invoice_of_charge(charge["id"], "") is None


def test_disputes_inquired_lost_and_won(account: Account) -> None:
    policy = policies(disputes_won="payment")
    found = []
    for ending in ("inquiry", "lose", "win"):
        charge = account.server.charge(account.customer, 100_00)
        dispute = account.server.dispute(charge, inquiry=ending == "inquiry")
        if ending != "inquiry":
            getattr(account.server, ending)(dispute)
        facts = account.reads.charge(charge["id"])
        assert facts is not None
        found.append([one.type.value for one in desired_for_charge(facts, policy, CALENDAR).records])
    assert found == [
        ["customerPayment"],
        ["customerPayment", "customerRefund"],
        ["customerPayment", "customerPayment", "customerRefund"],
    ]


def test_a_payout_of_many_movements_is_a_deposit_over_its_amount(account: Account) -> None:
    for _ in range(105):
        account.server.charge(account.customer, 10_00, fees=[Fee("stripe_fee", 59)])
    charge = account.server.charge(account.customer, 100_00)
    account.server.refund(charge, 30_00)
    account.server.dispute(account.server.charge(account.customer, 50_00))
    account.server.book("stripe_fee", -500, "usd")
    payout = account.server.payout("usd")
    facts = account.reads.payout(payout["id"])
    assert facts is not None
    assert len(facts.members) == 110
    plan = desired_for_payout(facts, policies(), CALENDAR)
    assert (plan.holds, sum(one.amount for one in plan.records)) == ((), payout["amount"])
    assert len(plan.waits_for) == 109


def test_manual_and_unreconciled_payouts_list_nothing(account: Account) -> None:
    account.server.charge(account.customer, 100_00)
    account.server.make_available()
    manual = account.server.payout("usd", 5_00)
    reads = account.server.reads
    facts = account.reads.payout(manual["id"])
    assert facts is not None
    assert (facts.members, account.server.reads - reads) == ((), 1)
    assert [one.name for one in desired_for_payout(facts, policies(), CALENDAR).holds] == ["manual_payout"]


def test_payouts_below_zero_are_read_with_the_next_one_where_the_policy_groups(account: Account) -> None:
    policy = policies(negative_payout="group")
    account.server.book("stripe_fee", -20_00, "usd")
    below = account.server.payout("usd")
    assert below["amount"] == -2000
    account.now[0] += 86_400
    account.server.charge(account.customer, 100_00, fees=[])
    above = account.server.payout("usd")
    facts = account.reads.payout(above["id"], grouped_since=0)
    assert facts is not None
    assert [one.id for one in facts.earlier] == [below["id"]]
    (record,) = desired_for_payout(facts, policy, CALENDAR).records
    assert record.amount == 8000


def test_events_that_were_missed_are_listed_in_their_types(account: Account) -> None:
    invoice = account.bill()
    account.server.pay(invoice)
    events = list(account.reads.events(["invoice.finalized", "invoice.paid"], 0))
    assert sorted(one["type"] for one in events) == ["invoice.finalized", "invoice.paid"]


# Shapes that the stand-in does not make.


def test_an_invoice_with_shipping_tax_a_due_day_and_a_revision() -> None:
    """Stripe's API reference: shipping's taxes hold the rate itself, and it says whether it is inclusive."""
    rate = {"id": "txr_1", "object": "tax_rate", "inclusive": True, "country": "DE", "jurisdiction": "Germany"}
    found = _invoice(
        {
            "id": "in_2",
            "object": "invoice",
            "status": "open",
            "customer": {"id": "cus_1", "object": "customer"},
            "currency": "eur",
            "livemode": True,
            "number": "A-2",
            "total": 1190,
            "amount_due": 1190,
            "created": 5,
            "due_date": 99,
            "status_transitions": {"finalized_at": 6, "paid_at": None},
            "from_invoice": {"action": "revision", "invoice": "in_1"},
            "shipping_cost": {
                "amount_subtotal": 1190,
                "taxes": [{"amount": 190, "rate": rate, "taxable_amount": 1000, "taxability_reason": None}],
            },
            "metadata": {"a": "b"},
        }
    )
    assert (found.revises, found.shipping, found.shipping_taxes) == (
        "in_1",
        1190,
        (Tax(190, 1000, True, "txr_1", "DE", "Germany"),),
    )
    assert (found.customer, found.due_date, found.live, found.metadata) == ("cus_1", 99, True, {"a": "b"})
    assert _invoice({**_as_cloned()}).revises is None


def _as_cloned() -> dict[str, Any]:
    return {
        "id": "in_2",
        "currency": "usd",
        "total": 1,
        "created": 1,
        "from_invoice": {"action": "clone", "invoice": "in_1"},
    }


def test_a_line_of_a_subscription_and_one_of_a_one_time_price() -> None:
    subscription = {
        "id": "il_1",
        "amount": -250,
        "quantity": 2,
        "period": {"start": 10, "end": 20},
        "pricing": {"type": "price_details", "price_details": {"price": "price_1", "product": "prod_1"}},
        "parent": {"type": "subscription_item_details", "subscription_item_details": {"proration": True}},
        "taxes": [{"amount": 1, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_1"}}],
    }
    found = _line(subscription)
    assert (found.price, found.one_time, found.proration, found.quantity, found.period) == (
        "price_1",
        False,
        True,
        "2",
        (10, 20),
    )
    assert found.taxes == (Tax(1, 0, False, "txr_1"),)
    once = {**subscription, "parent": {"invoice_item_details": {"proration": False}}, "quantity_decimal": "1.5"}
    assert (_line(once).one_time, _line(once).quantity) == (True, "1.5")


def test_a_tax_without_a_rate() -> None:
    assert _tax({"amount": 5, "tax_behavior": "inclusive", "tax_rate_details": None}) == Tax(5, 0, True)


def test_a_credit_note_that_went_three_ways() -> None:
    found = _credit_note(
        {
            "id": "cn_1",
            "number": "CN-1",
            "status": "issued",
            "total": 100,
            "pre_payment_amount": 40,
            "post_payment_amount": 60,
            "out_of_band_amount": 10,
            "customer_balance_transaction": "cbtxn_1",
            "refunds": [{"type": "refund", "refund": {"id": "re_1"}, "amount_refunded": 30}],
            "created": 5,
        },
        [{"amount": 100, "invoice_line_item": "il_1", "discount_amount": 5, "taxes": []}],
    )
    assert (found.pre_payment, found.out_of_band, found.to_balance, found.refunds) == (40, 10, 20, (("re_1", 30),))
    assert [(one.invoice_line, one.discount) for one in found.lines] == [("il_1", 5)]


def test_a_dispute_with_both_movements() -> None:
    move = {"id": "t", "type": "adjustment", "amount": -100, "fee": 15, "net": -115, "currency": "usd", "created": 7}
    back = {**move, "id": "u", "amount": 100, "fee": 0, "net": 100, "created": 9}
    found = _dispute(
        {
            "id": "du_1",
            "charge": {"id": "ch_1"},
            "amount": 100,
            "currency": "usd",
            "created": 6,
            "status": "won",
            "balance_transactions": [back, move],
        }
    )
    assert found.withdrawn is not None
    assert found.reinstated is not None
    assert (found.withdrawn.id, found.reinstated.id, found.moved_again) == ("t", "u", False)
