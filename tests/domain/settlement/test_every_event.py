"""Every row of what Stripe's own connector does with an event, and of what we do: the state that the event leaves
behind, and the records that must exist then."""

from __future__ import annotations

import pytest

from billing.domain.settlement.event_roots import EVENTS, TYPES_PER_LIST, RootKind, doorbell
from billing.domain.settlement.stripe_objects import ChargeFacts
from tests.domain.settlement.facts import (
    FUNDS,
    at,
    charge,
    dispute,
    facts,
    held,
    invoice,
    items,
    line,
    movement,
    note,
    paid,
    plan_of,
    policies,
    record,
    refund,
    written,
)

INVOICE = "invoice in_1 10000 usd 2026-06-01"
PAYMENT = "customerPayment ch_1 10000 usd 2026-06-03 -> in_1 10000"


def test_invoice_finalized_is_an_invoice_with_its_number_due_date_and_items() -> None:
    plan = plan_of(facts(invoice(due_date=at("2026-07-01"), metadata={"netsuite_customer_id": "77"})))
    assert written(plan) == [INVOICE]
    made = record(plan, "in_1")
    assert (made.stripe_customer, made.netsuite_customer, made.number) == ("cus_1", "77", "INV-1")
    assert (str(made.due), made.memo) == ("2026-07-01", "Stripe: in_1")
    assert items(plan, "in_1") == [("price", "price_1", 10000)]
    assert [(one.stripe_object, one.key) for one in made.write_backs] == [("in_1", "netsuite_invoice_id")]


def test_the_day_is_the_days_in_the_firms_zone() -> None:
    late = at("2026-06-30", "23:30:00")  # July 1st in UTC
    assert written(plan_of(facts(invoice(finalized_at=late)))) == ["invoice in_1 10000 usd 2026-06-30"]
    assert written(plan_of(facts(invoice(effective_at=at("2026-05-31"))))) == ["invoice in_1 10000 usd 2026-05-31"]


@pytest.mark.parametrize("status", ["draft", "deleted"])
def test_invoice_created_draft_and_deleted_are_nothing(status: str) -> None:
    plan = plan_of(facts(invoice(status=status, finalized_at=None)))
    assert (written(plan), held(plan)) == ([], [])
    assert "draft" in plan.nothing_because


def test_invoice_updated_changes_nothing_where_nothing_posts() -> None:
    before = plan_of(facts())
    assert plan_of(facts(invoice(metadata={"netsuite_invoice_id": "4711"}))).records == before.records


def test_invoice_paid_is_a_payment_in_undeposited_funds_applied_to_the_invoice() -> None:
    plan = plan_of(facts(invoice(status="paid", paid_at=at("2026-06-03")), payments=(paid(10000),)))
    assert written(plan) == [INVOICE, PAYMENT]
    made = record(plan, "ch_1")
    assert (made.account, made.memo) == (FUNDS, "Stripe: ch_1")
    assert [(one.stripe_object, one.key) for one in made.write_backs] == [("ch_1", "netsuite_customer_payment_id")]


def test_charge_succeeded_without_an_invoice_is_an_unapplied_payment() -> None:
    plan = plan_of(ChargeFacts(charge(5000)))
    assert written(plan) == ["customerPayment ch_1 5000 usd 2026-06-03"]
    assert record(plan, "ch_1").stripe_customer == "cus_1"


def test_invoice_payment_failed_leaves_the_invoice_open() -> None:
    assert written(plan_of(facts())) == [INVOICE]


def test_charge_failed_after_success_unapplies_the_payment_and_gives_it_back() -> None:
    plan = plan_of(facts(payments=(paid(10000, failed_later_at=at("2026-06-09")),)))
    assert written(plan) == [
        INVOICE,
        "customerPayment ch_1 10000 usd 2026-06-03",
        "customerRefund ch_1-failed 10000 usd 2026-06-09 -> ch_1 10000",
    ]
    assert record(plan, "ch_1-failed").account == FUNDS


def test_invoice_voided_is_a_memo_over_what_is_due_dated_at_the_void() -> None:
    plan = plan_of(facts(invoice(status="void", voided_at=at("2026-06-20"))))
    assert written(plan) == [INVOICE, "creditMemo in_1-void 10000 usd 2026-06-20 -> in_1 10000"]
    # Without lines of its own it credits the invoice's.
    assert (record(plan, "in_1-void").credits, items(plan, "in_1-void")) == ("in_1", [])


@pytest.mark.parametrize(
    ("policy", "lines"), [("credit_original_items", []), ("bad_debt_item", [("bad_debt", "", 10000)])]
)
def test_invoice_marked_uncollectible_is_a_memo_by_policy(policy: str, lines: list[tuple[str, str, int]]) -> None:
    of = facts(invoice(status="uncollectible", uncollectible_at=at("2026-06-20")))
    plan = plan_of(of, policies(uncollectible=policy))
    assert written(plan) == [INVOICE, "creditMemo in_1-void 10000 usd 2026-06-20 -> in_1 10000"]
    assert items(plan, "in_1-void") == lines


def test_invoice_marked_uncollectible_stays_open_where_the_policy_says_so() -> None:
    of = facts(invoice(status="uncollectible", uncollectible_at=at("2026-06-20")))
    assert written(plan_of(of, policies(uncollectible="keep_open"))) == [INVOICE]


def test_a_revision_is_a_memo_on_the_old_invoice_and_a_new_one_each_naming_the_other() -> None:
    old = plan_of(facts(invoice(status="void", voided_at=at("2026-06-20"), revised_by="in_2")))
    new = plan_of(facts(invoice(9000, id="in_2", revises="in_1", finalized_at=at("2026-06-20"))))
    assert written(old) == [INVOICE, "creditMemo in_1-void 10000 usd 2026-06-20 -> in_1 10000"]
    assert written(new) == ["invoice in_2 9000 usd 2026-06-20"]
    assert record(old, "in_1-void").memo == "Stripe: in_1. Voided. Replaced by in_2"
    assert record(new, "in_2").memo == "Stripe: in_2. Replaces in_1"


def test_credit_note_created_on_an_open_invoice_waits_until_it_is_paid_unless_the_policy_says_at_once() -> None:
    of = facts(invoice(amount_remaining=7000), credit_notes=(note(pre=3000),))
    memo = "creditMemo cn_1 3000 usd 2026-06-05"
    assert written(plan_of(of)) == [INVOICE, memo]
    assert written(plan_of(of, policies(prepayment_credit_notes="at_once"))) == [INVOICE, f"{memo} -> in_1 3000"]
    paid_up = facts(
        invoice(status="paid", paid_at=at("2026-06-08")), credit_notes=(note(pre=3000),), payments=(paid(7000),)
    )
    assert written(plan_of(paid_up)) == [
        INVOICE,
        f"{memo} -> in_1 3000",
        "customerPayment ch_1 7000 usd 2026-06-03 -> in_1 7000",
    ]


def test_charge_refunded_is_a_memo_and_a_refund_on_it() -> None:
    plan = plan_of(
        facts(invoice(status="paid", paid_at=at("2026-06-03")), payments=(paid(10000, refunds=(refund(10000),)),))
    )
    assert written(plan) == [
        INVOICE,
        "creditMemo re_1-cm 10000 usd 2026-06-10",
        PAYMENT,
        "customerRefund re_1 10000 usd 2026-06-10 -> re_1-cm 10000",
    ]
    made = record(plan, "re_1")
    assert made.account == FUNDS
    assert [(one.stripe_object, one.key) for one in made.write_backs] == [("re_1", "netsuite_customer_refund_id")]


def test_charge_refunded_without_an_invoice_is_a_refund_on_the_payment() -> None:
    plan = plan_of(ChargeFacts(charge(5000, refunds=(refund(2000),))))
    assert written(plan) == [
        "customerPayment ch_1 5000 usd 2026-06-03",
        "customerRefund re_1 2000 usd 2026-06-10 -> ch_1 2000",
    ]


def test_refund_failed_is_an_unapplied_payment_and_a_person_hears_of_it() -> None:
    failed = refund(10000, status="failed", failure_balance_transaction="txn_back", failed_at=at("2026-06-15"))
    plan = plan_of(facts(payments=(paid(10000, refunds=(failed,)),)))
    assert "customerPayment re_1-back 10000 usd 2026-06-15" in written(plan)
    assert "customerRefund re_1 10000 usd 2026-06-10 -> re_1-cm 10000" in written(plan)
    assert (held(plan), record(plan, "re_1-back").account) == (["refund_failed"], FUNDS)


def test_charge_dispute_created_as_an_inquiry_moves_nothing() -> None:
    inquiry = dispute(10000, status="warning_needs_response")
    assert written(plan_of(facts(payments=(paid(10000, disputes=(inquiry,)),)))) == [INVOICE, PAYMENT]


def test_charge_dispute_funds_withdrawn_is_a_memo_and_a_refund() -> None:
    taken = dispute(10000, movement(-10000, fee=1500))
    plan = plan_of(facts(payments=(paid(10000, disputes=(taken,)),)))
    assert written(plan) == [
        INVOICE,
        "creditMemo dp_1-cm 10000 usd 2026-06-12",
        PAYMENT,
        "customerRefund dp_1 10000 usd 2026-06-12 -> dp_1-cm 10000",
    ]
    assert items(plan, "dp_1-cm") == [("dispute", "", 10000)]


def test_charge_dispute_funds_reinstated_is_a_line_of_the_deposit_or_a_payment_by_policy() -> None:
    won = dispute(10000, movement(-10000), movement(10000, "txn_2", "2026-07-20"), status="won")
    of = facts(payments=(paid(10000, disputes=(won,)),))
    assert [one for one in written(plan_of(of)) if "won" in one] == []
    plan = plan_of(of, policies(disputes_won="payment"))
    assert [one for one in written(plan) if "won" in one] == [
        "invoice dp_1-won-in 10000 usd 2026-07-20",
        "customerPayment dp_1-won 10000 usd 2026-07-20 -> dp_1-won-in 10000",
    ]
    assert record(plan, "dp_1-won").account == FUNDS


def test_charge_dispute_closed_as_lost_changes_nothing_more() -> None:
    open_ = plan_of(facts(payments=(paid(10000, disputes=(dispute(10000, movement(-10000)),)),)))
    lost = plan_of(facts(payments=(paid(10000, disputes=(dispute(10000, movement(-10000), status="lost"),)),)))
    assert lost == open_


def test_price_created_is_an_item_at_first_use() -> None:
    lines = [line(7000), line(2000, "il_2", one_time=True), line(1000, "il_3", price="")]
    assert items(plan_of(facts(lines=lines)), "in_1") == [
        ("price", "price_1", 7000),
        ("one_time", "price_1", 2000),
        ("unlinked", "", 1000),
    ]


EVENT = {"id": "evt_1", "livemode": False, "created": 5, "account": "acct_1"}


@pytest.mark.parametrize(
    ("kind", "object_", "root", "intent"),
    [
        ("invoice.finalized", {"id": "in_1"}, ("invoice", "in_1"), ""),
        ("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1"}, ("invoice", "in_1"), ""),
        ("credit_note.created", {"id": "cn_1", "invoice": {"id": "in_1"}}, ("invoice", "in_1"), ""),
        ("charge.succeeded", {"id": "ch_1", "payment_intent": "pi_1"}, ("charge", "ch_1"), "pi_1"),
        ("refund.failed", {"id": "re_1", "charge": "ch_1", "payment_intent": "pi_1"}, ("charge", "ch_1"), "pi_1"),
        ("charge.dispute.closed", {"id": "dp_1", "charge": "ch_1", "payment_intent": None}, ("charge", "ch_1"), ""),
        ("payout.paid", {"id": "po_1"}, ("payout", "po_1"), ""),
        ("customer.created", {"id": "cus_1"}, ("customer", "cus_1"), ""),
        ("payment_intent.partially_funded", {"id": "pi_1", "latest_charge": None}, ("charge", "pi_1"), "pi_1"),
        (
            "customer_cash_balance_transaction.created",
            {"id": "ccsbtxn_1", "applied_to_payment": {"payment_intent": "pi_1"}},
            ("charge", "pi_1"),
            "pi_1",
        ),
    ],
)
def test_an_event_rings_for_the_object_that_it_is_about(
    kind: str, object_: dict[str, object], root: tuple[str, str], intent: str
) -> None:
    rung = doorbell({**EVENT, "type": kind, "data": {"object": object_}})
    assert rung is not None
    assert (rung.kind, rung.root, rung.payment_intent) == (RootKind(root[0]), root[1], intent)
    assert (rung.event_id, rung.live, rung.account, rung.created) == ("evt_1", False, "acct_1", 5)
    assert rung.group == (intent or root[1])


def test_other_events_ring_nothing_and_a_body_that_is_no_event_is_refused() -> None:
    assert doorbell({**EVENT, "type": "product.updated", "data": {"object": {"id": "prod_1"}}}) is None
    assert doorbell({**EVENT, "type": "coupon.created", "data": {"object": {"id": "co_1"}}}) is None
    unapplied = {**EVENT, "type": "customer_cash_balance_transaction.created", "data": {"object": {"id": "c"}}}
    assert doorbell(unapplied) is None
    with pytest.raises(ValueError, match="no event"):
        doorbell({"type": "invoice.paid"})


def test_the_thirty_two_event_types_are_asked_for_in_lists_of_twenty() -> None:
    assert (len(EVENTS), len(set(EVENTS)), TYPES_PER_LIST) == (32, 32, 20)
