"""Stored records as the JSON that Stripe answers."""

from __future__ import annotations

from decimal import Decimal

from tests.sandbox.stripe.amounts import Tax, automatic_rate, line_taxes, totals
from tests.sandbox.stripe.records import Invoice, Item, Json
from tests.sandbox.stripe.store import Store

FIRST_LINES = 10
"""How many lines an invoice carries in itself; the rest is read by paging its `lines` URL."""


def plain(number: Decimal) -> str:
    """A decimal as Stripe writes it: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def listing(data: list[Json], url: str, has_more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def customer(store: Store, identifier: str) -> Json:
    """A customer with its balance; a deleted one is its id and `deleted: true`."""
    stored = store.customers[identifier]
    if stored.get("deleted"):
        return dict(stored)
    currency = stored["currency"]
    return {**stored, "balance": store.balance(identifier, currency or "usd")}


def _pricing(item: Item) -> Json:
    return {
        "type": "price_details",
        "price_details": {"price": item.price, "product": item.product},
        "unit_amount_decimal": plain(item.unit_amount),
    }


def _tax(tax: Tax) -> Json:
    return {
        "amount": tax.amount,
        "tax_behavior": "inclusive" if tax.inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": tax.tax_rate},
        "taxability_reason": tax.reason,
        "taxable_amount": tax.taxable_amount,
        "type": "tax_rate_details",
    }


def line(store: Store, invoice: Invoice, item: Item) -> Json:
    return {
        "id": item.line_id,
        "object": "line_item",
        "amount": item.amount,
        "currency": item.currency,
        "description": item.description,
        "discount_amounts": [],
        "discountable": item.discountable,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": False,
        "metadata": dict(item.metadata),
        "parent": {
            "type": "invoice_item_details",
            "invoice_item_details": {
                "invoice_item": item.id, "proration": False, "proration_details": {"credited_items": None},
                "subscription": None,
            },
            "subscription_item_details": None,
        },
        "period": {"start": item.period_start, "end": item.period_end},
        "pretax_credit_amounts": [],
        "pricing": _pricing(item),
        "quantity": int(item.quantity),
        "quantity_decimal": plain(item.quantity),
        "subscription": None,
        "subtotal": item.amount,
        "taxes": [_tax(tax) for tax in line_taxes(store, invoice, item)],
    }  # fmt: skip


def invoice_item(store: Store, item: Item) -> Json:
    return {
        "id": item.id,
        "object": "invoiceitem",
        "amount": item.amount,
        "currency": item.currency,
        "customer": item.customer,
        "customer_account": None,
        "date": item.created,
        "description": item.description,
        "discountable": item.discountable,
        "discounts": [],
        "invoice": item.invoice,
        "livemode": False,
        "metadata": dict(item.metadata),
        "net_amount": item.amount,
        "parent": None,
        "period": {"start": item.period_start, "end": item.period_end},
        "pricing": _pricing(item),
        "proration": False,
        "quantity": int(item.quantity),
        "quantity_decimal": plain(item.quantity),
        "tax_rates": [store.tax_rates[rate] for rate in item.tax_rates or []],
        "test_clock": None,
    }


def _printed_customer(store: Store, invoice: Invoice) -> Json:
    if invoice.customer_frozen is not None:
        return invoice.customer_frozen
    return printed_customer(store.customers[invoice.customer])


def printed_customer(stored: Json) -> Json:
    """The customer's data that an invoice prints; live on a draft, frozen at finalization (Stripe's docs)."""
    return {
        "customer_address": stored.get("address"),
        "customer_email": stored.get("email"),
        "customer_name": stored.get("name"),
        "customer_phone": stored.get("phone"),
        "customer_shipping": stored.get("shipping"),
        "customer_tax_exempt": stored.get("tax_exempt", "none"),
        "customer_tax_ids": [],
    }


def _automatic_tax(store: Store, invoice: Invoice) -> Json:
    status = None
    if invoice.automatic_tax:
        status = "complete" if automatic_rate(store, invoice) else "requires_location_inputs"
    return {
        "disabled_reason": None,
        "enabled": invoice.automatic_tax,
        "liability": {"type": "self"} if invoice.automatic_tax else None,
        "provider": "stripe" if invoice.automatic_tax else None,
        "status": status,
    }


def amount_due(store: Store, invoice: Invoice, total: int) -> int:
    """What the invoice asks for: on a draft the total; the customer's balance counts from finalization on."""
    return max(0, total) if invoice.status == "draft" else invoice.amount_due


def invoice(store: Store, stored: Invoice) -> Json:
    """An invoice with its first lines; `lines.total_count` is in the answers though not in Stripe's spec."""
    sums = totals(store, stored)
    items = store.lines(stored.id)
    due = amount_due(store, stored, sums.total)
    draft = stored.status == "draft"
    starting = store.balance(stored.customer, stored.currency) if draft else stored.starting_balance
    hosted = f"https://invoice.stripe.com/i/acct_1SandboxBilling/test_{stored.id}"
    lines = listing(
        [line(store, stored, item) for item in items[:FIRST_LINES]],
        f"/v1/invoices/{stored.id}/lines",
        len(items) > FIRST_LINES,
    )
    lines["total_count"] = len(items)
    return {
        "id": stored.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Sandbox Services",
        "account_tax_ids": None,
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": stored.amount_paid,
        "amount_paid_off_stripe": stored.amount_paid,
        "amount_remaining": due - stored.amount_paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": stored.attempted,
        "auto_advance": stored.auto_advance,
        "automatic_tax": _automatic_tax(store, stored),
        "automatically_finalizes_at": stored.automatically_finalizes_at,
        "billing_reason": "manual",
        "collection_method": stored.collection_method,
        "created": stored.created,
        "currency": stored.currency,
        "custom_fields": stored.custom_fields,
        "customer": stored.customer,
        "customer_account": None,
        **_printed_customer(store, stored),
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [store.tax_rates[rate] for rate in stored.default_tax_rates],
        "description": stored.description,
        "discounts": [],
        "due_date": stored.due_date,
        "effective_at": stored.effective_at,
        "ending_balance": stored.ending_balance,
        "footer": stored.footer,
        "from_invoice": None,
        "hosted_invoice_url": None if draft else hosted,
        "invoice_pdf": None if draft else f"{hosted}/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": lines,
        "livemode": False,
        "metadata": dict(stored.metadata),
        "next_payment_attempt": None,
        "number": stored.number,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None,
            **stored.payment_settings,
        },
        "period_end": stored.created,
        "period_start": stored.created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": stored.rendering,
        "shipping_cost": None,
        "shipping_details": stored.shipping_details,
        "starting_balance": starting,
        "statement_descriptor": stored.statement_descriptor,
        "status": stored.status,
        "status_transitions": {
            "finalized_at": stored.finalized_at,
            "marked_uncollectible_at": stored.marked_uncollectible_at,
            "paid_at": stored.paid_at,
            "voided_at": stored.voided_at,
        },
        "subtotal": sums.subtotal,
        "subtotal_excluding_tax": sums.subtotal - sums.inclusive_tax,
        "test_clock": None,
        "total": sums.total,
        "total_discount_amounts": [],
        "total_excluding_tax": sums.subtotal - sums.inclusive_tax,
        "total_pretax_credit_amounts": [],
        "total_taxes": [_tax(tax) for tax in sums.taxes],
        "webhooks_delivered_at": stored.created,
    }  # fmt: skip
