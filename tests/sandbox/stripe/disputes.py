"""Disputes: inquiries, money withdrawn, won, lost, prevented. Source: Stripe's API reference (Dispute).

Only a balance transaction moves money: an inquiry has none until it becomes a dispute, a prevented one never has. The
fee of a dispute is kept when it is won.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.sandbox.stripe import balance, fees
from tests.sandbox.stripe.balance import DAY, Fee, Movement
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Store

OPEN = ("needs_response", "under_review")
INQUIRY = ("warning_needs_response", "warning_under_review")


def begin(store: Store, charge: Json, amount: int, reason: str, status: str) -> Json:
    """A dispute over `amount` that begins as needs_response, warning_needs_response or prevented."""
    if charge["status"] != "succeeded":
        raise Refusal(f"Charge {charge['id']} is {charge['status']}: only a charge that succeeded can be disputed.")
    if charge["disputed"]:
        raise Refusal(f"Charge {charge['id']} is disputed already.")
    if not 0 < amount <= charge["amount"] - charge["amount_refunded"]:
        raise Refusal(f"A dispute of {charge['id']} cannot be over {amount}.", param="amount")
    card = charge["id"].startswith("ch_")
    evidence = dict.fromkeys(_EVIDENCE)
    dispute = store.keep(
        {
            "id": store.new_id("du" if card else "dp"), "object": "dispute", "amount": amount,
            "balance_transactions": [], "charge": charge["id"], "created": store.now, "currency": charge["currency"],
            "enhanced_eligibility_types": [], "evidence": {**evidence, "enhanced_evidence": {}},
            "evidence_details": {"due_by": store.now + 14 * DAY, "enhanced_eligibility": {}, "has_evidence": False,
                                 "past_due": False, "submission_count": 0},
            "is_charge_refundable": status in INQUIRY, "livemode": False, "metadata": {},
            "payment_intent": charge["payment_intent"], "reason": reason, "status": status,
        }
    )  # fmt: skip
    if card:
        kind = {"needs_response": "chargeback", "prevented": "resolution"}.get(status, "inquiry")
        details = {"brand": "visa", "case_type": kind, "network": "visa", "network_reason_code": "10.4"}
        dispute["payment_method_details"] = {"type": "card", "card": details}
    store.link("disputes", charge["id"], dispute["id"])
    charge["disputed"] = True
    store.emit("charge.dispute.created", dispute)
    if status == "needs_response":
        withdraw(store, dispute)
    return dispute


_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def withdraw(store: Store, dispute: Json) -> None:
    """Take the money and the fee."""
    currency = balance.settlement_currency(store, dispute["currency"])
    text = f"Chargeback withdrawal for {dispute['charge']}"
    _move(store, dispute, -dispute["amount"], text, fees.of_dispute(currency))
    store.emit("charge.dispute.funds_withdrawn", dispute)


def _move(store: Store, dispute: Json, amount: int, text: str, fee_list: Sequence[Fee]) -> None:
    settles = None
    if amount > 0:
        taken = dispute["balance_transactions"][0]
        settles = (-taken["amount"], taken["currency"], taken["exchange_rate"])
    category = "dispute" if amount < 0 else "dispute_reversal"
    booked = balance.book(
        store,
        Movement("adjustment", amount, dispute["currency"], dispute["id"], fee_list, text, settles_as=settles,
                 category=category),
    )  # fmt: skip
    dispute["balance_transactions"].append(booked)


def escalate(store: Store, dispute: Json) -> None:
    """An inquiry becomes a dispute, and the money is withdrawn."""
    _check(dispute, INQUIRY)
    dispute.update(status="needs_response", is_charge_refundable=False)
    store.emit("charge.dispute.updated", dispute)
    withdraw(store, dispute)


def respond(store: Store, dispute: Json) -> None:
    """Evidence was submitted."""
    _check(dispute, (*OPEN, *INQUIRY))
    dispute["status"] = "warning_under_review" if dispute["status"] in INQUIRY else "under_review"
    dispute["evidence_details"].update(has_evidence=True, submission_count=1)
    store.emit("charge.dispute.updated", dispute)


def win(store: Store, dispute: Json) -> None:
    """Won: the money comes back, the fee does not. An inquiry is closed, and nothing moves."""
    _check(dispute, (*OPEN, *INQUIRY))
    if dispute["status"] in INQUIRY:
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = "won"
        _move(store, dispute, dispute["amount"], f"Chargeback reversal for {dispute['charge']}", ())
        store.emit("charge.dispute.funds_reinstated", dispute)
    store.emit("charge.dispute.closed", dispute)


def lose(store: Store, dispute: Json) -> None:
    """Lost: the money stays with the customer."""
    _check(dispute, OPEN)
    dispute["status"] = "lost"
    store.emit("charge.dispute.closed", dispute)


def _check(dispute: Json, statuses: Sequence[str]) -> None:
    if dispute["status"] not in statuses:
        raise Refusal(f"{dispute['id']} is {dispute['status']}: only {' or '.join(statuses)} can go on from here.")
