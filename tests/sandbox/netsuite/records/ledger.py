"""The general ledger behind the record API: every entry balances, or it is a defect of the stand-in.

Tests and the demo take their truth from here. Nothing of the product is imported, and nothing here knows Stripe.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


class UnbalancedError(Exception):
    """An entry whose debits and credits differ. Never an answer of NetSuite's: the stand-in is wrong."""


@dataclass(frozen=True)
class Posting:
    """One leg: debits are positive, credits negative.

    `amount` is in `currency`, which is what the account is kept in for this leg. `in_transaction` is the same in
    the currency of the transaction (a EUR payment that leaves Undeposited Funds for a USD bank has both), and
    `base` in the subsidiary's. An exchange gain or loss has a base amount only.
    """

    account: int
    currency: int
    amount: Decimal
    in_transaction: Decimal
    base: Decimal
    line: int = 0


@dataclass(frozen=True)
class Entry:
    """What one transaction does to the books."""

    transaction: int
    record: str
    day: date
    period: int
    subsidiary: int
    postings: tuple[Posting, ...]


class Ledger:
    """Entries by transaction, with running balances: writing and reading are constant in time per leg."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._balances: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
        self._base: dict[tuple[int, int], Decimal] = defaultdict(Decimal)

    def write(self, entry: Entry) -> None:
        """Enter, replacing what the same transaction did before. UnbalancedError if it does not balance."""
        for name, total in (
            ("transaction", sum((leg.in_transaction for leg in entry.postings), Decimal(0))),
            ("base", sum((leg.base for leg in entry.postings), Decimal(0))),
        ):
            if total != 0:
                raise UnbalancedError(f"{entry.record} {entry.transaction}: off by {total} in {name} currency: {entry}")
        self.remove(entry.transaction)
        self._entries[entry.transaction] = entry
        self._move(entry, 1)

    def remove(self, transaction: int) -> None:
        """Take a transaction's entry out (it was deleted, or never posted)."""
        entry = self._entries.pop(transaction, None)
        if entry is not None:
            self._move(entry, -1)

    def _move(self, entry: Entry, sign: int) -> None:
        for leg in entry.postings:
            self._balances[leg.account, leg.currency] += sign * leg.amount
            self._base[leg.account, entry.subsidiary] += sign * leg.base

    def entry(self, transaction: int) -> Entry | None:
        return self._entries.get(transaction)

    def entries(self) -> Iterable[Entry]:
        return list(self._entries.values())

    def of_subsidiary(self, subsidiary: int) -> Ledger:
        """The entries of one subsidiary's transactions."""
        found = Ledger()
        for entry in self._entries.values():
            if entry.subsidiary == subsidiary:
                found.write(entry)
        return found

    def balance(self, account: int, currency: int) -> Decimal:
        """In `currency`; debits positive."""
        return self._balances.get((account, currency), Decimal(0))

    def base_balances(self) -> Mapping[tuple[int, int], Decimal]:
        """(account, subsidiary) -> balance in the subsidiary's base currency."""
        return dict(self._base)
