"""What happens to money in Stripe, story by story, and what NetSuite holds of each afterwards. Amounts, dates and
accounts are worked out by hand; balances are the stand-in's general ledger.

The stories are played in two worlds: the deployed template (tests/played) and the quick one (tests/histories). Each
gives a fixture `played`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.sandbox.netsuite import NetSuiteServer
from tests.sandbox.stripe import Fee, InvoiceExtras, InvoiceLine, StripeServer

ZONE = ZoneInfo("America/New_York")
DAY = 86_400
FEE = 3_00
"""What Stripe keeps of each charge here, whatever its prices are: 3.00, in yen 300."""


@dataclass
class Played:
    """The stories' Stripe ids by name, and what NetSuite and our table hold at the end."""

    stripe: StripeServer
    netsuite: NetSuiteServer
    ids: dict[str, str] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)
    before_payout: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def record(self, external_id: str) -> dict[str, Any]:
        """The one transaction with this externalId."""
        kinds = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
        found = [
            {**one, "recordType": kind}
            for kind in kinds
            for one in self.netsuite.records(kind)
            if one.get("externalId") == external_id
        ]
        assert len(found) == 1, (external_id, len(found))
        return found[0]

    def shown(self, external_id: str) -> tuple[str, str, str, dict[str, str]]:
        """(type, total, day, what it is applied to by externalId) of a record."""
        one = self.record(external_id)
        total = one["payment"] if one["recordType"] == "customerPayment" else one["total"]
        documents = {
            str(each["id"]): str(each.get("externalId"))
            for kind in ("invoice", "creditMemo", "customerPayment")
            for each in self.netsuite.records(kind)
        }
        applied = {
            documents[str(line["doc"]["id"])]: money(line["amount"])
            for line in (one.get("apply") or {}).get("items", ())
            if line.get("apply")
        }
        return one["recordType"], money(total), str(one["tranDate"]), applied

    def due(self, external_id: str) -> str:
        return money(self.record(external_id)["amountRemaining"])

    def exists(self, external_id: str) -> bool:
        kinds = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
        return any(one.get("externalId") == external_id for kind in kinds for one in self.netsuite.records(kind))

    def day(self, name: str) -> str:
        return self.days[name].isoformat()


def money(value: Any) -> str:
    return f"{Decimal(str(value)):.2f}"


def play(stripe: StripeServer, now: Callable[[], float], pause: Callable[[float], None]) -> Played:
    """Everything but the payouts."""
    played = Played(stripe, None)  # type: ignore[arg-type]
    ids, days = played.ids, played.days
    buyer = stripe.create_customer(name="Alder Analytics Inc", email="books@alder.example")["id"]
    euro = stripe.create_customer(name="Birke GmbH", email="konto@birke.example")["id"]
    yen = stripe.create_customer(name="Sakura KK", email="keiri@sakura.example")["id"]
    stripe.add_bank_account("jpy")
    stripe.coupon("SPRING 10%", percent_off=10)
    kept = [Fee("stripe_fee", FEE)]

    def on(name: str, found: Any) -> str:
        ids[name], days[name] = str(found["id"]), datetime.fromtimestamp(now(), ZONE).date()
        return ids[name]

    def sell(name: str, *amounts: int, currency: str = "usd", customer: str = buyer) -> str:
        return on(name, stripe.bill(customer, [InvoiceLine(one, f"Work on {name}") for one in amounts], currency))

    def pay(name: str, invoice: str, amount: int | None = None, method: str = "card") -> str:
        return on(name, stripe.pay(invoice, amount, method, fees=kept))

    sell("parts", 100_00)
    # Overpaid money becomes the customer's credit in Stripe: another client, so that no other story uses it.
    other = stripe.create_customer(name="Birch and Sons Inc", email="pay@birch.example")["id"]
    sell("over", 100_00, customer=other)
    sell("outside", 50_00)
    sell("ach", 80_00)
    sell("noted before", 100_00)
    sell("noted after", 100_00)
    sell("noted both", 100_00)
    sell("credited", 100_00)
    sell("refunded", 60_00, 40_00)
    sell("not refunded", 60_00)
    for name in ("lost", "won", "inquiry"):
        sell(name, 90_00)
    sell("void", 55_00)
    sell("written off", 65_00)
    sell("eur", 200_00, currency="eur", customer=euro)
    sell("jpy", 50_00, currency="jpy", customer=yen)
    lines = [
        InvoiceLine(300_00, "Seats", 3, tax=10, coupon="SPRING 10%", subscription=True),
        InvoiceLine(-50_00, "Unused time", proration=True, subscription=True),
    ]
    on("plan", stripe.bill(buyer, lines, "usd", InvoiceExtras(shipping=9_00)))
    pause(DAY)
    pay("parts 1", ids["parts"], 30_00)
    on("alone", stripe.charge(buyer, 75_00, fees=kept))
    pay("over paid", ids["over"], 120_00, "bank_transfer")
    on("outside paid", stripe.pay(ids["outside"], method="out_of_band"))
    pay("ach paid", ids["ach"], method="ach")
    on("note before", stripe.credit(ids["noted before"], 30_00))
    pay("noted after paid", ids["noted after"])
    pay("noted both paid", ids["noted both"], 60_00)
    pay("credited paid", ids["credited"])
    for name in ("refunded", "not refunded", "lost", "won", "inquiry", "eur", "jpy", "plan"):
        pay(f"{name} paid", ids[name])
    pause(DAY)
    pay("parts 2", ids["parts"], 70_00, "ach")
    pay("noted before paid", ids["noted before"])
    on("note after", stripe.credit(ids["noted after"], 40_00))
    on("note both", stripe.credit(ids["noted both"], 70_00))
    on("note of credit", stripe.credit(ids["credited"], 20_00, to_balance=20_00))
    on("refund", stripe.refund(ids["refunded paid"], 25_00))
    on("refund that fails", stripe.refund(ids["not refunded paid"]))
    on("dispute lost", stripe.dispute(ids["lost paid"]))
    on("dispute won", stripe.dispute(ids["won paid"]))
    on("dispute asked", stripe.dispute(ids["inquiry paid"], inquiry=True))
    on("voided", stripe.void(ids["void"]))
    on("was written off", stripe.mark_uncollectible(ids["written off"]))
    pause(2 * DAY)
    on("ach failed", stripe.fail(ids["ach paid"]))
    on("refund failed", stripe.fail_refund(ids["refund that fails"]))
    on("lost at last", stripe.lose(ids["dispute lost"]))
    on("won at last", stripe.win(ids["dispute won"]))
    # 20.00 of credit, which the next invoice uses; and a debt of 5.00, which the one after it collects.
    sell("with credit", 70_00)
    pay("with credit paid", ids["with credit"])
    stripe.adjust_balance(buyer, 5_00)
    sell("with debt", 30_00)
    pay("with debt paid", ids["with debt"])
    return played


# Payments.


def test_nothing_waits_but_what_a_person_has_to_decide(played: Played) -> None:
    assert played.held == {played.ids["not refunded"]: "refund_failed"}
    assert played.parked == {}


def test_invoice_paid_in_parts_has_a_payment_for_each_applied_to_it(played: Played) -> None:
    ids = played.ids
    assert played.shown(ids["parts"]) == ("invoice", "100.00", played.day("parts"), {})
    assert played.shown(ids["parts 1"]) == ("customerPayment", "30.00", played.day("parts 1"), {ids["parts"]: "30.00"})
    assert played.shown(ids["parts 2"]) == ("customerPayment", "70.00", played.day("parts 2"), {ids["parts"]: "70.00"})
    assert played.due(ids["parts"]) == "0.00"


def test_an_overpayment_stays_unapplied_on_its_payment(played: Played) -> None:
    payment = played.ids["over paid"]
    assert played.shown(payment)[1::2] == ("120.00", {played.ids["over"]: "100.00"})
    assert money(played.record(payment)["unapplied"]) == "20.00"


def test_paid_out_of_band_goes_to_its_account_and_never_through_undeposited_funds(played: Played) -> None:
    payment = played.record(played.ids["outside paid"])
    assert (money(payment["payment"]), payment["account"]["refName"]) == ("50.00", "Petty cash")
    assert played.due(played.ids["outside"]) == "0.00"
    assert played.netsuite.ledger()["Petty cash"]["USD"] == 50


def test_a_charge_without_an_invoice_is_an_unapplied_payment(played: Played) -> None:
    assert played.shown(played.ids["alone"]) == ("customerPayment", "75.00", played.day("alone"), {})


def test_an_ach_debit_that_fails_days_later_opens_the_invoice_and_is_given_back(played: Played) -> None:
    charge = played.ids["ach paid"]
    assert played.shown(charge) == ("customerPayment", "80.00", played.day("ach paid"), {})
    refund = ("customerRefund", "80.00", played.day("ach failed"), {charge: "80.00"})
    assert played.shown(f"{charge}-failed") == refund
    assert played.due(played.ids["ach"]) == "80.00"


# Credit notes.


def test_credit_note_before_payment_is_a_memo_applied_once_the_invoice_is_paid(played: Played) -> None:
    note = played.ids["note before"]
    memo = ("creditMemo", "30.00", played.day("note before"), {played.ids["noted before"]: "30.00"})
    assert played.shown(note) == memo
    assert played.shown(played.ids["noted before paid"])[3] == {played.ids["noted before"]: "70.00"}
    assert played.due(played.ids["noted before"]) == "0.00"


def test_credit_note_after_payment_is_a_memo_and_a_refund_on_it(played: Played) -> None:
    note = played.ids["note after"]
    assert played.shown(note) == ("creditMemo", "40.00", played.day("note after"), {})
    (refund,) = played.stripe.object(note)["refunds"]
    assert played.shown(refund["refund"]) == ("customerRefund", "40.00", played.day("note after"), {note: "40.00"})


def test_mixed_credit_note_lowers_what_is_due_and_refunds_the_rest(played: Played) -> None:
    note = played.ids["note both"]
    memo = ("creditMemo", "70.00", played.day("note both"), {played.ids["noted both"]: "40.00"})
    assert played.shown(note) == memo
    (refund,) = played.stripe.object(note)["refunds"]
    assert played.shown(refund["refund"])[1::2] == ("30.00", {note: "30.00"})
    assert played.due(played.ids["noted both"]) == "0.00"


def test_credit_that_became_balance_has_its_memo_when_an_invoice_uses_it(played: Played) -> None:
    assert not played.exists(played.ids["note of credit"])
    invoice = played.ids["with credit"]
    used = [
        one
        for one in played.netsuite.records("creditMemo")
        if str(one["externalId"]).startswith("cbtxn_") and money(one["total"]) == "20.00"
    ]
    assert [played.shown(one["externalId"])[1:] for one in used] == [
        ("20.00", played.day("with credit"), {invoice: "20.00"})
    ]
    assert played.shown(played.ids["with credit paid"])[1::2] == ("50.00", {invoice: "50.00"})
    assert played.due(invoice) == "0.00"


def test_debt_of_the_balance_is_a_line_of_the_invoice_that_collects_it(played: Played) -> None:
    invoice = played.ids["with debt"]
    assert played.shown(invoice)[1] == "35.00"
    assert [money(one["amount"]) for one in played.record(invoice)["item"]["items"]] == ["30.00", "5.00"]
    assert played.shown(played.ids["with debt paid"])[1::2] == ("35.00", {invoice: "35.00"})


# Refunds and disputes.


def test_refund_without_a_credit_note_has_a_memo_of_its_own(played: Played) -> None:
    refund = played.ids["refund"]
    assert played.shown(f"{refund}-cm") == ("creditMemo", "25.00", played.day("refund"), {})
    assert played.shown(refund) == ("customerRefund", "25.00", played.day("refund"), {f"{refund}-cm": "25.00"})
    assert played.due(played.ids["refunded"]) == "0.00"


def test_refund_that_fails_comes_back_as_an_unapplied_payment(played: Played) -> None:
    refund = played.ids["refund that fails"]
    assert played.shown(refund)[:3] == ("customerRefund", "60.00", played.day("refund that fails"))
    assert played.shown(f"{refund}-back") == ("customerPayment", "60.00", played.day("refund failed"), {})


def test_dispute_lost_is_a_memo_and_a_refund_on_the_day_the_money_went(played: Played) -> None:
    dispute = played.ids["dispute lost"]
    assert played.shown(f"{dispute}-cm") == ("creditMemo", "90.00", played.day("dispute lost"), {})
    refund = ("customerRefund", "90.00", played.day("dispute lost"), {f"{dispute}-cm": "90.00"})
    assert played.shown(dispute) == refund


def test_dispute_won_comes_back_on_the_deposit(played: Played) -> None:
    dispute = played.ids["dispute won"]
    assert played.shown(dispute)[1] == "90.00"
    assert not played.exists(f"{dispute}-won")
    assert played.before_payout["Dispute Reversals"]["USD"] == 0
    assert played.netsuite.ledger()["Dispute Reversals"]["USD"] == -90


def test_inquiry_moves_nothing(played: Played) -> None:
    assert not played.exists(played.ids["dispute asked"])
    assert played.shown(played.ids["inquiry paid"])[3] == {played.ids["inquiry"]: "90.00"}


# Ends without money.


def test_void_is_a_memo_over_what_is_due_on_its_day(played: Played) -> None:
    invoice = played.ids["void"]
    assert played.shown(f"{invoice}-void") == ("creditMemo", "55.00", played.day("voided"), {invoice: "55.00"})
    assert played.due(invoice) == "0.00"


def test_uncollectible_is_a_memo_over_the_bad_debt_item(played: Played) -> None:
    invoice = played.ids["written off"]
    memo = ("creditMemo", "65.00", played.day("was written off"), {invoice: "65.00"})
    assert played.shown(f"{invoice}-void") == memo
    assert played.netsuite.ledger()["Bad Debt Expense"]["USD"] == 65


# Lines.


def test_subscription_with_coupon_tax_proration_and_shipping_is_line_by_line(played: Played) -> None:
    """Seats 300.00 less 10 %, taxed 10 % on 270.00; 50.00 of unused time back; shipping 9.00: 256.00."""
    invoice = played.record(played.ids["plan"])
    lines = [(one["item"]["id"], money(one["amount"])) for one in invoice["item"]["items"]]
    seats, coupon, unused, freight, tax = (amount for _, amount in lines)
    assert (seats, coupon, unused, freight, tax) == ("300.00", "-30.00", "-50.00", "9.00", "27.00")
    assert len({item for item, _ in lines}) == 4, "one item for the work, and one each for coupon, freight and tax"
    assert money(invoice["total"]) == "256.00"
    assert played.due(played.ids["plan"]) == "0.00"
    ledger = played.netsuite.ledger()
    assert (ledger["Sales Tax Payable"]["USD"], ledger["Shipping Income"]["USD"]) == (-27, -9)


def test_euro_and_yen_are_in_their_currency(played: Played) -> None:
    assert played.shown(played.ids["eur paid"])[1::2] == ("200.00", {played.ids["eur"]: "200.00"})
    assert played.shown(played.ids["jpy paid"])[1::2] == ("5000.00", {played.ids["jpy"]: "5000.00"})


# The books as a whole.


def test_receivables_are_what_clients_owe_less_what_they_have_given_too_much(played: Played) -> None:
    """80.00 of the failed debit; less 20.00 overpaid, 75.00 without an invoice, and 60.00 that came back."""
    assert played.netsuite.ledger()["Accounts Receivable"] == {
        "USD": Decimal(80 - 20 - 75 - 60),
        "EUR": Decimal(0),
        "JPY": Decimal(0),
    }


def test_undeposited_funds_are_stripes_movements_before_its_fees_and_nothing_after_the_payouts(played: Played) -> None:
    """In: what clients paid, and 60.00 of the refund that failed. Out: 80.00 of the debit, refunds of 40, 30, 25 and
    60, disputes of 90 and 90. The 90.00 that were won come with the deposit."""
    gross = 100 + 120 + 75 + 80 + 70 + 100 + 60 + 100 + 100 + 60 + 90 + 90 + 90 + 256 + 50 + 35 + 60
    out = 80 + 40 + 30 + 25 + 60 + 90 + 90
    assert played.before_payout["Undeposited Funds"] == {
        "USD": Decimal(gross - out),
        "EUR": Decimal(200),
        "JPY": Decimal(5000),
    }
    assert set(played.netsuite.ledger()["Undeposited Funds"].values()) == {Decimal(0)}


def test_each_payout_is_one_deposit_of_its_very_amount_in_its_bank(played: Played) -> None:
    payouts = {one["currency"]: one for one in played.stripe.objects("payout")}
    assert set(payouts) == {"usd", "eur", "jpy"}
    for code, payout in payouts.items():
        scale = 1 if code == "jpy" else 100
        kind, total, day, _ = played.shown(payout["id"])
        assert (kind, Decimal(total)) == ("deposit", Decimal(payout["amount"]) / scale)
        assert day == datetime.fromtimestamp(payout["arrival_date"], ZONE).date().isoformat()
        bank = played.netsuite.ledger()[f"Checking {code.upper()}"]
        assert bank[code.upper()] == Decimal(payout["amount"]) / scale


def test_fees_go_to_their_accounts(played: Played) -> None:
    """3.00 of each of 17 charges in dollars and one in euros; 15.00 of each of two disputes."""
    ledger = played.netsuite.ledger()
    assert ledger["Stripe Fees"] == {"USD": Decimal(17 * 3), "EUR": Decimal(3), "JPY": Decimal(300)}
    assert ledger["Dispute Fees"]["USD"] == 30


def test_netsuites_ids_are_in_stripes_metadata_by_the_connectors_names(played: Played) -> None:
    named = {
        "parts": "netsuite_invoice_id",
        "parts 1": "netsuite_customer_payment_id",
        "note before": "netsuite_credit_memo_id",
        "refund": "netsuite_customer_refund_id",
        "dispute lost": "netsuite_customer_refund_id",
    }
    for name, key in named.items():
        record = played.record(played.ids[name])
        assert played.stripe.object(played.ids[name])["metadata"][key] == record["id"], name
