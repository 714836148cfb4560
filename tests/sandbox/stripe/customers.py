"""The customer endpoints."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.sandbox.stripe import shapes
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import no_such
from tests.sandbox.stripe.kinds import within
from tests.sandbox.stripe.metadata import merged
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.search import search
from tests.sandbox.stripe.store import Store

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(change: dict[str, Any] | None) -> Json | None:
    return None if change is None else {name: change.get(name) for name in _ADDRESS}


def shipping(change: dict[str, Any] | None) -> Json | None:
    if change is None:
        return None
    return {
        "address": address(change["address"]),
        "carrier": None,
        "name": change["name"],
        "phone": change.get("phone"),
        "tracking_number": None,
    }


def touched(store: Store, identifier: str) -> Json:
    """Tell search about the customer's new look, and answer it."""
    shape = shapes.customer(store, identifier)
    store.remember("customers", identifier, None if shape.get("deleted") else shape, store.now)
    return shape


def create(call: Exchange) -> Json:
    store = call.store
    identifier = store.new_id("cus")
    prefix = hashlib.sha256(identifier.encode()).hexdigest()[:8].upper()
    store.customers[identifier] = {
        "id": identifier, "object": "customer", "address": None, "created": store.now, "currency": None,
        "customer_account": None, "default_source": None, "delinquent": False, "description": None,
        "discount": None, "email": None, "invoice_prefix": prefix,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None,
                             "rendering_options": None},
        "livemode": False, "metadata": {}, "name": None, "next_invoice_sequence": 1, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None,
    }  # fmt: skip
    _apply(store, store.customers[identifier], call.params)
    shape = touched(store, identifier)
    store.emit("customer.created", shape)
    return shape


def _apply(store: Store, customer: Json, params: dict[str, Any]) -> None:
    metadata = merged(customer["metadata"], params.get("metadata", {}))
    for name, value in params.items():
        if name == "address":
            customer["address"] = address(value)
        elif name == "shipping":
            customer["shipping"] = shipping(value)
        elif name == "balance":
            currency = customer["currency"] or "usd"
            store.move_balance(
                customer["id"], currency, value - store.balance(customer["id"], currency), "adjustment", None
            )
        elif name == "invoice_settings":
            customer["invoice_settings"].update(value)
        elif name == "tax_exempt":
            customer["tax_exempt"] = value or "none"
        elif name in ("business_name", "individual_name") and value is None:
            customer.pop(name, None)
        elif name not in ("metadata", "expand"):
            customer[name] = value
    customer["metadata"] = metadata


def named(store: Store, identifier: str) -> Json:
    """A customer that exists and is not deleted; 404 otherwise."""
    customer = store.customers.get(identifier)
    if customer is None or customer.get("deleted"):
        raise no_such("customer", identifier, "id", 404)
    return customer


def retrieve(call: Exchange) -> Json:
    if call.ids[0] not in call.store.customers:
        raise no_such("customer", call.ids[0], "id", 404)
    return shapes.customer(call.store, call.ids[0])


def update(call: Exchange) -> Json:
    _apply(call.store, named(call.store, call.ids[0]), call.params)
    shape = touched(call.store, call.ids[0])
    call.store.emit("customer.updated", shape)
    return shape


def delete(call: Exchange) -> Json:
    """Leaves the stub; drafts keep the printed data they had."""
    store, identifier = call.store, call.ids[0]
    stored = named(store, identifier)
    for invoice in store.invoices_of_customer.get(identifier, []):
        record = store.invoices.get(invoice)
        if record is not None and record.customer_frozen is None:
            record.customer_frozen = shapes.printed_customer(stored)
    store.emit("customer.deleted", shapes.customer(store, identifier))
    store.customers[identifier] = {"id": identifier, "object": "customer", "deleted": True}
    return touched(store, identifier)


def list_all(call: Exchange) -> Json:
    """Newest first; `email` matches exactly and with case; deleted customers are left out."""
    params = call.params
    customers = [
        customer
        for customer in reversed(list(call.store.customers.values()))
        if not customer.get("deleted")
        and ("email" not in params or customer["email"] == params["email"])
        and within(customer["created"], params.get("created", {}))
    ]
    return page(
        customers, params, "/v1/customers", "customer", lambda customer: str(customer["id"]),
        lambda customer: shapes.customer(call.store, customer["id"]), call.store.customers.__contains__,
    )  # fmt: skip


def find(call: Exchange) -> Json:
    return search(call, "customers")


def balance_transactions(call: Exchange) -> Json:
    identifier, params = call.ids[0], call.params
    if identifier not in call.store.customers:
        raise no_such("customer", identifier, "customer", 404)
    entries = [
        entry
        for entry in reversed(call.store.balance_transactions)
        if entry["customer"] == identifier
        and entry["invoice"] == params.get("invoice", entry["invoice"])
        and within(entry["created"], params.get("created", {}))
    ]
    return page(
        entries,
        params,
        f"/v1/customers/{identifier}/balance_transactions",
        "customer balance transaction",
        lambda entry: str(entry["id"]),
        dict,
    )
