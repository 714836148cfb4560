"""Killed at any outgoing call, after it was done and before the function knew: one invoice, and everybody told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.played.firm import firm, order, work
from tests.played.killed import DEEPEST, FUNCTIONS, is_billed_and_told_once
from tests.played.story import deployed
from tests.sandbox import Sandbox

STRUCK: set[str] = set()
"""Which functions were killed at least once."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    lines = (work("2", "150.00", "First week"), work("1", "45.50", "Second week"))
    with deployed(firm(order(place, *lines) for place in range(1, DEEPEST + 1))) as opened:
        yield opened


@pytest.mark.parametrize("k", range(1, DEEPEST + 1))
def test_every_function_killed_after_its_kth_call_still_leaves_one_whole_invoice(sandbox: Sandbox, k: int) -> None:
    STRUCK.update(is_billed_and_told_once(sandbox, k, "after"))


def test_no_function_was_spared(sandbox: Sandbox) -> None:
    assert set(FUNCTIONS) == STRUCK
