"""Drafting goes as fast as Stripe's limits allow and no faster: many processes on one clock, against the stand-in's own
limiter. Each call takes 250 ms.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import stripe

from benchmarks.virtual_time import Turns
from billing.adapters.stripe.client import Caller, requests_per_second
from billing.domain.errors import PassingError
from checks.template import read_template
from tests.sandbox.sandbox import REPOSITORY
from tests.sandbox.stripe import RateLimits, rate_limits
from tests.sandbox.stripe.errors import Refusal

AN_INVOICE = ("list invoices", "create invoice", "add invoice lines", "retrieve invoice")
CALL_SECONDS = 0.25
AT_ONCE = int(read_template(REPOSITORY / "template.yaml")["Parameters"]["DraftConcurrency"]["Default"])


@dataclass
class Drafted:
    """`seconds` from the first call to the last; how often the state's Retry had to take an invoice up again
    because one of its calls was refused each time; calls that were refused, and all."""

    seconds: float
    again: int
    refused: int
    calls: int


def drafted(
    invoices: int, key: str, limits: RateLimits, at_once: int = AT_ONCE, calls: Sequence[str] = AN_INVOICE
) -> Drafted:
    clock, counts, chance = SimpleNamespace(seconds=1000.0), Counter[str](), random.Random(1)
    turns, waiting = Turns(clock), deque(range(invoices))
    with patch.object(rate_limits, "time", SimpleNamespace(monotonic=lambda: clock.seconds)):
        limiter = rate_limits.RateLimiter(limits)

        def call(endpoint: str) -> None:
            counts["calls"] += 1
            try:
                limiter.admit(endpoint)
            except Refusal:
                counts["refused"] += 1
                raise stripe.RateLimitError("too many") from None
            finally:
                turns.sleep(CALL_SECONDS)

        def worker() -> None:
            caller = Caller(turns.sleep, lambda: clock.seconds, at_once, requests_per_second(key), chance.random)
            while waiting:
                waiting.popleft()
                for pause in (1, 2, 4, 8, 16, 32, 60, None):
                    try:
                        for endpoint in calls:
                            caller(endpoint, lambda endpoint=endpoint: call(endpoint))  # type: ignore[misc]
                    except PassingError:
                        assert pause is not None, "an invoice failed by a rate limit"
                        counts["again"] += 1
                        turns.sleep(pause)
                        continue
                    break

        turns.run([worker] * min(at_once, invoices))
    return Drafted(clock.seconds - 1000.0, counts["again"], counts["refused"], counts["calls"])


def test_a_thousand_drafts_take_hardly_longer_than_stripes_limit_allows() -> None:
    """25 creations a second: 40 seconds for 1,000; and 4,000 calls at 100 a second are 40 as well."""
    found = drafted(1000, "sk_live_x", RateLimits())
    assert found.seconds <= 1.10 * 40
    assert found.refused < 0.05 * found.calls


def test_five_at_a_time_took_six_times_as_long() -> None:
    """What DraftConcurrency was by default before: the calls' own time bounds it, 5 in 4 x 250 ms."""
    assert drafted(200, "sk_live_x", RateLimits(), at_once=5).seconds >= 200 / 5 * 4 * CALL_SECONDS


def test_a_test_key_is_paced_for_the_limit_of_its_mode() -> None:
    """25 calls a second for the whole account: 200 drafts are 800 calls and cannot take less than 32 seconds."""
    found = drafted(200, "rk_test_x", RateLimits.sandbox())
    assert 32 <= found.seconds <= 1.35 * 32
    assert found.again <= 10


@pytest.mark.parametrize(
    ("key", "rate"), [("sk_live_1", 98), ("rk_live_1", 98), ("sk_test_1", 24.5), ("rk_test_1", 24.5)]
)
def test_the_mode_is_the_one_that_the_key_names(key: str, rate: float) -> None:
    assert requests_per_second(key) == rate


def test_a_few_invoices_are_not_held_up() -> None:
    found = drafted(10, "sk_live_x", RateLimits())
    assert found.refused == 0
    assert found.seconds < AT_ONCE / 24.5 + 2


def test_processes_share_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five of them: each leaves five times 1/24.5 s between two calls of one endpoint, and none between others."""
    slept: list[float] = []
    caller = Caller(slept.append, lambda: 100.0, share=5, jitter=lambda: 0.5)
    for _ in range(3):
        caller("create invoice", lambda: None)
    caller("another endpoint", lambda: None)
    each = 5 / 24.5
    assert slept == pytest.approx([0.5 * each, each, 2 * each])
