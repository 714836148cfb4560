"""Which credit of a customer's balance an invoice used up. Pure.

Stripe keeps one balance a customer and does not say which credit a use consumed; it is taken oldest first, as a
controller would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from billing.domain.settlement.stripe_objects import BalanceEntry


@dataclass(frozen=True, slots=True)
class BalanceUse:
    """`amount` (minor units, above zero) of a use came from this credit; `source` is None where the history that was
    read does not show it."""

    source: BalanceEntry | None
    amount: int


def uses_of(entry: BalanceEntry, history: Iterable[BalanceEntry]) -> list[BalanceUse]:
    """Where the credit that `entry` used came from, oldest first. `history` is the customer's whole balance, what
    happened in the same second in its order."""
    open_credits: list[list[int]] = []
    sources: list[BalanceEntry] = []
    for one in sorted(history, key=lambda each: each.created):
        if one.amount < 0:
            sources.append(one)
            open_credits.append([-one.amount])
            continue
        found = _consume(one.amount, sources, open_credits)
        if one.id == entry.id:
            return found
    return [BalanceUse(None, entry.amount)]


def _consume(amount: int, sources: list[BalanceEntry], open_credits: list[list[int]]) -> list[BalanceUse]:
    found = []
    for source, left in zip(sources, open_credits, strict=True):
        part = min(left[0], amount)
        if part:
            found.append(BalanceUse(source, part))
            left[0] -= part
            amount -= part
    return [*found, BalanceUse(None, amount)] if amount else found
