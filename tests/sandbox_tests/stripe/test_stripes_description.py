"""The stand-in against Stripe's own machine-readable description of its API, where a copy lies beside the
repo.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.stripe import CreditLine, Fee, InvoiceExtras, InvoiceLine, StripeServer
from tests.sandbox.stripe.kinds import Choice, Fields, Items, Kind, Metadata, Span, Text, Unsettable
from tests.sandbox.stripe.routes import ROUTES, Route

SHARED = Path(__file__).parents[4] / "shared" / "stripe"
COPIES = sorted(SHARED.glob("spec3*.json"))
pytestmark = pytest.mark.skipif(not COPIES, reason="no copy of Stripe's API description beside the repository")
BEYOND_THE_DESCRIPTION = {"lines.total_count"}
"""In the real answers, as recorded, though the description leaves it out."""
LISTED_TEXT = {"payment_method_types"}
"""Lists of words that Stripe extends often; the stand-in keeps them without looking."""


@cache
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(COPIES[-1].read_text())
    return loaded


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        node: Any = description()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = description()["paths"][route.template][route.method.lower()]
    return found


def taken(route: Route) -> dict[str, Any]:
    """The schema of what Stripe takes: the query of a GET, else the form."""
    if route.method == "GET":
        query = [given for given in operation(route).get("parameters", []) if given["in"] == "query"]
        return {
            "properties": {given["name"]: given["schema"] for given in query},
            "required": [given["name"] for given in query if given.get("required")],
        }
    content = operation(route).get("requestBody", {}).get("content", {})
    form: dict[str, Any] = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    return form


def differences(ours: Kind, theirs: dict[str, Any], at: str) -> Iterator[str]:
    """Where our reading of a parameter is not Stripe's."""
    theirs = resolved(theirs)
    shapes = [resolved(shape) for shape in theirs.get("anyOf", [theirs])]
    blank = any(shape.get("enum") == [""] for shape in shapes)
    shapes = [shape for shape in shapes if shape.get("enum") != [""]]
    if isinstance(ours, Unsettable):
        if not blank:
            yield f"{at}: we let it be unset, Stripe does not"
        ours = ours.kind
    if isinstance(ours, Fields):
        objects = [shape for shape in shapes if "properties" in shape or shape.get("type") == "object"]
        if not objects:
            yield f"{at}: we take an object, Stripe takes {shapes}"
            return
        yield from field_differences(ours, objects[0], at)
    elif isinstance(ours, Items):
        arrays = [shape for shape in shapes if shape.get("type") == "array"]
        if not arrays:
            yield f"{at}: we take a list"
        elif at.rsplit(".", 1)[-1] not in LISTED_TEXT:
            yield from differences(ours.kind, arrays[0]["items"], f"{at}[]")
    elif isinstance(ours, Choice):
        words = {word for shape in shapes for word in shape.get("enum", []) if word}
        if set(ours.names) - words:
            yield f"{at}: we take {set(ours.names) - words}, Stripe does not"
    elif isinstance(ours, Text):
        longest = max((shape.get("maxLength", 5000) for shape in shapes), default=0)
        if ours.most > longest:
            yield f"{at}: we take {ours.most} characters, Stripe {longest}"
    elif isinstance(ours, Metadata | Span) and not any(shape.get("type") == "object" for shape in shapes):
        yield f"{at}: Stripe takes no object here"


def field_differences(ours: Fields, theirs: dict[str, Any], at: str) -> Iterator[str]:
    known = theirs.get("properties", {})
    for name in sorted((set(ours.kinds) | ours.unsupported) - set(known)):
        yield f"{at}.{name}: Stripe does not know it"
    for name in sorted(set(known) - set(ours.kinds) - ours.unsupported):
        yield f"{at}.{name}: Stripe knows it, we call it unknown"
    for name in sorted(set(theirs.get("required", [])) - ours.required):
        yield f"{at}.{name}: Stripe requires it, we do not"
    for name, kind in ours.kinds.items():
        if name in known:
            yield from differences(kind, known[name], f"{at}.{name}")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_parameter_is_one_of_stripes_with_its_limits(route: Route) -> None:
    assert list(field_differences(route.takes, taken(route), "")) == []


def mistakes(value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
    """Where an answer is not of the described shape; objects are read as closed."""
    schema = resolved(schema)
    if value is None:
        if not schema.get("nullable"):
            yield f"{at}: null"
        return
    if "anyOf" in schema:
        attempts = [list(mistakes(value, shape, at)) for shape in schema["anyOf"]]
        if all(attempts):
            yield from min(attempts, key=len)
        return
    kinds = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (kind != "boolean" and isinstance(value, bool))):
        yield f"{at}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not one of {schema['enum']}"
    if kind == "string" and len(value) > schema.get("maxLength", 10**6):
        yield f"{at}: longer than {schema['maxLength']}"
    if kind == "array":
        for index, item in enumerate(value):
            yield from mistakes(item, schema["items"], f"{at}[{index}]")
    if kind == "object":
        yield from _object_mistakes(value, schema, at)


def _object_mistakes(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{at}.{name}: missing"
    for name, inner in value.items():
        place = f"{at}.{name}".lstrip(".")
        if name in known:
            yield from mistakes(inner, known[name], place)
        elif known and not any(re.sub(r"\[\d+\]", "", place).endswith(end) for end in BEYOND_THE_DESCRIPTION):
            yield f"{place}: not described"


def every_event_type() -> set[str]:
    """The types that Stripe sends to webhook endpoints."""
    form = description()["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
    schema = form["application/x-www-form-urlencoded"]["schema"]["properties"]["enabled_events"]
    return set(schema["items"]["enum"])


class RecordingServer(StripeServer):
    """Keeps every successful answer with the route that gave it."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, Any]] = []
        self.accepted: list[Request] = []
        super().__init__(search_lag_seconds=0)

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if response.status == 200:
            self.accepted.append(request)
            self.answers.append((request.method, request.path, json.loads(response.body)))
        return response


def settlement_tour(server: StripeServer, client: stripe.StripeClient) -> None:
    """Every kind of object that payments, credits, disputes, payouts and events have, read through every endpoint."""
    v1 = client.v1
    buyer = v1.customers.create(params={"name": "Birch", "email": "b@birch.example"}).id
    server.coupon("Spring 10%", percent_off=10)
    server.coupon("FIVE", amount_off=500)
    v1.coupons.retrieve("FIVE")
    lines = [
        InvoiceLine(10_000, "Retainer", tax=Decimal("8.25"), subscription=True, period=(1, 2), coupon="FIVE"),
        InvoiceLine(-2_500, "Unused time", proration=True, subscription=True),
        InvoiceLine(6_000, "Inclusive", tax=20, inclusive=True, quantity=3),
    ]
    sold = server.bill(buyer, lines, extras=InvoiceExtras(coupon="Spring 10%", shipping=900, shipping_tax=5))
    v1.invoices.retrieve(sold["id"], params={"expand": ["lines.data.discount_amounts.discount"]})
    v1.invoices.line_items.list(
        sold["id"],
        params={"expand": ["data.taxes.tax_rate_details.tax_rate", "data.discount_amounts.discount"]},
    )
    part = server.pay(sold, 3_000, "ach")
    server.credit(sold, lines=[CreditLine(1_000, sold["lines"]["data"][0]["id"])])
    server.pay(sold, sold["amount_due"])
    other = v1.customers.create(params={"name": "Cedar"}).id
    mixed = server.bill(other, [InvoiceLine(5_000)])
    paid = server.pay(mixed, 4_000)
    note = server.credit(mixed, 1_500, refund=200, to_balance=200, out_of_band=100)
    v1.credit_notes.list(params={"invoice": mixed["id"], "expand": ["data.customer"]})
    v1.credit_notes.retrieve(note["id"], params={"expand": ["refunds.refund"]})
    v1.credit_notes.update(note["id"], params={"metadata": {"netsuite_credit_memo_id": "9"}, "memo": "m"})
    v1.credit_notes.line_items.list(note["id"])
    open_one = server.bill(buyer, [InvoiceLine(7_000, tax=10)])
    line = open_one["lines"]["data"][0]["id"]
    made = v1.credit_notes.create(
        params={
            "invoice": open_one["id"],
            "lines": [{"type": "invoice_line_item", "invoice_line_item": line, "amount": 500}],
        }
    )
    v1.credit_notes.void_credit_note(made.id)
    server.decline(open_one)
    server.fail(server.pay(open_one, method="ach"))
    v1.payment_intents.list(params={"customer": buyer})
    v1.payment_intents.retrieve(str(part["payment_intent"]))
    v1.invoice_payments.list(params={"invoice": open_one["id"]})
    asked = v1.invoice_payments.list(
        params={"payment": {"type": "payment_intent", "payment_intent": paid["payment_intent"]}}
    )
    v1.invoice_payments.retrieve(asked.data[0].id)
    record = server.pay(open_one, method="out_of_band")
    v1.payment_records.retrieve(record["id"])
    draft = server.revise(server.bill(buyer, [InvoiceLine(800)]))
    server.add_line(draft["id"], amount=10)
    server.finalise(draft)
    refund = server.refund(paid, 100, reason="requested_by_customer")
    failed = server.refund(part, 50, pending=True)
    server.fail_refund(failed)
    v1.refunds.list(params={"charge": paid["id"], "expand": ["data.balance_transaction"]})
    v1.refunds.retrieve(failed["id"], params={"expand": ["failure_balance_transaction"]})
    v1.refunds.update(refund["id"], params={"metadata": {"netsuite_customer_refund_id": "8"}})
    for ending, options in (("win", {}), ("lose", {}), ("win", {"inquiry": True}), (None, {"prevented": True})):
        dispute = server.dispute(server.charge(buyer, 2_000), **options)
        if ending:
            getattr(server, ending)(server.respond(dispute) if ending == "lose" else dispute)
    v1.disputes.list(params={"charge": dispute["charge"]})
    v1.disputes.list()
    v1.disputes.retrieve(dispute["id"])
    v1.disputes.update(dispute["id"], params={"metadata": {"k": "v"}})
    server.dispute(server.charge(buyer, 2_000, method="ach"), reason="insufficient_funds")
    server.charge(None, 12_000, "jpy", fees=[Fee("stripe_fee", 20), Fee("tax", 4, "Tax on fees")])
    v1.charges.list(params={"payment_intent": paid["payment_intent"], "expand": ["data.balance_transaction"]})
    v1.charges.retrieve(paid["id"], params={"expand": ["customer"]})
    v1.charges.update(paid["id"], params={"metadata": {"netsuite_customer_payment_id": "7"}})
    server.book("stripe_fee", -500)
    payout = server.payout()
    v1.balance_transactions.list(params={"payout": payout["id"], "expand": ["data.source"], "limit": 100})
    v1.balance_transactions.retrieve(payout["balance_transaction"], params={"expand": ["source"]})
    v1.payouts.update(payout["id"], params={"metadata": {"netsuite_deposit_id": "6"}})
    server.fail_payout(payout)
    v1.payouts.retrieve(payout["id"])
    server.payout(amount=1_000)
    server.payout(instant=True)
    v1.payouts.list(params={"status": "failed"})
    entry = v1.customers.balance_transactions.list(buyer).data[0]
    v1.customers.balance_transactions.retrieve(buyer, entry.id)
    v1.balance.retrieve()
    event = v1.events.list(params={"types": ["payout.*", "invoice.paid"], "limit": 100}).data[0]
    v1.events.retrieve(event.id)


def tour(client: stripe.StripeClient) -> None:
    """Call every endpoint of drafts, customers and the catalogue with much in it."""
    v1 = client.v1
    v1.accounts.retrieve_current()
    v1.balance.retrieve()
    rate = v1.tax_rates.create(params={"display_name": "VAT", "inclusive": False, "percentage": 20, "tax_type": "vat"})
    v1.tax_rates.update(rate.id, params={"metadata": {"code": "S"}})
    v1.tax_rates.retrieve(rate.id)
    v1.tax_rates.list(params={"active": True})
    product = v1.products.create(params={"name": "Consulting"})
    v1.products.retrieve(product.id)
    v1.products.list()
    price = v1.prices.create(params={"currency": "eur", "product": product.id, "unit_amount": 900})
    v1.prices.retrieve(price.id)
    v1.prices.list()
    customer = v1.customers.create(
        params={
            "name": "Alder",
            "email": "a@alder.example",
            "phone": "+1",
            "balance": -500,
            "metadata": {"a": "b"},
            "address": {"country": "DE", "line1": "x"},
            "preferred_locales": ["de"],
            "business_name": "Alder GmbH",
            "shipping": {"name": "Alder", "address": {"city": "Bonn"}},
            "tax_exempt": "reverse",
            "invoice_settings": {"footer": "Thanks", "custom_fields": [{"name": "n", "value": "v"}]},
        }
    )
    v1.customers.update(customer.id, params={"balance": -300})
    v1.customers.retrieve(customer.id)
    v1.customers.list(params={"email": "a@alder.example"})
    v1.customers.search(params={"query": "metadata['a']:'b'", "expand": ["total_count"]})
    v1.customers.balance_transactions.list(customer.id)
    v1.invoice_items.create(params={"customer": customer.id, "amount": 5, "currency": "eur"})
    draft = v1.invoices.create(
        params={
            "customer": customer.id,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "currency": "eur",
            "pending_invoice_items_behavior": "include",
            "rendering": {"pdf": {"page_size": "a4"}},
            "shipping_details": {"name": "x", "address": {"city": "y"}},
            "default_tax_rates": [rate.id],
            "payment_settings": {"payment_method_types": ["customer_balance"]},
            "metadata": {"so": "1"},
            "custom_fields": [{"name": "PO", "value": "1"}],
            "expand": ["customer"],
        }
    )
    tax = {
        "amount": 19,
        "taxable_amount": 100,
        "tax_rate_data": {"display_name": "MwSt", "inclusive": False, "percentage": 19},
    }
    lines = [
        {"amount": 100, "description": "a", "tax_amounts": [tax], "period": {"start": 1, "end": 2}},
        {"pricing": {"price": price.id}, "quantity": 2, "tax_rates": [rate.id]},
        {
            "price_data": {"currency": "eur", "product": product.id, "unit_amount_decimal": "1.5"},
            "quantity": 3,
        },
        {"amount": -7, "description": "discount"},
    ]
    grown = v1.invoices.add_lines(draft.id, params={"lines": lines * 4})
    line = grown.lines.data[0]
    v1.invoices.update_lines(draft.id, params={"lines": [{"id": line.id, "description": "b"}]})
    v1.invoices.line_items.update(draft.id, line.id, params={"metadata": {"l": "1"}})
    v1.invoices.line_items.list(draft.id, params={"limit": 3})
    v1.invoices.remove_lines(draft.id, params={"lines": [{"id": line.id, "behavior": "unassign"}]})
    v1.invoices.update(draft.id, params={"description": "d"})
    v1.invoices.retrieve(draft.id)
    item = v1.invoice_items.list(params={"pending": True}).data[0]
    v1.invoice_items.update(item.id, params={"quantity": 2})
    v1.invoice_items.retrieve(item.id)
    v1.invoice_items.delete(item.id)
    v1.invoices.search(params={"query": "status:'draft'"})
    v1.invoices.finalize_invoice(draft.id)
    v1.invoices.send_invoice(draft.id)
    v1.invoices.pay(draft.id, params={"paid_out_of_band": True})
    for ending in ("void_invoice", "mark_uncollectible", "delete"):
        other = v1.invoices.create(
            params={"customer": customer.id, "currency": "eur", "automatic_tax": {"enabled": True}}
        )
        if ending != "delete":
            v1.invoices.add_lines(other.id, params={"lines": [{"amount": 10_000}]})
            v1.invoices.finalize_invoice(other.id)
        getattr(v1.invoices, ending)(other.id)
    v1.invoices.list(params={"customer": customer.id})
    v1.customers.delete(customer.id)
    v1.customers.retrieve(customer.id)


def test_every_answer_has_the_shape_that_stripe_describes() -> None:
    with RecordingServer() as server:
        client = stripe.StripeClient("sk_test_tour", base_addresses={"api": server.url})
        tour(client)
        settlement_tour(server, client)
        server.register_webhook("https://billing.example/stripe/events", "whsec_tour")
        client.v1.webhook_endpoints.list(params={"limit": 3})
        assert server.errors == []
        seen = set()
        found = []
        for method, path, answer in server.answers:
            route = next(route for route in ROUTES if route.method == method and route.match(path) is not None)
            seen.add((method, route.template))
            schema = operation(route)["responses"]["200"]["content"]["application/json"]["schema"]
            found += [f"{method} {route.template} {text}" for text in mistakes(answer, schema, "")]
        assert sorted(set(found)) == []
        for event in server.events():
            kind = event["data"]["object"]["object"]
            assert list(mistakes(event, {"$ref": "#/components/schemas/event"}, event["type"])) == []
            shape = {"$ref": f"#/components/schemas/{kind}"}
            assert list(mistakes(event["data"]["object"], shape, event["type"])) == []
            assert event["type"] in every_event_type(), event["type"]
        assert {(route.method, route.template) for route in ROUTES} - seen == set(), "endpoints not toured"


def test_every_request_that_is_taken_passes_the_strict_check_of_requests() -> None:
    checker = SHARED / "validate_request.py"
    if not checker.exists():
        pytest.skip("no strict check of requests beside the repository")
    spec = importlib.util.spec_from_file_location("validate_request", checker)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with RecordingServer() as server:
        client = stripe.StripeClient("sk_test_tour", base_addresses={"api": server.url})
        tour(client)
        settlement_tour(server, client)
        assert len(server.accepted) > len(ROUTES)
        for request in server.accepted:
            fields = request.query or request.body.decode()
            assert module.check(request.method, request.path, fields) == [], request
