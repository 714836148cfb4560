"""Lines of a draft in bulk: add, update, remove, and the paged list."""

from __future__ import annotations

from tests.sandbox.stripe import shapes
from tests.sandbox.stripe.charges import (
    Charge,
    ItemChange,
    check_period,
    check_taxes,
    new_item,
    plan,
    plan_change,
)
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal, missing_parameter, no_such
from tests.sandbox.stripe.invoice_states import named, touched
from tests.sandbox.stripe.metadata import merged
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.parameters import LINES_MOST
from tests.sandbox.stripe.records import Invoice, Item, Json
from tests.sandbox.stripe.store import Store


def editable(invoice: Invoice) -> Invoice:
    if invoice.status != "draft":
        raise Refusal("Invalid invoice: This invoice is no longer editable", code="invoice_not_editable")
    return invoice


def too_many(param: str) -> Refusal:
    return Refusal(f"An invoice can have at most {LINES_MOST} items.", param=param)


def add(call: Exchange) -> Json:
    """All lines or none. New lines stand before older ones (as recorded), among themselves in the given order
    (not documented)."""
    store, params = call.store, call.params
    invoice = editable(named(store, call.ids[0], "invoice"))
    planned: list[tuple[Charge | None, ItemChange | None]] = []
    taken: set[str] = set()
    for index, line in enumerate(params["lines"]):
        where = f"lines[{index}]"
        change = None
        charge = plan(store, line, invoice.currency, where)
        if "invoice_item" in line:
            item = _pending(store, invoice, line["invoice_item"] or "", f"{where}[invoice_item]")
            if item.id in taken:
                raise Refusal("The same invoice item was given twice.", param=f"{where}[invoice_item]")
            taken.add(item.id)
            rest = {name: value for name, value in line.items() if name != "invoice_item"}
            change = plan_change(store, item, rest, invoice.automatic_tax, where)
        elif charge is None:
            raise missing_parameter(f"{where}[amount]")
        else:
            check_taxes(store, line, invoice.automatic_tax, where)
            check_period(line, where)
        planned.append((charge, change))
    if len(store.lines(invoice.id)) + len(planned) > LINES_MOST:
        raise too_many("lines")
    metadata = merged(invoice.metadata, params.get("invoice_metadata", {}), "invoice_metadata")
    batch = store.next_batch()
    for place, ((charge, change), line) in enumerate(zip(planned, params["lines"], strict=True)):
        if change is not None:
            change.write(store)
            store.attach(change.item, invoice.id, batch, place)
        elif charge is not None:
            store.attach(new_item(store, invoice.customer, charge, line), invoice.id, batch, place)
    invoice.metadata = metadata
    return touched(store, invoice)


def _pending(store: Store, invoice: Invoice, identifier: str, param: str) -> Item:
    item = store.items.get(identifier)
    if item is None or item.deleted or item.customer != invoice.customer:
        raise no_such("Invoice Item", identifier, param)
    if item.invoice is not None:
        raise Refusal(f"The invoice item {identifier} is already on an invoice.", param=param)
    if item.currency != invoice.currency:
        raise Refusal(f"The invoice item {identifier} is not in the invoice's currency.", param=param)
    return item


def _on_invoice(store: Store, invoice: Invoice, line: str, param: str, status: int = 400) -> Item:
    for item in store.lines(invoice.id):
        if item.line_id == line:
            return item
    raise no_such("invoice line item", line, param, status)


def update(call: Exchange) -> Json:
    store, params = call.store, call.params
    invoice = editable(named(store, call.ids[0], "invoice"))
    changes: list[ItemChange] = []
    for index, line in enumerate(params["lines"]):
        item = _on_invoice(store, invoice, line["id"] or "", f"lines[{index}][id]")
        changes.append(plan_change(store, item, line, invoice.automatic_tax, f"lines[{index}]"))
    metadata = merged(invoice.metadata, params.get("invoice_metadata", {}), "invoice_metadata")
    for change in changes:
        change.write(store)
    invoice.metadata = metadata
    return touched(store, invoice)


def update_one(call: Exchange) -> Json:
    """Answers the line, not the invoice."""
    store = call.store
    invoice = editable(named(store, call.ids[0], "invoice"))
    item = _on_invoice(store, invoice, call.ids[1], "line_item_id", 404)
    plan_change(store, item, call.params, invoice.automatic_tax, "").write(store)
    touched(store, invoice)
    return shapes.line(store, invoice, item)


def remove(call: Exchange) -> Json:
    """`delete` removes the item for good, `unassign` makes it pending again."""
    store, params = call.store, call.params
    invoice = editable(named(store, call.ids[0], "invoice"))
    items = [
        _on_invoice(store, invoice, line["id"] or "", f"lines[{index}][id]")
        for index, line in enumerate(params["lines"])
    ]
    if len({item.id for item in items}) < len(items):
        raise Refusal("The same line was given twice.", param="lines")
    invoice.metadata = merged(invoice.metadata, params.get("invoice_metadata", {}), "invoice_metadata")
    for item, line in zip(items, params["lines"], strict=True):
        store.detach(item)
        if line["behavior"] == "delete":
            del store.items[item.id]
    return touched(store, invoice)


def list_all(call: Exchange) -> Json:
    store = call.store
    invoice = named(store, call.ids[0], "invoice")
    return page(
        store.lines(invoice.id), call.params, f"/v1/invoices/{invoice.id}/lines", "invoice line item",
        lambda item: item.line_id, lambda item: shapes.line(store, invoice, item),
    )  # fmt: skip
