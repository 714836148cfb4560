"""One month of many orders in three currencies and two subsidiaries, from the approval to the bank: clients pay, pay in
part, get money back, dispute, never pay. Each subsidiary has its own Stripe account, and so its own stack; both write
into one NetSuite. Truth: the test's own sums, and the ledger of NetSuite's stand-in. MONTH_ORDERS says how many orders
(`make soak` plays 200).
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from tests.histories.settled_firm import MONEY_CHOICES, PETTY_CASH, WORLD, policies
from tests.histories.settling import SettlingWorld, settling_beside
from tests.histories.small_firm import START, month, order
from tests.histories.world import Clock, netsuite_of
from tests.sandbox.netsuite import NetSuiteServer, load_world

ORDERS = int(os.environ.get("MONTH_ORDERS", "20"))
CURRENCIES = ("USD", "EUR", "JPY")
SUBSIDIARIES = {"Acme Inc": "USD", "Acme GmbH": "EUR"}
"""Each with the currency of its books."""
MINOR = {"USD": 100, "EUR": 100, "JPY": 1}
FATES = (
    "paid", "paid in part", "refunded", "refunded in part", "disputed and won", "disputed and lost", "asked about",
    "voided", "uncollectible", "open",
)  # fmt: skip


@dataclass
class Books:
    """What the test itself expects of one subsidiary, by currency in major units."""

    billed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    owed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    voided: set[str] = field(default_factory=set)
    fates: Counter[str] = field(default_factory=Counter)


@dataclass
class Side:
    """One subsidiary: its stack with its Stripe account, what is expected, the run's report and the night's proof."""

    name: str
    world: SettlingWorld
    orders: list[str]
    books: Books = field(default_factory=Books)
    report: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)

    def balance(self, account: str, currency: str) -> Decimal:
        return self.world.netsuite.ledger(self.name)[account][currency]


@dataclass
class Settled:
    netsuite: NetSuiteServer
    sides: dict[str, Side]

    def __iter__(self) -> Iterator[Side]:
        return iter(self.sides.values())


def _clients() -> list[dict[str, Any]]:
    """Nine clients of each subsidiary. A client of both is two customers in NetSuite, with one address."""
    return [
        {
            "number": f"{side}-{place}",
            "name": f"Client {place} of {subsidiary}",
            "email": f"ap@client{place}.example",
            "subsidiary": subsidiary,
        }
        for side, subsidiary in enumerate(SUBSIDIARIES, 1)
        for place in range(1, 10)
    ]


def _orders() -> dict[str, list[dict[str, Any]]]:
    """By subsidiary, every other order; three clients a currency. Each order has two lines, and no two have the same
    total."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SUBSIDIARIES}
    for number in range(1, ORDERS + 1):
        side, place = 1 + number % 2, number // 2
        client = f"{side}-{1 + place % 3 + 3 * (place // 3 % 3)}"
        found[list(SUBSIDIARIES)[side - 1]].append(
            order(f"SO-{number}", number, 2, client=client, currency=CURRENCIES[place % 3])
        )
    return found


def _lives(side: Side, draft: dict[str, Any], fate: str) -> None:
    """What becomes of one draft, and what it leaves owed."""
    stripe, books, currency = side.world.stripe, side.books, draft["currency"].upper()
    total = Decimal(draft["total"]) / MINOR[currency]
    books.billed[currency] += total
    books.fates[fate] += 1
    stripe.finalise(draft["id"])
    side.world.settle()
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
    side.world.settle()


def _bill(side: Side) -> None:
    """The monthly run of one subsidiary, approved."""
    with side.world.at_work():
        side.world.stripe.add_bank_account("jpy")
        side.report = month(side.world.world, 0)[1]


def _settle(side: Side) -> None:
    """What its clients do with the drafts, up to the payouts."""
    with side.world.at_work():
        drafts = sorted(
            (one for one in side.world.stripe.invoices() if one["status"] == "draft"), key=lambda one: one["id"]
        )
        for place, draft in enumerate(drafts):
            _lives(side, draft, FATES[place % len(FATES)])
        for currency in CURRENCIES:
            side.world.stripe.payout(currency.lower())
        side.world.settle()


@pytest.fixture(scope="module")
def settled() -> Iterator[Settled]:
    orders = _orders()
    banks = [
        {"name": f"Checking {code} of {name}", "type": "Bank", "currency": code, "subsidiary": name}
        for name in SUBSIDIARIES
        for code in CURRENCIES
    ]
    firm = load_world(
        {
            **WORLD,
            "subsidiaries": [{"name": name, "currency": code} for name, code in SUBSIDIARIES.items()],
            "accounts": [*PETTY_CASH, *banks],
            "customers": _clients(),
            "orders": [one for of in orders.values() for one in of],
        }
    )
    clock = Clock(START)
    with netsuite_of(firm, clock) as netsuite, ExitStack() as stack:
        sides = {}
        for number, name in enumerate(SUBSIDIARIES, 1):
            world = stack.enter_context(
                settling_beside(
                    netsuite,
                    clock,
                    lambda server, name=name: policies(server, MONEY_CHOICES, subsidiary=name),  # type: ignore[misc]
                    f"-{number}",
                    Subsidiaries=str(number),
                )
            )
            sides[name] = Side(name, world, [str(one["number"]) for one in orders[name]])
        # Both runs list while every order is open.
        for step in (_bill, _settle):
            for side in sides.values():
                step(side)
        # Each proof is made when the books of both are complete: neither may see the other's.
        for side in sides.values():
            with side.world.at_work():
                side.proof = side.world.prove("2026-06-01")
        yield Settled(netsuite, sides)


def test_each_stack_drafts_the_orders_of_its_subsidiary_and_names_those_of_the_other(settled: Settled) -> None:
    numbers = {side.name: set(side.orders) for side in settled}
    for side in settled:
        drafted = {number for line in side.report["lines"] for number in line["orders"]}
        assert drafted == numbers[side.name]
        assert Counter(line["fate"] for line in side.report["lines"]) == {"drafted": len(side.orders)}
        (other,) = [one for one in settled if one is not side]
        told = side.report["of_others"]
        assert {one["name"] for one in told} == {other.name}
        assert sum(one["orders"] for one in told) == len(other.orders)
        named = {number for one in told for number in one["numbers"]}
        # The first fifty of each currency are named, the rest counted.
        assert named <= numbers[other.name]
        assert len(named) == sum(min(50, one["orders"]) for one in told)


def test_every_order_is_billed_and_only_what_was_voided_waits_for_a_person(settled: Settled) -> None:
    assert {fate for side in settled for fate in side.books.fates} == set(FATES)
    letters = Counter(one.status for one in settled.netsuite.orders().values())
    assert letters == {"G": ORDERS}
    for side in settled:
        assert side.world.held() == dict.fromkeys(side.books.voided, "order_stays_billed")
        assert side.world.parked() == {}


@pytest.mark.parametrize("name", SUBSIDIARIES)
@pytest.mark.parametrize("currency", CURRENCIES)
def test_receivables_are_what_clients_still_owe_and_the_bank_has_what_was_paid_out(
    settled: Settled, currency: str, name: str
) -> None:
    side = settled.sides[name]
    assert side.books.billed[currency] > 0
    assert side.balance("Accounts Receivable", currency) == side.books.owed[currency]
    assert side.balance("Undeposited Funds", currency) == 0
    paid_out = [one["amount"] for one in side.world.stripe.objects("payout") if one["currency"].upper() == currency]
    assert side.balance(f"Checking {currency} of {name}", currency) == Decimal(sum(paid_out)) / MINOR[currency]
    (other,) = [one for one in SUBSIDIARIES if one != name]
    assert side.balance(f"Checking {currency} of {other}", currency) == 0


@pytest.mark.parametrize("name", SUBSIDIARIES)
@pytest.mark.parametrize("currency", CURRENCIES)
def test_all_six_equations_are_zero(settled: Settled, currency: str, name: str) -> None:
    side = settled.sides[name]
    mine = {one["name"]: one for one in side.proof["equations"] if one["currency"].upper() == currency}
    assert len(mine) == 6
    assert {each: one["difference"] for each, one in mine.items() if one["difference"]} == {}
    assert mine["receivables"]["netsuite"] == side.books.owed[currency] * MINOR[currency]


@pytest.mark.parametrize("name", SUBSIDIARIES)
def test_the_proof_names_what_waits_and_no_difference(settled: Settled, name: str) -> None:
    side = settled.sides[name]
    assert {(one["kind"], one["root"]) for one in side.proof["differences"]} == {
        ("waiting", root) for root in side.books.voided
    }


def test_every_record_carries_one_accounts_id_and_is_of_its_subsidiary(settled: Settled) -> None:
    ids = {name: str(number) for number, name in enumerate(SUBSIDIARIES, 1)}
    written = {side.name: set(side.world.written()) for side in settled}
    assert not set.intersection(*written.values())
    there = {one["externalId"]: one["subsidiary"]["id"] for one in settled.sides["Acme Inc"].world.transactions()}
    assert there == {external_id: ids[name] for name, mine in written.items() for external_id in mine}
