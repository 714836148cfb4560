from __future__ import annotations

from collections.abc import Iterator

import pytest
from stripe._http_client import HTTPClient

from tests.adapters.aws_world import AwsWorld, aws_world


@pytest.fixture
def aws() -> Iterator[AwsWorld]:
    """An empty AWS account in moto."""
    with aws_world() as world:
        yield world


@pytest.fixture
def no_sdk_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Stripe SDK's own retries do not wait."""
    monkeypatch.setattr(HTTPClient, "_sleep_time_seconds", lambda *_: 0)
