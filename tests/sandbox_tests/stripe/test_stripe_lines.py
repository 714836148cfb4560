from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import stripe

from tests.sandbox.stripe import StripeServer
from tests.sandbox.stripe.amounts import AUTOMATIC_PERCENTAGE
from tests.sandbox_tests.stripe.refusals import refused


def add(client: stripe.StripeClient, draft: str, *lines: Any) -> stripe.Invoice:
    return client.v1.invoices.add_lines(draft, params={"lines": list(lines)})


def draft_in(client: stripe.StripeClient, customer: str, currency: str, **more: Any) -> str:
    return client.v1.invoices.create(params={"customer": customer, "currency": currency, **more}).id


def test_bulk_lines_add_up_and_keep_their_metadata_and_period(client: stripe.StripeClient, draft: str) -> None:
    grown = add(
        client,
        draft,
        {
            "amount": 120_000,
            "description": "Audit",
            "metadata": {"line": "1"},
            "period": {"start": 5, "end": 9},
        },
        {"amount": -20_000, "description": "Discount", "metadata": {"line": "2"}},
    )
    assert (grown.subtotal, grown.total, grown.amount_due) == (100_000, 100_000, 100_000)
    first, second = grown.lines.data
    assert (first.description, first.metadata["line"], first.period.start, first.period.end) == (
        "Audit",
        "1",
        5,
        9,
    )
    assert (second.amount, second.discountable, first.discountable) == (-20_000, False, True)
    assert (first.quantity, first.quantity_decimal) == (1, Decimal(1))


def test_later_lines_stand_before_earlier_ones(client: stripe.StripeClient, draft: str) -> None:
    add(client, draft, {"amount": 1, "description": "old"})
    grown = add(client, draft, {"amount": 2, "description": "new 1"}, {"amount": 3, "description": "new 2"})
    assert [line.description for line in grown.lines.data] == ["new 1", "new 2", "old"]


def test_an_invoice_carries_ten_lines_and_the_rest_is_paged(client: stripe.StripeClient, draft: str) -> None:
    grown = add(client, draft, *({"amount": n, "description": str(n)} for n in range(1, 26)))
    assert (len(grown.lines.data), grown.lines.has_more, grown.total) == (10, True, sum(range(1, 26)))
    paged = client.v1.invoices.line_items.list(draft, params={"limit": 7})
    assert [line.amount for line in paged.auto_paging_iter()] == list(range(1, 26))


def test_250_lines_fit_and_the_251st_is_refused_whole(
    server: StripeServer, client: stripe.StripeClient, draft: str
) -> None:
    with refused("exceeded maximum 250", param="lines"):
        add(client, draft, *({"amount": 1} for _ in range(251)))
    add(client, draft, *({"amount": 1} for _ in range(249)))
    with refused("at most 250 items", param="lines"):
        add(client, draft, {"amount": 1}, {"amount": 1})
    assert add(client, draft, {"amount": 1}).total == 250
    with refused("at most 250 items", param="invoice"):
        owner = server.invoice(draft)["customer"]
        client.v1.invoice_items.create(params={"customer": owner, "invoice": draft, "amount": 1, "currency": "usd"})


@pytest.mark.parametrize(
    ("line", "text", "code", "param"),
    [
        (
            {"amount": 1, "quantity": 2},
            "only specify one of these parameters: amount, quantity.",
            None,
            "[amount]",
        ),
        ({"amount": 1, "quantity_decimal": "2"}, "amount, quantity_decimal", None, "[amount]"),
        ({"quantity": 1, "quantity_decimal": "1"}, "quantity, quantity_decimal", None, "[quantity]"),
        ({"amount": 1, "pricing": {"price": "price_x"}}, "amount, pricing", None, "[amount]"),
        ({"description": "nothing to pay"}, "Missing required param", "parameter_missing", "[amount]"),
        ({"amount": "12.50"}, "Invalid integer: 12.50", "parameter_invalid_integer", "[amount]"),
        (
            {"amount": 1, "descriptionx": "d"},
            "Received unknown parameter",
            "parameter_unknown",
            "[descriptionx]",
        ),
        ({"amount": 1, "currency": "usd"}, "Received unknown parameter", "parameter_unknown", "[currency]"),
        ({"amount": 1, "description": "d" * 5001}, "at most 5000 characters", None, "[description]"),
        ({"amount": 1, "period": {"start": 1}}, "Missing required", "parameter_missing", "[period][end]"),
        ({"amount": 1, "period": {"start": 2, "end": 1}}, "must not be before", None, "[period][end]"),
        ({"amount": 1, "tax_rates": ["txr_no"]}, "No such tax rate", "resource_missing", "[tax_rates][0]"),
        ({"pricing": {"price": "price_x"}}, "No such price", "resource_missing", "[pricing][price]"),
        ({"amount": 1, "price": "price_x"}, "Received unknown parameter", "parameter_unknown", "[price]"),
        (
            {"price_data": {"currency": "usd", "unit_amount": 1}},
            "Missing required",
            "parameter_missing",
            "[price_data][product]",
        ),
        (
            {"price_data": {"currency": "usd", "product_data": {"name": "x"}}},
            "Missing required",
            "parameter_missing",
            "[price_data][unit_amount]",
        ),
        (
            {"price_data": {"currency": "eur", "product_data": {"name": "x"}, "unit_amount": 1}},
            "must be in its currency",
            None,
            "[price_data]",
        ),
        (
            {"quantity_decimal": "1E+3", "price_data": {"currency": "usd"}},
            "Invalid decimal: 1E+3",
            "parameter_invalid_decimal",
            "[quantity_decimal]",
        ),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_one_bad_line_refuses_all_and_leaves_no_trace(
    server: StripeServer, client: stripe.StripeClient, draft: str, line: Any, text: str, code: Any, param: str
) -> None:
    before = server.dump()
    with refused(text, code=code, param=f"lines[1]{param}"):
        add(client, draft, {"amount": 1, "description": "good"}, line)
    assert server.dump() == before


@pytest.mark.parametrize(
    ("unit", "quantity", "amount"),
    [
        ("0.05", "30", 2),  # 1.5 is rounded up to 2: the example in Stripe's docs
        ("187.5", "7.25", 1359),  # 1359.375
        ("12.5", "7.25", 91),  # 90.625
        ("10", "0.049", 0),  # 0.49
        ("10", "0.05", 1),  # 0.5
        ("-10", "0.05", -1),  # -0.5, away from zero like its charge
        ("333.333333333333", "3", 1000),  # 999.999999999999
        ("18750", "7.25", 135_938),  # 135937.5
    ],
)
def test_quantity_times_unit_amount_is_rounded_once_halves_up(
    client: stripe.StripeClient, draft: str, unit: str, quantity: str, amount: int
) -> None:
    data: Any = {"currency": "usd", "product_data": {"name": "Hours"}, "unit_amount_decimal": unit}
    grown = add(client, draft, {"price_data": data, "quantity_decimal": quantity})
    line = grown.lines.data[0]
    assert (line.amount, grown.total, line.description) == (amount, amount, "Hours")
    assert line.quantity_decimal == Decimal(quantity)
    assert line.quantity == int(Decimal(quantity))


@pytest.mark.parametrize(
    ("currency", "good", "bad"),
    [
        ("isk", 500, 550),
        ("ugx", 100, 101),
        ("bhd", 1230, 1234),
        ("kwd", 10, 15),
        ("tnd", 10, 11),
        ("omr", 0, 9),
    ],
)
def test_amounts_that_a_currency_cannot_hold_are_refused(
    client: stripe.StripeClient, customer: str, currency: str, good: int, bad: int
) -> None:
    draft = draft_in(client, customer, currency)
    assert add(client, draft, {"amount": good}).total == good
    with refused("must be evenly divisible by", code="parameter_invalid_integer", param="lines[0][amount]"):
        add(client, draft, {"amount": bad})
    data = {"currency": currency, "product_data": {"name": "x"}, "unit_amount": bad}
    with refused(
        "must be evenly divisible by",
        code="parameter_invalid_integer",
        param="lines[0][price_data][unit_amount]",
    ):
        add(client, draft, {"price_data": data})


def test_zero_decimal_currencies_take_whole_units(client: stripe.StripeClient, customer: str) -> None:
    assert add(client, draft_in(client, customer, "jpy"), {"amount": 1234}).total == 1234


def test_tax_rates_are_added_per_line_and_shown_per_rate(client: stripe.StripeClient, draft: str) -> None:
    rate: Any = {"display_name": "VAT", "percentage": 20, "inclusive": False}
    vat = client.v1.tax_rates.create(params=rate).id
    grown = add(
        client,
        draft,
        {"amount": 1000, "tax_rates": [vat]},
        {"amount": 3, "tax_rates": [vat]},  # 0.6 becomes 1
        {"amount": 500},
    )
    assert (grown.subtotal, grown.total, grown.total_excluding_tax) == (1503, 1704, 1503)
    (tax,) = grown.total_taxes or []
    assert (tax.amount, tax.taxable_amount, tax.tax_rate_details.tax_rate) == (201, 1003, vat)
    client.v1.invoices.update(draft, params={"default_tax_rates": [vat]})
    assert client.v1.invoices.retrieve(draft).total == 1804


def test_inclusive_tax_is_inside_the_amount(client: stripe.StripeClient, draft: str) -> None:
    rate: Any = {"display_name": "GST", "percentage": 10, "inclusive": True}
    gst = client.v1.tax_rates.create(params=rate).id
    grown = add(client, draft, {"amount": 1100, "tax_rates": [gst]})
    assert (grown.total, grown.total_excluding_tax) == (1100, 1000)


def test_tax_amounts_stand_as_given_and_equal_rates_are_made_once(client: stripe.StripeClient, draft: str) -> None:
    tax = {
        "amount": 77,
        "taxable_amount": 1000,
        "tax_rate_data": {"display_name": "CA sales tax", "inclusive": False, "percentage": "7.75"},
    }
    grown = add(client, draft, {"amount": 1000, "tax_amounts": [tax]}, {"amount": 1000, "tax_amounts": [tax]})
    assert (grown.subtotal, grown.total) == (2000, 2154)
    assert len(client.v1.tax_rates.list().data) == 1
    with refused("tax_amounts, tax_rates", param="lines[0][tax_amounts]"):
        add(client, draft, {"amount": 1, "tax_amounts": [tax], "tax_rates": ["txr_x"]})


def test_an_archived_tax_rate_cannot_be_used_anew(client: stripe.StripeClient, draft: str) -> None:
    rate: Any = {"display_name": "VAT", "percentage": 20, "inclusive": False}
    vat = client.v1.tax_rates.create(params=rate).id
    add(client, draft, {"amount": 100, "tax_rates": [vat]})
    client.v1.tax_rates.update(vat, params={"active": False})
    with refused("archived", param="lines[0][tax_rates][0]"):
        add(client, draft, {"amount": 100, "tax_rates": [vat]})
    assert client.v1.invoices.retrieve(draft).total == 120


def test_automatic_tax_is_computed_only_when_asked_and_never_mixed(client: stripe.StripeClient, customer: str) -> None:
    plain = draft_in(client, customer, "usd")
    assert add(client, plain, {"amount": 1000}).total == 1000
    taxed = draft_in(client, customer, "usd", automatic_tax={"enabled": True})
    assert add(client, taxed, {"amount": 1000}).total == 1000 + 10 * AUTOMATIC_PERCENTAGE
    with refused("automatic tax enabled", param="lines[0][tax_rates]"):
        add(client, taxed, {"amount": 1, "tax_rates": ["txr_x"]})
    vat: Any = {"display_name": "VAT", "percentage": 20, "inclusive": False}
    rate = client.v1.tax_rates.create(params=vat).id
    with refused("automatic tax enabled", param="default_tax_rates"):
        client.v1.invoices.update(taxed, params={"default_tax_rates": [rate]})
    add(client, plain, {"amount": 1000, "tax_rates": [rate]})
    with refused("manual taxes", param="automatic_tax"):
        client.v1.invoices.update(plain, params={"automatic_tax": {"enabled": True}})


def test_automatic_tax_without_an_address_waits_and_cannot_be_finalized(client: stripe.StripeClient) -> None:
    nowhere = client.v1.customers.create(params={"name": "Nowhere"}).id
    draft = draft_in(client, nowhere, "usd", automatic_tax={"enabled": True})
    assert add(client, draft, {"amount": 1000}).automatic_tax.status == "requires_location_inputs"
    with refused("location isn't recognized", code="customer_tax_location_invalid"):
        client.v1.invoices.finalize_invoice(draft)


def test_lines_are_updated_in_bulk_or_one_by_one(client: stripe.StripeClient, draft: str) -> None:
    grown = add(client, draft, {"amount": 100, "metadata": {"a": "1"}}, {"amount": 200})
    one, two = (line.id for line in grown.lines.data)
    changed = client.v1.invoices.update_lines(
        draft,
        params={"lines": [{"id": one, "amount": 150, "metadata": {"b": "2"}}, {"id": two, "description": "d"}]},
    )
    assert [line.amount for line in changed.lines.data] == [150, 200]
    assert changed.lines.data[0].metadata.to_dict() == {"a": "1", "b": "2"}
    answer = client.v1.invoices.line_items.update(draft, two, params={"quantity": 3})
    assert (answer.object, answer.amount) == ("line_item", 600)
    with refused("No such invoice line item", code="resource_missing", param="lines[0][id]"):
        client.v1.invoices.update_lines(draft, params={"lines": [{"id": "il_gone", "amount": 1}]})


def test_removed_lines_are_deleted_or_become_pending(client: stripe.StripeClient, draft: str) -> None:
    grown = add(client, draft, {"amount": 100}, {"amount": 200}, {"amount": 400})
    one, two, _ = (line.id for line in grown.lines.data)
    with refused("Missing required", code="parameter_missing", param="lines[0][behavior]"):
        client.v1.invoices.remove_lines(draft, params={"lines": [{"id": one}]})
    left = client.v1.invoices.remove_lines(
        draft, params={"lines": [{"id": one, "behavior": "delete"}, {"id": two, "behavior": "unassign"}]}
    )
    assert left.total == 400
    (pending,) = client.v1.invoice_items.list(params={"pending": True}).data
    assert pending.amount == 200
    back = add(client, draft, {"invoice_item": pending.id})
    assert back.total == 600
    with refused("already on an invoice", param="lines[0][invoice_item]"):
        add(client, draft, {"invoice_item": pending.id})


def test_invoice_items_go_onto_the_draft_that_they_name(client: stripe.StripeClient, customer: str, draft: str) -> None:
    item = client.v1.invoice_items.create(
        params={
            "customer": customer,
            "invoice": draft,
            "unit_amount_decimal": "1250.5",
            "quantity_decimal": "2",
            "currency": "usd",
        }
    )
    assert (item.amount, client.v1.invoices.retrieve(draft).total) == (2501, 2501)
    assert client.v1.invoice_items.update(item.id, params={"amount": 9}).amount == 9
    client.v1.invoice_items.delete(item.id)
    assert client.v1.invoices.retrieve(draft).total == 0
    with refused("(livemode=false)", status=404, code="resource_missing", param="id"):
        client.v1.invoice_items.retrieve(item.id)


@pytest.mark.parametrize(
    ("params", "text", "code", "param"),
    [
        ({"amount": 1}, "Missing required param: currency.", "parameter_missing", "currency"),
        ({"currency": "usd"}, "Missing required param: amount.", "parameter_missing", "amount"),
        ({"amount": 1, "currency": "eur"}, "is in `usd`", None, "currency"),
        ({"unit_amount": 5, "currency": "usd"}, "unknown parameter", "parameter_unknown", "unit_amount"),
        (
            {"amount": 1, "currency": "usd", "invoice": "in_x"},
            "No such invoice",
            "resource_missing",
            "invoice",
        ),
    ],
)
def test_a_wrong_invoice_item_is_refused(
    client: stripe.StripeClient, customer: str, draft: str, params: Any, text: str, code: Any, param: str
) -> None:
    with refused(text, code=code, param=param):
        client.v1.invoice_items.create(params={"customer": customer, "invoice": draft, **params})
    assert client.v1.invoice_items.list().data == []
