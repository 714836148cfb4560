"""Random lives of invoices: whatever happens to Stripe's events, NetSuite holds what it holds after events in their
order, once each; and that is what Stripe says. `SETTLED_LIVES` is how many are lived (8; 500 in `make soak`).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.histories.lives import Action, Life, lived_twice
from tests.histories.settled_firm import settled_firm
from tests.histories.settling import SettlingWorld
from tests.histories.small_firm import month, order

LIVES = int(os.environ.get("SETTLED_LIVES", "8"))
LIVES_A_WORLD = 25
ORDERS = 12
CHOICES = 'prepayment_credit_notes = "at_once"\nout_of_band = "payment_to_account"'

AMOUNT = st.integers(100, 30_000)
WHICH = st.integers(0, 3)
NEXT = st.lists(
    st.one_of(
        st.tuples(
            st.just("pay"),
            st.sampled_from([30, 50, 100, 100, 120]),
            st.sampled_from(["card", "card", "ach", "bank_transfer", "out_of_band"]),
        ),
        st.tuples(st.just("decline")),
        st.tuples(st.just("fail"), WHICH),
        st.tuples(st.just("refund"), WHICH, st.sampled_from([20, 50, 100])),
        st.tuples(st.just("fail_refund"), WHICH),
        st.tuples(st.just("credit"), AMOUNT, st.sampled_from(["", "refund", "to_balance", "out_of_band"])),
        st.tuples(st.just("void")),
        st.tuples(st.just("write_off")),
        st.tuples(st.just("dispute"), WHICH, st.sampled_from(["inquiry", "open", "won", "lost"])),
    ),
    max_size=7,
)
BILL = st.tuples(
    st.just("bill"), st.lists(AMOUNT, min_size=1, max_size=3), st.sampled_from(["usd", "usd", "eur", "jpy"])
)

_numbers = itertools.count(1)


class Worlds:
    """A world for so many lives: one that has lived long answers slowly."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._left = 0
        self._drafts: list[tuple[Any, Any]] = []

    def world(self) -> SettlingWorld:
        if not self._left:
            self._stack.close()
            orders = [order(f"SO-{place}", 7, 3, client=f"C-{place % 2 + 1}") for place in range(2 * ORDERS)]
            self.opened = self._stack.enter_context(settled_firm(orders, CHOICES))
            self.opened.stripe.add_bank_account("jpy")
            month(self.opened.world, 0)
            self.opened.settle()
            self._drafts = self._pairs()
            self._left = LIVES_A_WORLD
        self._left -= 1
        return self.opened

    def _pairs(self) -> list[tuple[Any, Any]]:
        drafts = sorted(
            self.opened.stripe.invoices(),
            key=lambda one: int(one["metadata"]["netsuite_so_number"].removeprefix("SO-")),
        )
        assert len(drafts) == 2 * ORDERS
        return list(zip(drafts[::2], drafts[1::2], strict=True))

    def pair_of_drafts(self) -> tuple[Any, Any] | None:
        return self._drafts.pop() if self._drafts else None

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    found = Worlds()
    yield found
    found.close()


def client(world: SettlingWorld) -> Life:
    number = next(_numbers)
    made = world.stripe.as_person(
        "POST", "/v1/customers", {"name": f"Client {number} Inc", "email": f"ap@life{number}.example"}
    )
    return Life(world, str(made["id"]))


def client_of(world: SettlingWorld, draft: Any) -> Life:
    metadata = draft["metadata"]
    named = f"{metadata['netsuite_so_number']}/{metadata['netsuite_so_id']}"
    return Life(world, str(draft["customer"]), draft=str(draft["id"]), order=named)


# A world is shared by many lives, so a life cannot be made smaller afterwards: the actions it failed with are printed.
SETTINGS = settings(
    max_examples=LIVES, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)


@SETTINGS
@given(BILL, NEXT, st.integers(0, 10**6))
def test_an_invoice_by_hand(worlds: Worlds, bill: Action, then: list[Action], seed: int) -> None:
    world = worlds.world()
    both = client(world), client(world)
    lived_twice(world, [bill, *then], seed, *both)
    holds_the_same(*both)


@settings(SETTINGS, max_examples=max(1, LIVES // 3))
@given(NEXT, st.integers(0, 10**6))
def test_an_invoice_of_an_order_of_ours(worlds: Worlds, then: list[Action], seed: int) -> None:
    world = worlds.world()
    pair = worlds.pair_of_drafts()
    if pair is None:
        return
    both = client_of(world, pair[0]), client_of(world, pair[1])
    lived_twice(world, [("finalise",), *then], seed, *both)
    holds_the_same(*both)


def test_what_lived_in_undeposited_funds_is_in_the_bank_after_the_payouts(worlds: Worlds) -> None:
    """The world of the last lives: each payout is one deposit of its very amount, and nothing of it is left behind."""
    world = worlds.world()
    for currency in ("usd", "eur", "jpy"):
        if world.stripe.ledger().get(currency, {}).get("movements", 0) > 0:
            world.stripe.payout(currency)
    world.settle()
    payouts = {one["id"]: one for one in world.stripe.objects("payout")}
    assert payouts
    assert not {root for root in (*world.held(), *world.parked()) if root in payouts}
    for code, scale in (("USD", 100), ("EUR", 100), ("JPY", 1)):
        paid_out = sum(one["amount"] for one in payouts.values() if one["currency"] == code.lower())
        assert world.balance(f"Checking {code}", code) == Decimal(paid_out) / scale
        assert world.balance("Undeposited Funds", code) == 0
    again = world.netsuite.dump()
    world.world.clock.move_to(world.world.clock.now() + timedelta(hours=1))
    world.sweep(since=(world.world.clock.now() - timedelta(days=28)).date().isoformat())
    world.settle()
    assert world.netsuite.dump() == again, "a second sweep writes nothing"


def test_the_nightly_proof_finds_nothing_but_what_waits_for_a_person(worlds: Worlds) -> None:
    """After random lives: no false difference, and six equations of 0.00 in each currency."""
    world = worlds.world()
    proof = world.prove(world.world.clock.now().date().isoformat())
    assert [one for one in proof["differences"] if one["kind"] != "waiting"] == []
    assert {one["root"] for one in proof["differences"]} == {*world.held(), *world.parked()}
    assert [one for one in proof["equations"] if one["difference"]] == []
    assert {one["currency"] for one in proof["equations"]} >= {"usd"}
    assert proof["records"] > LIVES


def test_pages_of_stripes_lists_say_the_same_as_each_object_by_itself(worlds: Worlds) -> None:
    """The proof reads a hundred objects a call; the settlement reads one."""
    world = worlds.world()
    from billing.runtime import proof, stripe

    half = int((world.world.clock.now() - timedelta(hours=1)).timestamp())
    for since in (0, half):
        span, single = proof.span(since), stripe.reads()
        roots = span.roots(lambda charges: {})
        assert not since or len(roots) > 0
        for root, kind in roots.items():
            assert getattr(span, kind.value)(root) == getattr(single, kind.value)(root), root
    assert {kind.value for kind in proof.span(0).roots(lambda charges: {}).values()} >= {"invoice", "payout"}


def holds_the_same(orderly: Life, other: Life) -> None:
    """NetSuite holds the same of both, each record once; and of the orderly one what Stripe says."""
    assert other.in_netsuite() == orderly.in_netsuite()
    assert other.bells() == orderly.bells()
    waits = {name for which, name in orderly.bells() if which}
    assert waits <= PERSONS, waits
    world = orderly.world
    of = world.stripe.invoice(orderly.invoice)
    scale = 1 if of["currency"] == "jpy" else 100
    if not waits:
        open_in_stripe = of["amount_remaining"] if of["status"] == "open" else 0
        assert orderly.due() == Decimal(open_in_stripe) / scale
    assert orderly.undeposited() == Decimal(orderly.moved()) / scale


PERSONS = {
    "refund_failed",
    "uncollectible_then_paid",
    "order_stays_billed",
    "refunded_and_failed",
    "balance_credit_to_apply",  # a client overpaid before: NetSuite has that money as an unapplied payment
}
"""What of these lives a person decides about; everything else is settled without one."""
