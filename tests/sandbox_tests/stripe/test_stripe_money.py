"""Refunds, disputes, credit notes and payouts: every amount worked out by hand."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.stripe import CreditLine, InvoiceExtras, InvoiceLine, Refusal, StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock


def balance_of(server: StripeServer, currency: str = "usd") -> int:
    return server.ledger()[currency]["movements"]


def test_a_refund_takes_the_amount_and_leaves_stripe_its_fee(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    charge = server.charge(customer, 10_000)
    server.refund(charge, 4_000)
    server.refund(charge)
    found = client.v1.charges.retrieve(charge["id"])
    assert (found.amount_refunded, found.refunded) == (10_000, True)
    assert [one.amount for one in client.v1.refunds.list(params={"charge": charge["id"]}).data] == [6_000, 4_000]
    assert balance_of(server) == -320, "2.9 % and 0.30"
    with pytest.raises(Refusal, match="already been refunded"):
        server.refund(charge)


def test_a_refund_that_fails_days_later_brings_the_money_back(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    charge = server.charge(customer, 10_000, method="ach", fees=[])
    refund = server.refund(charge, 4_000, pending=True)
    assert (refund["id"][:4], balance_of(server)) == ("pyr_", 6_000)
    failed = server.fail_refund(refund)
    back = client.v1.balance_transactions.retrieve(failed["failure_balance_transaction"])
    assert (failed["status"], back.type, back.amount, back.source) == ("failed", "refund_failure", 4_000, refund["id"])
    assert client.v1.charges.retrieve(charge["id"]).amount_refunded == 0
    assert balance_of(server) == 10_000


@pytest.mark.parametrize(
    ("ending", "status", "left"),
    [("win", "won", 10_000 - 1_500), ("lose", "lost", -1_500), (None, "needs_response", -1_500)],
)
def test_a_dispute_takes_the_money_and_a_fee_that_is_never_given_back(
    server: StripeServer, customer: str, ending: str | None, status: str, left: int
) -> None:
    dispute = server.dispute(server.charge(customer, 10_000, fees=[]))
    if ending:
        dispute = getattr(server, ending)(dispute)
    assert (dispute["status"], balance_of(server)) == (status, left)
    types = [(one["type"], one["amount"]) for one in dispute["balance_transactions"]]
    assert types == [("adjustment", -10_000)] + ([("adjustment", 10_000)] if ending == "win" else [])


def test_inquiries_and_prevented_disputes_move_no_money(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    asked = server.dispute(server.charge(customer, 10_000, fees=[]), inquiry=True)
    prevented = server.dispute(server.charge(customer, 5_000, fees=[]), prevented=True)
    assert (asked["status"], prevented["status"], balance_of(server)) == ("warning_needs_response", "prevented", 15_000)
    assert server.win(asked)["status"] == "warning_closed"
    grown = server.escalate(server.dispute(server.charge(customer, 2_000, fees=[]), inquiry=True))
    assert (grown["status"], balance_of(server)) == ("needs_response", 15_000 - 1_500)
    [found] = client.v1.disputes.list(params={"charge": grown["charge"]}).data
    assert found.id == grown["id"]


def test_a_credit_note_before_payment_lowers_what_is_due(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    sold = server.invoice(customer, [InvoiceLine(10_000, tax=10), InvoiceLine(5_000)])
    line = next(one["id"] for one in sold["lines"]["data"] if one["amount"] == 10_000)
    note = server.credit(sold, lines=[CreditLine(2_000, line)])
    assert (note["type"], note["total"], note["pre_payment_amount"], note["subtotal"]) == (
        "pre_payment", 2_200, 2_200, 2_000,
    )  # fmt: skip
    found = client.v1.invoices.retrieve(sold["id"])
    assert (found.total, found.amount_due, found.pre_payment_credit_notes_amount) == (16_000, 13_800, 2_200)
    server.void_credit_note(note)
    assert client.v1.invoices.retrieve(sold["id"]).amount_due == 16_000
    server.credit(sold)
    whole = client.v1.invoices.retrieve(sold["id"])
    assert (whole.status, whole.amount_due, whole.amount_paid) == ("paid", 0, 0)


def test_a_mixed_credit_note_goes_every_way_at_once(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    sold = server.invoice(customer, [InvoiceLine(10_000)])
    paid = server.pay(sold, 7_000)
    with pytest.raises(Refusal, match="must equal the post payment amount"):
        server.credit(sold, 5_000, refund=1_000)
    note = server.credit(sold, 5_000, refund=1_000, to_balance=600, out_of_band=400)
    assert (note["type"], note["pre_payment_amount"], note["post_payment_amount"]) == ("mixed", 3_000, 2_000)
    [refunded] = note["refunds"]
    assert (refunded["amount_refunded"], server.object(refunded["refund"])["charge"]) == (1_000, paid["id"])
    entry = server.object(note["customer_balance_transaction"])
    assert (entry["type"], entry["amount"], entry["credit_note"]) == ("credit_note", -600, note["id"])
    found = client.v1.invoices.retrieve(sold["id"])
    assert (found.status, found.amount_due, found.amount_remaining) == ("paid", 7_000, 0)
    assert (found.pre_payment_credit_notes_amount, found.post_payment_credit_notes_amount) == (3_000, 2_000)


def test_a_refund_made_before_is_linked_to_its_credit_note(server: StripeServer, customer: str) -> None:
    sold = server.invoice(customer, [InvoiceLine(10_000)])
    refund = server.refund(server.pay(sold, method="ach"), 2_500)
    note = server.credit(sold, 2_500, refunds=[(refund["id"], 2_500)])
    assert [one["refund"] for one in note["refunds"]] == [refund["id"]]
    assert len(server.objects("refund")) == 1
    off_stripe = server.invoice(customer, [InvoiceLine(1_000)])
    server.pay(off_stripe, method="out_of_band")
    assert server.credit(off_stripe)["out_of_band_amount"] == 1_000


def test_coupons_tax_and_shipping_add_up_as_on_paper(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    server.coupon("TEN", percent_off=10)
    server.coupon("15 off", amount_off=1_500)
    lines = [
        InvoiceLine(20_000, "Work", tax=10, coupon="TEN", subscription=True),
        InvoiceLine(10_000, "Licence", tax=25, inclusive=True),
        InvoiceLine(-3_000, "Unused time", proration=True, subscription=True),
    ]
    sold = server.invoice(customer, lines, extras=InvoiceExtras(coupon="15 off", shipping=1_000, shipping_tax=10))
    found = client.v1.invoices.retrieve(sold["id"])
    # Work 200.00 - 20.00 = 180.00; 15.00 over 180.00 and 100.00: 9.64 and 5.36; tax 10 % of 170.36 is 17.04.
    assert found.subtotal == 20_000 - 2_000 + 10_000 - 3_000
    assert sorted(one.amount for one in found.total_discount_amounts or []) == [1_500, 2_000]
    assert found.shipping_cost is not None
    assert (found.shipping_cost.amount_subtotal, found.shipping_cost.amount_total) == (1_000, 1_100)
    assert found.total == 25_000 - 1_500 + 1_704 + 1_100
    # The licence's 94.64 hold 25 %: 18.93.
    taxes = {one.tax_behavior: one.amount for one in found.total_taxes or []}
    assert taxes == {"exclusive": 1_704, "inclusive": 1_893}
    parents = sorted((line.parent.type, line.amount) for line in found.lines.data if line.parent)
    assert parents == [
        ("invoice_item_details", 10_000), ("subscription_item_details", -3_000), ("subscription_item_details", 20_000),
    ]  # fmt: skip
    credited = server.credit(sold)
    assert credited["total"] == found.total


def test_a_revision_replaces_the_original_when_it_is_finalised(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    server.adjust_balance(customer, -2_000)
    original = server.invoice(customer, [InvoiceLine(10_000, metadata={"netsuite_so_id": "500"})])
    assert original["amount_due"] == 8_000
    draft = server.revise(original)
    assert client.v1.invoices.retrieve(original["id"]).status == "open", "a draft changes nothing yet"
    server.edit_line(draft["id"], draft["lines"]["data"][0]["id"], amount=9_000)
    revised = server.finalise(draft)
    assert (revised["from_invoice"], revised["amount_due"]) == (
        {"action": "revision", "invoice": original["id"]}, 7_000,
    )  # fmt: skip
    assert revised["lines"]["data"][0]["metadata"] == {"netsuite_so_id": "500"}
    replaced = client.v1.invoices.retrieve(original["id"])
    assert (replaced.status, replaced.latest_revision) == ("void", revised["id"])
    paid = server.invoice(customer, [InvoiceLine(1_000)])
    server.pay(paid)
    with pytest.raises(Refusal, match="You can only revise"):
        server.revise(paid)


# Payouts ------------------------------------------------------------------------------------------------------------


def test_a_payout_takes_exactly_what_is_available_and_lists_it(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock, customer: str
) -> None:
    first = server.charge(customer, 10_000)
    clock.move(days=2)
    server.charge(customer, 7_000)
    assert server.ledger()["usd"] == {"available": 9_680, "pending": 6_767, "movements": 16_447}
    payout = server.payout(only_available=True, arrives=False)
    assert (payout["amount"], payout["status"], payout["reconciliation_status"]) == (9_680, "pending", "in_progress")
    listed = client.v1.balance_transactions.list(params={"payout": payout["id"], "expand": ["data.source"]}).data
    assert [(one.type, one.net) for one in listed] == [("payout", -9_680), ("charge", 9_680)]
    assert listed[1].to_dict()["source"]["id"] == first["id"]
    server.arrive(payout)
    server.reconcile(payout)
    found = client.v1.payouts.retrieve(payout["id"])
    assert (found.status, found.reconciliation_status) == ("paid", "completed")
    assert server.payout()["amount"] == 6_767
    assert server.ledger()["usd"] == {"available": 0, "pending": 0, "movements": 0}


def test_more_refunds_than_charges_make_a_negative_payout(server: StripeServer, customer: str) -> None:
    charge = server.charge(customer, 10_000, fees=[])
    server.payout()
    server.refund(charge, 4_000)
    payout = server.payout()
    assert payout["amount"] == -4_000
    assert [one["net"] for one in server.movements(payout=payout)] == [-4_000, 4_000]
    assert balance_of(server) == 0


def test_the_money_of_a_failed_payout_is_a_member_of_the_next(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    server.charge(customer, 10_000, fees=[])
    failed = server.fail_payout(server.payout())
    back = client.v1.balance_transactions.retrieve(failed["failure_balance_transaction"])
    assert (failed["status"], back.type, back.amount, back.source) == ("failed", "payout_failure", 10_000, failed["id"])
    canceled = server.cancel_payout(server.payout(arrives=False))
    assert [one["type"] for one in server.movements(payout=canceled)] == ["payout_failure", "payout"]
    again = server.payout()
    assert [(one["type"], one["net"]) for one in server.movements(payout=again)] == [
        ("payout_cancel", 10_000), ("payout", -10_000),
    ]  # fmt: skip


def test_manual_and_instant_payouts_list_nothing(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    server.charge(customer, 10_000, fees=[])
    manual = server.payout(amount=2_000)
    instant = server.payout(amount=5_000, instant=True)
    assert [(one["automatic"], one["reconciliation_status"], one["method"]) for one in (manual, instant)] == [
        (False, "not_applicable", "standard"), (False, "not_applicable", "instant"),
    ]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError, match="only be filtered on automatic"):
        client.v1.balance_transactions.list(params={"payout": manual["id"]})
    with pytest.raises(Refusal, match="insufficient funds"):
        server.payout(amount=9_000)


def test_movements_that_come_to_nothing_are_paid_out_only_where_a_test_says_so(
    server: StripeServer, customer: str
) -> None:
    server.refund(server.charge(customer, 10_000, fees=[]))
    with pytest.raises(Refusal, match="nothing to pay out"):
        server.payout()
    assert server.payout(zero=True)["amount"] == 0


def test_each_currency_is_paid_out_every_day_by_itself(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock, customer: str
) -> None:
    server.pay_out_daily()
    server.charge(customer, 10_000, "usd", fees=[])
    server.charge(customer, 8_000, "eur", fees=[])
    clock.move(days=1)
    assert client.v1.payouts.list().data == []
    clock.move(days=1)
    found = client.v1.payouts.list().data
    assert sorted((one.currency, one.amount) for one in found) == [("eur", 8_000), ("usd", 10_000)]
    clock.move(hours=2)
    assert len(client.v1.payouts.list().data) == 2


def test_two_accounts_share_no_id(clock: MovableClock) -> None:
    ids = []
    for account in ("acct_1SandboxBilling", "acct_1SecondFirm"):
        server = StripeServer(clock, account=account)
        buyer = server.create_customer(name="A", email="a@a.example")
        ids.append((buyer["id"], server.charge(buyer, 500)["id"]))
    assert not set(ids[0]) & set(ids[1])
