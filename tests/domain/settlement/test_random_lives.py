"""Random lives of an invoice, played by Stripe's rules: what the plan's records come to is what Stripe says is open."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.settlement.external_ids import is_legal
from billing.domain.settlement.records import RecordType, SettlementPlan
from billing.domain.settlement.stripe_objects import (
    BalanceEntry,
    BalanceTransaction,
    Charge,
    CreditNote,
    CreditNoteLine,
    Dispute,
    Invoice,
    InvoiceFacts,
    InvoicePayment,
    Refund,
)
from tests.domain.settlement.facts import at, drafted, facts, invoice, line, order, plan_of, policies

START = at("2026-06-01")


@dataclass
class Life:
    """An invoice as Stripe keeps it. `remaining` is what Stripe says is due; `credit` is what the customer has without
    having spent it: overpayments and refunds that came back. Amounts are minor units."""

    whole: InvoiceFacts
    remaining: int
    paid: int = 0
    credit: int = 0
    waiting: int = 0
    now: int = START
    payments: list[InvoicePayment] = field(default_factory=list)
    notes: list[CreditNote] = field(default_factory=list)
    balance: list[BalanceEntry] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.remaining > 0 and not self.ends

    def facts(self) -> InvoiceFacts:
        of: Invoice = replace(self.whole.invoice, amount_remaining=self.remaining, **self.ends)
        return replace(
            self.whole,
            invoice=of,
            payments=tuple(self.payments),
            credit_notes=tuple(self.notes),
            balance=tuple(self.balance),
        )

    def pay(self, amount: int, too_much: int, fails: bool) -> None:
        part = min(amount, self.remaining)
        extra = too_much if part == self.remaining else 0
        number = len(self.payments) + 1
        charge = Charge(
            f"ch_{number}", "cus_1", part + extra, "usd", self.now, failed_later_at=self.now + 5 if fails else None
        )
        self.payments.append(InvoicePayment(f"inpay_{number}", part + extra, self.now, charge))
        if fails:
            return
        self.remaining -= part
        self.paid += part
        self.credit += extra
        self._close()

    def credit_before(self, amount: int, where: int) -> None:
        self._note(min(amount, self.remaining), 0, (), where)

    def refund(self, amount: int, with_note: bool, fails: bool, where: int) -> None:
        for place, payment in enumerate(self.payments):
            charge = payment.charge
            assert charge is not None
            if charge.failed_later_at is not None:
                continue
            taken = sum(one.amount for one in charge.refunds) + sum(one.amount for one in charge.disputes)
            amount = min(amount, charge.amount - taken)
            if amount <= 0:
                continue
            found = Refund(
                f"re_{place}{len(charge.refunds)}",
                charge.id,
                amount,
                "usd",
                self.now,
                "failed" if fails else "succeeded",
                "txn_1",
                "txn_2" if fails else None,
                self.now + 3 if fails else None,
            )
            self.payments[place] = replace(payment, charge=replace(charge, refunds=(*charge.refunds, found)))
            if fails:
                self.credit += amount
            if with_note:
                # Stripe lowers what is due first: a note over more than that is a mixed one.
                lowers = self.remaining if self.is_open and not fails else 0
                self._note(lowers, amount, ((found.id, amount),), where)
            return

    def dispute(self, won: bool) -> None:
        for place, payment in enumerate(self.payments):
            charge = payment.charge
            assert charge is not None
            if charge.failed_later_at is not None or charge.refunds or charge.disputes:
                continue
            amount = charge.amount
            moves = [BalanceTransaction("t1", "adjustment", -amount, 0, -amount, "usd", self.now)]
            if won:
                moves.append(BalanceTransaction("t2", "adjustment", amount, 0, amount, "usd", self.now + 9))
            found = Dispute(f"dp_{place}", charge.id, amount, "usd", self.now, "won", tuple(moves))
            self.payments[place] = replace(payment, charge=replace(charge, disputes=(found,)))
            return

    def end(self, how: str) -> None:
        self.ends[how] = self.now
        self.remaining = 0
        self.waiting = 0

    def _note(self, pre: int, post: int, refunds: tuple[tuple[str, int], ...], where: int) -> None:
        if not pre + post:
            return
        lines = self.whole.lines
        first, second = lines[where % len(lines)], lines[(where + 1) % len(lines)]
        half = (pre + post) // 2
        of_lines = (CreditNoteLine(half, "", first.id), CreditNoteLine(pre + post - half, "", second.id))
        self.notes.append(
            CreditNote(
                f"cn_{len(self.notes)}",
                "CN",
                "issued",
                pre + post,
                pre,
                post,
                self.now,
                refunds=refunds,
                lines=of_lines,
            )
        )
        self.remaining -= pre
        self.waiting += pre
        self._close()

    def _close(self) -> None:
        if not self.remaining:
            self.waiting = 0
            self.ends.setdefault("paid_at", self.now)


AMOUNT = st.integers(1, 12_000)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), AMOUNT, st.sampled_from([0, 0, 500]), st.booleans()),
        st.tuples(st.just("credit"), AMOUNT, st.integers(0, 3)),
        st.tuples(st.just("refund"), AMOUNT, st.booleans(), st.booleans(), st.integers(0, 3)),
        st.tuples(st.just("dispute"), st.booleans()),
        st.tuples(st.just("end"), st.sampled_from(["voided_at", "uncollectible_at"])),
    ),
    max_size=12,
)
WHOLE = st.one_of(
    st.lists(st.integers(1, 20_000), min_size=1, max_size=4).map(
        lambda amounts: facts(
            invoice(sum(amounts)), [line(amount, f"il_{number}") for number, amount in enumerate(amounts)]
        )
    ),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=4).map(
        lambda amounts: drafted(*(order(str(500 + n), ("item", amount)) for n, amount in enumerate(amounts)))
    ),
)


def lived(whole: InvoiceFacts, used: int, actions: list[tuple[object, ...]]) -> Life:
    life = Life(whole, whole.invoice.total)
    used = min(used, life.remaining)
    if used:
        life.balance.append(BalanceEntry("cbtxn_1", "applied_to_invoice", used, START))
        life.remaining -= used
        life._close()
    for action, *more in actions:
        life.now += 60
        if action == "pay" and life.is_open:
            life.pay(*more)  # type: ignore[arg-type]
        elif action == "credit" and life.is_open:
            life.credit_before(*more)  # type: ignore[arg-type]
        elif action == "refund":
            life.refund(*more)  # type: ignore[arg-type]
        elif action == "dispute":
            life.dispute(*more)  # type: ignore[arg-type]
        elif action == "end" and life.is_open:
            life.end(*more)  # type: ignore[arg-type]
    return life


def due(plan: SettlementPlan) -> int:
    invoices = {one.external_id: one.amount for one in plan.records if one.type is RecordType.INVOICE}
    for record in plan.records:
        for apply in record.applies:
            if apply.external_id in invoices:
                invoices[apply.external_id] -= apply.amount
    assert all(amount >= 0 for amount in invoices.values())
    return sum(invoices.values())


def receivables(plan: SettlementPlan) -> int:
    """The customer's balance in NetSuite's Accounts Receivable."""
    signs = {RecordType.INVOICE: 1, RecordType.REFUND: 1, RecordType.CREDIT_MEMO: -1, RecordType.PAYMENT: -1}
    return sum(signs[one.type] * one.amount for one in plan.records)


@given(WHOLE, st.sampled_from([0, 0, 700]), ACTIONS, st.sampled_from(["at_once", "when_paid"]), st.booleans())
def test_what_the_records_come_to_is_what_stripe_says_is_open(
    whole: InvoiceFacts, used: int, actions: list[tuple[object, ...]], applied: str, wins_are_payments: bool
) -> None:
    life = lived(whole, used, actions)
    policy = policies(prepayment_credit_notes=applied, disputes_won="payment" if wins_are_payments else "other_line")
    plan = plan_of(life.facts(), policy)
    # Memos that wait for the invoice to be paid are the one exception: NetSuite shows them as due until then.
    assert due(plan) == life.remaining + (life.waiting if applied == "when_paid" else 0)
    assert receivables(plan) == life.remaining - life.credit
    assert {hold.name for hold in plan.holds} <= {"refund_failed", "order_stays_billed"}


@given(WHOLE, st.sampled_from([0, 700]), ACTIONS)
def test_nothing_is_applied_twice_and_every_refund_is_whole(
    whole: InvoiceFacts, used: int, actions: list[tuple[object, ...]]
) -> None:
    plan = plan_of(lived(whole, used, actions).facts())
    by_id = {record.external_id: record for record in plan.records}
    assert len(by_id) == len(plan.records)
    assert all(is_legal(external_id) for external_id in by_id)
    spent: dict[str, int] = {}
    for record in plan.records:
        assert record.amount >= 0
        applied = sum(one.amount for one in record.applies)
        assert len({one.external_id for one in record.applies}) == len(record.applies)
        assert all(one.amount > 0 and one.external_id in by_id for one in record.applies)
        if record.lines:
            assert sum(one.amount for one in record.lines) == record.amount
        if record.type is RecordType.REFUND:
            assert applied == record.amount
            for one in record.applies:
                assert by_id[one.external_id].type in (RecordType.CREDIT_MEMO, RecordType.PAYMENT)
                spent[one.external_id] = spent.get(one.external_id, 0) + one.amount
        else:
            spent[record.external_id] = spent.get(record.external_id, 0) + applied
    assert all(amount <= by_id[external_id].amount for external_id, amount in spent.items())


@given(WHOLE, st.sampled_from([0, 700]), ACTIONS, st.randoms(use_true_random=False))
def test_the_order_in_which_stripe_lists_things_is_nothing_to_the_plan(
    whole: InvoiceFacts, used: int, actions: list[tuple[object, ...]], chosen: random.Random
) -> None:
    of = lived(whole, used, actions).facts()

    def shuffled(values: tuple[object, ...]) -> tuple[object, ...]:
        found = list(values)
        chosen.shuffle(found)
        return tuple(found)

    payments = tuple(
        replace(
            one,
            charge=replace(
                one.charge,
                refunds=shuffled(one.charge.refunds),
                disputes=shuffled(one.charge.disputes),  # type: ignore[arg-type]
            )
            if one.charge
            else None,
        )
        for one in of.payments
    )
    other = replace(
        of,
        payments=shuffled(payments),  # type: ignore[arg-type]
        credit_notes=shuffled(of.credit_notes),  # type: ignore[arg-type]
        balance=shuffled(of.balance),  # type: ignore[arg-type]
    )
    plan, again = plan_of(of), plan_of(other)
    assert {one.external_id: one for one in plan.records} == {one.external_id: one for one in again.records}
    assert sorted(hold.name for hold in plan.holds) == sorted(hold.name for hold in again.holds)
    assert [one.phase for one in again.records] == sorted(
        (one.phase for one in again.records), key=[one.phase for one in plan.records].index
    )
