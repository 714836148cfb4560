"""One month of many orders in three currencies, from the approval to the bank: clients pay, pay in part, get money
back, dispute, never pay. Truth: the test's own sums, and the ledger of NetSuite's stand-in. MONTH_ORDERS says how many
orders (`make soak` plays 200).
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from tests.histories.settled_firm import MONEY_CHOICES, WORLD, policies
from tests.histories.settling import SettlingWorld, settling_world
from tests.histories.small_firm import START, month, order
from tests.sandbox.netsuite import load_world

ORDERS = int(os.environ.get("MONTH_ORDERS", "20"))
CURRENCIES = ("USD", "EUR", "JPY")
MINOR = {"USD": 100, "EUR": 100, "JPY": 1}
FATES = (
    "paid", "paid in part", "refunded", "refunded in part", "disputed and won", "disputed and lost", "asked about",
    "voided", "uncollectible", "open",
)  # fmt: skip


@dataclass
class Books:
    """What the test itself expects, by currency in major units."""

    billed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    owed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    voided: set[str] = field(default_factory=set)
    fates: Counter[str] = field(default_factory=Counter)


@dataclass
class Settled:
    world: SettlingWorld
    books: Books
    proof: dict[str, Any]


def _clients() -> list[dict[str, Any]]:
    return [
        {"number": f"C-{place}", "name": f"Client {place} LLC", "email": f"ap@client{place}.example"}
        for place in range(1, 10)
    ]


def _orders() -> list[dict[str, Any]]:
    """Three clients a currency; each order has two lines, and no two have the same total."""
    return [
        order(f"SO-{place}", place, 2, client=f"C-{1 + place % 3 + 3 * (place % 3)}", currency=CURRENCIES[place % 3])
        for place in range(1, ORDERS + 1)
    ]


def _lives(world: SettlingWorld, draft: dict[str, Any], fate: str, books: Books) -> None:
    """What becomes of one draft, and what it leaves owed."""
    stripe, currency = world.stripe, draft["currency"].upper()
    total = Decimal(draft["total"]) / MINOR[currency]
    books.billed[currency] += total
    books.fates[fate] += 1
    stripe.finalise(draft["id"])
    world.settle()
    if fate == "paid in part":
        stripe.pay(draft["id"], draft["total"] // 4)
        books.owed[currency] += total - Decimal(draft["total"] // 4) / MINOR[currency]
    elif fate == "open":
        books.owed[currency] += total
    elif fate == "voided":
        stripe.void(draft["id"])
        books.voided.add(draft["id"])
    elif fate == "uncollectible":
        stripe.mark_uncollectible(draft["id"])
    else:
        known = {one["id"] for one in stripe.objects("charge")}
        stripe.pay(draft["id"])
        (charge,) = [one for one in stripe.objects("charge") if one["id"] not in known]
        after: dict[str, Callable[[], object]] = {
            "paid": lambda: None,
            "refunded": lambda: stripe.refund(charge, charge["amount"]),
            "refunded in part": lambda: stripe.refund(charge, charge["amount"] // 3),
            "disputed and won": lambda: stripe.win(stripe.dispute(charge)),
            "disputed and lost": lambda: stripe.lose(stripe.dispute(charge)),
            "asked about": lambda: stripe.dispute(charge, inquiry=True),
        }
        after[fate]()
    world.settle()


@pytest.fixture(scope="module")
def settled() -> Iterator[Settled]:
    firm = load_world({**WORLD, "customers": _clients(), "orders": _orders()})
    with settling_world(firm, START, lambda netsuite: policies(netsuite, MONEY_CHOICES)) as world:
        world.stripe.add_bank_account("jpy")
        month(world.world, 0)
        drafts = sorted((one for one in world.stripe.invoices() if one["status"] == "draft"), key=lambda one: one["id"])
        books = Books()
        assert len(drafts) == ORDERS
        for place, draft in enumerate(drafts):
            _lives(world, draft, FATES[place % len(FATES)], books)
        for currency in CURRENCIES:
            world.stripe.payout(currency.lower())
        world.settle()
        yield Settled(world, books, world.prove("2026-06-01"))


def test_every_order_is_billed_and_only_what_was_voided_waits_for_a_person(settled: Settled) -> None:
    assert set(settled.books.fates) == set(FATES)
    letters = Counter(one.status for one in settled.world.netsuite.orders().values())
    assert letters == {"G": ORDERS}
    assert settled.world.held() == dict.fromkeys(settled.books.voided, "order_stays_billed")
    assert settled.world.parked() == {}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_receivables_are_what_clients_still_owe_and_the_bank_has_what_was_paid_out(
    settled: Settled, currency: str
) -> None:
    world = settled.world
    assert settled.books.billed[currency] > 0
    assert world.balance("Accounts Receivable", currency) == settled.books.owed[currency]
    assert world.balance("Undeposited Funds", currency) == 0
    paid_out = [one["amount"] for one in world.stripe.objects("payout") if one["currency"].upper() == currency]
    assert world.balance(f"Checking {currency}", currency) == Decimal(sum(paid_out)) / MINOR[currency]


@pytest.mark.parametrize("currency", CURRENCIES)
def test_all_six_equations_are_zero(settled: Settled, currency: str) -> None:
    mine = {one["name"]: one for one in settled.proof["equations"] if one["currency"].upper() == currency}
    assert len(mine) == 6
    assert {name: one["difference"] for name, one in mine.items() if one["difference"]} == {}
    assert mine["receivables"]["netsuite"] == settled.books.owed[currency] * MINOR[currency]


def test_the_proof_names_what_waits_and_no_difference(settled: Settled) -> None:
    assert {(one["kind"], one["root"]) for one in settled.proof["differences"]} == {
        ("waiting", root) for root in settled.books.voided
    }
