"""Three days to decide: what happens when they are over."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.played.firm import ANN, BOB, OWNER, firm, only, order
from tests.played.story import SECONDS, deployed, in_slack, live, posted
from tests.sandbox import Sandbox

DAYS = 3 * 86_400


@pytest.fixture(scope="module")
def impatient() -> Iterator[Sandbox]:
    with deployed(
        firm([order(1), order(2)]), parameters={"ApprovalTimeoutSeconds": str(DAYS), "ReminderIntervalSeconds": "0"}
    ) as opened:
        yield opened


def test_nobody_answers_and_the_run_ends_as_expired_and_says_so(impatient: Sandbox) -> None:
    run = impatient.start(only(1))
    asked = impatient.wait_for_approval(run, SECONDS)
    impatient.clock.advance(DAYS + 1)
    result = impatient.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "ApprovalExpired")
    assert live(impatient) == []
    said = in_slack(impatient)
    assert "expired" in said
    assert "It was not rejected" in said
    told = [mail.to[0] for mail in impatient.mails() if "expired" in mail.subject.lower()]
    assert sorted(told) == [ANN, BOB, OWNER]
    assert impatient.report(run)["outcome"] == "expired"
    late = posted(impatient, impatient.page_links(asked[0])[0], "approve", {"invoices": "1"})
    assert "approve" not in [button.value for form in late.forms for button in form.buttons]
    assert live(impatient) == []
    assert impatient.result(run).status == "FAILED"


def test_a_vote_whose_callback_was_lost_counts_when_the_wait_ends(impatient: Sandbox) -> None:
    run = impatient.start(only(2))
    mails = impatient.wait_for_approval(run, SECONDS)
    planned = impatient.kill_at(1, "before", "ApprovalPageFunction", services=["states"])
    page = posted(impatient, impatient.page_links(mails[0])[0], "approve", {"invoices": "1"})
    assert planned.done
    assert page.status >= 500
    impatient.clock.advance(DAYS + 1)
    assert impatient.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert "States.Timeout" in json.dumps(impatient.history(run), default=str)
    assert len(live(impatient, 2)) == 1
