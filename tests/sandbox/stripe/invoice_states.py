"""What moves an invoice from draft on: finalize, send, pay, void, write off, and Stripe's own clock.

Texts recorded from the real API by others at 2026-08-26.dahlia, except where a comment says otherwise.
"""

from __future__ import annotations

from tests.sandbox.stripe import payments, shapes
from tests.sandbox.stripe.amounts import automatic_rate, automatic_tax_rate, line_taxes, totals
from tests.sandbox.stripe.catalogue import mint_tax_rate
from tests.sandbox.stripe.currencies import MINIMUM_CHARGE
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal, no_such
from tests.sandbox.stripe.invoice_notices import changed
from tests.sandbox.stripe.records import Invoice, Json
from tests.sandbox.stripe.store import Store

AUTO_FINALIZES_AFTER = 3601
"""Seconds from creation to finalization with auto_advance (as recorded; the docs say about an hour)."""


def named(store: Store, identifier: str, param: str) -> Invoice:
    """The invoice of the URL; which `param` a 404 names differs by endpoint."""
    if identifier not in store.invoices:
        raise no_such("invoice", identifier, param, 404)
    return store.invoices[identifier]


def touched(store: Store, invoice: Invoice, *events: str) -> Json:
    """Make the invoice's new look known, with these events (default: invoice.updated), and answer it."""
    if invoice.automatic_tax:
        _mint_automatic_rates(store, invoice)
    return changed(store, invoice, *(events or ("invoice.updated",)))


def _finalized(store: Store, invoice: Invoice, sent: bool = False) -> Json:
    """What is told of an invoice that was just finalized: one that asks for nothing is paid at once."""
    paid = ["invoice.paid", "invoice.payment_succeeded"] if invoice.status == "paid" else []
    return touched(store, invoice, "invoice.finalized", *(["invoice.sent"] if sent else []), *paid)


def _mint_automatic_rates(store: Store, invoice: Invoice) -> None:
    found = automatic_rate(store, invoice)
    for inclusive in (False, True):
        identifier = automatic_tax_rate(store, invoice, inclusive)
        if found is not None and identifier not in store.tax_rates:
            data = {"display_name": "Sales tax", "inclusive": inclusive, "percentage": found[0]}
            mint_tax_rate(store, data, active=False, identifier=identifier)


def finalize_record(store: Store, invoice: Invoice) -> None:
    """Give the draft its number, settle it against the customer's balance, and open it or mark it paid.

    A total of zero or less is paid at once and the rest goes to the balance; a sum below the currency's
    minimum charge is paid at once too and moved to the balance (Stripe's docs on invoices and on balances).
    """
    if invoice.status != "draft":
        raise Refusal("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    customer = store.customers[invoice.customer]
    if customer.get("deleted"):
        # What Stripe answers here is not documented; refusing is the careful reading.
        raise no_such("customer", invoice.customer, "customer")
    if invoice.automatic_tax and automatic_rate(store, invoice) is None:
        raise Refusal(
            "The customer's location isn't recognized. Set a valid customer address in order to "
            "automatically calculate tax.",
            code="customer_tax_location_invalid",
        )
    if any(tax.tax_rate not in store.tax_rates for item in store.lines(invoice.id)
           for tax in line_taxes(store, invoice, item)):  # fmt: skip
        _mint_automatic_rates(store, invoice)
    if invoice.from_invoice is not None:
        _replace(store, store.invoices[invoice.from_invoice], invoice)
    starting = store.balance(invoice.customer, invoice.currency)
    owed = totals(store, invoice).total + starting
    too_small = 0 < owed < MINIMUM_CHARGE.get(invoice.currency, 0)
    ending = owed if owed < 0 or too_small else 0
    invoice.customer_frozen = shapes.printed_customer(customer)
    if invoice.number is None:
        invoice.number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
        customer["next_invoice_sequence"] += 1
    store.move_balance(
        invoice.customer, invoice.currency, ending - starting,
        "invoice_too_small" if too_small else "applied_to_invoice", invoice.id,
    )  # fmt: skip
    invoice.starting_balance, invoice.ending_balance = starting, ending
    invoice.amount_due = 0 if ending else max(0, owed)
    invoice.finalized_at = store.now
    invoice.effective_at = invoice.effective_at or store.now
    invoice.automatically_finalizes_at = None
    invoice.status = "open"
    if invoice.amount_due == 0:
        invoice.status, invoice.paid_at, invoice.attempted = "paid", store.now, True
    else:
        payments.open_invoice(store, invoice)


def _replace(store: Store, original: Invoice, revision: Invoice) -> None:
    """A revision takes effect: the original is voided, which gives back the balance that it had used."""
    if original.status not in ("open", "uncollectible") or original.amount_paid:
        raise Refusal(f"The revised invoice {original.id} is {original.status} or partly paid: it cannot be replaced.")
    original.latest_revision = revision.id
    void_record(store, original)
    touched(store, original, "invoice.voided", "invoice.updated")


def schedule(invoice: Invoice) -> None:
    """Set or clear when the draft finalizes by itself, after `auto_advance` changed."""
    invoice.automatically_finalizes_at = (
        invoice.created + AUTO_FINALIZES_AFTER if invoice.auto_advance and invoice.status == "draft" else None
    )


def advance(store: Store) -> None:
    """Finalize the drafts whose time has come, as Stripe's clock would; called before every request."""
    for identifier in sorted(store.scheduled):
        invoice = store.invoices.get(identifier)
        due = invoice.automatically_finalizes_at if invoice else None
        if invoice is not None and invoice.status == "draft" and due is not None and due <= store.now:
            try:
                finalize_record(store, invoice)
            except Refusal:
                continue  # the draft stays, as Stripe leaves one that cannot be finalized
            sent = invoice.status == "open" and invoice.collection_method == "send_invoice"
            if sent:
                invoice.sent_at.append(store.now)
            _finalized(store, invoice, sent)


def finalize(call: Exchange) -> Json:
    invoice = named(call.store, call.ids[0], "id")
    finalize_record(call.store, invoice)
    if "auto_advance" in call.params:
        invoice.auto_advance = call.params["auto_advance"]
    return _finalized(call.store, invoice)


def send(call: Exchange) -> Json:
    """Finalizes a draft, then mails; a test-mode account mails nothing, so only the time is kept."""
    invoice = named(call.store, call.ids[0], "invoice")
    if invoice.status not in ("draft", "open"):
        raise Refusal(
            "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact "
            "with details, so we can help."
        )
    if invoice.collection_method != "send_invoice":
        raise Refusal("You can only manually send an invoice if its collection method is set to 'send_invoice'.")
    if not (invoice.customer_frozen or call.store.customers[invoice.customer]).get(
        "customer_email" if invoice.customer_frozen else "email"
    ):
        raise missing_email()
    draft = invoice.status == "draft"
    if draft:
        finalize_record(call.store, invoice)
    invoice.sent_at.append(call.store.now)
    return _finalized(call.store, invoice, sent=True) if draft else touched(call.store, invoice, "invoice.sent")


def missing_email() -> Refusal:
    return Refusal(
        "Missing email. In order to create invoices that are sent to the customer, the customer must have a "
        "valid email."
    )


def pay(call: Exchange) -> Json:
    """Only out of band: the stand-in holds no payment methods. A draft is finalized on the way."""
    store = call.store
    invoice = named(store, call.ids[0], "id")
    if invoice.status == "paid":
        raise Refusal("Invoice is already paid")
    if invoice.status == "void":
        raise Refusal("This invoice is void and cannot be paid.")
    if not call.params.get("paid_out_of_band"):
        raise Refusal(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set either field "
            "prior to attempting payment on this Invoice."
        )
    if invoice.status == "draft":
        finalize_record(store, invoice)
        _finalized(store, invoice)
    if invoice.status != "paid":
        payments.pay_off_stripe(store, invoice, invoice.amount_remaining)
    return shapes.invoice(store, invoice)


def void(call: Exchange) -> Json:
    """Only an open invoice: an uncollectible one was refused too when this was recorded (the docs differ)."""
    store = call.store
    invoice = named(store, call.ids[0], "id")
    if invoice.status == "paid":
        raise Refusal("Invoices with `paid` payments cannot be voided.")
    if invoice.status != "open":
        raise Refusal("You can only pass in open invoices. This invoice isn't open.")
    if invoice.amount_paid:
        raise Refusal("Invoices with `paid` payments cannot be voided.")
    void_record(store, invoice)
    return touched(store, invoice, "invoice.voided", "invoice.updated")


def void_record(store: Store, invoice: Invoice) -> None:
    """The invoice asks for nothing any more, and the customer has back the balance that it had used."""
    invoice.status, invoice.voided_at = "void", store.now
    store.move_balance(
        invoice.customer, invoice.currency, invoice.starting_balance - (invoice.ending_balance or 0),
        "unapplied_from_invoice", invoice.id,
    )  # fmt: skip
    payments.cancel_open(store, invoice)


def mark_uncollectible(call: Exchange) -> Json:
    invoice = named(call.store, call.ids[0], "id")
    if invoice.status == "uncollectible":
        raise Refusal("This invoice has already been marked uncollectible.")
    if invoice.status != "open":
        raise Refusal("You can only pass in open invoices. This invoice isn't open.")
    invoice.status, invoice.marked_uncollectible_at = "uncollectible", call.store.now
    return touched(call.store, invoice, "invoice.marked_uncollectible", "invoice.updated")
