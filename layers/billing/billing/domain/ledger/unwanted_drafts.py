"""Drafts of ours that wait in Stripe while their order was cancelled, closed or deleted in NetSuite. Pure.

Nobody should send them any more, and no listing shows their orders again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from billing.domain.orders.outstanding import STATUS_NAMES, OrderState

_UNWANTED: Final[Mapping[str, str]] = {
    "A": "Delete it, or leave it until the order is approved again.",
    "C": "Delete it.",
    "H": "Delete it, unless NetSuite has billed just that before it was closed.",
}
"""By the order's status, what is to be done. A billed order (G) is none of them: what NetSuite billed of our draft is
the same goods, and the draft is how the client gets to pay for it. Where it bills others: billed_otherwise."""


@dataclass(frozen=True, slots=True)
class WaitingDraft:
    """A draft of ours in Stripe: its id, plan, billing period ("2026-05") and orders as (internal id, number); the
    number is "" where Stripe's metadata does not hold it."""

    id: str
    plan_key: str
    period: str
    orders: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UnwantedDraft:
    """A draft that nobody should send, and why, in a sentence about one of its orders."""

    draft: WaitingDraft
    order_id: str
    number: str
    why: str


def orders_to_look_up(drafts: Iterable[WaitingDraft], listed: Collection[str] = ()) -> list[str]:
    """Internal ids of the orders whose state decides. What was just listed as billable needs no look."""
    return sorted({order_id for draft in drafts for order_id, _ in draft.orders} - set(listed), key=int)


def unwanted_drafts(
    drafts: Iterable[WaitingDraft], states: Mapping[str, OrderState], listed: Collection[str] = ()
) -> tuple[UnwantedDraft, ...]:
    """Each draft once for each of its orders that was ended. `states` are NetSuite's, by internal id; an order of which
    it shows nothing is absent there."""
    found = []
    for draft in drafts:
        for order_id, number in draft.orders:
            now = states.get(order_id)
            if order_id in listed or (now is not None and now.status not in _UNWANTED):
                continue
            named = (now.number if now is not None else "") or number or order_id
            is_now = (
                f"{STATUS_NAMES[now.status]} in NetSuite"
                if now is not None
                else "no longer shown by NetSuite (deleted, or the role may not see it)"
            )
            to_do = _UNWANTED[now.status] if now is not None else "Delete it, if the order was deleted."
            others = f" It bills {len(draft.orders) - 1} other orders too." if len(draft.orders) > 1 else ""
            why = (
                f"{named} is {is_now}, and our draft {draft.id} of it waits in Stripe.{others} Nobody should send it. "
            )
            found.append(UnwantedDraft(draft, order_id, named, why + to_do))
    return tuple(found)
