"""Promises that only a real browser can keep: layout, keyboard, policy, print. Pictures go to build/ci/screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from billing.domain.approval.approval_entries import Entry, EntryKind, request_now, with_holds
from billing.domain.approval.approval_inbox import InboxItem
from billing.domain.approval.approval_request import RecordedOutcome, RunEnd
from billing.domain.approval.approvers import Answer
from billing.domain.batch.batch import Batch
from billing.domain.invoices.plan_record import with_lines
from billing.domain.runs.report import RecordLine, Report, RunOutcome, count_orders, report_lines, sum_amounts
from billing.pages.approval.approval_mail import Invitation, approval_mail
from billing.pages.approval.approval_page import (
    Posted,
    altered_page,
    approval_page,
    ended_page,
    invalid_link_page,
    status_page,
    trouble_page,
)
from billing.pages.approval.approval_view import changes_words, held_orders
from billing.pages.approval.inbox_page import inbox_page
from billing.pages.rendering import Shown, page_csp
from billing.pages.report.report_page import report_page
from tests.pages import samples
from tests.pages.page_server import Desk, PageServer
from tests.pages.test_approval_page import hostile_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

AT = "2026-06-02T08:00:00+00:00"
PHONE, DESKTOP = 375, 1280
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (DESKTOP, "light"),
    (DESKTOP, "dark"),
    (PHONE, "light"),
    (PHONE, "dark"),
)


LINES = "e => { const all = document.createRange(); all.selectNodeContents(e); return all.getClientRects().length }"
"""On how many lines an element's text stands."""


@contextmanager
def opened(browser: Browser, url: str, width: int = DESKTOP, **options: Any) -> Iterator[Page]:
    """`url` in a window of its own. Whatever the browser complained about fails the test: a refused style, an error."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    # A refused answer is 422 in the product and 200 here; favicons are asked for by the browser itself.
    assert [c for c in complaints if "favicon" not in c and "404" not in c] == []


def desk(size: int = 40) -> Desk:
    batch = samples.beside_last_year(samples.month(size))
    return Desk(batch, samples.request(batch))


def held_page() -> Shown:
    """The page of somebody who signed before two orders were held back, one of them just now by herself."""
    opened = samples.month()
    keys = [invoice.plan.key for invoice in opened.to_draft[:2]]
    entries = [
        Entry(EntryKind.HOLD, samples.CY, AT, "Hours are not final.", "SO-1001", (keys[0],)),
        Entry(EntryKind.HOLD, samples.ANN, AT, "The client asked for June.", "SO-1002", (keys[1],)),
    ]
    batch = with_holds(opened, entries)
    view = samples.view(
        request_now(samples.request(opened), entries),
        changes=changes_words(entries),
        held=held_orders(entries),
        delegate_domains=["partner.example"],
        signed_before=True,
    )
    return approval_page(view, batch, Posted(said="The order SO-1002 is held back."))


def inbox_sample() -> Shown:
    """One that waits, one that was approved, one that was passed on."""
    request = samples.request(samples.month())
    done = RecordedOutcome("approved", "Every slot has signed.", AT)
    tally = samples.tally_of([])
    items = [
        InboxItem(request, None, tally, None, "", True, "abc"),
        InboxItem(request, done, tally, samples.vote(samples.ANN), "", False, "def"),
        InboxItem(request, None, tally, None, "di@partner.example", False, "ghi"),
    ]
    return inbox_page(samples.ANN, items, samples.NOW)


def with_record() -> Report:
    """A report of a month in which something was held back."""
    line = RecordLine(AT, samples.CY, "held back SO-1001", "Hours are not final.", samples.SHA)
    return replace(samples.report(), record=(RecordLine(AT, "", "opened the request run-1.1"), line))


def standing(
    votes: list[Any], outcome: RecordedOutcome | None = None, just_signed: bool = False, passed_to: str = ""
) -> Shown:
    batch = samples.month()
    view = samples.view(samples.request(batch), votes, outcome=outcome, passed_to=passed_to)
    return status_page(view, batch, Posted(just_signed=just_signed))


def ended(outcome: RecordedOutcome | None, taken_off: bool) -> Shown:
    """What a link shows that has ended."""
    asked, votes = samples.request(samples.month()), [samples.vote(samples.ANN)]
    end = RunEnd("billed", "2026-06-02T09:10:00+00:00", 36, 0, 1) if outcome else None
    return ended_page(samples.view(asked, votes, outcome=outcome, end=end), votes[0], taken_off=taken_off)


def ended_orders_page() -> Shown:
    """A narrowed run's page with an order that a person has ended, and one that an earlier report has named."""
    narrowed = {"subsidiaries": ["3"], "customerCategories": ["5"], "customFields": {"custbody_billing_group": "A"}}
    batch = replace(
        samples.month(),
        run=samples.run_frame(filter=narrowed),
        ended=(samples.ended("SO-1800"), samples.ended("SO-1801", "an-earlier-run")),
    )
    found = Desk(batch, samples.request(batch)).get({})
    assert isinstance(found, Shown)
    return found


def ended_orders_report() -> Report:
    """The report of that run."""
    batch = replace(samples.month(), ended=(samples.ended("SO-1800"), samples.ended("SO-1801", "an-earlier-run")))
    told = samples.report()
    lines = report_lines(batch, samples.entries(batch), samples.RUN_ID, True, "", {})
    return replace(told, lines=lines, listed=told.listed + 2, counts=count_orders(lines), totals=sum_amounts(lines))


def every_page() -> dict[str, Any]:
    """Each kind of page, as it is served."""
    at_desk = desk()
    missing = samples.report(RunOutcome.MISSING, failing={"order-5003": "Stripe refused line 2: its text is too long."})
    no = "SO-1004 is wrong: Kestrel has paid a deposit."
    rejected = [samples.vote(samples.ANN), samples.vote(samples.CY, Answer.REJECT, no)]
    approved = [samples.vote(samples.ANN), samples.vote(samples.CY, at="2026-06-01T11:40:00+00:00")]
    first = at_desk.get({})
    found = at_desk.get({"q": "kestrel"})
    assert isinstance(first, Shown)
    assert isinstance(found, Shown)
    return {
        "approval": first,
        "approval-found": found,
        "approval-unbilled": at_desk.get({"show": "unbilled", "lines": "open"}),
        "approval-one-order": at_desk.get({"hold": "order-5001"}),
        "approval-one-order-mistake": at_desk.post({"answer": "hold", "picked": "order-5001", "reason": "Not yet."}),
        "preview": samples.preview(at_desk.batch),
        "approval-mistake": at_desk.post({"answer": "approve", "invoices": "35"}),
        "approval-no-reason": at_desk.post({"answer": "reject", "reason": " "}),
        "approval-hostile": hostile_page(),
        "standing-signed": standing([samples.vote(samples.ANN)], just_signed=True),
        "standing-approved": standing(approved, RecordedOutcome("approved", "Every slot has signed.", AT)),
        "standing-rejected": standing(rejected, RecordedOutcome("rejected", no, AT)),
        "approval-held": held_page(),
        "standing-passed-on": standing([], passed_to="di@partner.example"),
        "standing-undeliverable": standing([], RecordedOutcome("undeliverable", "Mail does not reach Cy.", AT)),
        "inbox": inbox_sample(),
        "report-with-record": report_page(
            with_record(), "https://console.example/arn", "https://dashboard.stripe.com/test"
        ),
        "standing-expired": standing([], RecordedOutcome("expired", "No decision before the deadline.", AT)),
        "approval-ended-orders": ended_orders_page(),
        "report-ended-orders": report_page(ended_orders_report(), "https://console.example/arn", "https://x.example"),
        "link-expired": ended(RecordedOutcome("approved", "Every slot has signed.", AT), taken_off=False),
        "link-taken-off": ended(None, taken_off=True),
        "altered": altered_page(),
        "invalid": invalid_link_page(),
        "trouble": trouble_page("Root=1-6657a3c0-1f2e3d4c"),
        "report": report_page(missing, "https://console.example/arn", "https://dashboard.stripe.com/test"),
    }


PAGES = every_page()


@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_is_drawn_under_its_policy_and_fits_a_desktop_and_a_phone(
    name: str, browser: Browser, server: PageServer, screenshots: Path
) -> None:
    with opened(browser, server.show(f"/{name}", PAGES[name])) as page:
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            # The stylesheet is in force: without it the body is transparent.
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
                "rgb(246, 246, 243)" if scheme == "light" else "rgb(18, 23, 28)"
            )
            if width == PHONE:
                height = min(3_000, page.evaluate("document.documentElement.scrollHeight"))
                page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png")
        page.pdf(path=screenshots / f"{name}-printed.pdf", format="A4")
    assert [path for path in server.requested if not path.endswith(("favicon.ico", f"/{name}"))] == []


def test_a_page_whose_style_was_altered_is_drawn_without_it(browser: Browser, server: PageServer) -> None:
    first = PAGES["approval"]
    assert isinstance(first, Shown)
    altered = Shown(first.html.replace("<style>", "<style>body{background:red}"), page_csp())
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.show("/altered", altered))
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    context.close()


def test_amounts_never_break_over_two_lines(browser: Browser, server: PageServer) -> None:
    plans = [samples.plan(n, currency=c, lines=1) for n, c in enumerate(("usd", "jpy", "kwd", "eur"))]
    big = [replace(p.lines[0], amount=99_999_999_990) for p in plans]
    batch = Batch(
        samples.run_frame(),
        tuple(samples.invoice(with_lines(p, [line])) for p, line in zip(plans, big, strict=True)),
        (),
    )
    url = server.open_desk("/big", Desk(batch, samples.request(batch)))
    for width in (DESKTOP, 1000, PHONE, 320):
        with opened(browser, url, width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == width
            for amount in page.locator(".total dd:not(.compared), .sheet .sum").all():
                assert amount.evaluate(LINES) == 1
                assert amount.evaluate(
                    "e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display == 'inline'"
                )


def test_an_approver_approves_by_typing_the_number(browser: Browser, server: PageServer, screenshots: Path) -> None:
    at_desk = desk()
    with opened(browser, server.open_desk("/link", at_desk)) as page:
        page.get_by_label("To approve, type the number of invoices").fill("36")
        page.get_by_role("button", name="Approve 36 invoices").click()
        assert page.get_by_role("heading", level=1).inner_text() == "You approved 36 invoices for May 2026"
        assert "Your answer is recorded." in page.get_by_role("status").inner_text()
        page.screenshot(path=screenshots / "flow-approved.png", full_page=True)
    (sent,) = at_desk.posts
    assert sent == {
        "content": samples.SHA,
        "day": "2026-06-01",
        "invoices": "36",
        "comment": "",
        "note": "",
        "answer": "approve",
    }


def test_an_approver_rejects_with_a_reason(browser: Browser, server: PageServer, screenshots: Path) -> None:
    at_desk = desk()
    with opened(browser, server.open_desk("/link", at_desk), PHONE) as page:
        page.get_by_text("Reject instead").click()
        page.get_by_label("Why is it rejected?").fill("SO-1004 is wrong.\nAsk Bob.")
        page.screenshot(path=screenshots / "flow-rejecting-phone.png")
        page.get_by_role("button", name="Reject the whole batch").click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("Rejected:")
        assert "SO-1004 is wrong. Ask Bob." in page.locator("main").inner_text()
    assert [vote.answer for vote in at_desk.votes] == [Answer.REJECT]


def test_an_unfilled_form_decides_nothing_and_the_mistake_has_the_focus(browser: Browser, server: PageServer) -> None:
    at_desk = desk()
    with opened(browser, server.open_desk("/link", at_desk)) as page:
        page.get_by_role("button", name="Approve 36 invoices").click()
        page.wait_for_function("document.activeElement.getAttribute('role') === 'alert'")
        assert page.title().startswith("Not signed")
        page.get_by_role("link", name="Go to the field").click()
        assert page.evaluate("document.activeElement.id") == "typed-invoices"
        assert page.get_by_label("To approve, type the number of invoices").input_value() == ""
    assert at_desk.votes == []


def test_the_whole_page_can_be_used_by_keyboard_alone(browser: Browser, server: PageServer) -> None:
    at_desk = desk()
    with opened(browser, server.open_desk("/link", at_desk)) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reached: list[str] = []
        for _ in range(400):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", reached[-1]
            if reached[-1] == "typed-invoices":
                break
        assert reached[:3] == ["Review first", "Invoices", "Approve or reject"]
        signals = reached[3 : reached.index("q")]
        assert signals[0].startswith("Above the upper bound (")
        assert signals[-1].startswith("Lines and total differ (1)")
        tools = ["q", "Search", "Open all lines", "All rows, to print", "Everything as CSV", "All 36"]
        assert reached[reached.index("q") :][: len(tools)] == tools
        # Each row is two stops: its lines, and its hold.
        assert len([one for one in reached if one.startswith("Hold")]) == 36
        page.keyboard.type("36")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
    assert [vote.answer for vote in at_desk.votes] == [Answer.APPROVE]


def test_a_rejection_can_be_typed_by_keyboard_alone(browser: Browser, server: PageServer) -> None:
    at_desk = desk()
    with opened(browser, server.open_desk("/link", at_desk)) as page:
        page.locator("#typed-invoices").focus()
        for key in ("Tab", "Tab", "Tab", "Enter", "Tab"):
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == "reason"
        page.keyboard.type("No.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
    assert [(vote.answer, vote.reason) for vote in at_desk.votes] == [(Answer.REJECT, "No.")]


def test_searching_and_turning_pages_are_links_and_forms_that_change_nothing(
    browser: Browser, server: PageServer, screenshots: Path
) -> None:
    at_desk = desk(250)
    with opened(browser, server.open_desk("/link", at_desk)) as page:
        assert page.locator(".sheet tbody tr.lines").count() == 50
        page.get_by_role("link", name="Next").first.click()
        assert "page 2 of 5" in page.locator("main").inner_text()
        below = page.get_by_role("navigation", name="Pages of invoices", exact=True)
        assert below.locator("[aria-current=page]").count() == 1
        page.screenshot(path=screenshots / "flow-page-2.png")
        page.get_by_label("Client or order number").fill("øresund so-1007")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator(".sheet .numbers").all_inner_texts() == ["SO-1007"]
        page.get_by_role("link", name="Show all").click()
        assert page.locator(".sheet tbody tr.lines").count() == 50
        page.get_by_role("columnheader", name="Client").get_by_role("link").click()
        assert page.get_by_role("columnheader", name="Client").get_attribute("aria-sort") == "ascending"
        with page.expect_download() as download:
            page.get_by_role("link", name="Everything as CSV").click()
        assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
    assert [path for path in server.requested if not path.startswith("GET ")] == []
    assert at_desk.votes == []


def test_the_decision_is_beside_the_invoices_on_a_wide_window_and_after_them_on_a_phone(
    browser: Browser, server: PageServer
) -> None:
    url = server.open_desk("/link", desk())
    with opened(browser, url) as page:
        page.mouse.wheel(0, 1200)
        page.wait_for_function("scrollY > 900")
        assert page.get_by_role("button", name="Approve 36 invoices").is_visible()
        box = page.locator(".decide").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 900
    with opened(browser, url, PHONE) as page:
        invoices, decide = page.locator(".invoices").bounding_box(), page.locator(".decide").bounding_box()
        assert invoices is not None
        assert decide is not None
        assert decide["y"] >= invoices["y"] + invoices["height"]


def test_a_row_opens_its_lines_without_a_script_by_click_and_by_key(browser: Browser, server: PageServer) -> None:
    with opened(browser, server.open_desk("/link", desk()), java_script_enabled=False) as page:
        lines = page.locator("#r2 + .lines")
        assert not lines.is_visible()
        page.locator("#r2 summary").click()
        assert lines.is_visible()
        assert "Total" in lines.inner_text()
        page.keyboard.press("Enter")
        assert not lines.is_visible()
        page.set_viewport_size({"width": PHONE, "height": 900})
        page.keyboard.press("Space")
        assert lines.is_visible()


def test_an_order_is_held_by_a_click_in_its_row_a_reason_and_the_number(
    browser: Browser, server: PageServer, screenshots: Path
) -> None:
    at_desk = desk()
    with opened(browser, server.open_desk("/link", at_desk), PHONE) as page:
        page.locator("#r2").get_by_role("button", name="Hold").click()
        assert page.get_by_role("heading", name="Hold SO-1002?").is_visible()
        assert page.get_by_label("Why?").first.input_value() == ""
        page.screenshot(path=screenshots / "flow-holding-phone.png")
        assert at_desk.posts == []
        page.locator("#one-reason").fill("Hours are not final.")
        page.locator("#one-number").fill("36")
        page.get_by_role("button", name="Hold this order").click()
        assert "on hold" in page.get_by_role("status").inner_text()
    (sent,) = at_desk.posts
    assert sent == {
        "content": samples.SHA,
        "day": "2026-06-01",
        "picked": "order-5001",
        "reason": "Hours are not final.",
        "number": "36",
        "note": "",
        "answer": "hold",
    }


def test_one_screen_of_a_phone_has_the_totals_what_to_review_and_the_way_to_sign(
    browser: Browser, server: PageServer, screenshots: Path
) -> None:
    with opened(browser, server.open_desk("/link", desk(33)), 390) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=screenshots / "approval-one-screen-phone.png")
        sign = page.get_by_role("link", name="Approve or reject").bounding_box()
        assert sign is not None
        assert sign["y"] + sign["height"] <= 844
        for seen in (".total:last-child", ".signals > li:first-child", "#unbilled-title"):
            box = page.locator(seen).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < sign["y"], seen
        # A fifth of what they took with every line shown: 12,172 on a desktop and 20,972 on a phone.
        assert page.evaluate("document.documentElement.scrollHeight") < 4_000
        page.set_viewport_size({"width": DESKTOP, "height": 900})
        assert page.evaluate("document.documentElement.scrollHeight") < 2_500


def test_who_signs_is_in_sight_on_a_small_laptop(browser: Browser, server: PageServer) -> None:
    with opened(browser, server.open_desk("/link", desk()), 1366) as page:
        page.set_viewport_size({"width": 1366, "height": 650})
        for words in ("Who signs", "Still to sign: Finance lead, Controller."):
            box = page.locator(".decide").get_by_text(words).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < 650


def test_the_page_prints_with_every_invoice_and_without_its_buttons(
    browser: Browser, server: PageServer, screenshots: Path
) -> None:
    with opened(browser, server.open_desk("/link", desk()), color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert not page.get_by_role("button", name="Approve 36 invoices").is_visible()
        assert page.locator(".sheet tbody .who").last.is_visible()
        # What is folded away on the screen is on the paper.
        assert page.get_by_text("20.00 apart").first.is_visible()
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        page.pdf(path=screenshots / "approval-printed.pdf", format="A4")
    printed = (screenshots / "approval-printed.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") > 1


def test_the_mail_reads_well_on_a_desktop_and_a_phone(browser: Browser, server: PageServer, screenshots: Path) -> None:
    batch = samples.month()
    html = approval_mail(
        Invitation(samples.request(batch), batch, samples.ANN, "https://billing.example/approvals/x")
    ).html
    url = server.show("/mail", html)
    for width in (800, PHONE):
        with opened(browser, url, width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == width
            page.screenshot(path=screenshots / f"mail-{width}.png", full_page=True)
