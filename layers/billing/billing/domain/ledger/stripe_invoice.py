"""An invoice as Stripe holds it, and what its metadata says. Amounts are integers in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from billing.domain.ledger.unwanted_drafts import WaitingDraft

LINES_PER_CALL = 100
PAID = "paid"
DELETED = "deleted"
REMOVED = ("void", DELETED)
PLAN_KEY = "billing_plan"
CONTENT_HASH = "content_sha256"
LINE_ID = "netsuite_line_id"
ORDER_IDS = "netsuite_so_id"
ORDER_NUMBERS = "netsuite_so_number"


@dataclass(frozen=True, slots=True)
class StripeInvoice:
    """An invoice as Stripe holds it. `line_ids` are the metadata ids of its lines, "" for lines that bear none;
    `line_orders` are the internal ids of the orders that its lines bill; `due_date` and `effective_at` are epoch
    seconds."""

    id: str
    status: str
    customer: str
    currency: str
    total: int
    total_excluding_tax: int
    live_mode: bool
    created: int
    metadata: Mapping[str, str]
    line_ids: tuple[str, ...]
    due_date: int | None = None
    effective_at: int | None = None
    line_orders: tuple[str, ...] = ()

    @property
    def plan_key(self) -> str:
        """The plan that it was drafted for; "" where it is none of ours."""
        return self.metadata.get(PLAN_KEY, "")

    @property
    def invoice_hash(self) -> str:
        """The hash of the content that was signed for; "" where its metadata has none."""
        return self.metadata.get(CONTENT_HASH, "")

    @property
    def orders(self) -> frozenset[str]:
        """Internal ids of the orders that it names. Of very many the last may be missing: read its lines then
        (`names_all_orders`)."""
        ids = self.metadata.get(ORDER_IDS, "").split(",")
        # The last one of a list that was cut may be the beginning of another id.
        whole = ids if self.names_all_orders else ids[:-1]
        return frozenset(one for one in whole if one.isdecimal()) | frozenset(self.line_orders)

    @property
    def waiting(self) -> WaitingDraft:
        """It as a draft that waits, with its orders' numbers where its metadata holds them."""
        ids, numbers = (self.metadata.get(name, "").split(",") for name in (ORDER_IDS, ORDER_NUMBERS))
        known = dict(zip(ids, numbers, strict=False)) if len(ids) == len(numbers) else {}
        orders = tuple((order_id, known.get(order_id, "")) for order_id in sorted(self.orders, key=int))
        return WaitingDraft(self.id, self.plan_key, self.metadata.get("billing_period", ""), orders)

    @property
    def names_all_orders(self) -> bool:
        """Whether its metadata holds every order's id: Stripe keeps 500 characters."""
        return not self.metadata.get(ORDER_IDS, "").endswith("…")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Ids of invoices that a person voided or deleted, and of those that are paid: a paid invoice can neither be voided
    nor deleted (Stripe, "Status transitions and finalization"), so nobody need look at it again."""

    removed: frozenset[str] = frozenset()
    paid: frozenset[str] = frozenset()
