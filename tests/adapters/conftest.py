from __future__ import annotations

import pytest
from stripe._http_client import HTTPClient


@pytest.fixture
def no_sdk_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Stripe SDK's own retries do not wait."""
    monkeypatch.setattr(HTTPClient, "_sleep_time_seconds", lambda *_: 0)
