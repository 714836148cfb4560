"""The stories of tests/played/settled_money.py in the quick world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.histories.settled_firm import MONEY_CHOICES, TAXES, settled_firm
from tests.played.settled_money import *  # noqa: F403 - the tests
from tests.played.settled_money import Played, play


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
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
        yield found
