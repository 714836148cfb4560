"""Every endpoint of the stand-in: method, path, what it takes, who answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.sandbox.stripe import (
    account,
    catalogue,
    customers,
    event_objects,
    invoice_items,
    invoice_lines,
    invoice_states,
    invoices,
    parameters,
    settlement_objects,
    settlement_parameters,
)
from tests.sandbox.stripe.endpoint import Handler
from tests.sandbox.stripe.kinds import Fields


@dataclass(frozen=True)
class Route:
    """One endpoint; `template` is Stripe's own path, with its names in braces."""

    method: str
    template: str
    takes: Fields
    handler: Handler
    expands: frozenset[str] = frozenset()
    """What `expand` may name."""

    def match(self, path: str) -> tuple[str, ...] | None:
        pattern = re.sub(r"\{\w+\}", r"([^/]+)", self.template)
        found = re.fullmatch(pattern, path)
        return found.groups() if found else None


_CUSTOMER = frozenset({"customer"})
_CUSTOMERS = frozenset({"data.customer"})
_TOTAL = frozenset({"total_count"})
_INVOICE = "/v1/invoices/{invoice}"
_DISCOUNT = "discount_amounts.discount"
_INVOICE_LINES = frozenset({f"lines.data.{_DISCOUNT}"})
_LINES = frozenset({f"data.{_DISCOUNT}", "data.taxes.tax_rate_details.tax_rate"})
_CHARGE = frozenset({"customer", "balance_transaction", "failure_balance_transaction", "payment_intent"})
_REFUND = frozenset({"charge", "balance_transaction", "failure_balance_transaction", "payment_intent"})
_SOURCE = frozenset({"source"})
_CREDIT = frozenset({"customer", "invoice", "customer_balance_transaction", "refunds.refund"})


def _every(names: frozenset[str]) -> frozenset[str]:
    return frozenset(f"data.{name}" for name in names)


ROUTES = (
    Route("GET", "/v1/account", parameters.ONLY_EXPAND, account.retrieve_account),
    Route("GET", "/v1/balance", parameters.ONLY_EXPAND, account.retrieve_balance),
    Route("POST", "/v1/customers", parameters.CUSTOMER_CREATE, customers.create),
    Route("GET", "/v1/customers", parameters.CUSTOMER_LIST, customers.list_all),
    Route("GET", "/v1/customers/search", parameters.SEARCH, customers.find, _TOTAL),
    Route("GET", "/v1/customers/{customer}", parameters.ONLY_EXPAND, customers.retrieve),
    Route("POST", "/v1/customers/{customer}", parameters.CUSTOMER_UPDATE, customers.update),
    Route("DELETE", "/v1/customers/{customer}", parameters.NOTHING, customers.delete),
    Route("GET", "/v1/customers/{customer}/balance_transactions", parameters.BALANCE_TRANSACTION_LIST,
          customers.balance_transactions),
    Route("GET", "/v1/customers/{customer}/balance_transactions/{transaction}", parameters.ONLY_EXPAND,
          settlement_objects.customer_balance_transaction),
    Route("POST", "/v1/invoices", parameters.INVOICE_CREATE, invoices.create, _CUSTOMER),
    Route("GET", "/v1/invoices", parameters.INVOICE_LIST, invoices.list_all, _CUSTOMERS),
    Route("GET", "/v1/invoices/search", parameters.SEARCH, invoices.find, _TOTAL | _CUSTOMERS),
    Route("GET", _INVOICE, parameters.ONLY_EXPAND, invoices.retrieve, _CUSTOMER | _INVOICE_LINES),
    Route("POST", _INVOICE, parameters.INVOICE_UPDATE, invoices.update, _CUSTOMER),
    Route("DELETE", _INVOICE, parameters.NOTHING, invoices.delete),
    Route("POST", f"{_INVOICE}/finalize", parameters.INVOICE_FINALIZE, invoice_states.finalize, _CUSTOMER),
    Route("POST", f"{_INVOICE}/send", parameters.ONLY_EXPAND, invoice_states.send, _CUSTOMER),
    Route("POST", f"{_INVOICE}/pay", parameters.INVOICE_PAY, invoice_states.pay, _CUSTOMER),
    Route("POST", f"{_INVOICE}/void", parameters.ONLY_EXPAND, invoice_states.void, _CUSTOMER),
    Route("POST", f"{_INVOICE}/mark_uncollectible", parameters.ONLY_EXPAND, invoice_states.mark_uncollectible,
          _CUSTOMER),
    Route("GET", f"{_INVOICE}/lines", parameters.LINE_LIST, invoice_lines.list_all, _LINES),
    Route("POST", f"{_INVOICE}/add_lines", parameters.ADD_LINES, invoice_lines.add, _CUSTOMER),
    Route("POST", f"{_INVOICE}/update_lines", parameters.UPDATE_LINES, invoice_lines.update, _CUSTOMER),
    Route("POST", f"{_INVOICE}/remove_lines", parameters.REMOVE_LINES, invoice_lines.remove, _CUSTOMER),
    Route("POST", f"{_INVOICE}/lines/{{line_item_id}}", parameters.UPDATE_LINE, invoice_lines.update_one),
    Route("POST", "/v1/invoiceitems", parameters.ITEM_CREATE, invoice_items.create, _CUSTOMER),
    Route("GET", "/v1/invoiceitems", parameters.ITEM_LIST, invoice_items.list_all, _CUSTOMERS),
    Route("GET", "/v1/invoiceitems/{invoiceitem}", parameters.ONLY_EXPAND, invoice_items.retrieve, _CUSTOMER),
    Route("POST", "/v1/invoiceitems/{invoiceitem}", parameters.ITEM_UPDATE, invoice_items.update, _CUSTOMER),
    Route("DELETE", "/v1/invoiceitems/{invoiceitem}", parameters.NOTHING, invoice_items.delete),
    Route("POST", "/v1/tax_rates", parameters.TAX_RATE_CREATE, catalogue.create_tax_rate),
    Route("GET", "/v1/tax_rates", parameters.TAX_RATE_LIST, catalogue.list_tax_rates),
    Route("GET", "/v1/tax_rates/{tax_rate}", parameters.ONLY_EXPAND, catalogue.retrieve_tax_rate),
    Route("POST", "/v1/tax_rates/{tax_rate}", parameters.TAX_RATE_UPDATE, catalogue.update_tax_rate),
    Route("POST", "/v1/products", parameters.PRODUCT_CREATE, catalogue.create_product),
    Route("GET", "/v1/products", parameters.PRODUCT_LIST, catalogue.list_products),
    Route("GET", "/v1/products/{id}", parameters.ONLY_EXPAND, catalogue.retrieve_product),
    Route("POST", "/v1/prices", parameters.PRICE_CREATE, catalogue.create_price),
    Route("GET", "/v1/prices", parameters.PRICE_LIST, catalogue.list_prices),
    Route("GET", "/v1/prices/{price}", parameters.ONLY_EXPAND, catalogue.retrieve_price),
    Route("GET", "/v1/coupons/{coupon}", parameters.ONLY_EXPAND, settlement_objects.retrieve("coupon")),
    Route("GET", "/v1/webhook_endpoints", parameters.WEBHOOK_ENDPOINT_LIST, account.list_webhook_endpoints),
    Route("GET", "/v1/events", settlement_parameters.EVENT_LIST, event_objects.list_all),
    Route("GET", "/v1/events/{id}", parameters.ONLY_EXPAND, event_objects.retrieve),
    Route("GET", "/v1/invoice_payments", settlement_parameters.INVOICE_PAYMENT_LIST,
          settlement_objects.invoice_payments),
    Route("GET", "/v1/invoice_payments/{invoice_payment}", parameters.ONLY_EXPAND,
          settlement_objects.retrieve("invoice_payment")),
    Route("POST", "/v1/credit_notes", settlement_parameters.CREDIT_NOTE_CREATE,
          settlement_objects.create_credit_note, _CREDIT),
    Route("GET", "/v1/credit_notes", settlement_parameters.CREDIT_NOTE_LIST, settlement_objects.credit_note_list,
          _every(_CREDIT)),
    Route("GET", "/v1/credit_notes/{credit_note}/lines", parameters.LINE_LIST, settlement_objects.credit_note_lines,
          _LINES),
    Route("GET", "/v1/credit_notes/{id}", parameters.ONLY_EXPAND, settlement_objects.retrieve("credit_note"),
          _CREDIT),
    Route("POST", "/v1/credit_notes/{id}", settlement_parameters.CREDIT_NOTE_UPDATE,
          settlement_objects.update("credit_note"), _CREDIT),
    Route("POST", "/v1/credit_notes/{id}/void", parameters.ONLY_EXPAND, settlement_objects.void_credit_note, _CREDIT),
    Route("GET", "/v1/balance_transactions", settlement_parameters.BALANCE_TRANSACTION_LIST,
          settlement_objects.balance_transactions, _every(_SOURCE)),
    Route("GET", "/v1/balance_transactions/{id}", parameters.ONLY_EXPAND,
          settlement_objects.retrieve("balance_transaction"), _SOURCE),
    Route("GET", "/v1/payouts", settlement_parameters.PAYOUT_LIST, settlement_objects.payout_list),
    Route("GET", "/v1/payouts/{payout}", parameters.ONLY_EXPAND, settlement_objects.retrieve("payout")),
    Route("POST", "/v1/payouts/{payout}", settlement_parameters.METADATA_ONLY, settlement_objects.update("payout")),
    Route("GET", "/v1/refunds", settlement_parameters.REFUND_LIST, settlement_objects.of_charge("refund", "refunds"),
          _every(_REFUND)),
    Route("GET", "/v1/refunds/{refund}", parameters.ONLY_EXPAND, settlement_objects.retrieve("refund"), _REFUND),
    Route("POST", "/v1/refunds/{refund}", settlement_parameters.METADATA_ONLY, settlement_objects.update("refund"),
          _REFUND),
    Route("GET", "/v1/disputes", settlement_parameters.DISPUTE_LIST,
          settlement_objects.of_charge("dispute", "disputes"), frozenset({"data.charge"})),
    Route("GET", "/v1/disputes/{dispute}", parameters.ONLY_EXPAND, settlement_objects.retrieve("dispute"),
          frozenset({"charge"})),
    Route("POST", "/v1/disputes/{dispute}", settlement_parameters.DISPUTE_UPDATE,
          settlement_objects.update("dispute")),
    Route("GET", "/v1/charges", settlement_parameters.CHARGE_LIST, settlement_objects.charge_list, _every(_CHARGE)),
    Route("GET", "/v1/charges/{charge}", parameters.ONLY_EXPAND, settlement_objects.retrieve("charge"), _CHARGE),
    Route("POST", "/v1/charges/{charge}", settlement_parameters.CHARGE_UPDATE, settlement_objects.update("charge"),
          _CHARGE),
    Route("GET", "/v1/payment_intents", settlement_parameters.INTENT_LIST, settlement_objects.intent_list),
    Route("GET", "/v1/payment_intents/{intent}", settlement_parameters.INTENT_RETRIEVE,
          settlement_objects.retrieve("payment_intent"), frozenset({"latest_charge", "customer"})),
    Route("GET", "/v1/payment_records/{id}", parameters.ONLY_EXPAND, settlement_objects.retrieve("payment_record")),
)  # fmt: skip


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The endpoint and the ids in its path; the first match wins, so fixed words stand before ids."""
    for route in ROUTES:
        if route.method == method and (ids := route.match(path)) is not None:
            return route, ids
    return None
