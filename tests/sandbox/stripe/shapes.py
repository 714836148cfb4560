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


def tax_shape(tax: Tax) -> Json:
    """A tax as lines, invoices and credit notes show it."""
    return {
        "amount": tax.amount,
        "tax_behavior": "inclusive" if tax.inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": tax.tax_rate},
        "taxability_reason": tax.reason,
        "taxable_amount": tax.taxable_amount,
        "type": "tax_rate_details",
    }


def _line_parent(item: Item) -> Json:
    proration: Json = {"proration": item.proration, "proration_details": {"credited_items": None}}
    if item.subscription_item is not None:
        details = {**proration, "invoice_item": None, "subscription": item.subscription,
                   "subscription_item": item.subscription_item}  # fmt: skip
        kind, other = "subscription_item_details", "invoice_item_details"
    else:
        details = {**proration, "invoice_item": item.id, "subscription": item.subscription}
        kind, other = "invoice_item_details", "subscription_item_details"
    return {"type": kind, kind: details, other: None}


def line(store: Store, invoice: Invoice, item: Item) -> Json:
    return {
        "id": item.line_id,
        "object": "line_item",
        "amount": item.amount,
        "currency": item.currency,
        "description": item.description,
        "discount_amounts": [{"amount": one.amount, "discount": one.discount} for one in item.discounts],
        "discountable": item.discountable and not item.proration,
        "discounts": [one.discount for one in item.discounts if not one.whole_invoice],
        "invoice": invoice.id,
        "livemode": False,
        "metadata": dict(item.metadata),
        "parent": _line_parent(item),
        "period": {"start": item.period_start, "end": item.period_end},
        "pretax_credit_amounts": [
            {"amount": one.amount, "discount": one.discount, "type": "discount"} for one in item.discounts
        ],
        "pricing": _pricing(item),
        "quantity": int(item.quantity),
        "quantity_decimal": plain(item.quantity),
        "subscription": item.subscription,
        "subtotal": item.amount,
        "taxes": [tax_shape(tax) for tax in line_taxes(store, invoice, item)],
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


def _whole_discounts(items: list[Item]) -> list[str]:
    return list(dict.fromkeys(one.discount for item in items for one in item.discounts if one.whole_invoice))


def _joined_discounts(items: list[Item]) -> list[Json]:
    """The discounts of all lines, joined per discount."""
    joined: dict[str, int] = {}
    for item in items:
        for one in item.discounts:
            joined[one.discount] = joined.get(one.discount, 0) + one.amount
    return [{"amount": amount, "discount": discount} for discount, amount in joined.items()]


def _shipping_tax(stored: Invoice) -> int:
    return int(stored.shipping_cost["amount_tax"]) if stored.shipping_cost else 0


def _invoice_parent(stored: Invoice) -> Json | None:
    if stored.subscription is None:
        return None
    details = {"metadata": {}, "subscription": stored.subscription}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


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
    discounts = _joined_discounts(items)
    return {
        "id": stored.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Sandbox Services",
        "account_tax_ids": None,
        "amount_due": due,
        "amount_overpaid": stored.amount_overpaid,
        "amount_paid": stored.amount_paid,
        "amount_paid_off_stripe": stored.amount_paid_off_stripe,
        "amount_remaining": due - stored.amount_paid,
        "amount_shipping": sums.shipping,
        "application": None,
        "attempt_count": stored.attempt_count,
        "attempted": stored.attempted,
        "auto_advance": stored.auto_advance,
        "automatic_tax": _automatic_tax(store, stored),
        "automatically_finalizes_at": stored.automatically_finalizes_at,
        "billing_reason": stored.billing_reason,
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
        "discounts": _whole_discounts(items),
        "due_date": stored.due_date,
        "effective_at": stored.effective_at,
        "ending_balance": stored.ending_balance,
        "footer": stored.footer,
        "from_invoice": {"action": "revision", "invoice": stored.from_invoice} if stored.from_invoice else None,
        "hosted_invoice_url": None if draft else hosted,
        "invoice_pdf": None if draft else f"{hosted}/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": stored.latest_revision,
        "lines": lines,
        "livemode": False,
        "metadata": dict(stored.metadata),
        "next_payment_attempt": None,
        "number": stored.number,
        "on_behalf_of": None,
        "parent": _invoice_parent(stored),
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None,
            **stored.payment_settings,
        },
        "period_end": stored.created,
        "period_start": stored.created,
        "post_payment_credit_notes_amount": stored.post_payment_credit,
        "pre_payment_credit_notes_amount": stored.pre_payment_credit,
        "receipt_number": None,
        "rendering": stored.rendering,
        "shipping_cost": stored.shipping_cost,
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
        "total_discount_amounts": discounts,
        "total_excluding_tax": sums.total_excluding_tax - _shipping_tax(stored),
        "total_pretax_credit_amounts": [{**one, "type": "discount"} for one in discounts],
        "total_taxes": [tax_shape(tax) for tax in sums.taxes],
        "webhooks_delivered_at": stored.created,
    }  # fmt: skip
