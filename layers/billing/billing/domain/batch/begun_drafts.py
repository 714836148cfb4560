"""Drafts that were begun and never read back: they belong to their orders, whatever plan these come back in. Pure.

A run that was killed, or whose last answer was lost, may leave a draft in Stripe that the ledger has not as billed. The
same order may then return under another key: grouped with others, in fewer parts, with more lines, as a whole where an
addition was begun. Before such an order is billed in another form, its old draft is finished as it is (if it is exactly
what is proposed now), held for a person, or given up and deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from billing.domain.batch.batch import BatchInvoice
from billing.domain.ledger.billing_state import Done, Held, ToBill
from billing.domain.ledger.ledger import LedgerEntry

UnsignedDrafts = Literal["hold", "delete"]
"""What becomes of a draft that nobody signed for in the form in which its orders are billed now."""

LOOK_BACK: Final = timedelta(days=92)
"""How far before an invoice's own day a draft of it is looked for: a period can lie ahead of the day on which it is
billed, and an order's date can be moved after its draft was made."""

_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class BegunDraft:
    """A live invoice in Stripe that the ledger does not have as billed: Stripe's id and status, the plan and content
    that it bears, and the internal ids of its orders."""

    id: str
    status: str
    plan_key: str
    invoice_hash: str
    orders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun: `claims` are the unsettled entries by order id and plan key, `drafts` what Stripe has."""

    claims: Mapping[str, Mapping[str, LedgerEntry]]
    drafts: tuple[BegunDraft, ...]

    def of_order(self, order_id: str) -> tuple[BegunDraft, ...]:
        """The drafts that bill this order: by their own word, or because the ledger says that their plan claimed it."""
        claimed = self.claims.get(order_id, {})
        return tuple(one for one in self.drafts if order_id in one.orders or one.plan_key in claimed)


def in_the_way(
    proposed: Sequence[BatchInvoice], begun: Begun, unsigned: UnsignedDrafts
) -> dict[str, tuple[BegunDraft, ...]]:
    """By order id, the drafts that keep an order from being billed as proposed: made of other content than what is
    proposed, and not to be deleted by us."""
    keys = {one.plan.key for one in proposed}
    found: dict[str, tuple[BegunDraft, ...]] = {}
    for one in proposed:
        for draft in _others(one, keys, begun):
            if unsigned == "hold" or draft.status != "draft":
                for order in one.plan.orders:
                    if draft in begun.of_order(order.id):
                        found[order.id] = (*found.get(order.id, ()), draft)
    return found


def with_what_it_gives_up(one: BatchInvoice, proposed_keys: Collection[str], begun: Begun) -> BatchInvoice:
    """`one` with the begun plans that it takes the place of and the drafts that are deleted for it."""
    gives_up = {
        key
        for order in one.plan.orders
        for key in begun.claims.get(order.id, {})
        if key != one.plan.key and key not in proposed_keys
    }
    deletes = tuple(sorted(draft.id for draft in _others(one, proposed_keys, begun)))
    if not gives_up and not deletes:
        return one
    return replace(one, gives_up=tuple(sorted(gives_up)), deletes=deletes)


def with_deletion_said(reason: str, deletes: Sequence[str]) -> str:
    """Why an invoice is asked about, with the drafts that are deleted for it: whoever signs must know."""
    if not deletes:
        return reason
    verb = "is" if len(deletes) == 1 else "are"
    return (
        f"{reason} {_named(deletes)} of an earlier run {verb} deleted when this one is drafted: nobody signed for that "
        "form."
    ).strip()


def held_for_its_draft(state: ToBill | Done | Held, drafts: Sequence[BegunDraft]) -> Held:
    """A plan whose order has drafts that a person must look at first."""
    ids = [draft.id for draft in drafts]
    sent = [draft.id for draft in drafts if draft.status != "draft"]
    if isinstance(state, Done):
        why = f"{state.reason} {_named(ids)} of an earlier run bills it as well, in a form that nobody wants any more."
    elif isinstance(state, Held):
        why = f"{state.reason} {_named(ids)} of an earlier run, whose drafting did not end, bills it too."
    else:
        why = f"{_named(ids)} of an earlier run, whose drafting did not end, bills it in another form than it has now."
    to_do = (
        f"{', '.join(sent)} is no draft any more: void it if it is not to be paid, or bill the rest by hand."
        if sent
        else "Delete it in Stripe, then run again."
    )
    return Held(state.plan, state.link, ids[0], f"{why} {to_do}")


def held_beside_what_is_done(
    states: Iterable[Done | Held], proposed_keys: Collection[str], begun: Begun
) -> list[Done | Held]:
    """What is done or held already, with the drafts that were begun of it named: nobody else would. Those of a proposed
    plan (the order's other part) are finished by that."""
    named: list[Done | Held] = []
    for state in states:
        drafts = [one for one in begun.of_order(state.link.order_id) if one.plan_key not in proposed_keys]
        named.append(held_for_its_draft(state, drafts) if drafts else state)
    return named


def _others(one: BatchInvoice, proposed_keys: Collection[str], begun: Begun) -> list[BegunDraft]:
    """The begun drafts of its orders that are not exactly this invoice. Those of another proposed plan of the same
    order (its parts) are that plan's to settle."""
    drafts = dict.fromkeys(draft for order in one.plan.orders for draft in begun.of_order(order.id))
    return [
        draft
        for draft in drafts
        if (draft.plan_key, draft.invoice_hash) != (one.plan.key, one.invoice_hash)
        and (draft.plan_key == one.plan.key or draft.plan_key not in proposed_keys)
    ]


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_MOST_NAMED]) + (f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else "")
    return f"The draft {shown}" if len(ids) == 1 else f"The drafts {shown}"
