"""The stand-in's whole state, with ids, balances, and the history that lets search lag behind."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.sandbox.stripe.records import Invoice, Item, Json

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ACCOUNT = "acct_1SandboxBilling"


BANKS = ("usd", "eur", "gbp")
RATES = {
    ("eur", "usd"): Decimal("1.10"), ("gbp", "usd"): Decimal("1.28"), ("chf", "usd"): Decimal("1.14"),
    ("cad", "usd"): Decimal("0.74"), ("aud", "usd"): Decimal("0.66"), ("jpy", "usd"): Decimal("0.0067"),
    ("nok", "usd"): Decimal("0.095"), ("sek", "usd"): Decimal("0.096"), ("kwd", "usd"): Decimal("3.25"),
}  # fmt: skip
OBJECTS = (
    "balance_transaction", "charge", "coupon", "credit_note", "discount", "dispute", "invoice_payment",
    "payment_intent", "payment_record", "payout", "refund",
)  # fmt: skip
"""The kinds that are kept as Stripe's own JSON under `Store.objects`."""


@dataclasses.dataclass
class Event:
    """Something that happened: `data` is the JSON of the object as it was then. `pending` counts the webhook endpoints
    that have not taken it yet."""

    id: str
    type: str
    created: int
    data: str
    pending: int = 0


class Store:
    """Everything Stripe would hold for one account. Not thread-safe by itself: the server locks around it."""

    def __init__(self, now: int, account: str = ACCOUNT) -> None:
        self.account = account
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
        """Of the customers' balances; the account's own are objects of kind "balance_transaction"."""
        self.objects: dict[str, dict[str, Json]] = {kind: {} for kind in OBJECTS}
        self.pending: list[tuple[int, str]] = []
        """A heap of when which balance transaction of the account becomes available."""
        self.payout_of: dict[str, str] = {}
        """Which payout took an account's balance transaction."""
        self.events: list[Event] = []
        self.webhook_endpoints: Callable[[], list[Any]] = list
        """Gives the endpoints (`webhooks.Endpoint`), which the server keeps beside the account's objects."""
        self.default_currency = "usd"
        self.bank_accounts: dict[str, str] = {currency: f"ba_1Sandbox{currency.upper()}" for currency in BANKS}
        """The bank account of each currency that is paid out; every other currency is converted."""
        self.rates: dict[tuple[str, str], Decimal] = dict(RATES)
        """Exchange rates between major units, used in both directions."""
        self.daily_payouts = False
        self.last_payout_day: int | None = None
        self.credit_lines: dict[str, list[Json]] = {}
        """Every line of each credit note, of which the note itself shows the first."""
        self.settlement_days = {"card": 2, "us_bank_account": 4, "customer_balance": 1}
        self._links: dict[tuple[str, str], list[str]] = {}
        self.history: dict[str, dict[str, list[tuple[float, Json | None]]]] = {
            "customers": {},
            "invoices": {},
        }
        self._counts: Counter[str] = Counter()

    def new_id(self, prefix: str) -> str:
        """A fresh id such as in_1aB...: unique, the same in every run, and without any order to rely on."""
        self._counts[prefix] += 1
        # Two accounts share no id, as in Stripe.
        seed = f"{prefix}{self._counts[prefix]}" + ("" if self.account == ACCOUNT else self.account)
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")
        tail = ""
        while len(tail) < (14 if prefix in ("cus", "prod") else 23):
            number, digit = divmod(number, 62)
            tail += _ALPHABET[digit]
        return f"{prefix}_{tail}" if prefix in ("cus", "prod") else f"{prefix}_1{tail}"

    def keep(self, shape: Json) -> Json:
        """Store an object under its kind and id."""
        self.objects[shape["object"]][shape["id"]] = shape
        return shape

    def link(self, relation: str, owner: str, member: str) -> None:
        """Note that `member` belongs to `owner`, so that nothing has to search all objects for it."""
        self._links.setdefault((relation, owner), []).append(member)

    def linked(self, relation: str, owner: str) -> list[str]:
        """The members of `owner`, oldest first."""
        return list(self._links.get((relation, owner), ()))

    def emit(self, kind: str, shape: Json, previous: Json | None = None) -> None:
        """Record an event with the object as it is now; `previous` are the attributes it had before."""
        snapshot = json.dumps({"object": shape, **({"previous_attributes": previous} if previous else {})})
        self.events.append(Event(self.new_id("evt"), kind, self.now, snapshot))

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

    def move_balance(
        self, customer: str, currency: str, amount: int, kind: str, invoice: str | None, credit_note: str | None = None
    ) -> str | None:
        """Book `amount` on the customer's balance and return the transaction's id; 0 books nothing."""
        if amount == 0:
            return None
        balances = self.balances.setdefault(customer, {})
        balances[currency] = balances.get(currency, 0) + amount
        identifier = self.new_id("cbtxn")
        self.balance_transactions.append(
            {
                "id": identifier, "object": "customer_balance_transaction", "amount": amount,
                "checkout_session": None, "created": self.now, "credit_note": credit_note, "currency": currency,
                "customer": customer, "customer_account": None, "description": None,
                "ending_balance": balances[currency], "invoice": invoice, "livemode": False, "metadata": {},
                "type": kind,
            }
        )  # fmt: skip
        return identifier

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
            "objects": self.objects,
            "payout_of": self.payout_of,
        }
        return json.dumps(state, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} has no place in the store")
