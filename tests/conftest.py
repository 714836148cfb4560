"""What tests of several folders share: an empty AWS account, a clock that moves, and one real browser for all tests of
a worker (Playwright drives one event loop a process)."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# The logger, the tracer and the metrics read these when they are imported, as in Lambda.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "billing-test")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "billing-test")
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.adapters.aws_world import AwsWorld
    from tests.workflows.moving_clock import MovingClock

# Its tests are played in two worlds, from two modules.
pytest.register_assert_rewrite("tests.played.settled_money")

# Everybody who runs the tests sees the same cases; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# moto's world is large and lives as long as the test: looking through it for garbage costs a twentieth of all time.
gc.set_threshold(100_000, 50, 100)

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or Path(__file__).parents[1] / "build" / "ci" / "screenshots")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_OPEN_SANDBOXES = ("tests/played/", "tests/approval/", "tests/docs/", "tests/sandbox_tests/aws/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers side by side begin with the modules that take long, so that the short ones fill up the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(_OPEN_SANDBOXES))


@pytest.fixture
def aws() -> Iterator[AwsWorld]:
    """An empty AWS account in moto."""
    from tests.adapters.aws_world import aws_world

    with aws_world() as world:
        yield world


@pytest.fixture
def clock() -> MovingClock:
    from tests.workflows.moving_clock import MovingClock

    return MovingClock()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it; CHROMIUM names another one. Without it the browser's tests are skipped."""
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium on this machine: install Debian's package chromium, or name one in CHROMIUM")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where CI keeps pictures."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS
