"""Refunds, also those that fail days later. Source: Stripe's API reference (Refund, Charge)."""

from __future__ import annotations

from tests.sandbox.stripe import balance
from tests.sandbox.stripe.balance import Movement
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Store


def refundable(charge: Json) -> int:
    """What of a charge is not given back yet, in minor units; 0 of one that did not succeed or was disputed away."""
    if charge["status"] != "succeeded" or (charge["disputed"] and charge["refunded"]):
        return 0
    return int(charge["amount"] - charge["amount_refunded"])


def give_back(store: Store, charge: Json, amount: int, reason: str | None = None, *, pending: bool = False) -> Json:
    """Refund `amount` of the charge. Stripe keeps its fees. A pending refund has moved the money already."""
    if charge["status"] != "succeeded":
        raise Refusal(f"Charge {charge['id']} is {charge['status']}: only a charge that succeeded can be refunded.")
    left = refundable(charge)
    if left == 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise Refusal(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
    payment = charge["id"].startswith("py_")
    identifier = store.new_id("pyr" if payment else "re")
    booked = balance.book(
        store,
        Movement("payment_refund" if payment else "refund", -amount, charge["currency"], identifier,
                 description="REFUND FOR PAYMENT" if payment else "REFUND FOR CHARGE"),
    )  # fmt: skip
    method = charge["payment_method_details"]["type"]
    details: Json = {"type": method}
    if method == "card":
        details["card"] = {"reference": "sandbox", "reference_status": "available", "type": "refund"}
    refund = store.keep(
        {
            "id": identifier, "object": "refund", "amount": amount, "balance_transaction": booked["id"],
            "charge": charge["id"], "created": store.now, "currency": charge["currency"],
            "customer": charge["customer"], "destination_details": details, "metadata": {},
            "payment_intent": charge["payment_intent"], "payment_method": charge["payment_method"], "reason": reason,
            "receipt_number": None, "source_transfer_reversal": None, "status": "pending" if pending else "succeeded",
            "transfer_reversal": None,
        }
    )  # fmt: skip
    store.link("refunds", charge["id"], identifier)
    _refunded(charge, amount)
    store.emit("refund.created", refund)
    store.emit("charge.refunded", charge)
    return refund


def _refunded(charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def succeed(store: Store, refund: Json) -> None:
    """A pending refund reached the customer."""
    if refund["status"] != "pending":
        raise Refusal(f"{refund['id']} is {refund['status']}, not pending.")
    refund["status"] = "succeeded"
    store.emit("refund.updated", refund)


def fail(store: Store, refund: Json, reason: str) -> None:
    """The bank sent the money back: it is on the balance again, and the charge is not refunded."""
    if refund["status"] not in ("pending", "succeeded"):
        raise Refusal(f"{refund['id']} is {refund['status']} already.")
    held = store.objects["balance_transaction"]
    original = held[refund["balance_transaction"]]
    settles = (-original["amount"], original["currency"], original["exchange_rate"])
    back = balance.book(
        store,
        Movement("refund_failure", refund["amount"], refund["currency"], refund["id"],
                 description="REFUND FAILURE", settles_as=settles),
    )  # fmt: skip
    refund.update(status="failed", failure_reason=reason, failure_balance_transaction=back["id"])
    charge = store.objects["charge"][refund["charge"]]
    _refunded(charge, -refund["amount"])
    store.emit("refund.failed", refund)
    store.emit("charge.refund.updated", refund)
