"""The stories of tests/played/settled_money.py in the quick world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.histories.settled_firm import MONEY_CHOICES, TAXES, settled_firm
from tests.histories.settling import SettlingWorld
from tests.played.settled_money import *  # noqa: F403 - the tests
from tests.played.settled_money import Played, play


@pytest.fixture(scope="module")
def stories() -> Iterator[tuple[Played, SettlingWorld]]:
    with settled_firm(choices=MONEY_CHOICES, extra=TAXES) as world:
        clock = world.world.clock
        found = play(world.stripe, clock, clock.pause)
        found.netsuite = world.netsuite
        world.settle()
        found.before_payout = world.netsuite.ledger()
        for currency in ("usd", "eur", "jpy"):
            world.stripe.payout(currency)
        world.settle()
        found.held, found.parked = world.held(), world.parked()
        yield found, world


@pytest.fixture(scope="module")
def played(stories: tuple[Played, SettlingWorld]) -> Played:
    return stories[0]


def test_the_nightly_proof_agrees_in_each_currency_and_names_what_waits(
    stories: tuple[Played, SettlingWorld],
) -> None:
    found, world = stories
    proof = world.prove("2026-05-31")
    assert {(one["kind"], one["root"]) for one in proof["differences"]} == {("waiting", root) for root in found.held}
    assert [one for one in proof["equations"] if one["difference"]] == []
    assert [one["currency"] for one in proof["equations"]] == ["eur"] * 6 + ["jpy"] * 6 + ["usd"] * 6
    banked = {one["currency"]: one["netsuite"] for one in proof["equations"] if one["name"] == "bank"}
    ledger = world.netsuite.ledger()
    assert banked == {
        code: int(ledger[f"Checking {code.upper()}"][code.upper()] * scale)
        for code, scale in (("eur", 100), ("jpy", 1), ("usd", 100))
    }
