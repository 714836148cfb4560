"""How a change of an invoice becomes known: search's copy, and events."""

from __future__ import annotations

from tests.sandbox.stripe import shapes
from tests.sandbox.stripe.records import Invoice, Json
from tests.sandbox.stripe.store import Store


def changed(store: Store, invoice: Invoice, *events: str) -> Json:
    """Tell search about the invoice's new look, emit `events` with it, and answer it."""
    if invoice.automatically_finalizes_at is None:
        store.scheduled.discard(invoice.id)
    else:
        store.scheduled.add(invoice.id)
    shape = shapes.invoice(store, invoice)
    store.remember("invoices", invoice.id, shape, store.now)
    for event in events:
        store.emit(event, shape)
    return shape
