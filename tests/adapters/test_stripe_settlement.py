"""What the settlement reads of Stripe, over real HTTP from an account that has lived: amounts worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.settlement import SettlementReads
from billing.domain.settlement.stripe_objects import InvoiceFacts, PayoutFacts
from tests.sandbox.stripe import CreditLine, Fee, InvoiceExtras, InvoiceLine, RateLimits, StripeServer

NOW = 1_780_300_800.0


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with StripeServer(lambda: NOW, rate_limits=RateLimits.off()) as running:
        yield running
        assert running.errors == []


@pytest.fixture
def reads(server: StripeServer) -> SettlementReads:
    caller = Caller(lambda seconds: None, lambda: 0.0, share=0)
    return SettlementReads(stripe_client("sk_test_sandbox", server.url), caller)


@pytest.fixture
def buyer(server: StripeServer) -> str:
    return str(server.create_customer(name="Alder", email="ap@alder.example")["id"])


def invoice(reads: SettlementReads, found: dict[str, object]) -> InvoiceFacts:
    facts = reads.invoice(str(found["id"]))
    assert facts is not None
    return facts


def payout(reads: SettlementReads, found: dict[str, object]) -> PayoutFacts:
    facts = reads.payout(str(found["id"]))
    assert facts is not None
    return facts


def test_every_payment_of_an_invoice_is_read_with_its_charge(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    sold = server.invoice(buyer, [InvoiceLine(10_000)])
    server.pay(sold, 3_000)
    server.pay(sold, 2_000, "out_of_band")
    server.pay(sold, 6_000, "ach")
    facts = invoice(reads, sold)
    paid = sorted((one.amount, one.charge.amount if one.charge else None) for one in facts.payments)
    assert paid == [(2_000, None), (3_000, 3_000), (5_000, 6_000)]
    assert (facts.invoice.status, facts.invoice.overpaid, facts.invoice.paid_off_stripe) == ("paid", 1_000, 2_000)


def test_a_payment_that_failed_later_is_read_beside_the_one_that_took_its_place(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    sold = server.invoice(buyer, [InvoiceLine(10_000)])
    failed = server.fail(server.pay(sold, method="ach"))
    facts = invoice(reads, sold)
    [payment] = facts.payments
    assert payment.charge is not None
    assert (facts.invoice.status, payment.charge.id, payment.charge.failed_later_at) == ("open", failed["id"], int(NOW))
    assert payment.amount == 10_000
    server.decline(sold)
    good = server.pay(sold)
    charges = {one.charge.id: one.charge.failed_later_at for one in invoice(reads, sold).payments if one.charge}
    assert charges == {failed["id"]: int(NOW), good["id"]: None}, "a charge that never succeeded is nothing"


def test_refunds_and_disputes_are_read_with_what_they_moved(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    charge = server.charge(buyer, 10_000)
    failed = server.fail_refund(server.refund(charge, 1_000))
    kept = server.refund(charge, 2_000)
    server.win(server.dispute(charge, 5_000))
    facts = reads.charge(charge["id"])
    assert facts is not None
    assert {(one.id, one.status, one.failed_at) for one in facts.charge.refunds} == {
        (failed["id"], "failed", int(NOW)), (kept["id"], "succeeded", None),
    }  # fmt: skip
    [dispute] = facts.charge.disputes
    assert dispute.withdrawn is not None
    assert dispute.reinstated is not None
    assert (dispute.withdrawn.amount, dispute.withdrawn.fee, dispute.reinstated.amount) == (-5_000, 1_500, 5_000)


def test_credit_notes_of_every_kind_are_read(server: StripeServer, reads: SettlementReads, buyer: str) -> None:
    sold = server.invoice(buyer, [InvoiceLine(10_000, tax=10)])
    server.pay(sold, 6_000)
    [line] = sold["lines"]["data"]
    note = server.credit(
        sold, lines=[CreditLine(10_000, line["id"])], refund=3_000, to_balance=2_000, out_of_band=1_000
    )
    [found] = invoice(reads, sold).credit_notes
    assert (found.total, found.pre_payment, found.post_payment) == (11_000, 5_000, 6_000)
    assert (found.to_balance, found.out_of_band, [amount for _, amount in found.refunds]) == (2_000, 1_000, [3_000])
    assert found.lines[0].invoice_line == line["id"]
    assert [(tax.amount, tax.inclusive) for tax in found.lines[0].taxes] == [(1_000, False)]
    assert found.id == note["id"]


def test_lines_discounts_taxes_and_shipping_of_a_subscriptions_invoice_add_up_to_its_total(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    server.coupon("TEN", percent_off=10)
    lines = [InvoiceLine(1_000 + number, f"Seat {number}", tax=8, subscription=True) for number in range(14)]
    lines += [InvoiceLine(-900, proration=True, subscription=True), InvoiceLine(5_000, tax=20, inclusive=True)]
    sold = server.invoice(buyer, lines, extras=InvoiceExtras(coupon="TEN", shipping=700, shipping_tax=8))
    facts = invoice(reads, sold)
    assert len(facts.lines) == 16
    whole = sum(line.amount - sum(one.amount for one in line.discounts) for line in facts.lines)
    whole += sum(tax.amount for line in facts.lines for tax in line.taxes if not tax.inclusive)
    assert whole + 756 == facts.invoice.total, "shipping of 7.00 and 8 %"
    assert sorted(line.proration for line in facts.lines) == [False] * 15 + [True]
    assert sum(not line.one_time for line in facts.lines) == 15


def test_a_line_names_the_coupon_of_its_discount_and_the_place_of_its_tax(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    server.coupon("Spring 10%", percent_off=10)
    sold = server.invoice(buyer, [InvoiceLine(10_000, tax=8, coupon="Spring 10%")])
    [line] = invoice(reads, sold).lines
    assert [(one.coupon, one.amount) for one in line.discounts] == [("Spring 10%", 1_000)]
    assert line.discounts[0].discount.startswith("di_")
    assert [(one.country, one.jurisdiction, one.amount) for one in line.taxes] == [("US", "US", 720)]
    assert line.taxes[0].rate.startswith("txr_")


def test_a_revision_and_the_balance_that_an_invoice_used_are_read(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    server.adjust_balance(buyer, -2_000)
    sold = server.invoice(buyer, [InvoiceLine(10_000)])
    assert [(one.type, one.amount) for one in invoice(reads, sold).balance] == [("applied_to_invoice", 2_000)]
    revised = server.finalize(server.revise(sold))
    old, new = invoice(reads, sold).invoice, invoice(reads, revised).invoice
    assert (old.status, old.revised_by, new.revises) == ("void", new.id, old.id)
    assert (old.starting_balance, new.starting_balance, new.amount_due) == (-2_000, -2_000, 8_000)


def test_a_payouts_members_are_read_to_the_last_and_name_what_they_belong_to(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    for number in range(120):
        server.charge(buyer, 1_000 + number, fees=[Fee("stripe_fee", 30), Fee("tax", 2)])
    charge = server.charge(buyer, 50_000, fees=[])
    refund = server.refund(charge, 500)
    server.book("stripe_fee", -250)
    dispute = server.dispute(server.charge(buyer, 9_000, "eur"))
    server.set_rate("nok", "usd", "0.1")
    server.charge(buyer, 10_000, "nok", fees=[])
    made = server.payout()
    waiting = server.payout("eur", arrives=False)
    facts = payout(reads, made)
    assert len(facts.members) == 120 + 1 + 1 + 1 + 1
    assert sum(one.movement.net for one in facts.members) == facts.payout.amount == made["amount"]
    # 120 charges from 10.00 to 11.19 less 0.32 each, 500.00, a refund of 5.00, a fee of 2.50, 100.00 NOK at 0.1
    assert made["amount"] == 120 * 1_000 + 119 * 60 - 120 * 32 + 50_000 - 500 - 250 + 1_000
    assert [(one.refund, one.charge) for one in facts.members if one.refund] == [(refund["id"], charge["id"])]
    assert payout(reads, waiting).members == (), "nothing is relied on before the reconciliation is completed"
    server.arrive(waiting)
    server.reconcile(waiting)
    disputed = [one.dispute for one in payout(reads, waiting).members if one.dispute]
    assert disputed == [dispute["id"]]
    server.charge(buyer, 800, fees=[])
    assert payout(reads, server.payout(amount=100)).members == (), "a manual payout lists nothing"


def test_the_root_of_a_charge_is_its_invoice_or_itself(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    sold = server.invoice(buyer, [InvoiceLine(10_000)])
    paid = server.pay(sold)
    assert reads.invoice_of_charge(paid["id"], paid["payment_intent"]) == sold["id"]
    assert reads.invoice_of_charge(paid["id"], "") == sold["id"]
    assert reads.invoice_of_charge(server.charge(buyer, 700)["id"], "") is None
    assert reads.invoice_of_charge(server.charge(buyer, 700, intent=False)["id"], "") is None


def test_only_events_that_nobody_took_are_swept(server: StripeServer, reads: SettlementReads, buyer: str) -> None:
    charge = server.charge(buyer, 700)
    listed = list(reads.events(["charge.succeeded", "payout.paid"], int(NOW) - 10))
    assert [one["data"]["object"]["id"] for one in listed] == [charge["id"]]
    assert list(reads.events(["charge.succeeded"], int(NOW) - 10, undelivered_only=True)) == []
    assert list(reads.events(["charge.succeeded"], int(NOW) + 10)) == []


def test_what_is_not_there_is_none(server: StripeServer, reads: SettlementReads, buyer: str) -> None:
    draft = server.invoice(buyer, [InvoiceLine(100)], finalise=False)
    server.delete(draft["id"])
    assert reads.invoice(draft["id"]) is None
    assert reads.charge("ch_none") is None
    assert reads.payout("po_none") is None
    pending = server.charge(buyer, 700, method="ach", pending=True)
    assert reads.charge(pending["id"]) is None, "what has not succeeded is no charge yet"


def test_a_charge_belongs_to_its_invoice_or_to_itself_with_the_metadata_of_both(
    server: StripeServer, reads: SettlementReads, buyer: str
) -> None:
    sold = server.invoice(buyer, [InvoiceLine(10_000)], "usd", InvoiceExtras(metadata={"kept": "out"}))
    paid, alone = server.pay(sold), server.charge(buyer, 500)
    found = reads.root_of_charge(paid["id"])
    assert found is not None
    assert (found.root, dict(found.metadata), dict(found.charge_metadata)) == (sold["id"], {"kept": "out"}, {})
    itself = reads.root_of_charge(alone["id"])
    assert itself is not None
    assert itself.root == alone["id"]
    assert reads.root_of_charge("ch_gone") is None
