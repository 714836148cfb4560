"""Writing into NetSuite once: cut anywhere, repeated, refused, changed by somebody. Truth is the stand-in's ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.errors import PassingError, PersonNeeded
from billing.domain.settlement.bodies import NotResolved
from billing.domain.settlement.desired_invoice import desired_for_invoice
from billing.domain.settlement.payout import desired_for_payout
from billing.domain.settlement.records import NetSuiteRecord, SettlementPlan
from billing.domain.settlement.stripe_objects import (
    BilledLine,
    BilledOrder,
    CreditNoteLine,
    Discount,
    InvoiceFacts,
    Payout,
    PayoutFacts,
    PayoutMember,
    Tax,
)
from billing.domain.settlement.written import WriteState
from billing.workflows.settlement.writing import Held
from tests.domain.settlement.facts import (
    CALENDAR,
    at,
    drafted,
    facts,
    invoice,
    line,
    movement,
    note,
    paid,
    refund,
)
from tests.sandbox.faults import AnswerAfter, CommitLater, DropAfter, DropBefore
from tests.sandbox.netsuite import (
    NetSuiteServer,
    concurrency_fault,
    permission_fault,
    record_changed_fault,
    unexpected_error_fault,
    workflow_lock_fault,
)
from tests.workflows.settlement.writing_world import JUNE_FIRST, Desk, Killed, world

OURS = {"metadata": {"netsuite_customer_id": "501"}}


@pytest.fixture
def start() -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def started(changes: Any = lambda found: found, of: Any = None, **options: Any) -> Desk:
            server = NetSuiteServer(of or world(), lambda: JUNE_FIRST, today=date(2026, 6, 1), **options)
            return Desk(stack.enter_context(server), changes=changes)

        yield started


@pytest.fixture
def desk(start: Callable[..., Desk]) -> Desk:
    return start()


def plan(desk: Desk, of: InvoiceFacts) -> SettlementPlan:
    found = desired_for_invoice(of, desk.policies, CALENDAR)
    assert found.records, found
    return found


def one(desk: Desk, of: InvoiceFacts | None = None, place: int = 0) -> NetSuiteRecord:
    return plan(desk, of or facts(invoice(**OURS))).records[place]


def ids(desk: Desk, record_type: str) -> list[str]:
    return [str(each.get("externalId")) for each in desk.held(record_type)]


def applied(desk: Desk, record_type: str, external_id: str) -> list[float]:
    (held,) = [each for each in desk.held(record_type) if each.get("externalId") == external_id]
    return [each["amount"] for each in held["apply"]["items"]]


# Written once.


def test_a_record_is_written_once_and_costs_no_call_afterwards(desk: Desk) -> None:
    of = facts(invoice(**OURS), payments=(paid(10000),))
    first = desk.settle(plan(desk, of))
    assert [call for call in desk.calls() if not call.startswith("GET")] == ["POST invoice", "POST customerPayment"]
    assert desk.settle(plan(desk, of)) == first
    assert desk.calls() == []
    assert (desk.balance("Accounts Receivable"), desk.balance("Undeposited Funds")) == ("0", "100")
    assert desk.balance("Services Revenue") == "-100"


def test_payments_and_refunds_bear_the_payment_method_of_the_policy(start: Callable[..., Desk]) -> None:
    desk = start(lambda found: replace(found, payment_method="8"))
    charge = paid(10000)
    assert charge.charge is not None
    given_back = replace(charge, charge=replace(charge.charge, refunds=(refund(4000),)))
    desk.settle(plan(desk, facts(invoice(**OURS), payments=(given_back,))))
    assert [one["paymentOption"]["id"] for one in desk.held("customerPayment")] == ["8"]
    assert [one["paymentOption"]["id"] for one in desk.held("customerRefund")] == ["8"]


def test_where_netsuite_routes_invoices_they_are_sent_as_approved_by_policy_or_their_payment_is_held(
    start: Callable[..., Desk],
) -> None:
    of = facts(invoice(**OURS), payments=(paid(10000),))
    for choice, letter in (("approved", "B"), ("none", "D")):
        desk = start(
            lambda found, choice=choice: replace(found, choices={"approval_status": choice}), approval_routing=True
        )
        if choice == "approved":
            desk.settle(plan(desk, of))
        else:
            with pytest.raises(Held, match="ch_1"):
                desk.settle(plan(desk, of))
        (saved,) = desk.held("invoice")
        assert saved["status"]["id"] == letter
        assert len(desk.held("customerPayment")) == (1 if choice == "approved" else 0)


CUTS = ("before our first row", "before sending", "after the commit", "before our last row")


class Stop:
    """The worker dies at its POST: before NetSuite handles it, or after. It never hears the answer."""

    def __init__(self, sends: bool) -> None:
        self.sends = sends

    def perform(self, request: Any, handle: Any) -> None:
        if self.sends:
            handle(request)


def killed(desk: Desk, record: NetSuiteRecord, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    if cut in ("before our first row", "before our last row"):
        desk.rows.cut = WriteState.INTENDED if "first" in cut else WriteState.WRITTEN
    else:
        previewed = record.transform is not None or record.type.value in ("creditMemo", "deposit")
        desk.server.faults.add(
            method="POST", path="record/v1", action=Stop(sends="after" in cut), skip=1 if previewed else 0
        )
    with monkeypatch.context() as patch:
        if desk.rows.cut is None:

            def dies(*_: Any) -> None:
                raise Killed

            # The connection broke because the worker died: nobody is there to look.
            patch.setattr(type(desk.writer), "_look_for", dies)
        with pytest.raises(Killed):
            desk.write(record)
    desk.rows.cut = None
    desk.server.faults.clear()


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("place", range(5))
def test_a_worker_that_dies_anywhere_leaves_one_record_after_a_redrive(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, cut: str, place: int
) -> None:
    """Each of five records of a life: two invoices' kinds, memo, payment, refund."""
    of = facts(
        invoice(**OURS),
        [line(7000), line(3000, "il_2")],
        payments=(paid(10000, refunds=(refund(4000),)),),
        credit_notes=(note(post=1000, refunds=(("re_1", 1000),)),),
    )
    whole = plan(desk, of).records
    assert [each.type.value for each in whole] == [
        "invoice",
        "creditMemo",
        "creditMemo",
        "customerPayment",
        "customerRefund",
    ]
    desk.write(*whole[:place])
    killed(desk, whole[place], monkeypatch, cut)
    desk.write(*whole)
    assert (ids(desk, "invoice"), ids(desk, "customerPayment"), ids(desk, "customerRefund")) == (
        ["in_1"],
        ["ch_1"],
        ["re_1"],
    )
    assert ids(desk, "creditMemo") == ["cn_1", "re_1-cm"]
    assert (desk.balance("Accounts Receivable"), desk.balance("Undeposited Funds")) == ("0", "60")
    assert desk.balance("Services Revenue") == "-60"


@pytest.mark.parametrize("fault", [DropBefore(), DropAfter(), AnswerAfter(500), unexpected_error_fault()])
def test_a_write_without_a_clear_answer_is_looked_for_before_it_is_sent_again(desk: Desk, fault: Any) -> None:
    desk.server.faults.add(method="POST", path="record/v1/invoice", action=fault)
    desk.write(one(desk))
    assert ids(desk, "invoice") == ["in_1"]
    sent = desk.calls()
    assert sent[:2] == ["POST invoice", "GET invoice"]
    committed = isinstance(fault, DropAfter | AnswerAfter)
    assert sent.count("POST invoice") == (1 if committed else 2)


def test_a_write_that_commits_after_the_look_is_one_record(desk: Desk) -> None:
    late = CommitLater()
    desk.server.faults.add(method="POST", path="record/v1/invoice", action=late)
    desk.server.faults.on_call(lambda call: late.commit() if call.method == "POST" and late._waiting else None)
    desk.write(one(desk))
    assert ids(desk, "invoice") == ["in_1"]
    assert len(late.answers) == 1


def test_netsuite_without_an_answer_is_asked_three_times_and_then_passes_the_fault_on(desk: Desk) -> None:
    desk.server.faults.add(method="POST", path="record/v1/invoice", action=DropBefore(), times=None)
    with pytest.raises(PassingError, match="3 times"):
        desk.write(one(desk))
    assert desk.calls() == ["POST invoice", "GET invoice"] * 3
    assert desk.slept == [1.0, 2.0, 4.0]
    assert desk.rows.kept["in_1"].state is WriteState.INTENDED


def test_concurrency_and_optimistic_locking_are_waited_for(desk: Desk) -> None:
    for fault in (concurrency_fault(retry_after=2), record_changed_fault()):
        desk.server.faults.add(method="POST", path="record/v1/invoice", action=fault)
    desk.write(one(desk))
    assert desk.calls() == ["POST invoice", "POST invoice", "POST invoice", "GET invoice"]
    assert desk.slept == [2.0, 2.0]
    assert ids(desk, "invoice") == ["in_1"]


# What is not as the plan says.


def test_a_record_that_differs_is_held_with_both_columns_and_never_overwritten(desk: Desk) -> None:
    desk.write(one(desk, facts(invoice(9000, finalized_at=at("2026-06-02"), **OURS))))
    desk.rows.kept.clear()
    desk.calls()
    with pytest.raises(Held) as held:
        desk.write(one(desk))
    assert held.value.hold.name == "record_differs"
    assert held.value.hold.columns == (("date", "2026-06-01", "2026-06-02"), ("total", "100.00 USD", "90.00 USD"))
    assert desk.calls() == ["POST invoice", "GET invoice"]
    assert desk.held("invoice")[0]["total"] == 90


def test_an_external_id_that_another_kind_of_record_has_is_held(desk: Desk) -> None:
    invoice_record, payment = plan(desk, facts(invoice(**OURS), payments=(paid(10000),))).records
    desk.write(replace(payment, external_id="in_1", applies=()))
    desk.rows.kept.clear()
    with pytest.raises(Held) as held:
        desk.write(invoice_record)
    assert held.value.hold.name == "external_id_taken"


def test_a_record_that_somebody_deleted_is_held_and_not_written_again(desk: Desk) -> None:
    of = facts(invoice(**OURS), payments=(paid(10000),))
    desk.settle(plan(desk, of))
    payment = desk.rows.kept["ch_1"].internal_id
    answer = desk.records.transport.send("DELETE", f"/services/rest/record/v1/customerPayment/{payment}", None, {})
    assert answer.status_code == 204
    failed = facts(invoice(**OURS), payments=(paid(10000, failed_later_at=at("2026-06-09")),))
    with pytest.raises(Held) as held:
        desk.write(plan(desk, failed).records[1])
    assert held.value.hold.name == "deleted_netsuite_record"
    assert ids(desk, "customerPayment") == []


@pytest.mark.parametrize(
    ("options", "name", "said"),
    [
        ({"mandatory_fields": {"invoice": ["department"]}}, "field_missing", "Department"),
        ({}, "locked_by_workflow", "workflow"),
    ],
)
def test_a_rule_of_netsuites_is_held_by_its_name_with_netsuites_sentence(
    start: Callable[..., Desk], options: dict[str, Any], name: str, said: str
) -> None:
    desk = start(**options)
    if not options:
        desk.server.faults.add(method="POST", path="record/v1/invoice", action=workflow_lock_fault())
    with pytest.raises(Held) as held:
        desk.write(one(desk))
    assert held.value.hold.name == name
    assert said in held.value.hold.columns[0][2]
    assert said not in held.value.hold.reason


def test_a_closed_period_is_held_by_its_name(desk: Desk) -> None:
    desk.server.close_period("2026-06")
    with pytest.raises(Held) as held:
        desk.write(one(desk))
    assert held.value.hold.name == "period_closed"


def test_a_missing_permission_is_for_a_person_and_names_it(desk: Desk) -> None:
    desk.server.faults.add(method="POST", path="record/v1/invoice", action=permission_fault(), times=None)
    with pytest.raises(PersonNeeded, match=r"Invoice \(Create\)"):
        desk.write(one(desk))


def test_an_item_or_an_account_that_the_policy_does_not_name_is_named_before_anything_is_sent(
    start: Callable[..., Desk],
) -> None:
    desk = start(lambda found: replace(found, items={}, undeposited_funds=""))
    of = facts(invoice(**OURS), payments=(paid(10000),))
    with pytest.raises(NotResolved, match="no item for 'price'"):
        desk.write(one(desk, of))
    with pytest.raises(NotResolved, match=r"accounts\.undeposited_funds"):
        desk.write(one(desk, of, 1))
    assert desk.calls() == []


# What a record is applied to.


def test_a_memo_is_applied_when_its_invoice_is_paid_by_one_patch(desk: Desk) -> None:
    waiting = facts(invoice(**OURS), credit_notes=(note(pre=3000),))
    desk.settle(plan(desk, waiting))
    assert applied(desk, "creditMemo", "cn_1") == []
    desk.calls()
    paid_up = facts(
        invoice(status="paid", paid_at=at("2026-06-08"), **OURS),
        credit_notes=(note(pre=3000),),
        payments=(paid(7000),),
    )
    desk.settle(plan(desk, paid_up))
    assert [call for call in desk.calls() if not call.startswith("GET")] == ["PATCH creditMemo", "POST customerPayment"]
    assert applied(desk, "creditMemo", "cn_1") == [30]
    assert desk.held("invoice")[0]["amountRemaining"] == 0
    desk.settle(plan(desk, paid_up))
    assert desk.calls() == []


@pytest.mark.parametrize("fault", [DropBefore(), DropAfter()])
def test_a_patch_without_an_answer_is_read_back(desk: Desk, fault: Any) -> None:
    desk.settle(plan(desk, facts(invoice(**OURS), credit_notes=(note(pre=3000),))))
    desk.server.faults.add(method="PATCH", path="record/v1/creditMemo", action=fault)
    desk.settle(plan(desk, facts(invoice(paid_at=at("2026-06-08"), **OURS), credit_notes=(note(pre=3000),))))
    assert applied(desk, "creditMemo", "cn_1") == [30]


def test_a_payment_that_failed_is_off_its_invoice_before_the_void_memo_closes_it(desk: Desk) -> None:
    desk.settle(plan(desk, facts(invoice(**OURS), payments=(paid(10000),))))
    of = facts(
        invoice(status="void", voided_at=at("2026-06-20"), **OURS),
        payments=(paid(10000, failed_later_at=at("2026-06-09")),),
    )
    desk.settle(plan(desk, of))
    assert applied(desk, "customerPayment", "ch_1") == []
    assert applied(desk, "creditMemo", "in_1-void") == [100]
    assert applied(desk, "customerRefund", "ch_1-failed") == [100]
    for account in ("Accounts Receivable", "Undeposited Funds", "Services Revenue"):
        assert desk.balance(account) == "0"
    desk.calls()
    desk.settle(plan(desk, of))
    assert desk.calls() == []


def test_more_than_is_due_is_refused_and_held_by_name(desk: Desk) -> None:
    desk.settle(plan(desk, facts(invoice(**OURS), payments=(paid(10000),))))
    by_hand = one(desk, facts(invoice(**OURS), payments=(paid(10000, "ch_2"),)), 1)
    with pytest.raises(Held) as held:
        desk.write(by_hand)
    assert held.value.hold.name == "apply_not_offered"


# Invoices of every shape.


def test_discounts_tax_shipping_and_prorations_are_saved_as_stripe_billed_them(start: Callable[..., Desk]) -> None:
    desk = start(lambda found: replace(found, choices={"tax.mode": "item_lines"}))
    tax = Tax(876, 9876, False, "txr_ny")
    of = facts(
        invoice(10000 + 333 - 124 - 333 + 876 + 1500, shipping=1500, due_date=at("2026-07-01"), **OURS),
        [
            line(10000, quantity="3", discounts=(Discount(124, "di_1"),), taxes=(tax,)),
            line(333, "il_2", quantity="7"),
            line(-333, "il_3", proration=True),
        ],
    )
    desk.settle(plan(desk, of))
    (saved,) = desk.held("invoice")
    assert (saved["total"], saved["otherRefNum"], saved["dueDate"], saved["tranDate"]) == (
        122.52,
        "INV-1",
        "2026-07-01",
        "2026-06-01",
    )
    assert (desk.balance("Sales Tax Payable"), desk.balance("Sales Discounts")) == ("-8.76", "1.24")


def test_suitetax_takes_the_taxes_as_details_of_their_lines(start: Callable[..., Desk]) -> None:
    desk = start(
        lambda found: replace(
            found, choices={"tax.mode": "suitetax"}, tax_codes={"txr_ny": "7"}, tax_types={"txr_ny": "3"}
        ),
        tax_mode="suitetax",
    )
    taxes = Tax(888, 10000, False, "txr_ny"), Tax(89, 1000, False, "txr_ny")
    of = facts(invoice(11977, shipping=1000, shipping_taxes=(taxes[1],), **OURS), [line(10000, taxes=(taxes[0],))])
    desk.settle(plan(desk, of))
    (saved,) = desk.held("invoice")
    assert (saved["total"], saved["taxTotal"]) == (119.77, 9.77)
    assert desk.balance("Sales Tax Payable") == "-9.77"


def test_currencies_without_decimals_are_exact(desk: Desk) -> None:
    desk.settle(plan(desk, facts(invoice(5001, currency="jpy", **OURS))))
    assert desk.held("invoice")[0]["total"] == 5001


def test_a_negative_invoice_and_an_invoice_of_zero_are_saved(desk: Desk) -> None:
    desk.settle(plan(desk, facts(invoice(-3000, **OURS), [line(2000), line(-5000, "il_2")])))
    desk.settle(plan(desk, facts(invoice(0, id="in_2", **OURS), [line(5000), line(-5000, "il_2")])))
    assert [each["total"] for each in desk.held("invoice")] == [0, 0]
    assert desk.balance("Services Revenue") == "0"


# Invoices of our orders.


def ours(desk: Desk, *, hours: str = "10", tax: int = 10500, **more: Any) -> InvoiceFacts:
    """SO-500: 10 h of 100.00 less 50.00, hosting 2 x 50.00, shipping 25.00, tax of 10 per cent on 1,050.00."""
    lines = desk.records.by_id("salesOrder", "500")
    assert lines is not None
    keys = [str(each["lineUniqueKey"]) for each in lines["item"]["items"]]
    work = int(Decimal(hours) * 10000)
    discount = -5000 if hours == "10" else -5000 * work // 100000
    billed = (
        BilledLine(keys[0], "item", "1", hours, work, "1001"),
        BilledLine(keys[1], "discount", "2", None, discount, "1003"),
        BilledLine(keys[2], "item", "3", "2", 10000, "1002"),
        BilledLine("77", "shipping", "4", None, 2500),
        BilledLine("78", "tax", "5", None, tax),
    )
    return drafted(BilledOrder("500", "SO-500", "501", billed), **more)


def test_an_order_becomes_billed_by_an_invoice_that_was_compared_first(desk: Desk) -> None:
    desk.settle(plan(desk, ours(desk, payments=(paid(118000),))))
    calls = desk.calls()
    assert [call for call in calls if not call.startswith("GET")] == [
        "preview salesOrder",
        "POST salesOrder",
        "POST customerPayment",
    ]
    (saved,) = desk.held("invoice")
    assert (saved["externalId"], saved["total"], saved["amountRemaining"]) == ("in_1-so500", 1180, 0)
    assert desk.server.orders()["SO-500"].status == "G"
    assert (desk.balance("Accounts Receivable"), desk.balance("Sales Tax Payable")) == ("0", "-105")


@pytest.mark.parametrize("cut", CUTS)
def test_an_order_is_billed_once_wherever_the_worker_dies(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    made = one(desk, ours(desk))
    killed(desk, made, monkeypatch, cut)
    desk.write(made)
    assert ids(desk, "invoice") == ["in_1-so500"]


def test_whoever_keeps_what_mirrors_what_is_told_before_our_row_and_again_after_a_death(desk: Desk) -> None:
    made, told = one(desk, ours(desk)), []
    writer = replace(desk.writer, adopted=lambda record, written: told.append((written.root, written.internal_id)))
    desk.rows.cut = WriteState.WRITTEN
    with pytest.raises(Killed):
        writer.write(made, desk.resolved(made), "in_1")
    desk.rows.cut = None
    row = writer.write(made, desk.resolved(made), "in_1")
    assert told == [("in_1", row.internal_id)] * 2
    writer.write(made, desk.resolved(made), "in_1")
    assert len(told) == 2


def test_an_order_that_we_billed_and_forgot_is_adopted_and_one_that_a_person_billed_is_held(desk: Desk) -> None:
    made = one(desk, ours(desk))
    desk.write(made)
    desk.rows.kept.clear()
    desk.calls()
    desk.write(made)
    assert desk.rows.kept["in_1-so500"].state is WriteState.WRITTEN
    other = replace(made, external_id="in_9-so500")
    with pytest.raises(Held) as held:
        desk.write(other)
    assert held.value.hold.name == "order_already_billed"
    assert ids(desk, "invoice") == ["in_1-so500"]


def test_one_cent_of_difference_is_held_and_nothing_is_saved(desk: Desk) -> None:
    with pytest.raises(Held) as held:
        desk.write(one(desk, ours(desk, tax=10501)))
    assert held.value.hold.name == "order_and_invoice_differ"
    assert held.value.hold.columns == (("total", "1,180.01 USD", "1,180.00 USD"),)
    assert (ids(desk, "invoice"), desk.server.orders()["SO-500"].status) == ([], "F")


@pytest.mark.parametrize("sharing", ["first", "last"])
def test_an_account_that_shares_discounts_otherwise_is_held(start: Callable[..., Desk], sharing: str) -> None:
    desk = start(discount_sharing=sharing)
    of = ours(desk, hours="4", tax=4800)
    with pytest.raises(Held) as held:
        desk.write(one(desk, of))
    assert any(what.startswith("discounts") for what, _, _ in held.value.hold.columns)
    assert ids(desk, "invoice") == []


def test_the_policys_rounding_line_makes_up_for_a_cent_where_the_account_takes_it(start: Callable[..., Desk]) -> None:
    desk = start(lambda found: replace(found, rounding_line=1))
    desk.write(one(desk, ours(desk, tax=10501)))
    assert desk.calls()[-4:-1] == ["preview salesOrder", "preview salesOrder", "POST salesOrder"]
    (saved,) = desk.held("invoice")
    assert saved["total"] == 1180.01
    assert [each["amount"] for each in saved["item"]["items"]] == [1000, -50, 100, 0.01]
    two_cents = start(lambda found: replace(found, rounding_line=1))
    with pytest.raises(Held):
        two_cents.write(one(two_cents, ours(two_cents, tax=10502)))


def test_an_account_that_takes_no_rounding_line_keeps_the_hold(start: Callable[..., Desk]) -> None:
    desk = start(lambda found: replace(found, rounding_line=1))
    desk.server.faults.add(method="POST", path="transform", action=workflow_lock_fault(), skip=1)
    with pytest.raises(Held) as held:
        desk.write(one(desk, ours(desk, tax=10501)))
    assert held.value.hold.name == "order_and_invoice_differ"
    assert ids(desk, "invoice") == []


def test_a_line_that_left_the_order_is_named(desk: Desk) -> None:
    made = one(desk, ours(desk))
    assert made.transform is not None
    gone = replace(made.transform.lines[0], unique_key="1")
    with pytest.raises(NotResolved, match="no longer on the order"):
        desk.write(replace(made, transform=replace(made.transform, lines=(gone,))))


def test_the_void_memo_of_an_orders_invoice_takes_back_its_shipping_discount_and_tax(desk: Desk) -> None:
    desk.settle(plan(desk, ours(desk, status="void", voided_at=at("2026-06-20"))))
    (memo,) = desk.held("creditMemo")
    assert memo["total"] == 1180
    assert (desk.balance("Accounts Receivable"), desk.balance("Sales Tax Payable")) == ("0", "0")
    assert desk.server.orders()["SO-500"].status == "G"  # a credit memo does not reopen an order


def test_a_memo_that_netsuite_would_tax_again_is_held_before_it_is_saved(start: Callable[..., Desk]) -> None:
    desk = start(legacy_tax_code="NY")
    of = ours(desk, credit_notes=(note(pre=1000, lines=(CreditNoteLine(1000, "", "il_x"),)),))
    records = plan(desk, of).records
    desk.write(records[0])
    with pytest.raises(Held) as held:
        desk.write(records[1])
    assert held.value.hold.name == "unequal_amounts"
    assert held.value.hold.columns == (("total", "10.00 USD", "11.00 USD"),)
    assert ids(desk, "creditMemo") == []


# Deposits.


def deposit(desk: Desk, currency: str, *members: PayoutMember) -> NetSuiteRecord:
    amount = sum(each.movement.net for each in members)
    payout = Payout("po_1", amount, currency, "paid", True, "completed", at("2026-06-15"), at("2026-06-13"))
    found = desired_for_payout(PayoutFacts(payout, members), desk.policies, CALENDAR)
    assert found.records, found.holds
    return found.records[0]


def charged(amount: int, fee: int = 0, charge: str = "ch_1", **more: Any) -> PayoutMember:
    fees = (("stripe_fee", fee),) if fee else ()
    return PayoutMember(movement(amount, f"txn_{charge}", type="charge", fee=fee, fees=fees, **more), charge=charge)


def test_a_deposit_brings_the_bank_what_the_payout_brought(desk: Desk) -> None:
    desk.settle(plan(desk, facts(invoice(**OURS), payments=(paid(10000, refunds=(refund(4000),)),))))
    back = PayoutMember(movement(-4000, "txn_re", type="refund"), charge="ch_1", refund="re_1")
    desk.write(deposit(desk, "usd", charged(10000, 320), back))
    assert (desk.balance("US Bank"), desk.balance("Undeposited Funds"), desk.balance("Stripe Fees")) == (
        "56.8",
        "0",
        "3.2",
    )


@pytest.mark.parametrize("cut", CUTS)
def test_a_deposit_is_made_once_wherever_the_worker_dies(desk: Desk, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    desk.settle(plan(desk, facts(invoice(**OURS), payments=(paid(10000),))))
    made = deposit(desk, "usd", charged(10000, 320))
    killed(desk, made, monkeypatch, cut)
    desk.write(made)
    assert ids(desk, "deposit") == ["po_1"]
    assert desk.balance("US Bank") == "96.8"


def test_a_payment_that_is_deposited_already_is_held_by_its_name(desk: Desk) -> None:
    desk.settle(plan(desk, facts(invoice(**OURS), payments=(paid(10000),))))
    made = deposit(desk, "usd", charged(10000, 320))
    desk.write(made)
    with pytest.raises(Held) as held:
        desk.write(replace(made, external_id="po_2"))
    assert held.value.hold.name == "already_deposited"


@pytest.mark.parametrize(
    ("honours", "allowed", "name"), [(True, 0, ""), (False, 0, "unequal_amounts"), (False, 500, "")]
)
def test_a_foreign_payment_is_worth_what_stripe_says_or_the_difference_is_posted_or_held(
    start: Callable[..., Desk], honours: bool, allowed: int, name: str
) -> None:
    """100.00 EUR settled as 118.00 USD; NetSuite's stored rate of that day says 120.00."""

    def changes(found: Any) -> Any:
        usd = replace(found.currencies["usd"], max_fx_difference=allowed)
        return replace(found, currencies={**found.currencies, "usd": usd})

    desk = start(changes, honours_payment_amount=honours)
    desk.settle(plan(desk, facts(invoice(currency="eur", **OURS), payments=(paid(10000, currency="eur"),))))
    made = deposit(desk, "usd", charged(11800))
    if name:
        with pytest.raises(Held) as held:
            desk.write(made)
        assert held.value.hold.name == name
        assert ids(desk, "deposit") == []
        return
    desk.write(made)
    assert desk.balance("US Bank") == "118"


# Shared slots.


def test_each_call_holds_a_slot_of_the_accounts_concurrency(desk: Desk) -> None:
    from contextlib import contextmanager

    held = []

    @contextmanager
    def slot() -> Iterator[None]:
        held.append("in")
        yield
        held.append("out")

    desk.records.transport.slot = slot
    desk.write(one(desk))
    assert held == ["in", "out"] * len(desk.calls())
