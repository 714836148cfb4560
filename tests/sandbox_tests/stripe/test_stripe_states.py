from __future__ import annotations

import pytest
import stripe

from tests.sandbox.stripe import StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock
from tests.sandbox_tests.stripe.refusals import refused


@pytest.fixture
def filled(server: StripeServer, draft: str) -> str:
    """The id of a draft over 100.00 USD."""
    server.add_line(draft, amount=10_000, description="Work")
    return draft


def test_finalizing_numbers_dates_and_publishes(client: stripe.StripeClient, clock: MovableClock, filled: str) -> None:
    clock.move(days=2)
    final = client.v1.invoices.finalize_invoice(filled)
    assert (final.status, final.amount_due, final.amount_remaining) == ("open", 10_000, 10_000)
    assert final.number is not None
    assert final.number.endswith("-0001")
    assert final.effective_at == final.status_transitions.finalized_at == int(clock())
    assert (final.hosted_invoice_url or "").startswith("https://")
    assert final.ending_balance == 0


def test_finalizing_twice_is_refused(client: stripe.StripeClient, filled: str) -> None:
    client.v1.invoices.finalize_invoice(filled)
    for _ in range(2):
        with refused("you can't re-finalize a non-draft invoice"):
            client.v1.invoices.finalize_invoice(filled)


def test_an_empty_draft_ends_paid(client: stripe.StripeClient, draft: str) -> None:
    final = client.v1.invoices.finalize_invoice(draft)
    assert (final.status, final.total, final.amount_due) == ("paid", 0, 0)


def test_a_negative_total_becomes_credit_that_the_next_invoice_uses(
    server: StripeServer, client: stripe.StripeClient, customer: str, draft: str
) -> None:
    server.add_line(draft, amount=-3000)
    credited = client.v1.invoices.finalize_invoice(draft)
    assert (credited.status, credited.amount_due, credited.ending_balance) == ("paid", 0, -3000)
    assert client.v1.customers.retrieve(customer).balance == -3000
    following = client.v1.invoices.create(params={"customer": customer, "currency": "usd"}).id
    grown = client.v1.invoices.add_lines(following, params={"lines": [{"amount": 10_000}]})
    assert (grown.amount_due, grown.starting_balance) == (10_000, -3000)
    final = client.v1.invoices.finalize_invoice(following)
    assert (final.total, final.amount_due, final.ending_balance) == (10_000, 7000, 0)
    assert client.v1.customers.retrieve(customer).balance == 0
    moves = client.v1.customers.balance_transactions.list(customer).data
    assert [(move.amount, move.type) for move in moves] == [
        (3000, "applied_to_invoice"),
        (-3000, "applied_to_invoice"),
    ]


def test_less_than_the_minimum_is_paid_at_once_and_moved_to_the_balance(
    server: StripeServer, client: stripe.StripeClient, customer: str, draft: str
) -> None:
    server.add_line(draft, amount=49)
    final = client.v1.invoices.finalize_invoice(draft)
    assert (final.status, final.amount_due, final.total) == ("paid", 0, 49)
    (move,) = client.v1.customers.balance_transactions.list(customer).data
    assert (move.type, move.amount, move.invoice) == ("invoice_too_small", 49, draft)


def test_exactly_the_minimum_stays_open(server: StripeServer, client: stripe.StripeClient, draft: str) -> None:
    server.add_line(draft, amount=50)
    assert client.v1.invoices.finalize_invoice(draft).status == "open"


def test_balances_are_per_currency(server: StripeServer, client: stripe.StripeClient, customer: str) -> None:
    ids = []
    for currency, amount in (("usd", -5000), ("eur", 8000)):
        ids.append(client.v1.invoices.create(params={"customer": customer, "currency": currency}).id)
        server.add_line(ids[-1], amount=amount)
        server.finalize(ids[-1])
    assert client.v1.invoices.retrieve(ids[1]).amount_due == 8000


def test_a_finalized_invoice_takes_metadata_and_nothing_else(client: stripe.StripeClient, filled: str) -> None:
    client.v1.invoices.finalize_invoice(filled)
    noted = client.v1.invoices.update(filled, params={"metadata": {"a": "1"}})
    assert noted.to_dict()["metadata"] == {"a": "1"}
    with refused("Finalized invoices can't be updated in this way", param="description"):
        client.v1.invoices.update(filled, params={"description": "late"})
    with refused("no longer editable", code="invoice_not_editable"):
        client.v1.invoices.add_lines(filled, params={"lines": [{"amount": 1}]})
    with refused("You can only delete draft invoices."):
        client.v1.invoices.delete(filled)
    assert client.v1.invoices.retrieve(filled).total == 10_000


def test_sending_finalizes_a_draft_and_may_be_repeated(
    server: StripeServer, client: stripe.StripeClient, filled: str
) -> None:
    for _ in range(2):
        assert client.v1.invoices.send_invoice(filled).status == "open"
    assert server.sent() == [filled, filled]
    server.pay(filled)
    with refused("This invoice cannot be sent right now."):
        client.v1.invoices.send_invoice(filled)


def test_an_invoice_without_an_address_to_send_to_stays_a_draft(
    server: StripeServer, client: stripe.StripeClient, customer: str, filled: str
) -> None:
    server.edit_customer(customer, email="")
    with refused("Missing email."):
        client.v1.invoices.send_invoice(filled)
    assert client.v1.invoices.retrieve(filled).status == "draft"


def test_paying_out_of_band_settles_and_only_once(client: stripe.StripeClient, filled: str) -> None:
    client.v1.invoices.finalize_invoice(filled)
    with refused("There is no `default_payment_method`"):
        client.v1.invoices.pay(filled)
    paid = client.v1.invoices.pay(filled, params={"paid_out_of_band": True})
    assert (paid.status, paid.amount_remaining, paid.attempted) == ("paid", 0, False)
    with refused("Invoice is already paid"):
        client.v1.invoices.pay(filled, params={"paid_out_of_band": True})
    with refused("Invoices with `paid` payments cannot be voided."):
        client.v1.invoices.void_invoice(filled)


def test_only_an_open_invoice_can_be_voided_or_written_off(client: stripe.StripeClient, filled: str) -> None:
    for call in (client.v1.invoices.void_invoice, client.v1.invoices.mark_uncollectible):
        with refused("You can only pass in open invoices. This invoice isn't open."):
            call(filled)
    client.v1.invoices.finalize_invoice(filled)
    voided = client.v1.invoices.void_invoice(filled)
    assert (voided.status, voided.total, voided.status_transitions.voided_at) == (
        "void",
        10_000,
        1_780_300_800,
    )
    with refused("This invoice isn't open."):
        client.v1.invoices.void_invoice(filled)


def test_voiding_gives_used_credit_back(
    server: StripeServer, client: stripe.StripeClient, customer: str, filled: str
) -> None:
    server.edit_customer(customer, balance=-4000)
    assert client.v1.invoices.finalize_invoice(filled).amount_due == 6000
    client.v1.invoices.void_invoice(filled)
    assert client.v1.customers.retrieve(customer).balance == -4000


def test_numbers_count_up_per_customer(server: StripeServer, client: stripe.StripeClient, customer: str) -> None:
    numbers = []
    for _ in range(3):
        invoice = client.v1.invoices.create(params={"customer": customer, "currency": "usd"}).id
        server.add_line(invoice, amount=1000)
        numbers.append(client.v1.invoices.finalize_invoice(invoice).number or "")
    assert [number[-4:] for number in numbers] == ["0001", "0002", "0003"]
    assert len({number[:-4] for number in numbers}) == 1


def test_a_deleted_customers_draft_cannot_be_finalized(
    server: StripeServer, client: stripe.StripeClient, customer: str, filled: str
) -> None:
    server.delete_customer(customer)
    with refused("No such customer", code="resource_missing", param="customer"):
        client.v1.invoices.finalize_invoice(filled)


@pytest.mark.parametrize(
    ("action", "param"),
    [
        ("retrieve", "invoice"),
        ("delete", "invoice"),
        ("send_invoice", "invoice"),
        ("update", "id"),
        ("pay", "id"),
        ("finalize_invoice", "id"),
        ("void_invoice", "id"),
        ("mark_uncollectible", "id"),
    ],
)
def test_an_unknown_invoice_is_404_with_the_endpoints_own_param(
    client: stripe.StripeClient, action: str, param: str
) -> None:
    with refused("No such invoice: 'in_gone'", status=404, code="resource_missing", param=param):
        getattr(client.v1.invoices, action)("in_gone")
