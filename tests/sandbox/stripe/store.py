"""The stand-in's whole state, with ids, balances, and the history that lets search lag behind."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from decimal import Decimal

from tests.sandbox.stripe.records import Invoice, Item, Json

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ACCOUNT = "acct_1SandboxBilling"


class Store:
    """Everything Stripe would hold for one account. Not thread-safe by itself: the server locks around it."""

    def __init__(self, now: int) -> None:
        self.now = now
        """Epoch seconds, set by the server before each request."""
        self.customers: dict[str, Json] = {}
        self.invoices: dict[str, Invoice] = {}
        self.deleted_invoices: set[str] = set()
        self.scheduled: set[str] = set()
        """Ids of the drafts that finalize by themselves at some time."""
        self.items: dict[str, Item] = {}
        self.items_of_invoice: dict[str, list[str]] = {}
        self.invoices_of_customer: dict[str, list[str]] = {}
        self.tax_rates: dict[str, Json] = {}
        self.products: dict[str, Json] = {}
        self.prices: dict[str, Json] = {}
        self.balances: dict[str, dict[str, int]] = {}
        self.balance_transactions: list[Json] = []
        self.history: dict[str, dict[str, list[tuple[float, Json | None]]]] = {
            "customers": {},
            "invoices": {},
        }
        self._counts: Counter[str] = Counter()

    def new_id(self, prefix: str) -> str:
        """A fresh id such as in_1aB...: unique, the same in every run, and without any order to rely on."""
        self._counts[prefix] += 1
        number = int.from_bytes(hashlib.sha256(f"{prefix}{self._counts[prefix]}".encode()).digest(), "big")
        tail = ""
        while len(tail) < (14 if prefix in ("cus", "prod") else 23):
            number, digit = divmod(number, 62)
            tail += _ALPHABET[digit]
        return f"{prefix}_{tail}" if prefix in ("cus", "prod") else f"{prefix}_1{tail}"

    def next_batch(self) -> int:
        """A growing number: lines added later stand before earlier ones."""
        self._counts["batch"] += 1
        return self._counts["batch"]

    def lines(self, invoice: str) -> list[Item]:
        """The items on an invoice in the order in which Stripe lists its lines."""
        items = [self.items[identifier] for identifier in self.items_of_invoice.get(invoice, [])]
        return sorted(items, key=lambda item: (-item.batch, item.place))

    def attach(self, item: Item, invoice: str, batch: int, place: int) -> None:
        item.invoice, item.batch, item.place = invoice, batch, place
        self.items_of_invoice.setdefault(invoice, []).append(item.id)

    def detach(self, item: Item) -> None:
        if item.invoice is not None:
            self.items_of_invoice[item.invoice].remove(item.id)
            item.invoice = None

    def balance(self, customer: str, currency: str) -> int:
        """Minor units; negative is credit that the customer's next invoice uses up."""
        return self.balances.get(customer, {}).get(currency, 0)

    def move_balance(self, customer: str, currency: str, amount: int, kind: str, invoice: str | None) -> None:
        """Book `amount` on the customer's balance and record the transaction; 0 books nothing."""
        if amount == 0:
            return
        balances = self.balances.setdefault(customer, {})
        balances[currency] = balances.get(currency, 0) + amount
        self.balance_transactions.append(
            {
                "id": self.new_id("cbtxn"), "object": "customer_balance_transaction", "amount": amount,
                "checkout_session": None, "created": self.now, "credit_note": None, "currency": currency,
                "customer": customer, "customer_account": None, "description": None,
                "ending_balance": balances[currency], "invoice": invoice, "livemode": False, "metadata": {},
                "type": kind,
            }
        )  # fmt: skip

    def remember(self, kind: str, identifier: str, shape: Json | None, at: float) -> None:
        """Note how an object looks from `at` on, so that search can answer from the past; None: gone."""
        self.history[kind].setdefault(identifier, []).append((at, shape))

    def as_of(self, kind: str, moment: float) -> list[Json]:
        """The objects as they looked at `moment`, newest object first. Forgets what no later search can
        see.
        """
        shapes: list[Json] = []
        for identifier, versions in reversed(list(self.history[kind].items())):
            seen = [index for index, (at, _) in enumerate(versions) if at <= moment]
            if not seen:
                continue
            del versions[: seen[-1]]
            shape = versions[0][1]
            if shape is not None:
                shapes.append(shape)
            elif len(versions) == 1:
                del self.history[kind][identifier]
        return shapes

    def dump(self) -> bytes:
        """The whole store as canonical JSON: equal bytes mean that nothing at all was written in between."""
        state = {
            "customers": self.customers,
            "invoices": {key: dataclasses.asdict(value) for key, value in self.invoices.items()},
            "deleted_invoices": sorted(self.deleted_invoices),
            "items": {key: dataclasses.asdict(value) for key, value in self.items.items()},
            "tax_rates": self.tax_rates,
            "products": self.products,
            "prices": self.prices,
            "balances": self.balances,
            "balance_transactions": self.balance_transactions,
        }
        return json.dumps(state, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} has no place in the store")
