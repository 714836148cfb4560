"""An approver in a real browser: the mail's link, the page, the number, the button, the confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import SCREENSHOTS
from tests.played.firm import NOW
from tests.played.story import SECONDS
from tests.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_an_approver_signs_in_a_browser_and_the_month_is_billed(browser: Browser) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with Sandbox("services_firm", now=NOW, retry_delay_scale=0.02) as sandbox:
        run = sandbox.fire_schedule()
        link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
        context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
        page = context.new_page()
        asked_for: list[str] = []
        page.on("request", lambda request: asked_for.append(request.url))
        page.goto(link)
        page.screenshot(path=SCREENSHOTS / "approval_page_in_the_sandbox.png")
        page.locator('input[name="invoices"]').fill("30")
        page.locator('button[value="approve"]').click()
        assert "type the number of invoices" in page.inner_text("body")
        assert sandbox.is_waiting(run)
        page.locator('input[name="invoices"]').fill("31")
        page.locator('button[value="approve"]').click()
        page.screenshot(path=SCREENSHOTS / "approval_confirmed_in_the_sandbox.png", full_page=True)
        assert "approved" in page.inner_text("body").lower()
        assert page.locator('button[value="approve"]').count() == 0
        assert {url for url in asked_for if not url.startswith(link)} == set(), "the page loads nothing from elsewhere"
        assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
        assert len(sandbox.drafts()) == 31
        page.goto(link)
        assert page.locator("form[method=post]").count() == 0
        context.close()
