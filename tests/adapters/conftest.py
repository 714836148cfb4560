from __future__ import annotations

from types import SimpleNamespace

import pytest
from stripe._http_client import HTTPClient


@pytest.fixture
def no_sdk_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Stripe SDK's own retries do not wait."""
    monkeypatch.setattr(HTTPClient, "_sleep_time_seconds", lambda *_: 0)


@pytest.fixture
def table_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are paused for a throttled table, and nobody waits."""
    pauses: list[float] = []
    monkeypatch.setattr("billing.adapters.dynamodb.items.time", SimpleNamespace(sleep=pauses.append))
    return pauses
