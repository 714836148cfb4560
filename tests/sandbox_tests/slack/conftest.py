"""A Slack stand-in and the real SDK pointed at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from tests.sandbox.slack import SlackServer


@pytest.fixture
def server() -> Iterator[SlackServer]:
    times = iter(range(1_780_300_800, 1_790_000_000))
    with SlackServer(clock=lambda: next(times)) as running:
        yield running
        assert running.errors == [], "the stand-in itself failed"


@pytest.fixture
def client(server: SlackServer) -> WebClient:
    return WebClient(token="xoxb-sandbox", base_url=f"{server.url}/api/")
