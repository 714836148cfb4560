from __future__ import annotations

from collections.abc import Iterator

import pytest
from stripe._http_client import HTTPClient

from tests.adapters.aws_world import AwsWorld
from tests.sandbox.stripe import RateLimits, StripeServer
from tests.workflows.drafting_world import DraftingWorld
from tests.workflows.moving_clock import MovingClock


@pytest.fixture
def stripe_server(clock: MovingClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    """The Stripe stand-in; the SDK's own retries do not wait."""
    monkeypatch.setattr(HTTPClient, "_sleep_time_seconds", lambda *_: 0)
    with StripeServer(clock, rate_limits=RateLimits.off()) as server:
        yield server
        assert server.errors == [], "the stand-in itself failed"


@pytest.fixture
def world(aws: AwsWorld, stripe_server: StripeServer, clock: MovingClock) -> DraftingWorld:
    return DraftingWorld(aws, stripe_server, clock)
