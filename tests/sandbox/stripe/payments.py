"""Payments: payment intents, charges, payment records, and what of them each invoice got.

Sources: Stripe's API reference (PaymentIntent, Charge, InvoicePayment, PaymentRecord) and its docs on partial payments.
An invoice that asks for money has a default payment; other payments are attached to it. A delayed method (ACH) is
pending until it succeeds or fails, and may fail days after it succeeded: then the charge is failed, its
`failure_balance_transaction` takes the money back, and the invoice is open again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.sandbox.stripe import balance, fees
from tests.sandbox.stripe.balance import Fee, Movement
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.invoice_notices import changed
from tests.sandbox.stripe.records import Invoice, Json
from tests.sandbox.stripe.store import Store

METHODS = {"ach": "us_bank_account", "bank_transfer": "customer_balance"}
"""Short names; every other name is Stripe's own."""
DECLINED = ("card_declined", "Your card was declined.")
RETURNED = ("insufficient_funds", "The customer's account has insufficient funds to cover this payment.")


def method_named(method: str) -> str:
    """Stripe's name of a payment method."""
    name = METHODS.get(method, method)
    if name not in ("card", "us_bank_account", "customer_balance"):
        raise Refusal(f"The sandbox's Stripe takes no payment by {method}: use card, ach or bank_transfer.")
    return name


# Intents and charges ------------------------------------------------------------------------------------------------


def new_intent(store: Store, customer: str | None, amount: int, currency: str) -> Json:
    """A payment intent that waits for a payment method."""
    identifier = store.new_id("pi")
    return store.keep(
        {
            "id": identifier, "object": "payment_intent", "amount": amount, "amount_capturable": 0,
            "amount_received": 0, "application": None, "application_fee_amount": None,
            "automatic_payment_methods": None, "canceled_at": None, "cancellation_reason": None,
            "capture_method": "automatic", "client_secret": f"{identifier}_secret_sandbox",
            "confirmation_method": "automatic", "created": store.now, "currency": currency, "customer": customer,
            "customer_account": None, "description": None, "last_payment_error": None, "latest_charge": None,
            "livemode": False, "metadata": {}, "next_action": None, "on_behalf_of": None, "payment_method": None,
            "payment_method_options": {}, "payment_method_types": ["card", "us_bank_account", "customer_balance"],
            "processing": None, "receipt_email": None, "review": None, "setup_future_usage": None, "shipping": None,
            "statement_descriptor": None, "status": "requires_payment_method",
            "transfer_data": None, "transfer_group": None,
        }
    )  # fmt: skip


def new_charge(store: Store, intent: Json | None, customer: str | None, amount: tuple[int, str], method: str) -> Json:
    """A pending charge of `amount` (minor units and currency); `py_` for what is not a card."""
    stored = store.customers.get(customer or "", {})
    value, currency = amount
    shape = store.keep(
        {
            "id": store.new_id("ch" if method == "card" else "py"), "object": "charge", "amount": value,
            "amount_captured": 0, "amount_refunded": 0, "application": None, "application_fee": None,
            "application_fee_amount": None, "balance_transaction": None,
            "billing_details": {"address": None, "email": stored.get("email"), "name": stored.get("name"),
                                "phone": None, "tax_id": None},
            "calculated_statement_descriptor": None, "captured": False, "created": store.now, "currency": currency,
            "customer": customer, "description": None, "disputed": False, "failure_balance_transaction": None,
            "failure_code": None, "failure_message": None, "fraud_details": {}, "livemode": False, "metadata": {},
            "on_behalf_of": None, "outcome": None, "paid": False, "payment_intent": intent["id"] if intent else None,
            "payment_method": store.new_id("pm"), "payment_method_details": _details(method), "receipt_email": None,
            "receipt_number": None, "receipt_url": None, "refunded": False, "review": None, "shipping": None,
            "source_transfer": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
            "status": "pending", "transfer_data": None, "transfer_group": None,
        }
    )  # fmt: skip
    if intent is not None:
        intent["latest_charge"], intent["payment_method"] = shape["id"], shape["payment_method"]
        intent["status"] = "processing"
        store.link("charges", intent["id"], shape["id"])
    return shape


def _details(method: str) -> Json:
    if method == "card":
        card = {
            "amount_authorized": None, "authorization_code": None, "brand": "visa", "checks": None, "country": "US",
            "exp_month": 12, "exp_year": 2040, "fingerprint": "sandbox", "funding": "credit", "installments": None,
            "last4": "4242", "mandate": None, "network": "visa", "network_token": None, "three_d_secure": None,
            "wallet": None,
        }  # fmt: skip
        return {"type": "card", "card": card}
    if method == "us_bank_account":
        account = {
            "account_holder_type": "company", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "fingerprint": "sandbox", "last4": "6789", "payment_reference": None, "routing_number": "110000000",
        }  # fmt: skip
        return {"type": "us_bank_account", "us_bank_account": account}
    return {"type": method, method: {}}


def succeed(store: Store, charge: Json, fee_list: Sequence[Fee] | None = None) -> None:
    """The charge's money arrives: booked with its fees, and applied to the invoice that it pays."""
    if charge["status"] != "pending":
        raise Refusal(f"{charge['id']} is {charge['status']}, not pending.")
    method = charge["payment_method_details"]["type"]
    settles = balance.settled(store, charge["amount"], charge["currency"])
    if fee_list is None:
        fee_list = fees.of_payment(method, settles[0], settles[1], converted=settles[2] is not None)
    kind = "charge" if charge["id"].startswith("ch_") else "payment"
    booked = balance.book(
        store,
        Movement(kind, charge["amount"], charge["currency"], charge["id"], fee_list,
                 days=store.settlement_days[method], settles_as=settles),
    )  # fmt: skip
    charge.update(
        amount_captured=charge["amount"], balance_transaction=booked["id"], captured=True, paid=True,
        status="succeeded", outcome=_outcome("authorized", None),
    )  # fmt: skip
    store.emit("charge.succeeded", charge)
    intent = intent_of(store, charge)
    if intent is not None:
        intent.update(status="succeeded", amount_received=charge["amount"], last_payment_error=None)
        store.emit("payment_intent.succeeded", intent)
        payment = payment_of(store, intent["id"])
        if payment is not None:
            apply(store, payment, charge["amount"])


def _outcome(kind: str, reason: str | None) -> Json:
    return {
        "advice_code": None, "network_advice_code": None, "network_decline_code": None, "network_status":
        "approved_by_network" if kind == "authorized" else "declined_by_network", "reason": reason,
        "risk_level": "normal", "seller_message": None, "type": kind,
    }  # fmt: skip


def fail(store: Store, charge: Json, why: tuple[str, str], fee_list: Sequence[Fee] = ()) -> None:
    """The charge fails: before its money arrived, or after it, when the money is taken back again."""
    if charge["status"] == "failed":
        raise Refusal(f"{charge['id']} has failed already.")
    if charge["amount_refunded"] or charge["disputed"]:
        raise Refusal(f"{charge['id']} was refunded or disputed: the sandbox's Stripe does not fail it as well.")
    late = charge["status"] == "succeeded"
    if late:
        original = store.objects["balance_transaction"][charge["balance_transaction"]]
        settles = (-original["amount"], original["currency"], original["exchange_rate"])
        taken = balance.book(
            store,
            Movement("payment_failure_refund", -charge["amount"], charge["currency"], charge["id"], fee_list,
                     "Payment failure refund", settles_as=settles),
        )  # fmt: skip
        charge["failure_balance_transaction"] = taken["id"]
    code, message = why
    charge.update(
        status="failed",
        paid=False,
        failure_code=code,
        failure_message=message,
        outcome=_outcome("issuer_declined", code),
    )
    store.emit("charge.failed", charge)
    intent = intent_of(store, charge)
    if intent is None:
        return
    error = {"charge": charge["id"], "code": code, "message": message, "type": "card_error"}
    intent.update(status="requires_payment_method", amount_received=0, last_payment_error=error)
    store.emit("payment_intent.payment_failed", intent)
    payment = payment_of(store, intent["id"])
    if payment is not None:
        invoice = store.invoices[payment["invoice"]]
        invoice.attempted = True
        invoice.attempt_count += 1
        if late:
            take_back(store, payment, charge["amount"])
        changed(store, invoice, "invoice.payment_failed", "invoice.updated")


# Invoices -----------------------------------------------------------------------------------------------------------


def attach(store: Store, invoice: Invoice, payment: Json, amount: int, default: bool = False) -> Json:
    """Note that `payment` (an intent or a payment record) is to pay `amount` of the invoice."""
    kind = payment["object"]
    shape = store.keep(
        {
            "id": store.new_id("inpay"), "object": "invoice_payment", "amount_paid": None, "amount_requested": amount,
            "created": store.now, "currency": invoice.currency, "invoice": invoice.id, "is_default": default,
            "livemode": False, "payment": {"type": kind, kind: payment["id"]}, "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )  # fmt: skip
    store.link("payments", invoice.id, shape["id"])
    store.link("payment_of", payment["id"], shape["id"])
    return shape


def payments_of(store: Store, invoice: str) -> list[Json]:
    """The invoice's payments, oldest first."""
    return [store.objects["invoice_payment"][one] for one in store.linked("payments", invoice)]


def payment_of(store: Store, payment: str) -> Json | None:
    """The invoice payment of a payment intent or payment record; None for a payment without an invoice."""
    found = store.linked("payment_of", payment)
    return store.objects["invoice_payment"][found[0]] if found else None


def intent_of(store: Store, charge: Json) -> Json | None:
    return store.objects["payment_intent"].get(charge["payment_intent"] or "")


def default_payment(store: Store, invoice: Invoice) -> Json | None:
    """The invoice's default payment as long as it is open."""
    for payment in payments_of(store, invoice.id):
        if payment["is_default"] and payment["status"] == "open":
            return payment
    return None


def open_invoice(store: Store, invoice: Invoice) -> None:
    """At finalization: the default payment over what is due."""
    intent = new_intent(store, invoice.customer, invoice.amount_due, invoice.currency)
    attach(store, invoice, intent, invoice.amount_due, default=True)


def apply(store: Store, payment: Json, amount: int) -> None:
    """Money arrives for an invoice: up to what remains is paid, the rest becomes the customer's credit balance."""
    invoice = store.invoices[payment["invoice"]]
    taken = min(amount, invoice.amount_remaining) if invoice.status in ("open", "uncollectible") else 0
    payment.update(amount_paid=taken, status="paid")
    payment["status_transitions"]["paid_at"] = store.now
    invoice.amount_paid += taken
    if payment["payment"]["type"] == "payment_record":
        invoice.amount_paid_off_stripe += taken
    else:
        # Money outside Stripe is no attempt (as recorded).
        invoice.attempted = True
        invoice.attempt_count += 1
    over = amount - taken
    if over:
        invoice.amount_overpaid += over
        store.move_balance(invoice.customer, invoice.currency, -over, "invoice_overpaid", invoice.id)
    store.emit("invoice_payment.paid", payment)
    settle(store, invoice)
    events = ["invoice.paid", "invoice.payment_succeeded"] if taken and invoice.status == "paid" else []
    changed(store, invoice, *events, *(["invoice.overpaid"] if over else []), "invoice.updated")


def settle(store: Store, invoice: Invoice) -> None:
    """After what is due or paid has changed: an invoice of which nothing remains is paid, and asks for nothing more."""
    if invoice.status in ("open", "uncollectible") and invoice.amount_remaining == 0:
        invoice.status, invoice.paid_at = "paid", store.now
        cancel_open(store, invoice)
    elif (waiting := default_payment(store, invoice)) is not None:
        _ask(store, waiting, invoice.amount_remaining)


def _ask(store: Store, payment: Json, amount: int) -> None:
    payment["amount_requested"] = amount
    intent = store.objects["payment_intent"].get(payment["payment"].get("payment_intent", ""))
    if intent is not None and intent["status"] == "requires_payment_method":
        intent["amount"] = amount


def cancel_open(store: Store, invoice: Invoice) -> None:
    """Cancel the payments that nobody has begun."""
    for payment in payments_of(store, invoice.id):
        intent = store.objects["payment_intent"].get(payment["payment"].get("payment_intent", ""))
        if payment["status"] == "open" and intent is not None and intent["status"] == "requires_payment_method":
            intent.update(status="canceled", canceled_at=store.now)
            payment["status"] = "canceled"
            payment["status_transitions"]["canceled_at"] = store.now


def take_back(store: Store, payment: Json, amount: int) -> None:
    """A payment that had arrived failed: its invoice is open again, and credit from overpaying is taken back."""
    invoice = store.invoices[payment["invoice"]]
    taken = payment["amount_paid"] or 0
    over = amount - taken
    payment.update(amount_paid=None, status="open")
    payment["status_transitions"]["paid_at"] = None
    invoice.amount_paid -= taken
    if over:
        invoice.amount_overpaid -= over
        store.move_balance(invoice.customer, invoice.currency, over, "adjustment", invoice.id)
    if invoice.status == "paid" and invoice.amount_remaining:
        invoice.status = "uncollectible" if invoice.marked_uncollectible_at else "open"
        invoice.paid_at = None
    settle(store, invoice)


def begin(store: Store, invoice: Invoice, amount: int | None, method: str) -> Json:
    """A pending charge for the invoice: by its default payment for all that remains, else by one that is attached."""
    if invoice.status not in ("open", "uncollectible"):
        raise Refusal("Invoice is already paid" if invoice.status == "paid" else f"This invoice is {invoice.status}.")
    remaining = invoice.amount_remaining
    waiting = default_payment(store, invoice)
    usable = waiting is not None and _intent(store, waiting)["status"] == "requires_payment_method"
    if waiting is not None and usable and amount in (None, remaining):
        intent = _intent(store, waiting)
    else:
        intent = new_intent(store, invoice.customer, amount or remaining, invoice.currency)
        attach(store, invoice, intent, amount or remaining)
    return new_charge(store, intent, invoice.customer, (intent["amount"], invoice.currency), method)


def _intent(store: Store, payment: Json) -> Json:
    return store.objects["payment_intent"][payment["payment"]["payment_intent"]]


def pay_off_stripe(store: Store, invoice: Invoice, amount: int) -> Json:
    """Money that reached the firm another way: a payment record, and no movement of the balance."""
    whole, nothing = {"currency": invoice.currency, "value": amount}, {"currency": invoice.currency, "value": 0}
    record = store.keep(
        {
            "id": store.new_id("pr"), "object": "payment_record", "amount": whole, "amount_authorized": nothing,
            "amount_canceled": nothing, "amount_failed": nothing, "amount_guaranteed": whole,
            "amount_refunded": nothing, "amount_requested": whole, "application": None, "created": store.now,
            "customer_details": {"customer": invoice.customer, "email": None, "name": None, "phone": None},
            "customer_presence": None, "description": None, "latest_payment_attempt_record": None, "livemode": False,
            "metadata": {}, "payment_method_details": None,
            "processor_details": {"type": "custom", "custom": {"payment_reference": None}}, "reported_by": "self",
            "shipping_details": None,
        }
    )  # fmt: skip
    apply(store, attach(store, invoice, record, amount), amount)
    return record
