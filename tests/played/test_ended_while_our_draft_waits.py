"""An order that is cancelled, closed or deleted in NetSuite while our draft of it waits in Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.played.firm import firm, order
from tests.played.story import SECONDS, asked, billed, deployed, in_slack, live
from tests.sandbox import Sandbox

ENDED = (1, 2, 3)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """May is billed. Then one order is cancelled, one closed, one deleted, one billed in NetSuite; one stays open."""
    with deployed(firm(order(place) for place in range(1, 6))) as one:
        _, result = billed(one, {"period": "2026-05"})
        assert result.status == "SUCCEEDED"
        one.netsuite.set_status("SO-1", "C")
        one.netsuite.set_status("SO-2", "H")
        one.netsuite.delete_order("SO-3")
        one.netsuite.bill("SO-4", 1, 2)
        yield one


def draft(sandbox: Sandbox, place: int) -> str:
    return str(live(sandbox, place)[0]["id"])


def test_the_orphan_finder_names_at_once_each_draft_that_nobody_should_send(sandbox: Sandbox) -> None:
    found: list[dict[str, Any]] = sandbox.invoke("FindTheOrphansFunction", {"since": "2026-05-01"})["orphans"]
    assert {one["kind"] for one in found} == {"order_ended"}
    assert sorted(one["invoices"] for one in found) == sorted([draft(sandbox, place)] for place in ENDED)
    said = " ".join(one["message"] for one in found)
    for words in ("SO-1 is Cancelled in NetSuite", "SO-2 is Closed in NetSuite", "SO-3 is no longer shown by NetSuite"):
        assert words in said


def test_the_next_run_names_them_on_the_page_in_the_report_and_in_the_message(sandbox: Sandbox) -> None:
    sandbox.netsuite.add_order(order(9, customer=5, date="2026-06-10"))
    posts, calls = len(sandbox.posts()), len(sandbox.requests)
    run = sandbox.start({"period": "2026-06"})
    mails = asked(sandbox, run)
    page = sandbox.person().open(sandbox.page_links(mails[0])[0])
    sandbox.answer(mails[0], "approve")
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    report = str(sandbox.report(run))
    for place in ENDED:
        assert draft(sandbox, place) in page.text
        assert draft(sandbox, place) in report
    assert draft(sandbox, 4) not in page.text
    assert draft(sandbox, 5) not in page.text
    message = in_slack(sandbox, posts)
    assert all(f"SO-{place}" in message for place in ENDED)
    netsuite = [one for one in sandbox.requests[calls:] if one.service == "netsuite"]
    assert len(netsuite) <= 1 + 1 + 4


def test_once_the_drafts_are_deleted_nobody_hears_of_them_again(sandbox: Sandbox) -> None:
    for place in ENDED:
        sandbox.stripe.delete(draft(sandbox, place))
    found = sandbox.invoke("FindTheOrphansFunction", {"since": "2026-05-01"})["orphans"]
    assert "order_ended" not in {one["kind"] for one in found}
