"""Every page against axe-core, the rules of WCAG 2.2 A and AA and its best practices, in a real browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pages.page_server import PageServer
from tests.pages.test_pages_in_a_browser import LOOKS, PAGES, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

AXE = "axe-core@4.14.1"
_CACHE = Path(__file__).parents[2] / "build" / "npm" / AXE


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's source, installed once by npm into build/. Without npm or a registry these tests are skipped."""
    source = _CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm on this machine: axe-core cannot be installed")
        _CACHE.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(_CACHE), "--ignore-scripts", "--no-audit", "--no-fund", AXE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("npm could not install axe-core in two minutes")
        if done.returncode != 0:
            pytest.skip(f"npm could not install axe-core: {done.stderr.strip()[-200:]}")
    return source.read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[str]:
    """What axe finds, one line each. axe comes in by the debugger, so the page's policy stays in force."""
    page.evaluate(axe + "\n;0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], "axe has looked at nothing"
    return [f"{v['id']}: {v['help']} at {v['nodes'][0]['target']}" for v in found["violations"]]


@pytest.mark.parametrize("name", list(PAGES))
def test_no_page_has_an_accessibility_violation(name: str, browser: Browser, server: PageServer, axe: str) -> None:
    with opened(browser, server.show(f"/{name}", PAGES[name])) as page:
        while (closed := page.locator("details:not([open]) summary")).count():
            closed.first.click()
        for width, scheme in (LOOKS[0], LOOKS[-1]):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert violations(page, axe) == []


def test_axe_does_find_what_is_wrong(browser: Browser, server: PageServer, axe: str) -> None:
    bad = "<!doctype html><html><head><title>x</title></head><body><main><h1>x</h1><input></main></body></html>"
    with opened(browser, server.show("/bad", bad)) as page:
        assert {line.partition(":")[0] for line in violations(page, axe)} >= {"html-has-lang", "label"}
