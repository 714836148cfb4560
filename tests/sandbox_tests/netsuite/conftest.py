from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.sandbox.netsuite import NetSuiteServer, World, load_world
from tests.sandbox_tests.netsuite.account_client import Account, MovableClock

StartAccount = Callable[..., Account]


@pytest.fixture
def start_account() -> Iterator[StartAccount]:
    """Start servers with a world (or the name of one) and options; they are closed after the test."""
    with ExitStack() as stack:

        def start(world: World | str = "tiny", **options: object) -> Account:
            clock = MovableClock()
            loaded = load_world(world) if isinstance(world, str) else world
            server = stack.enter_context(NetSuiteServer(loaded, clock, **options))  # type: ignore[arg-type]
            return Account(server, clock)

        yield start


@pytest.fixture
def tiny(start_account: StartAccount) -> Account:
    return start_account("tiny")


@pytest.fixture
def firm(start_account: StartAccount) -> Account:
    return start_account("services_firm")
