"""The approval page is killed while a person answers: pressing again completes what the first press began."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.played.firm import ANN, firm, only, order
from tests.played.story import SECONDS, deployed, live, posted
from tests.sandbox import Sandbox

DEEPEST = 12


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with deployed(firm(order(place) for place in range(1, 2 * DEEPEST + 2))) as opened:
        yield opened


@pytest.mark.parametrize("k", range(1, DEEPEST + 1, 2))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_person_who_presses_again_after_an_error_has_voted_once(sandbox: Sandbox, k: int, when: str) -> None:
    place = 2 * k - (when == "before")
    run = sandbox.start(only(place))
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    planned = sandbox.kill_at(k, "before" if when == "before" else "after", "ApprovalPageFunction")
    # Shown once and sent twice, as a browser's "try again" sends a form again.
    statuses = [posted(sandbox, link, "approve", {"invoices": "1"}).status for _ in range(2)]
    assert statuses[1] == 200
    planned.done = True
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, place)) == 1
    assert [vote["approver"] for vote in sandbox.report(run)["votes"]] == [ANN]
