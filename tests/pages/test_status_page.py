"""Promises of the page that a link shows when there is nothing (more) to answer, and of the two that say no."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer, Slot, Vote
from billing.pages.approval.approval_page import invalid_link_page, status_page, trouble_page
from tests.pages import samples
from tests.pages.parsed_page import Element, parse

LATER = datetime(2026, 6, 9, tzinfo=UTC)
AT = "2026-06-02T08:00:00+00:00"


def tree(
    votes: list[Vote],
    outcome: RecordedOutcome | None = None,
    approver: str = samples.ANN,
    now: datetime = samples.NOW,
    **options: Any,
) -> Element:
    batch = samples.month()
    posted = samples.posted(options)
    shown = options.pop("batch", batch)
    view = samples.view(samples.request(batch), votes, approver, now, outcome=outcome, **options)
    return parse(status_page(view, shown, posted).html)


def test_after_signing_the_page_confirms_what_was_signed_and_who_is_still_to_sign() -> None:
    page = tree([samples.vote(samples.ANN)], just_signed=True)
    assert page.first("h1").text == "You approved 36 invoices for May 2026"
    assert "Your answer is recorded." in page.first("div", role="status").text
    assert "Still to sign: Controller." in page.text
    assert samples.SHA in page.text
    assert page.first("dl", class_="totals").text.count("USD") == 1


def test_a_second_click_shows_the_state_without_the_confirmation() -> None:
    page = tree([samples.vote(samples.ANN)])
    assert list(page.all("div", role="status")) == []
    assert "You approved 36 invoices on 1 June 2026, 10:15 UTC." in page.text


def test_when_everybody_has_signed_the_page_says_that_drafting_goes_on() -> None:
    votes = [samples.vote(samples.ANN), samples.vote(samples.CY)]
    outcome = RecordedOutcome("approved", "Every slot has signed.", AT)
    page = tree(votes, outcome)
    assert page.first("h1").text == "Approved: 36 invoices for May 2026"
    assert "being drafted in Stripe" in page.text
    assert "nothing is sent to clients before that" in page.text
    assert "Stripe finalizes and sends them automatically" in tree(votes, outcome, finalizes=True).text
    assert "Closed on 2 June 2026, 08:00 UTC" in page.text


def test_a_rejection_names_who_and_why_and_that_nothing_is_drafted() -> None:
    votes = [samples.vote(samples.ANN), samples.vote(samples.CY, Answer.REJECT, "SO-1004 is wrong")]
    page = tree(votes, RecordedOutcome("rejected", "SO-1004 is wrong", AT))
    assert page.first("h1").text.startswith("Rejected:")
    assert "Rejected by cy@firm.example." in page.text
    assert "SO-1004 is wrong" in page.text
    assert "Nothing is drafted and nothing is billed." in page.text
    assert "You approved 36 invoices" in page.text


def test_a_slot_that_did_not_sign_is_never_shown_as_done_after_a_rejection() -> None:
    page = tree([samples.vote(samples.CY, Answer.REJECT, "no")], RecordedOutcome("rejected", "no", AT))
    assert [item.attributes["class"] for item in page.first("ul", class_="slots").all("li")] == ["waits", "rejected"]


def test_expired_is_told_apart_from_rejected_recorded_or_not() -> None:
    for outcome in (RecordedOutcome("expired", "No decision before the deadline.", AT), None):
        page = tree([], outcome, now=LATER)
        assert page.first("h1").text.startswith("Expired:")
        assert "by 8 June 2026, 09:00 UTC" in page.text
        assert "Nothing is drafted" in page.text
        assert "eject" not in page.text
        assert "You did not answer" in page.text


def test_an_end_that_this_page_does_not_know_is_told_with_its_reason() -> None:
    page = tree([], RecordedOutcome("abandoned", "No mail reached the controller.", AT))
    assert "Ended (abandoned)" in page.first("h1").text
    assert "No mail reached the controller." in page.text


def test_whoever_is_not_asked_any_more_is_told_so() -> None:
    page = tree([samples.vote("di@firm.example")], approver="di@firm.example")
    assert "is in no slot" in page.text
    assert "Still to sign: Finance lead, Controller." in page.text
    page = tree([], approver="di@firm.example")
    assert "You are not one of the approvers of this batch" in page.text


def test_the_state_is_told_even_when_the_batch_file_is_gone() -> None:
    page = tree([samples.vote(samples.ANN)], batch=None)
    assert "You approved 36 invoices for May 2026" in page.first("h1").text
    assert list(page.all("dl", class_="totals")) == []


def test_nothing_can_be_posted_from_a_page_that_only_tells() -> None:
    assert list(tree([samples.vote(samples.ANN)]).all("form")) == []
    for shown in (invalid_link_page(), trouble_page("x")):
        assert list(parse(shown.html).all("form")) == []


def test_hostile_reasons_stay_text() -> None:
    votes = [samples.vote(samples.ANN, Answer.REJECT, samples.HOSTILE)]
    page = tree(votes, RecordedOutcome("rejected", samples.HOSTILE, AT))
    assert list(page.all("script")) == []
    assert list(page.all("img")) == []
    assert "alert('x')" in page.text


def test_the_page_for_links_that_are_not_valid_is_the_same_bytes_always() -> None:
    first, second = invalid_link_page(), invalid_link_page()
    assert first.html.encode() == second.html.encode()
    assert first.headers == second.headers


def test_the_page_for_links_that_are_not_valid_gives_no_hint_which_kind_it_was() -> None:
    text = parse(invalid_link_page().html).text.lower()
    for hint in ("forged", "unknown", "signature", "expired", "run ", "revoked"):
        assert hint not in text
    assert "ask whoever sent you the email" in text


def test_trouble_names_the_reference_and_that_nothing_was_changed() -> None:
    page = parse(trouble_page("1-abc<script>").html)
    assert page.first("code").text == "1-abc<script>"
    assert "Nothing was changed" in page.text


def test_a_slot_is_done_only_when_enough_have_signed_for_exactly_this_content() -> None:
    slots = (Slot("Board", 2, (samples.ANN, samples.BOB, samples.CY)),)
    batch = samples.month()
    other = replace(samples.vote(samples.BOB), request_hash="0" * 64)
    for votes, state in (
        ([samples.vote(samples.ANN)], "waits"),
        ([samples.vote(samples.ANN), samples.vote(samples.ANN)], "waits"),
        ([samples.vote(samples.ANN), other], "waits"),
        ([samples.vote(samples.ANN), samples.vote(samples.BOB)], "done"),
    ):
        shown = status_page(samples.view(samples.request(batch, slots), votes), batch)
        (item,) = parse(shown.html).first("ul", class_="slots").all("li")
        assert item.attributes["class"] == state
        assert ("bob@firm.example approved" in item.text) == (state == "done")
