"""Payments of invoices: amounts worked out by hand."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.stripe import Fee, InvoiceLine, Refusal, StripeServer


@pytest.fixture
def billed(server: StripeServer, customer: str) -> str:
    """The id of an open invoice over 1,000.00 USD."""
    return str(server.invoice(customer, [InvoiceLine(100_000, "Advice")])["id"])


def money(server: StripeServer, invoice: str) -> tuple[str, int, int, int]:
    found = server.invoice(invoice)
    return found["status"], found["amount_due"], found["amount_paid"], found["amount_remaining"]


def test_a_card_payment_settles_the_invoice_and_books_its_fee(
    server: StripeServer, client: stripe.StripeClient, billed: str
) -> None:
    charge = server.pay(billed)
    assert money(server, billed) == ("paid", 100_000, 100_000, 0)
    [payment] = client.v1.invoice_payments.list(params={"invoice": billed}).data
    assert (payment.status, payment.amount_paid, payment.is_default) == ("paid", 100_000, True)
    assert payment.payment.payment_intent == charge["payment_intent"]
    booked = client.v1.balance_transactions.retrieve(charge["balance_transaction"])
    # 2.9 % of 1,000.00 and 0.30
    assert (booked.type, booked.amount, booked.fee, booked.net) == ("charge", 100_000, 2_930, 97_070)
    assert [(one.type, one.amount) for one in booked.fee_details] == [("stripe_fee", 2_930)]
    assert booked.exchange_rate is None


def test_parts_are_paid_one_after_another_and_the_last_one_settles(
    server: StripeServer, client: stripe.StripeClient, billed: str
) -> None:
    server.pay(billed, 30_000)
    assert money(server, billed) == ("open", 100_000, 30_000, 70_000)
    server.pay(billed, 20_000, "ach")
    assert money(server, billed) == ("open", 100_000, 50_000, 50_000)
    server.pay(billed)
    assert money(server, billed) == ("paid", 100_000, 100_000, 0)
    payments = client.v1.invoice_payments.list(params={"invoice": billed}).data
    assert sorted(one.amount_paid or 0 for one in payments) == [20_000, 30_000, 50_000]
    assert client.v1.invoices.retrieve(billed).attempt_count == 3


def test_what_is_paid_beyond_becomes_the_customers_credit_and_pays_the_next_invoice(
    server: StripeServer, client: stripe.StripeClient, customer: str, billed: str
) -> None:
    server.pay(billed, 130_000)
    found = client.v1.invoices.retrieve(billed)
    assert (found.status, found.amount_paid, found.amount_overpaid, found.amount_remaining) == (
        "paid", 100_000, 30_000, 0,
    )  # fmt: skip
    [entry] = client.v1.customers.balance_transactions.list(customer, params={"invoice": billed}).data
    assert (entry.type, entry.amount, entry.ending_balance) == ("invoice_overpaid", -30_000, -30_000)
    following = server.invoice(customer, [InvoiceLine(50_000)])
    assert (following["amount_due"], following["starting_balance"], following["ending_balance"]) == (
        20_000, -30_000, 0,
    )  # fmt: skip


def test_money_outside_stripe_is_a_payment_record_and_moves_no_balance(
    server: StripeServer, client: stripe.StripeClient, billed: str
) -> None:
    server.pay(billed, method="out_of_band")
    found = client.v1.invoices.retrieve(billed)
    assert (found.status, found.amount_paid, found.amount_paid_off_stripe) == ("paid", 100_000, 100_000)
    payments = client.v1.invoice_payments.list(params={"invoice": billed}).data
    assert [(one.payment.type, one.status) for one in payments] == [
        ("payment_record", "paid"), ("payment_intent", "canceled"),
    ]  # fmt: skip
    assert server.movements() == []


def test_an_ach_payment_that_fails_days_later_opens_the_invoice_again(
    server: StripeServer, client: stripe.StripeClient, billed: str
) -> None:
    charge = server.pay(billed, method="ach", pending=True)
    assert money(server, billed) == ("open", 100_000, 0, 100_000)
    assert charge["id"].startswith("py_")
    server.succeed(charge)
    assert money(server, billed)[0] == "paid"
    failed = server.fail(charge)
    assert money(server, billed) == ("open", 100_000, 0, 100_000)
    taken = client.v1.balance_transactions.retrieve(failed["failure_balance_transaction"])
    assert (taken.type, taken.amount, taken.source) == ("payment_failure_refund", -100_000, charge["id"])
    # 0.8 % would be 8.00: ACH costs at most 5.00, and Stripe keeps it.
    assert server.ledger()["usd"]["movements"] == -500
    again = server.pay(billed)
    assert money(server, billed)[0] == "paid"
    charges = client.v1.charges.list(params={"payment_intent": again["payment_intent"]}).data
    assert [one.status for one in charges] == ["succeeded", "failed"], "one payment intent, two charges"
    told = [one["type"] for one in server.events("invoice.paid", "invoice.payment_failed", "charge.*")]
    assert told == [
        "charge.pending", "charge.succeeded", "invoice.paid", "charge.failed", "invoice.payment_failed",
        "charge.succeeded", "invoice.paid",
    ]  # fmt: skip


def test_a_payment_that_never_arrives_moves_nothing(server: StripeServer, billed: str) -> None:
    server.decline(billed)
    server.fail(server.pay(billed, method="ach", pending=True))
    assert money(server, billed) == ("open", 100_000, 0, 100_000)
    assert server.movements() == []
    assert len(server.events("invoice.payment_failed")) == 2


def test_the_second_of_two_pending_payments_is_all_overpaid(
    server: StripeServer, client: stripe.StripeClient, customer: str, billed: str
) -> None:
    one = server.pay(billed, method="ach", pending=True)
    other = server.pay(billed, method="ach", pending=True)
    assert one["payment_intent"] != other["payment_intent"]
    server.succeed(one)
    server.succeed(other)
    found = client.v1.invoices.retrieve(billed)
    assert (found.amount_paid, found.amount_overpaid, found.amount_remaining) == (100_000, 100_000, 0)
    assert client.v1.customers.retrieve(customer).balance == -100_000
    server.fail(other)
    assert client.v1.customers.retrieve(customer).balance == 0
    assert client.v1.invoices.retrieve(billed).status == "paid"


def test_an_invoice_with_a_payment_cannot_be_voided_and_an_unpaid_one_asks_for_nothing_more(
    server: StripeServer, client: stripe.StripeClient, customer: str, billed: str
) -> None:
    server.pay(billed, 1_000)
    with pytest.raises(Refusal, match="cannot be voided"):
        server.void(billed)
    unpaid = server.invoice(customer, [InvoiceLine(5_000)])
    server.void(unpaid)
    [payment] = client.v1.invoice_payments.list(params={"invoice": unpaid["id"]}).data
    assert payment.status == "canceled"
    with pytest.raises(Refusal, match="This invoice is void"):
        server.pay(unpaid)


def test_an_uncollectible_invoice_is_paid_later_or_voided(
    server: StripeServer, client: stripe.StripeClient, customer: str, billed: str
) -> None:
    server.mark_uncollectible(billed)
    server.pay(billed)
    found = client.v1.invoices.retrieve(billed)
    assert found.status == "paid"
    assert found.status_transitions.marked_uncollectible_at
    assert found.status_transitions.paid_at
    lost = server.invoice(customer, [InvoiceLine(5_000)])
    server.mark_uncollectible(lost)
    assert server.void(lost, even_uncollectible=True)["status"] == "void"


def test_a_foreign_charge_settles_in_the_accounts_currency_at_the_rate_of_the_moment(
    server: StripeServer, client: stripe.StripeClient, customer: str
) -> None:
    server.set_rate("nok", "usd", "0.10")
    charge = server.charge(customer, 100_000, "nok")
    booked = client.v1.balance_transactions.retrieve(charge["balance_transaction"])
    # 1,000.00 NOK are 100.00 USD; 2.9 % and 0.30 are 3.20, 1 % for the conversion 1.00
    assert (booked.currency, booked.amount, booked.fee, booked.exchange_rate) == ("usd", 10_000, 420, 0.1)
    yen = server.charge(customer, 15_000, "jpy", fees=[])
    assert server.object(yen["balance_transaction"])["amount"] == 10_050, "15,000 JPY at 0.0067 are 100.50 USD"
    server.set_rate("nok", "usd", "0.12")
    given = server.refund(charge, 50_000)
    assert server.object(given["balance_transaction"])["amount"] == -6_000, "a refund takes the rate of its own day"
    server.add_bank_account("nok")
    later = server.charge(customer, 100_000, "nok", fees=[Fee("stripe_fee", 7), Fee("application_fee", 5)])
    kept = server.object(later["balance_transaction"])
    assert (kept["currency"], kept["amount"], kept["fee"], kept["net"]) == ("nok", 100_000, 12, 99_988)


def test_a_charge_of_a_guest_belongs_to_no_invoice(server: StripeServer, client: stripe.StripeClient) -> None:
    charge = server.charge(None, 2_500)
    listed = client.v1.invoice_payments.list(
        params={"payment": {"type": "payment_intent", "payment_intent": charge["payment_intent"]}}
    )
    assert (listed.data, charge["customer"]) == ([], None)
