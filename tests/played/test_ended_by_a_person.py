"""Orders that a person has ended, month after month: named once with who and why, counted after that, asked about again
when they change, and never drafted meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.played.firm import ANN, OWNER, client, firm, order
from tests.played.story import decided, deployed, live, posted
from tests.played.test_months_played_through import fates, page_text, reason, report_of

JULY = datetime(2026, 7, 1, 13, 0, 30, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, 13, 0, 30, tzinfo=UTC)
BY_HAND = {"reason": "billed by hand", "by": ANN}


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    """May: SO-1 drafted, SO-2 held back, SO-3 a problem (no address), SO-4 to SO-6 held back. SO-2, SO-3 and SO-6 are
    ended before June's run; SO-4 while June's request waits. SO-2 grows in July."""
    held = (2, 4, 5, 6)
    world = firm(
        [order(place, customer=77 if place == 3 else place) for place in range(1, 7)]
        + [order(8, date="2026-06-15"), order(9, date="2026-07-15")],
        clients=[client(77, email=None)],
    )
    seen: dict[str, Any] = {}
    with deployed(world) as sandbox:
        may = sandbox.fire_schedule()
        link = sandbox.page_links(sandbox.wait_for_approval(may, 120)[0])[0]
        for place in held:
            posted(sandbox, link, "hold", {"order": f"SO-{place}", "reason": "Not certain yet."})
        seen["may"] = decided(sandbox, may), report_of(sandbox, may)

        ended = [sandbox.invoke("EndTheOrderFunction", {"order": f"SO-{place}", **BY_HAND}) for place in (2, 3, 6)]
        seen["answers"] = [(one["order"], one["state"]) for one in ended]
        sandbox.clock.move_to(JULY)
        june = sandbox.fire_schedule()
        seen["june page"] = page_text(sandbox, june)
        sandbox.invoke("EndTheOrderFunction", {"order": "SO-4", **BY_HAND})
        seen["june"] = decided(sandbox, june), report_of(sandbox, june)
        seen["june mail"] = next(one.text for one in reversed(sandbox.mails()) if OWNER in one.to)

        sandbox.netsuite.edit_line("SO-2", 1, quantity="5")
        sandbox.invoke("EndTheOrderFunction", {"order": "SO-6", "reason": "a mistake", "by": ANN, "open_again": True})
        sandbox.clock.move_to(AUGUST)
        july = sandbox.fire_schedule()
        seen["july page"] = page_text(sandbox, july)
        seen["july"] = decided(sandbox, july), report_of(sandbox, july)
        seen["drafts"] = sorted(one["metadata"]["netsuite_so_number"] for one in live(sandbox))
    return seen


def test_what_is_ended_is_answered_in_a_sentence(played: dict[str, Any]) -> None:
    assert played["answers"] == [("SO-2", "ended"), ("SO-3", "ended"), ("SO-6", "ended")]


def test_the_next_report_names_each_with_who_and_why_and_drafts_none(played: dict[str, Any]) -> None:
    end, report = played["june"]
    assert end.status == "SUCCEEDED"
    assert {number for number, fate in fates(report).items() if fate == "ended"} == {"SO-2", "SO-3", "SO-6"}
    for number in ("SO-2", "SO-3", "SO-6"):
        assert f"by {ANN}: billed by hand." in reason(report, number)
        assert number in played["june mail"]
    assert "billed by hand" in played["june mail"]


def test_a_held_order_that_is_ended_while_a_request_waits_is_not_drafted_by_it(played: dict[str, Any]) -> None:
    _, report = played["june"]
    assert fates(report)["SO-4"] == "held"
    assert f"by {ANN}: billed by hand." in reason(report, "SO-4")


def test_an_order_that_nobody_ended_is_drafted_and_no_ended_one_ever_is(played: dict[str, Any]) -> None:
    assert played["drafts"] == ["SO-1", "SO-2", "SO-5", "SO-6", "SO-8", "SO-9"]


def test_a_later_report_counts_what_an_earlier_one_has_named(played: dict[str, Any]) -> None:
    _, report = played["july"]
    codes = {line["orders"][0]: line["code"] for line in report["lines"] if line["fate"] == "ended"}
    assert codes == {"SO-3": "ended_earlier", "SO-4": "ended"}


def test_an_ended_order_that_changes_is_asked_about_again_and_the_page_says_that_it_was_ended(
    played: dict[str, Any],
) -> None:
    assert "billed by hand. It has changed in NetSuite since then." in " ".join(played["july page"].split())
    assert fates(played["july"][1])["SO-2"] == "drafted"


def test_an_order_that_was_opened_again_comes_back_as_it_was(played: dict[str, Any]) -> None:
    assert fates(played["july"][1])["SO-6"] == "drafted"
