from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe import StripeServer
from tests.sandbox_tests.stripe.conftest import MovableClock
from tests.sandbox_tests.stripe.refusals import refused

DAY = 86_400


def test_a_draft_is_not_advanced_numbered_or_hosted(client: stripe.StripeClient, draft: str) -> None:
    shown = client.v1.invoices.retrieve(draft)
    assert (shown.status, shown.auto_advance, shown.number, shown.hosted_invoice_url) == (
        "draft",
        False,
        None,
        None,
    )
    assert (shown.total, shown.amount_due, shown.currency, shown.lines.data) == (0, 0, "usd", [])
    assert (shown.effective_at, shown.ending_balance, shown.automatically_finalizes_at) == (None, None, None)


def test_days_until_due_counts_from_creation_also_when_it_is_set_later(
    client: stripe.StripeClient, clock: MovableClock, draft: str
) -> None:
    created = client.v1.invoices.retrieve(draft).created
    assert client.v1.invoices.retrieve(draft).due_date == created + 30 * DAY
    clock.move(days=5)
    changed = client.v1.invoices.update(draft, params={"days_until_due": 10})
    assert changed.due_date == created + 10 * DAY


def test_a_due_date_stands_as_given_and_must_lie_ahead(
    client: stripe.StripeClient, clock: MovableClock, customer: str
) -> None:
    due = int(clock()) + 14 * DAY
    made = client.v1.invoices.create(
        params={"customer": customer, "collection_method": "send_invoice", "due_date": due}
    )
    assert made.due_date == due
    with refused("Unix timestamp in the future", param="due_date"):
        client.v1.invoices.create(
            params={"customer": customer, "collection_method": "send_invoice", "due_date": int(clock())}
        )


@pytest.mark.parametrize(
    ("params", "text", "code", "param"),
    [
        ({}, "you must specify 'due_date' or 'days_until_due'", None, None),
        ({"days_until_due": 1, "due_date": 1_790_000_000}, "only specify one of", None, "days_until_due"),
        (
            {"days_until_due": "thirty"},
            "Invalid integer: thirty",
            "parameter_invalid_integer",
            "days_until_due",
        ),
        ({"days_until_due": 1, "currency": "USD"}, "Invalid currency: USD", "parameter_invalid", "currency"),
        ({"days_until_due": 1, "currency": "xyz"}, "Invalid currency: xyz", "parameter_invalid", "currency"),
        ({"days_until_due": 1, "auto_advance": "no"}, "Invalid boolean: no", None, "auto_advance"),
        ({"days_until_due": 1, "description": "d" * 1501}, "at most 1500 characters", None, "description"),
        ({"days_until_due": 1, "footer": "f" * 5001}, "at most 5000 characters", None, "footer"),
        ({"days_until_due": 1, "number": "n" * 27}, "at most 26 characters", None, "number"),
        ({"days_until_due": 1, "statement_descriptor": "s" * 23}, "at most 22", None, "statement_descriptor"),
        (
            {"days_until_due": 1, "custom_fields": [{"name": "a", "value": "b"}] * 5},
            "exceeded maximum 4 allowed elements",
            None,
            "custom_fields",
        ),
        (
            {"days_until_due": 1, "custom_fields": [{"name": "n" * 41, "value": "b"}]},
            "at most 40 characters",
            None,
            "custom_fields[0][name]",
        ),
        (
            {"days_until_due": 1, "custom_fields": [{"name": "n", "value": "v" * 141}]},
            "at most 140 characters",
            None,
            "custom_fields[0][value]",
        ),
        (
            {"days_until_due": 1, "custom_fields": [{"name": "n"}]},
            "Missing required param: custom_fields[0][value].",
            "parameter_missing",
            "custom_fields[0][value]",
        ),
        (
            {"days_until_due": 1, "default_tax_rates": ["txr_no"]},
            "No such tax rate",
            "resource_missing",
            "default_tax_rates[0]",
        ),
        (
            {"days_until_due": 1, "lines": [{"amount": 1}]},
            "unknown parameter: lines",
            "parameter_unknown",
            "lines",
        ),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_a_wrong_draft_is_refused_and_not_stored(
    server: StripeServer,
    client: stripe.StripeClient,
    customer: str,
    params: Any,
    text: str,
    code: Any,
    param: Any,
) -> None:
    with refused(text, code=code, param=param):
        client.v1.invoices.create(params={"customer": customer, "collection_method": "send_invoice", **params})
    assert server.invoices() == []


def test_due_dates_are_refused_where_the_card_is_charged(client: stripe.StripeClient, customer: str) -> None:
    with refused("You can only specify 'due_date' or 'days_until_due'"):
        client.v1.invoices.create(params={"customer": customer, "days_until_due": 30})


def test_a_customer_must_be_named_must_exist_and_must_have_an_email(client: stripe.StripeClient) -> None:
    sending: Any = {"collection_method": "send_invoice", "days_until_due": 1}
    with refused("Missing required param: customer.", code="parameter_missing", param="customer"):
        client.v1.invoices.create(params=sending)
    with refused("No such customer: 'cus_gone'", code="resource_missing", param="customer"):
        client.v1.invoices.create(params={"customer": "cus_gone", **sending})
    nameless = client.v1.customers.create(params={"name": "No Mail Ltd"}).id
    with refused("Missing email."):
        client.v1.invoices.create(params={"customer": nameless, **sending})


def test_pending_items_are_left_alone_unless_asked_for(client: stripe.StripeClient, customer: str) -> None:
    ids = [
        client.v1.invoice_items.create(params={"customer": customer, "amount": n, "currency": "usd"}).id for n in (1, 2)
    ]
    alone = client.v1.invoices.create(params={"customer": customer, "currency": "usd"})
    assert alone.lines.data == []
    swept = client.v1.invoices.create(
        params={"customer": customer, "currency": "usd", "pending_invoice_items_behavior": "include"}
    )
    owners = [line.parent.invoice_item_details.invoice_item for line in swept.lines.data]
    assert owners == ids[::-1]
    assert client.v1.invoice_items.list(params={"pending": True}).data == []


def test_one_customer_may_hold_drafts_in_several_currencies(client: stripe.StripeClient, customer: str) -> None:
    for currency in ("usd", "eur", "jpy"):
        assert client.v1.invoices.create(params={"customer": customer, "currency": currency}).currency == currency
    assert client.v1.invoices.create(params={"customer": customer}).currency == "usd"


def test_the_list_filters_by_customer_status_method_and_date(
    client: stripe.StripeClient, clock: MovableClock, customer: str, draft: str
) -> None:
    clock.move(days=1)
    other = client.v1.customers.create(params={}).id
    charged = client.v1.invoices.create(params={"customer": other, "currency": "usd"}).id
    client.v1.invoices.finalize_invoice(charged)

    def ids(params: Any) -> list[str]:
        return [invoice.id for invoice in client.v1.invoices.list(params=params).data]

    assert ids({}) == [charged, draft]
    assert ids({"customer": customer}) == [draft]
    assert ids({"status": "draft"}) == [draft]
    assert ids({"status": "paid"}) == [charged]
    assert ids({"collection_method": "charge_automatically"}) == [charged]
    assert ids({"created": {"gte": int(clock())}}) == [charged]
    assert ids({"due_date": {"gt": 0}}) == [draft]
    assert ids({"customer": other, "status": "open"}) == []
    with refused("Invalid status: must be one of draft, open, void, paid, or uncollectible", param="status"):
        ids({"status": "drafty"})
    with refused("No such customer: 'cus_gone'", code="resource_missing", param="customer"):
        ids({"customer": "cus_gone"})


def test_a_deleted_customers_invoices_are_still_listed(
    server: StripeServer, client: stripe.StripeClient, customer: str, draft: str
) -> None:
    server.delete_customer(customer)
    found = client.v1.invoices.list(params={"customer": customer}).data
    assert [(invoice.id, invoice.customer_email) for invoice in found] == [(draft, "finance@kestrel.example")]


def test_a_draft_shows_the_customer_live_and_a_finalized_invoice_frozen(
    server: StripeServer, client: stripe.StripeClient, customer: str, draft: str
) -> None:
    server.edit_customer(customer, name="Kestrel & Co")
    assert client.v1.invoices.retrieve(draft).customer_name == "Kestrel & Co"
    server.add_line(draft, amount=5000)
    server.finalize(draft)
    server.edit_customer(customer, name="Other")
    assert client.v1.invoices.retrieve(draft).customer_name == "Kestrel & Co"


def test_a_deleted_draft_is_gone_with_its_items(client: stripe.StripeClient, draft: str) -> None:
    client.v1.invoices.add_lines(draft, params={"lines": [{"amount": 100}]})
    item = client.v1.invoice_items.list(params={"invoice": draft}).data[0].id
    assert client.v1.invoices.delete(draft).to_dict() == {"id": draft, "object": "invoice", "deleted": True}
    for _ in range(2):
        with refused(f"No such invoice: '{draft}'", status=404, code="resource_missing", param="invoice"):
            client.v1.invoices.retrieve(draft)
    assert client.v1.invoices.list().data == []
    assert client.v1.invoice_items.list(params={"pending": True}).data == []
    with refused("This invoice item has been deleted."):
        client.v1.invoice_items.delete(item)


def test_auto_advance_finalizes_an_hour_after_creation_and_not_before(
    server: StripeServer, client: stripe.StripeClient, clock: MovableClock, draft: str
) -> None:
    server.add_line(draft, amount=5000)
    advanced = client.v1.invoices.update(draft, params={"auto_advance": True})
    assert advanced.automatically_finalizes_at == advanced.created + 3601
    clock.move(seconds=3600)
    assert client.v1.invoices.retrieve(draft).status == "draft"
    clock.move(seconds=1)
    assert client.v1.invoices.retrieve(draft).status == "open"
    assert server.sent() == [draft]


def test_taking_auto_advance_back_stops_the_clock(client: stripe.StripeClient, clock: MovableClock, draft: str) -> None:
    client.v1.invoices.update(draft, params={"auto_advance": True})
    back = client.v1.invoices.update(draft, params={"auto_advance": False})
    assert back.automatically_finalizes_at is None
    clock.move(days=30)
    assert client.v1.invoices.retrieve(draft).status == "draft"


def test_two_invoices_cannot_bear_one_number(client: stripe.StripeClient, customer: str) -> None:
    client.v1.invoices.create(params={"customer": customer, "number": "2026-1"})
    with refused("already in use", param="number"):
        client.v1.invoices.create(params={"customer": customer, "number": "2026-1"})
