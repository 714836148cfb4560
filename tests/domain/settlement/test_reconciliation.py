"""The proof of both books: a month whose sums were added up by hand, faults that are planted in it one by one, and ten
thousand sound objects in which nothing is found.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from billing.domain.settlement.books import (
    BookedDepositLine,
    BookedDepositPayment,
    BookedOrder,
    BookedRecord,
    Books,
    Lookalike,
)
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.proof import Difference, DifferenceKind, Equation, Proof
from billing.domain.settlement.reconciliation import compared_with, reconcile
from billing.domain.settlement.records import Hold, RecordType, SettlementPlan
from billing.domain.settlement.sides import OurRows, ProvenRoot
from billing.domain.settlement.stripe_objects import ChargeFacts, InvoiceFacts, PayoutFacts, PayoutMember
from billing.domain.settlement.written import WriteState, WrittenRecord
from tests.domain.settlement.booked import books_of, changed, day, root_of, rows_of, without
from tests.domain.settlement.facts import (
    BANK,
    at,
    charge,
    dispute,
    drafted,
    facts,
    invoice,
    line,
    movement,
    note,
    order,
    paid,
    policies,
    refund,
)
from tests.domain.settlement.test_payouts import member, payout

Kind = DifferenceKind


def of(id: str, total: int, *lines: int, **more: object) -> InvoiceFacts:
    """An invoice of one line, or of these."""
    own = {key: more.pop(key) for key in ("payments", "credit_notes") if key in more}
    return facts(
        invoice(total, id=id, number=id.upper(), **more),
        [line(amount, f"il_{place}") for place, amount in enumerate(lines or (total,), 1)],
        **own,
    )


def settled(id: str, total: int, charged: str, *, refunds: tuple = (), disputes: tuple = ()) -> InvoiceFacts:
    """An invoice that one charge paid."""
    return of(
        id,
        total,
        status="paid",
        amount_paid=total,
        amount_remaining=0,
        paid_at=at("2026-06-03"),
        payments=(paid(total, charged, refunds=refunds, disputes=disputes),),
    )


PART_PAID = drafted(
    order("500", ("item", 10000), ("item", 5000)),
    amount_paid=6000,
    amount_remaining=9000,
    payments=(paid(6000),),
)
REFUNDED = settled("in_2", 20000, "ch_2", refunds=(refund(5000, "re_2", charge="ch_2"),))
VOID = of("in_3", 8000, status="void", voided_at=at("2026-06-04"), amount_remaining=8000)
WRITTEN_OFF = of("in_4", 3000, status="uncollectible", uncollectible_at=at("2026-06-05"))
CREDITED = of("in_5", 10000, amount_due=9000, amount_remaining=9000, credit_notes=(note(pre=1000),))
DISPUTED = settled("in_6", 4000, "ch_6", disputes=(dispute(4000, movement(-4000, "txn_dp", fee=1500)),))
ALONE = ChargeFacts(charge(2500, "ch_9"))
PAYOUT = PayoutFacts(
    payout(20186),
    (
        member("charge", 6000, 204, id="txn_1", charge="ch_1"),
        member("charge", 20000, 610, id="txn_2", charge="ch_2"),
        member("refund", -5000, id="txn_3", refund="re_2", charge="ch_2"),
    ),
)
MONTH = (PART_PAID, REFUNDED, VOID, WRITTEN_OFF, CREDITED, DISPUTED, ALONE, PAYOUT)

BY_HAND = {
    "receivables": 9000 + (10000 - 1000) - 2500,
    "undeposited_funds": 2500 + 4000 - 4000,
    "bank": 20186,
    "fees": 204 + 610,
    "revenue": 15000 + (20000 - 5000) + (10000 - 1000) + (4000 - 4000),
    "orders": 4 * 10**8,
}


def roots(policy: SettlementPolicies | None = None) -> tuple[ProvenRoot, ...]:
    return tuple(root_of(one, policy) for one in MONTH)


def proved(
    books: Books | None = None,
    of_roots: tuple[ProvenRoot, ...] | None = None,
    rows: OurRows | None = None,
    policy: SettlementPolicies | None = None,
) -> tuple[dict[str, Equation], tuple[Difference, ...]]:
    all_roots = of_roots or roots(policy)
    equations, differences = reconcile(
        all_roots, books or books_of(all_roots, policy), rows or rows_of(all_roots), policy or policies()
    )
    return {one.name.value: one for one in equations}, differences


def test_a_sound_month_agrees_and_both_sides_are_what_was_added_up_by_hand() -> None:
    equations, differences = proved()
    assert differences == ()
    assert {name: one.stripe for name, one in equations.items()} == BY_HAND
    assert {name: one.netsuite for name, one in equations.items()} == BY_HAND
    assert {one.difference for one in equations.values()} == {0}


def in_payout(books: Books, deposit: str, name: str, payment: str) -> Books:
    """The payment on another deposit."""
    found = next(one.internal_id for one in books.records if one.external_id == payment)
    others = tuple(one for one in books.deposited if one.payment != found)
    return replace(books, deposited=(*others, BookedDepositPayment(deposit, name, found)))


def one_more(books: Books, like: str, external_id: str, **more: object) -> Books:
    """Another record, as one that is there."""
    found = next(one for one in books.records if one.external_id == like)
    return replace(books, records=(*books.records, replace(found, internal_id="9999", external_id=external_id, **more)))


Fault = tuple[Callable[[Books], Books], Kind, str, dict[str, int]]

FAULTS: dict[str, Fault] = {
    "an invoice was never written": (
        lambda b: without(without(b, "ch_1"), "in_1-so500"),
        Kind.MISSING_THERE,
        "in_1-so500",
        {"receivables": 9000},
    ),
    "a payment was deleted": (lambda b: without(b, "ch_9"), Kind.MISSING_THERE, "ch_9", {"undeposited_funds": 2500}),
    "a refund is missing": (lambda b: without(b, "dp_1"), Kind.MISSING_THERE, "dp_1", {"undeposited_funds": -4000}),
    "a memo is missing": (lambda b: without(b, "in_3-void"), Kind.MISSING_THERE, "in_3-void", {}),
    "a deposit is missing": (
        lambda b: without(b, "po_1"),
        Kind.MISSING_THERE,
        "po_1",
        {"bank": 20186, "fees": 814, "undeposited_funds": -21000},
    ),
    "an invoice has another total": (
        lambda b: changed(b, "in_2", total=Decimal("200.01"), due=Decimal("0.01"), lines={"100": "200.01"}),
        Kind.AMOUNT,
        "in_2",
        {"receivables": -1, "revenue": 1},
    ),
    "a payment has another amount": (
        lambda b: changed(b, "ch_9", total=Decimal("25.10"), unused=Decimal("25.10")),
        Kind.AMOUNT,
        "ch_9",
        {"receivables": 10, "undeposited_funds": -10},
    ),
    "an invoice was edited by hand": (
        lambda b: changed(b, "in_2", total=Decimal("190.00"), lines={"100": "190.00"}, modified="2026-06-21 09:00:00"),
        Kind.EDITED,
        "in_2",
        {"revenue": 1000},
    ),
    "an invoice's line has another item": (
        lambda b: changed(b, "in_2", lines={"101": "200.00"}),
        Kind.AMOUNT,
        "in_2",
        {"revenue": 40000},
    ),
    "lines of an order's invoice were swapped": (
        lambda b: changed(b, "in_1-so500", lines={"91": "50.00", "92": "100.00"}),
        Kind.AMOUNT,
        "in_1-so500",
        {"revenue": 10000},
    ),
    "an invoice is in another currency": (lambda b: changed(b, "in_2", currency="2"), Kind.CURRENCY, "in_2", {}),
    "an invoice is another customer's": (lambda b: changed(b, "in_2", customer="501"), Kind.CUSTOMER, "in_2", {}),
    "a payment has another date": (lambda b: changed(b, "ch_2", on=day("2026-06-04")), Kind.DATE, "ch_2", {}),
    "an invoice posts to another period": (
        lambda b: changed(b, "in_2", period=(day("2026-07-01"), day("2026-07-31"))),
        Kind.DATE,
        "in_2",
        {},
    ),
    "an invoice waits for approval": (lambda b: changed(b, "in_2", posting=False), Kind.STATUS, "in_2", {}),
    "a memo was voided": (
        lambda b: changed(b, "re_2-cm", voided=True),
        Kind.STATUS,
        "re_2-cm",
        {"revenue": 5000},
    ),
    "the order was reopened": (
        lambda b: replace(b, orders=(BookedOrder("500", "F", Decimal(2)),)),
        Kind.STATUS,
        "",
        {"orders": 2 * 10**8},
    ),
    "a payment was unapplied": (
        lambda b: changed(changed(b, "ch_1", applied={}, unused=Decimal("60.00")), "in_1-so500", due=Decimal("150.00")),
        Kind.APPLIED,
        "ch_1",
        {},
    ),
    "a payment is applied in part": (
        lambda b: changed(
            changed(b, "ch_2", applied={"in_2": "199.00"}, unused=Decimal("1.00")), "in_2", due=Decimal("1.00")
        ),
        Kind.APPLIED,
        "ch_2",
        {},
    ),
    "NetSuite has a record of an object that Stripe does not know": (
        lambda b: one_more(b, "ch_9", "ch_unknown"),
        Kind.EXTRA,
        "ch_unknown",
        {"receivables": 2500, "undeposited_funds": -2500},
    ),
    "NetSuite has a record that Stripe's state does not ask for": (
        lambda b: one_more(b, "in_3-void", "in_2-void", unused=Decimal("80.00")),
        Kind.MISSING_HERE,
        "in_2-void",
        {"receivables": 8000, "revenue": 8000},
    ),
    "an invoice was entered by hand as well": (
        lambda b: replace(b, lookalikes=(Lookalike("777", RecordType.INVOICE, "Stripe: in_2"),)),
        Kind.DUPLICATE,
        "in_2",
        {},
    ),
    "a payment was deposited by hand": (
        lambda b: in_payout(b, "888", "", "ch_9"),
        Kind.DEPOSITED_ELSEWHERE,
        "ch_9",
        {"undeposited_funds": 2500},
    ),
    "a payment of the payout is on another deposit": (
        lambda b: in_payout(b, "888", "", "ch_2"),
        Kind.DEPOSITED_ELSEWHERE,
        "ch_2",
        {},
    ),
    "a deposit holds a payment too few": (
        lambda b: replace(b, deposited=b.deposited[1:]),
        Kind.APPLIED,
        "po_1",
        {"undeposited_funds": -6000},
    ),
    "a deposit is on another bank account": (
        lambda b: changed(b, "po_1", account="99"),
        Kind.DEPOSITED_ELSEWHERE,
        "po_1",
        {"bank": 20186},
    ),
    "a payment went straight to the bank": (
        lambda b: changed(b, "ch_9", account=BANK),
        Kind.DEPOSITED_ELSEWHERE,
        "ch_9",
        {"undeposited_funds": 2500},
    ),
    "a fee is on another account": (
        lambda b: replace(b, deposit_lines=tuple(replace(one, account="77") for one in b.deposit_lines)),
        Kind.AMOUNT,
        "po_1",
        {"fees": 814},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_planted_fault_is_found_by_its_class(name: str) -> None:
    plant, kind, external_id, off = FAULTS[name]
    equations, differences = proved(plant(books_of(roots())))
    assert (kind, external_id) in {(one.kind, one.external_id) for one in differences}, differences
    for equation, by_hand in off.items():
        assert equations[equation].difference == by_hand, equation


def test_the_faults_are_at_least_twenty_five_and_of_every_class_that_a_record_can_have() -> None:
    assert len(FAULTS) >= 25
    assert {kind for _, kind, _, _ in FAULTS.values()} == set(Kind) - {Kind.WAITING, Kind.BEFORE_START}


def test_only_what_was_never_written_may_be_fixed() -> None:
    books = without(books_of(roots()), "ch_9")
    _, (deleted,) = proved(books)
    assert (deleted.kind, deleted.fix) == (Kind.MISSING_THERE, False)
    assert "deleted" in deleted.reason
    rows = rows_of(roots())
    unwritten = replace(rows, written={name: row for name, row in rows.written.items() if name != "ch_9"})
    _, (missing,) = proved(books, rows=unwritten)
    assert (missing.kind, missing.fix, missing.off) == (Kind.MISSING_THERE, True, 2500)
    intended = WrittenRecord("ch_9", RecordType.PAYMENT, WriteState.INTENDED, "ch_9")
    _, (begun,) = proved(books, rows=replace(rows, written={**rows.written, "ch_9": intended}))
    assert begun.fix


def test_a_missing_record_that_was_entered_by_hand_is_left_to_a_person() -> None:
    rows = OurRows({}, rows_of(roots()).customers)
    by_hand = Lookalike("777", RecordType.PAYMENT, "Stripe: ch_9")
    _, (missing,) = proved(replace(without(books_of(roots()), "ch_9"), lookalikes=(by_hand,)), rows=rows)
    assert (missing.kind, missing.fix) == (Kind.MISSING_THERE, False)
    assert "777" in missing.reason


def test_what_waits_is_named_with_its_reason_and_explains_its_part_of_the_equations() -> None:
    waits = Hold("period_closed", "May is closed.")
    all_roots = tuple(replace(one, bell=waits) if one.root == "ch_9" else one for one in roots())
    equations, (difference,) = proved(without(books_of(roots()), "ch_9"), all_roots)
    assert (difference.kind, difference.root) == (Kind.WAITING, "ch_9")
    assert difference.reason == "period_closed: May is closed."
    assert equations["undeposited_funds"].waiting == 2500
    assert equations["receivables"].waiting == -2500
    assert {one.difference for one in equations.values()} == {0}


def test_what_waits_does_not_hide_that_another_record_of_it_was_edited() -> None:
    waits = Hold("refund_failed", "It failed.")
    all_roots = tuple(replace(one, bell=waits) if one.root == "in_2" else one for one in roots())
    _, differences = proved(changed(books_of(roots()), "in_2", total=Decimal("199.00")), all_roots)
    assert {one.kind for one in differences} == {Kind.WAITING, Kind.AMOUNT}


TAXED = root_of(
    drafted(order("700", ("item", 10000), ("item", 5000), ("discount", -1000), ("shipping", 600), ("tax", 400)))
)
"""150.00 of goods; what is beside them has items in NetSuite that our ledger does not know."""


@pytest.mark.parametrize(
    "beside", [{"77": "-10.00", "88": "6.00"}, {"77": "-10.00", "88": "6.00", "99": "4.00"}, {"": "0.00"}]
)
def test_an_orders_goods_are_compared_by_item_however_netsuite_splits_tax_and_shipping(beside: dict[str, str]) -> None:
    lines = {"91": "100.00", "92": "50.00", **beside}
    books = changed(books_of((TAXED,)), "in_1-so700", lines=lines)
    equations, differences = proved(books, (TAXED,))
    assert differences == ()
    assert {one.difference for one in equations.values()} == {0}
    assert equations["revenue"].stripe == 15000


@pytest.mark.parametrize(
    ("lines", "items"),
    [
        ({"91": "90.00", "92": "60.00", "77": "-10.00", "88": "10.00"}, {"91", "92"}),
        ({"91": "90.00", "92": "50.00", "95": "10.00", "77": "-10.00", "88": "10.00"}, {"91", "none"}),
        ({"91": "150.00", "77": "-10.00", "88": "10.00"}, {"91", "92"}),
    ],
)
def test_revenue_of_an_orders_goods_on_another_item_is_found_beside_tax_and_shipping(
    lines: dict[str, str], items: set[str]
) -> None:
    books = changed(books_of((TAXED,)), "in_1-so700", lines=lines)
    equations, differences = proved(books, (TAXED,))
    assert {one.kind for one in differences} == {Kind.AMOUNT}
    assert {one.stripe.partition(":")[0].removeprefix("item ") for one in differences} == items
    assert equations["revenue"].difference == sum(abs(one.off) for one in differences) > 0


def test_a_date_that_the_policy_moved_is_no_difference() -> None:
    moved = "Stripe: ch_9. Original transaction date: 2026-06-03"
    books = changed(
        books_of(roots()), "ch_9", on=day("2026-07-01"), memo=moved, period=(day("2026-07-01"), day("2026-07-31"))
    )
    assert proved(books)[1] == ()


def test_kept_open_uncollectible_invoices_are_receivables() -> None:
    policy = policies(uncollectible="keep_open")
    equations, differences = proved(policy=policy)
    assert differences == ()
    assert equations["receivables"].stripe == BY_HAND["receivables"] + 3000
    assert {one.difference for one in equations.values()} == {0}


def test_an_invoice_paid_outside_stripe_stays_due_where_nothing_is_written_for_it() -> None:
    outside = of(
        "in_7", 700, status="paid", amount_paid=700, amount_remaining=0, paid_at=at("2026-06-04"), paid_off_stripe=700,
        payments=(replace(paid(700), id="inpay_7", charge=None),),
    )  # fmt: skip
    for policy, due in ((policies(), 700), (policies(out_of_band="payment_to_account"), 0)):
        equations, differences = proved(of_roots=(root_of(outside, policy),), policy=policy)
        assert differences == ()
        assert equations["receivables"].netsuite == equations["receivables"].stripe == due
        assert equations["revenue"].difference == equations["revenue"].stripe - 700 == 0


def test_a_person_may_apply_an_unused_payment_to_another_invoice() -> None:
    books = changed(
        changed(books_of(roots()), "ch_9", applied={"in_5": "25.00"}, unused=Decimal(0)), "in_5", due=Decimal("75.00")
    )
    equations, differences = proved(books)
    assert differences == ()
    assert equations["receivables"].difference == 0


def test_what_others_bill_of_an_order_is_no_difference() -> None:
    books = books_of(roots())
    theirs = replace(books.order_invoices[0], invoice="321", external_id="", quantity=Decimal(3))
    books = replace(
        books, orders=(BookedOrder("500", "G", Decimal(7)),), order_invoices=(*books.order_invoices, theirs)
    )
    equations, differences = proved(books)
    assert differences == ()
    assert equations["orders"].netsuite == 4 * 10**8


def test_a_quantity_that_was_billed_without_an_invoice_is_no_difference() -> None:
    """A cash sale, or what was billed before there was a settlement: the order counts it, no invoice names it."""
    books = replace(books_of(roots()), orders=(BookedOrder("500", "E", Decimal("46.5")),))
    equations, differences = proved(books)
    assert differences == ()
    assert (equations["orders"].netsuite, equations["orders"].difference) == (4 * 10**8, 0)
    equations, _ = proved(replace(books, order_invoices=()))
    assert equations["orders"].difference == 4 * 10**8, "our invoice bills nothing of it any more"


def test_records_of_others_are_no_concern() -> None:
    other = BookedRecord("55", RecordType.INVOICE, "SF-1", "9", "1", Decimal("70.00"), day("2026-06-01"), Decimal(70))
    books = books_of(roots())
    equations, differences = proved(replace(books, records=(*books.records, other)))
    assert differences == ()
    assert {one.difference for one in equations.values()} == {0}


def test_what_is_older_than_the_settlement_is_named_and_counts_on_neither_side() -> None:
    policy = replace(policies(), start_date=day("2026-06-02"))
    late = root_of(REFUNDED, policy)
    equations, differences = proved(books_of((root_of(REFUNDED),)), (late,), policy=policy)
    assert equations == {}
    assert {one.kind for one in differences} == {Kind.BEFORE_START}


def test_money_of_another_currency_leaves_undeposited_funds_in_its_own_and_reaches_the_bank_in_the_banks() -> None:
    euros = replace(charge(10000, "ch_e"), currency="eur")
    bill = of("in_e", 10000, currency="eur", status="paid", amount_paid=10000, amount_remaining=0,
              paid_at=at("2026-06-03"), payments=(replace(paid(10000, "ch_e"), charge=euros),))  # fmt: skip
    dollars = PayoutFacts(payout(10700), (member("charge", 11000, 300, id="txn_e", charge="ch_e"),))
    all_roots = (root_of(bill), root_of(dollars))
    equations, differences = reconcile(all_roots, books_of(all_roots), rows_of(all_roots), policies())
    assert differences == ()
    found = {(one.currency, one.name.value): (one.stripe, one.netsuite) for one in equations}
    assert found["eur", "undeposited_funds"] == (0, 0)
    assert found["eur", "revenue"] == (10000, 10000)
    assert found["usd", "undeposited_funds"] == (0, 0)
    assert found["usd", "bank"] == (10700, 10700)
    assert found["usd", "fees"] == (300, 300)


def test_a_manual_payout_waits_and_its_amount_is_what_the_bank_waits_for() -> None:
    by_hand = root_of(PayoutFacts(payout(5000, automatic=False, reconciliation_status="not_applicable"), ()))
    equations, (difference,) = proved(of_roots=(root_of(ALONE), by_hand))
    assert (difference.kind, difference.root) == (Kind.WAITING, "po_1")
    assert difference.reason.startswith("manual_payout: ")
    assert (equations["bank"].stripe, equations["bank"].netsuite, equations["bank"].waiting) == (5000, 0, 5000)
    assert {one.difference for one in equations.values()} == {0}


BY_HAND_PAYOUT = PayoutFacts(
    payout(2400, automatic=False, reconciliation_status="not_applicable", metadata={"netsuite_deposit_id": "901"}), ()
)


def settled_by_hand(total: str = "24.00", account: str = BANK, currency: str = "1", external_id: str = "") -> tuple:
    """A manual payout that a person deposited: the charge of 25.00, less 1.00 of fees. The roots, and the books."""
    by_hand = ProvenRoot("po_1", RootKind.PAYOUT, BY_HAND_PAYOUT, SettlementPlan("po_1"))
    all_roots = (root_of(ALONE), by_hand)
    books = books_of((root_of(ALONE),))
    (paid_by,) = [one.internal_id for one in books.records if one.external_id == "ch_9"]
    made = BookedRecord(
        "901", RecordType.DEPOSIT, external_id, "", currency, Decimal(total), day("2026-06-09"), account=account
    )
    books = replace(
        books,
        records=(*books.records, made),
        deposited=(BookedDepositPayment("901", external_id, paid_by),),
        deposit_lines=(BookedDepositLine("901", "18", Decimal("1.00")),),
    )
    return all_roots, books


@pytest.mark.parametrize("external_id", ["", "po_1"])
def test_a_manual_payout_that_a_person_deposited_agrees_by_its_metadata_or_its_external_id(external_id: str) -> None:
    all_roots, books = settled_by_hand(external_id=external_id)
    equations, differences = proved(books.named({"901": "po_1"}), all_roots)
    assert differences == ()
    assert {name: (one.stripe, one.netsuite, one.difference) for name, one in equations.items()} == {
        "receivables": (-2500, -2500, 0),
        "undeposited_funds": (0, 0, 0),
        "bank": (2400, 2400, 0),
        "fees": (100, 100, 0),
        "revenue": (0, 0, 0),
        "orders": (0, 0, 0),
    }


@pytest.mark.parametrize(
    ("changes", "kind", "bank"),
    [
        ({"total": "23.00"}, Kind.AMOUNT, 100),
        ({"account": "19"}, Kind.DEPOSITED_ELSEWHERE, 2400),
        ({"currency": "2"}, Kind.CURRENCY, 2400),
    ],
)
def test_a_manual_payout_that_was_deposited_otherwise_is_a_difference(
    changes: dict[str, str], kind: DifferenceKind, bank: int
) -> None:
    all_roots, books = settled_by_hand(**changes)
    equations, differences = reconcile(all_roots, books.named({"901": "po_1"}), rows_of(all_roots), policies())
    assert {one.kind for one in differences} >= {kind}
    assert {one.root for one in differences} == {"po_1"}
    assert next(one for one in equations if (one.name.value, one.currency) == ("bank", "usd")).difference == bank


def test_a_manual_payout_that_is_settled_and_has_no_deposit_is_missing_and_nothing_can_write_it() -> None:
    all_roots, books = settled_by_hand()
    without_it = replace(books, records=tuple(one for one in books.records if one.internal_id != "901"), deposited=())
    equations, (difference,) = proved(without_it, all_roots)
    assert (difference.kind, difference.external_id, difference.fix) == (Kind.MISSING_THERE, "po_1", False)
    assert "netsuite_deposit_id" in difference.reason
    assert equations["bank"].difference == 2400


def test_a_payment_on_a_deposit_that_no_payout_names_says_where_to_write_its_id() -> None:
    _, books = settled_by_hand()
    _, differences = proved(books, (root_of(ALONE),))
    (elsewhere,) = [one for one in differences if one.kind is Kind.DEPOSITED_ELSEWHERE]
    assert "write 901 into the payout's metadata as netsuite_deposit_id" in elsewhere.reason


def test_a_payout_that_waited_for_the_next_one_is_in_its_deposit() -> None:
    policy = policies(negative_payout="group")
    owed = payout(-700, id="po_0")
    alone = PayoutFacts(owed, (member("refund", -700, id="txn_0", refund="re_0", charge="ch_0"),))
    both = PayoutFacts(
        payout(2000),
        (*alone.members, member("charge", 2000, id="txn_1", charge="ch_0")),
        (owed,),
    )
    bill = settled("in_0", 2000, "ch_0", refunds=(refund(700, "re_0", charge="ch_0"),))
    all_roots = tuple(root_of(one, policy) for one in (bill, alone, both))
    equations, differences = proved(of_roots=all_roots, policy=policy)
    assert differences == ()
    assert equations["bank"].stripe == equations["bank"].netsuite == 1300
    assert equations["undeposited_funds"].stripe == equations["undeposited_funds"].netsuite == 0


def test_a_customer_that_waits_is_named_too() -> None:
    waits = ProvenRoot("cus_1", RootKind.CUSTOMER, None, SettlementPlan("cus_1"), Hold("customer_ambiguous", "Two."))
    _, (difference,) = proved(of_roots=(waits,))
    assert (difference.kind, difference.root) == (Kind.WAITING, "cus_1")


def test_differences_are_opened_once_and_closed_when_they_are_gone() -> None:
    def proof(day: str, *found: Difference) -> Proof:
        return Proof(day, "2026-03-01", 1, 1, (), found)

    _, (gone,) = proved(without(books_of(roots()), "ch_9"))
    first = compared_with(proof("2026-06-29", gone), None, "")
    assert [one.opened for one in first.differences] == ["2026-06-29"]
    second = compared_with(proof("2026-06-30", gone), first, "hash")
    assert [one.opened for one in second.differences] == ["2026-06-29"]
    assert (second.previous, second.previous_sha256) == ("2026-06-29", "hash")
    third = compared_with(proof("2026-07-01"), second, "hash")
    assert [(one.external_id, one.opened) for one in third.closed] == [("ch_9", "2026-06-29")]


def sound(count: int, seed: int) -> list[ProvenRoot]:
    """`count` objects of every kind of life, and a payout for every hundred payments."""
    rng = random.Random(seed)
    found: list[ProvenRoot] = []
    members: list[PayoutMember] = []
    for number in range(count):
        total = rng.randint(100, 1_000_000)
        name, paying = f"in_{number}", f"ch_{number}"
        life = rng.randrange(9)
        one: InvoiceFacts | ChargeFacts
        if life == 0:
            one = of(name, total, total - 50, 50)
        elif life == 1:
            one = of(name, total, status="void", voided_at=at("2026-06-04"))
        elif life == 2:
            one = of(name, total, status="uncollectible", uncollectible_at=at("2026-06-05"))
        elif life == 3:
            pre = total // 3 + 1
            one = of(
                name, total, amount_due=total - pre, amount_remaining=total - pre,
                credit_notes=(note(pre=pre, id=f"cn_{number}"),),
            )  # fmt: skip
        elif life == 4:
            part = total // 2 + 1
            one = of(name, total, amount_paid=part, amount_remaining=total - part, payments=(paid(part, paying),))
        elif life == 5:
            back = refund(total // 4 + 1, f"re_{number}", charge=paying)
            one = settled(name, total, paying, refunds=(back,))
            members.append(member("refund", -back.amount, id=f"txn_r{number}", refund=back.id, charge=paying))
        elif life == 6:
            one = ChargeFacts(charge(total, paying))
        elif life == 7:
            one = drafted(
                order(str(number), ("item", total), ("item", 77)), id=name, status="paid", amount_paid=total + 77,
                amount_remaining=0, paid_at=at("2026-06-03"), payments=(paid(total + 77, paying),),
            )  # fmt: skip
        else:
            one = settled(name, total, paying)
        if life >= 4:
            gross = total + 77 if life == 7 else total // 2 + 1 if life == 4 else total
            members.append(member("charge", gross, gross // 50, id=f"txn_{number}", charge=paying))
        found.append(root_of(one))
    for place in range(0, len(members), 100):
        some = tuple(members[place : place + 100])
        net = sum(each.movement.net for each in some)
        found.append(root_of(PayoutFacts(payout(net, id=f"po_{place}"), some)))
    return found


def test_nothing_is_found_among_ten_thousand_sound_objects() -> None:
    all_roots = tuple(sound(10_000, seed=1))
    equations, differences = proved(of_roots=all_roots)
    assert differences == ()
    assert {name: one.difference for name, one in equations.items()} == dict.fromkeys(BY_HAND, 0)
    assert len({one.root for one in all_roots}) > 10_000


def test_one_cent_among_a_thousand_sound_objects_is_found() -> None:
    all_roots = tuple(sound(1_000, seed=2))
    books = books_of(all_roots)
    victim = next(one for one in books.records if one.type is RecordType.INVOICE and not one.due)
    broken = changed(books, victim.external_id, total=victim.total + Decimal("0.01"), due=Decimal("0.01"))
    equations, (difference,) = proved(broken, all_roots)
    assert (difference.kind, difference.external_id, difference.off) == (Kind.AMOUNT, victim.external_id, -1)
    assert equations["receivables"].difference == -1
