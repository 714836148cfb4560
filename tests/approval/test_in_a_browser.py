"""Finance in a real browser, without script: hold two of forty, two slots with three people, second and late clicks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.approval.asked import ANN, BOB, CY, DI, asked_of, links, slept
from tests.conftest import SCREENSHOTS
from tests.played.firm import PERIOD
from tests.played.story import SECONDS, live
from tests.sandbox import Run, Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PHONE, DESKTOP = 375, 1280


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with asked_of(f"Lead: {ANN}, {CY}; Controller: {BOB}", orders=40, DelegateDomains="firm.example") as opened:
        yield opened


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    started = sandbox.start({"period": PERIOD})
    sandbox.wait_for_approval(started, SECONDS)
    return started


@contextmanager
def page_of(browser: Browser, link: str, width: int = DESKTOP) -> Iterator[Page]:
    """The link in a window of its own, without JavaScript."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(link)
    yield page
    context.close()


def test_two_of_forty_are_held_on_a_phone_and_the_rest_is_approved(
    browser: Browser, sandbox: Sandbox, run: Run
) -> None:
    with page_of(browser, links(sandbox, run)[BOB], PHONE) as page:
        for number, left in (("SO-7", "39"), ("SO-9", "38")):
            page.get_by_text("Hold individual orders").click()
            page.get_by_label("Which order should be held? Type its number").fill(number)
            page.locator("#hold-reason").fill("Hours are not final.")
            page.get_by_role("button", name="Hold this order").click()
            assert f"Order {number} is on hold." in page.get_by_role("status").inner_text()
            assert page.get_by_role("button", name=f"Approve {left} invoices").is_visible()
        page.screenshot(path=SCREENSHOTS / "held-two-of-forty-phone.png", full_page=True)
        page.get_by_label("To approve, type the number of invoices").fill("40")
        page.get_by_role("button", name="Approve 38 invoices").click()
        assert "Your answer was not accepted" in page.inner_text("body")
        page.get_by_label("To approve, type the number of invoices").fill("38")
        page.get_by_role("button", name="Approve 38 invoices").click()
        assert "You approved 38 invoices" in page.inner_text("h1")
        page.screenshot(path=SCREENSHOTS / "one-slot-of-two-signed-phone.png", full_page=True)
    assert sandbox.is_waiting(run), "the other slot has not signed"


def test_the_other_slot_signs_by_keyboard_alone_and_second_and_late_clicks_show_how_it_stands(
    browser: Browser, sandbox: Sandbox, run: Run
) -> None:
    with page_of(browser, links(sandbox, run)[ANN]) as page:
        assert f"{BOB} put SO-7 on hold" in page.inner_text("body")
        page.screenshot(path=SCREENSHOTS / "the-others-see-the-holds.png", full_page=True)
        page.locator("#typed-invoices").focus()
        page.keyboard.type("38")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
        assert "Approved: 38 invoices" in page.inner_text("h1")
    for person in (ANN, CY, BOB):
        with page_of(browser, links(sandbox, run)[person]) as page:
            assert "Approved: 38 invoices" in page.inner_text("h1")
            assert page.locator("form[method=post]").count() == 0
            page.screenshot(path=SCREENSHOTS / f"late-click-{person.partition('@')[0]}.png", full_page=True)
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox)) == 38


def test_what_was_held_comes_back_is_passed_on_and_rejected_by_keyboard(browser: Browser, sandbox: Sandbox) -> None:
    assert len(live(sandbox)) == 38
    run = sandbox.start({"period": "2026-06"})
    sandbox.wait_for_approval(run, SECONDS)
    with page_of(browser, links(sandbox, run)[ANN]) as page:
        page.get_by_text("Delegate to someone else").click()
        page.get_by_label("Who should decide in your place?").fill(DI)
        page.get_by_label("To delegate, type the number of invoices").fill("2")
        page.screenshot(path=SCREENSHOTS / "passing-on.png", full_page=True)
        page.get_by_role("button", name="Delegate", exact=True).click()
        assert f"You delegated this request to {DI}" in page.inner_text("main")
    slept(sandbox, run, 2)
    with page_of(browser, links(sandbox, run)[DI]) as page:
        page.locator("#typed-invoices").focus()
        for key in ("Tab", "Tab", "Tab", "Enter", "Tab"):
            page.keyboard.press(key)
        page.keyboard.type("Both were paid in advance.")
        page.keyboard.press("Tab")
        page.keyboard.type("2")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
        assert "Rejected: 2 invoices" in page.inner_text("h1")
        assert f"Rejected by {DI}" in page.inner_text("main")
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "ApprovalRejected")
    what = [line["what"] for line in sandbox.report(run)["record"]]
    assert f"delegated the request to {DI}" in what
    told = [mail.to[0] for mail in sandbox.mails()[run.mails_before :] if mail.subject.startswith("Rejected")]
    assert sorted(told) == [ANN, BOB, CY, DI], "whoever passed it on hears as well"


def test_the_inbox_in_a_browser(browser: Browser, sandbox: Sandbox, run: Run) -> None:
    mail = next(mail for mail in sandbox.mails()[run.mails_before :] if mail.to[0] == BOB and len(mail.links) > 1)
    inbox = next(link for link in mail.links if "/inbox/" in link)
    with page_of(browser, inbox) as page:
        assert "You approved on" in page.inner_text("main")
        page.screenshot(path=SCREENSHOTS / "inbox.png", full_page=True)
        page.locator("main a").last.click()
        assert "Approved: 38 invoices" in page.inner_text("h1")
