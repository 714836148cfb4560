"""What is due on the NetSuite invoices of one Stripe invoice, as money and memos are applied one after another."""

from __future__ import annotations

from collections.abc import Iterable

from billing.domain.settlement.records import Apply


class Dues:
    """Due amounts in minor units by externalId, in the order in which they are paid: the oldest order first.

    Stripe knows one amount due of an invoice that became several in NetSuite; so each amount is spent in this order,
    exactly, and what no invoice takes is left over.
    """

    def __init__(self, invoices: Iterable[tuple[str, int]]) -> None:
        self._due = dict(invoices)

    @property
    def total(self) -> int:
        """What is due of all of them."""
        return sum(self._due.values())

    def of(self, external_id: str) -> int:
        """What is due of one."""
        return self._due[external_id]

    def take(self, amount: int, first: str = "") -> tuple[Apply, ...]:
        """Spend up to `amount`, on `first` before the others; return what it is applied to. The rest stays
        unapplied."""
        applied = []
        for external_id in sorted(self._due, key=lambda one: one != first):
            due = self._due[external_id]
            share = min(due, amount)
            if share > 0:
                applied.append(Apply(external_id, share))
                self._due[external_id] = due - share
                amount -= share
        return tuple(applied)

    def close(self, external_id: str) -> int:
        """Take all that is due of one; return it."""
        due, self._due[external_id] = self._due[external_id], 0
        return due


def shares(amount: int, weights: Iterable[int]) -> list[int]:
    """`amount` in whole minor units in proportion to `weights`, exactly: by the largest remainder, the first of equals.

    Weights may be negative (discount lines), their sum must not be 0 unless the amount is.
    """
    every = list(weights)
    whole = sum(every)
    if not whole:
        if amount:
            raise ValueError("there is nothing to share the amount by")
        return [0] * len(every)
    parts = [divmod(amount * weight, whole) for weight in every]
    found = [quotient for quotient, _ in parts]
    # divmod's remainder has the sign of `whole`; all of them together are a whole number of units.
    left = amount - sum(found)
    by_remainder = sorted(range(len(every)), key=lambda index: (-abs(parts[index][1]), index))
    for index in by_remainder[:left]:
        found[index] += 1
    return found
