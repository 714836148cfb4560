"""Killed at an outgoing call, before it left: one invoice, and everybody told.

Seen from outside, a kill before call k + 1 is a kill after the answer of call k, and those are all played in
test_killed_after_a_call. Here stand the first call, which has none before it, and a few that check the equation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.played.firm import firm, order, work
from tests.played.killed import FUNCTIONS, is_billed_and_told_once
from tests.played.story import deployed
from tests.sandbox import Sandbox

BEFORE = (1, 4, 9)
STRUCK: set[str] = set()
"""Which functions were killed at least once."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    lines = (work("2", "150.00", "First week"), work("1", "45.50", "Second week"))
    with deployed(firm(order(place, *lines) for place in BEFORE)) as opened:
        yield opened


@pytest.mark.parametrize("k", BEFORE)
def test_every_function_killed_before_its_kth_call_still_leaves_one_whole_invoice(sandbox: Sandbox, k: int) -> None:
    STRUCK.update(is_billed_and_told_once(sandbox, k, "before"))


def test_no_function_was_spared(sandbox: Sandbox) -> None:
    assert set(FUNCTIONS) == STRUCK
