"""A server for the browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.page_server import PageServer, serving


@pytest.fixture
def server() -> Iterator[PageServer]:
    """Serves what a test gives it."""
    with serving() as page_server:
        yield page_server
