"""Which object an event is about. Pure: from the event's type and the ids in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

EVENTS: Final = (
    "invoice.finalized",
    "invoice.updated",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.overpaid",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice.finalization_failed",
    "invoice_payment.paid",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.succeeded",
    "charge.captured",
    "charge.failed",
    "charge.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.updated",
    "payout.reconciliation_completed",
    "customer_cash_balance_transaction.created",
    "payment_intent.partially_funded",
    "customer.created",
)
"""What the webhook endpoint subscribes to."""

TYPES_PER_LIST: Final = 20
"""`types[]` of GET /v1/events takes 20 names (Stripe, "List all events"): the sweep asks in chunks."""


class RootKind(StrEnum):
    """What a pass is about."""

    INVOICE = "invoice"
    CHARGE = "charge"
    PAYOUT = "payout"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Doorbell:
    """All that leaves the webhook: ids, never contents. `invoice` is set where the event names it itself; a charge's
    invoice is looked up by its payment intent. `group` orders the queue: what may be the same root shares one."""

    event_id: str
    type: str
    object_id: str
    live: bool
    account: str
    created: int
    kind: RootKind
    root: str
    payment_intent: str = ""

    @property
    def group(self) -> str:
        """The queue's message group."""
        return self.payment_intent or self.root


def doorbell(event: Mapping[str, Any]) -> Doorbell | None:
    """The ring of an event (webhook body, or the `detail` of EventBridge), None for a type that rings nothing.

    Raises ValueError for a body that is no event of Stripe's.
    """
    try:
        kind, data = str(event["type"]), event["data"]["object"]
        object_id, event_id = str(data["id"]), str(event["id"])
        live, created = bool(event["livemode"]), int(event["created"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            "The body is no event of Stripe's: id, type, created, livemode or data.object.id is missing."
        ) from None
    if kind not in EVENTS:
        return None
    family = kind.partition(".")[0]
    intent = ""
    if family == "invoice":
        root, root_kind = object_id, RootKind.INVOICE
    elif family in ("invoice_payment", "credit_note"):
        root, root_kind = _id(data.get("invoice")), RootKind.INVOICE
    elif family == "payout":
        root, root_kind = object_id, RootKind.PAYOUT
    elif family == "customer":
        root, root_kind = object_id, RootKind.CUSTOMER
    elif family == "charge" and not kind.startswith("charge.dispute"):
        root, root_kind, intent = object_id, RootKind.CHARGE, _id(data.get("payment_intent"))
    elif family in ("refund", "charge"):
        root, root_kind, intent = _id(data.get("charge")), RootKind.CHARGE, _id(data.get("payment_intent"))
    elif family == "payment_intent":
        root, root_kind, intent = _id(data.get("latest_charge")) or object_id, RootKind.CHARGE, object_id
    else:
        # A bank transfer that reached the customer's cash balance: what it pays rings by itself.
        intent = _id((data.get("applied_to_payment") or {}).get("payment_intent"))
        if not intent:
            return None
        root, root_kind = intent, RootKind.CHARGE
    if not root:
        return None
    return Doorbell(event_id, kind, object_id, live, str(event.get("account") or ""), created, root_kind, root, intent)


def _id(value: Any) -> str:
    """An id, or the id of an expanded object."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""
