"""The invoice item endpoints."""

from __future__ import annotations

from tests.sandbox.stripe import shapes
from tests.sandbox.stripe.charges import check_period, check_taxes, exclusive, new_item, plan, plan_change
from tests.sandbox.stripe.customers import touched as customer_touched
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal, missing_parameter, no_such
from tests.sandbox.stripe.invoice_lines import editable, too_many
from tests.sandbox.stripe.invoice_states import touched
from tests.sandbox.stripe.invoices import live_customer
from tests.sandbox.stripe.kinds import within
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.parameters import LINES_MOST
from tests.sandbox.stripe.records import Invoice, Item, Json
from tests.sandbox.stripe.store import Store


def _invoice_of(store: Store, identifier: str, customer: str) -> Invoice:
    invoice = store.invoices.get(identifier)
    if invoice is None:
        raise no_such("invoice", identifier, "invoice")
    if invoice.customer != customer:
        raise Refusal(f"The invoice {identifier} does not belong to the customer {customer}.", param="invoice")
    return editable(invoice)


def create(call: Exchange) -> Json:
    """Pending, or straight onto the draft that `invoice` names."""
    store, params = call.store, call.params
    customer = live_customer(store, params["customer"] or "")
    invoice = _invoice_of(store, params["invoice"] or "", customer["id"]) if "invoice" in params else None
    if exclusive(params, ("amount", "price_data", "pricing", "unit_amount_decimal"), "") is None:
        raise missing_parameter("amount")
    if ("amount" in params or "unit_amount_decimal" in params) and "currency" not in params:
        raise missing_parameter("currency")
    charge = plan(store, params, params.get("currency"), "")
    assert charge is not None
    if invoice is not None and charge.currency != invoice.currency:
        raise Refusal(
            f"The invoice is in `{invoice.currency}`; its items must be too, not in `{charge.currency}`.",
            param="currency",
        )
    check_taxes(store, params, invoice is not None and invoice.automatic_tax, "")
    check_period(params, "")
    if invoice is not None and len(store.lines(invoice.id)) >= LINES_MOST:
        raise too_many("invoice")
    item = new_item(store, customer["id"], charge, params)
    if invoice is not None:
        store.attach(item, invoice.id, store.next_batch(), 0)
        touched(store, invoice)
    if customer["currency"] is None:
        customer["currency"] = charge.currency
        customer_touched(store, customer["id"])
    return shapes.invoice_item(store, item)


def _named(call: Exchange) -> Item:
    item = call.store.items.get(call.ids[0])
    if item is None:
        raise Refusal(
            f"No such Invoice Item: '{call.ids[0]}'(livemode=false)",
            status=404,
            code="resource_missing",
            param="id",
        )
    return item


def retrieve(call: Exchange) -> Json:
    return shapes.invoice_item(call.store, _named(call))


def _changeable(call: Exchange) -> tuple[Item, Invoice | None]:
    item = _named(call)
    if item.deleted:
        raise Refusal("This invoice item has been deleted.")
    invoice = call.store.invoices[item.invoice] if item.invoice else None
    if invoice is not None:
        editable(invoice)
    return item, invoice


def update(call: Exchange) -> Json:
    item, invoice = _changeable(call)
    automatic = invoice is not None and invoice.automatic_tax
    plan_change(call.store, item, call.params, automatic, "").write(call.store)
    if invoice is not None:
        touched(call.store, invoice)
    return shapes.invoice_item(call.store, item)


def delete(call: Exchange) -> Json:
    item, invoice = _changeable(call)
    call.store.detach(item)
    del call.store.items[item.id]
    if invoice is not None:
        touched(call.store, invoice)
    return {"id": item.id, "object": "invoiceitem", "deleted": True}


def list_all(call: Exchange) -> Json:
    store, params = call.store, call.params
    items = [
        item
        for item in reversed(list(store.items.values()))
        if not item.deleted
        and item.customer == params.get("customer", item.customer)
        and item.invoice == params.get("invoice", item.invoice)
        and (item.invoice is None) == params.get("pending", item.invoice is None)
        and within(item.created, params.get("created", {}))
    ]
    return page(
        items, params, "/v1/invoiceitems", "Invoice Item", lambda item: item.id,
        lambda item: shapes.invoice_item(store, item), store.items.__contains__,
    )  # fmt: skip
