"""The invoice endpoints: create, read, list, search, update, delete."""

from __future__ import annotations

from typing import Any

from tests.sandbox.stripe import shapes
from tests.sandbox.stripe.charges import check_tax_rates
from tests.sandbox.stripe.customers import shipping
from tests.sandbox.stripe.customers import touched as customer_touched
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal, missing_parameter, no_such
from tests.sandbox.stripe.invoice_states import missing_email, named, schedule, touched
from tests.sandbox.stripe.kinds import within
from tests.sandbox.stripe.made_invoices import revise
from tests.sandbox.stripe.metadata import merged
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.parameters import LINES_MOST
from tests.sandbox.stripe.records import Invoice, Json
from tests.sandbox.stripe.search import search
from tests.sandbox.stripe.store import Store

DAY = 86_400
FIVE_YEARS = 5 * 366 * DAY
EDITABLE_WHEN_FINAL = frozenset({"metadata", "auto_advance", "expand"})


def live_customer(store: Store, identifier: str, param: str = "customer") -> Json:
    """The customer named in a parameter; a deleted one is refused like one that never was."""
    customer = store.customers.get(identifier)
    if customer is None or customer.get("deleted"):
        raise no_such("customer", identifier, param)
    return customer


def _check_due(params: dict[str, Any], method: str, has_due: bool, now: int) -> None:
    sent = [name for name in ("days_until_due", "due_date") if name in params]
    if method != "send_invoice":
        if sent:
            raise Refusal(
                "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
            )
        return
    if len(sent) == 2:
        raise Refusal("You may only specify one of these parameters: days_until_due, due_date.", param=sent[0])
    if not sent and not has_due:
        raise Refusal(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
        )
    if params.get("due_date", now + 1) <= now:
        raise Refusal("Invalid timestamp: must be an integer Unix timestamp in the future.", param="due_date")


def _check_schedule(params: dict[str, Any], now: int) -> None:
    moment = params.get("automatically_finalizes_at")
    if moment is not None and not now < moment <= now + FIVE_YEARS:
        raise Refusal(
            "Invalid timestamp: must be an integer Unix timestamp in the future, at most five years ahead.",
            param="automatically_finalizes_at",
        )


def _check_number(store: Store, number: str | None, own: str | None) -> None:
    if number and any(other.number == number and other.id != own for other in store.invoices.values()):
        raise Refusal(f"The invoice number '{number}' is already in use.", param="number")


def _check_common(store: Store, params: dict[str, Any], automatic: bool, own: str | None) -> None:
    _check_schedule(params, store.now)
    _check_number(store, params.get("number"), own)
    rates = params.get("default_tax_rates") or []
    check_tax_rates(store, rates, "default_tax_rates")
    if rates and automatic:
        raise Refusal(
            "You cannot set default_tax_rates on an invoice with automatic tax enabled.",
            param="default_tax_rates",
        )


def create(call: Exchange) -> Json:
    """A draft; with `from_invoice`, a revision. Pending items are left alone unless the caller says `include`."""
    store, params = call.store, call.params
    if "from_invoice" in params:
        return _revision(call)
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = live_customer(store, params["customer"] or "")
    method = params.get("collection_method", "charge_automatically")
    _check_due(params, method, False, store.now)
    if method == "send_invoice" and not customer["email"]:
        raise missing_email()
    automatic = params.get("automatic_tax", {}).get("enabled", False)
    _check_common(store, params, automatic, None)
    currency = params.get("currency") or customer["currency"] or "usd"
    pending = []
    if params.get("pending_invoice_items_behavior") == "include":
        pending = [
            item
            for item in reversed(list(store.items.values()))
            if item.customer == customer["id"] and item.invoice is None and item.currency == currency
        ]
    if len(pending) > LINES_MOST:
        raise Refusal(f"An invoice can have at most {LINES_MOST} items.", param="pending_invoice_items_behavior")
    settings = customer["invoice_settings"]
    invoice = Invoice(
        id=store.new_id("in"), created=store.now, customer=customer["id"], currency=currency,
        collection_method=method, footer=settings["footer"], custom_fields=settings["custom_fields"],
    )  # fmt: skip
    _apply(invoice, params)
    store.invoices[invoice.id] = invoice
    store.invoices_of_customer.setdefault(invoice.customer, []).append(invoice.id)
    batch = store.next_batch()
    for place, item in enumerate(pending):
        store.attach(item, invoice.id, batch, place)
    if customer["currency"] is None:
        customer["currency"] = currency
        customer_touched(store, customer["id"])
    return touched(store, invoice, "invoice.created")


def _revision(call: Exchange) -> Json:
    """A draft that replaces a finalized invoice once it is finalized itself."""
    store, params = call.store, call.params
    if others := sorted(set(params) - {"from_invoice", "metadata", "description", "expand"}):
        raise Refusal(f"The sandbox's Stripe does not take {others[0]} with from_invoice.", code="sandbox_unsupported")
    draft = revise(store, named(store, params["from_invoice"]["invoice"] or "", "from_invoice[invoice]"))
    _apply(draft, params)
    return touched(store, draft, "invoice.created")


def _apply(invoice: Invoice, params: dict[str, Any]) -> None:
    invoice.metadata = merged(invoice.metadata, params.get("metadata", {}))
    for name in ("collection_method", "custom_fields", "description", "effective_at", "footer", "number",
                 "statement_descriptor"):  # fmt: skip
        if name in params:
            setattr(invoice, name, params[name])
    if invoice.collection_method != "send_invoice":
        invoice.due_date = invoice.days_until_due = None
    if "automatic_tax" in params:
        invoice.automatic_tax = params["automatic_tax"]["enabled"]
    if "days_until_due" in params:
        # Counted from creation, also on an update (Stripe's API reference).
        invoice.days_until_due = params["days_until_due"]
        invoice.due_date = invoice.created + params["days_until_due"] * DAY
    if "due_date" in params:
        invoice.due_date, invoice.days_until_due = params["due_date"], None
    if "default_tax_rates" in params:
        invoice.default_tax_rates = params["default_tax_rates"] or []
    if "payment_settings" in params:
        invoice.payment_settings = {**invoice.payment_settings, **params["payment_settings"]}
    if "rendering" in params:
        rendering = params["rendering"]
        invoice.rendering = {
            "amount_tax_display": rendering.get("amount_tax_display"), "pdf": rendering.get("pdf"),
            "template": None, "template_version": None,
        }  # fmt: skip
    if "shipping_details" in params:
        invoice.shipping_details = shipping(params["shipping_details"])
    if "auto_advance" in params:
        invoice.auto_advance = params["auto_advance"]
        schedule(invoice)
    if "automatically_finalizes_at" in params:
        invoice.automatically_finalizes_at = params["automatically_finalizes_at"]


def retrieve(call: Exchange) -> Json:
    return shapes.invoice(call.store, named(call.store, call.ids[0], "invoice"))


def update(call: Exchange) -> Json:
    """A draft takes every change; a finalized invoice only metadata and auto_advance."""
    store, params = call.store, call.params
    invoice = named(store, call.ids[0], "id")
    if invoice.status != "draft":
        fixed = sorted(set(params) - EDITABLE_WHEN_FINAL)
        if fixed:
            raise Refusal("Finalized invoices can't be updated in this way", param=fixed[0])
    method = params.get("collection_method", invoice.collection_method)
    _check_due(params, method, invoice.due_date is not None, store.now)
    if method == "send_invoice" != invoice.collection_method and not store.customers[invoice.customer].get("email"):
        raise missing_email()
    automatic = params.get("automatic_tax", {}).get("enabled", invoice.automatic_tax)
    _check_common(store, params, automatic, invoice.id)
    if automatic and (
        (invoice.default_tax_rates and "default_tax_rates" not in params)
        or any(item.tax_rates or item.tax_amounts for item in store.lines(invoice.id))
    ):
        raise Refusal("Automatic tax cannot be enabled on an invoice that has manual taxes.", param="automatic_tax")
    _apply(invoice, params)
    return touched(store, invoice)


def delete(call: Exchange) -> Json:
    """Drafts only. The items die with the invoice; they do not become pending again (as recorded)."""
    store = call.store
    invoice = named(store, call.ids[0], "invoice")
    if invoice.status != "draft":
        raise Refusal("You can only delete draft invoices.")
    store.emit("invoice.deleted", shapes.invoice(store, invoice))
    for item in store.lines(invoice.id):
        item.deleted = True
    store.items_of_invoice.pop(invoice.id, None)
    store.invoices_of_customer[invoice.customer].remove(invoice.id)
    del store.invoices[invoice.id]
    store.deleted_invoices.add(invoice.id)
    store.remember("invoices", invoice.id, None, store.now)
    return {"id": invoice.id, "object": "invoice", "deleted": True}


def list_all(call: Exchange) -> Json:
    """Newest first and strongly consistent. A customer that never was is refused; a deleted one is not."""
    store, params = call.store, call.params
    if "customer" in params:
        if params["customer"] not in store.customers:
            raise no_such("customer", params["customer"] or "", "customer")
        ids = store.invoices_of_customer.get(params["customer"], [])
        candidates = [store.invoices[identifier] for identifier in ids]
    else:
        candidates = list(store.invoices.values())
    invoices = [
        invoice
        for invoice in reversed(candidates)
        if invoice.status == params.get("status", invoice.status)
        and invoice.collection_method == params.get("collection_method", invoice.collection_method)
        and within(invoice.created, params.get("created", {}))
        and ("due_date" not in params or within(invoice.due_date, params["due_date"]))
    ]
    return page(
        invoices, params, "/v1/invoices", "invoice", lambda invoice: invoice.id,
        lambda invoice: shapes.invoice(store, invoice), store.invoices.__contains__,
    )  # fmt: skip


def find(call: Exchange) -> Json:
    return search(call, "invoices")
