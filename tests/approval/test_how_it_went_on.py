"""After the decision page and inbox say how the run goes on, and every failure has a page that says what is true."""

from __future__ import annotations

from typing import Any

import pytest

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.domain.approval.approval_request import RunEnd
from billing.domain.run import Closed
from billing.domain.runs.report import RunOutcome
from billing.workflows.approval.approval_links import ApproverLinks
from billing.workflows.monthly_billing.note_the_end import note_the_end
from tests.a_run import a_run
from tests.adapters.aws_world import APPROVALS, AwsWorld
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.moving_clock import MovingClock


@pytest.fixture
def asked(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    world = ApprovalWorld(aws, clock)
    world.ask()
    return world


def close(world: ApprovalWorld, outcome: RunOutcome, redrive: int = 0, **counts: int) -> None:
    """What the state "Close the run" keeps for the page."""
    all_counts = {"drafted": 0, "failed": 0, "held": 0, "skipped": 0, "problem": 0, **counts}
    closed = Closed(str(outcome), "", "", all_counts, "report.json", redrive)
    note_the_end(a_run(world.run), closed, world.requests, world.clock.now)


def text(page: dict[str, Any]) -> str:
    return " ".join(page["body"].split())


def test_the_page_and_the_inbox_follow_the_run_to_its_end(asked: ApprovalWorld) -> None:
    signed = text(asked.post(asked.link(ANN), answer="approve", invoices="3"))
    assert "The invoices are being drafted in Stripe." in signed
    asked.clock.move(hours=1)
    close(asked, RunOutcome.MISSING, drafted=2, failed=1)
    for person in (ANN, BOB):
        page = text(asked.get(asked.link(person)))
        assert "2 of 3 orders are drafted in Stripe, 1 failed. The billing team has been told." in page
        assert "are being drafted" not in page
        assert "2 of 3 orders drafted, 1 failed" in text(asked.look_into(asked.inbox(person)))
    asked.clock.move(hours=1)
    close(asked, RunOutcome.BILLED, redrive=1, drafted=3)
    assert "3 of 3 orders are drafted in Stripe." in text(asked.get(asked.link(ANN)))
    assert "3 of 3 orders drafted." in text(asked.look_into(asked.inbox(BOB)))


def test_an_end_is_kept_once_for_each_redrive_and_none_is_overwritten(asked: ApprovalWorld) -> None:
    close(asked, RunOutcome.STOPPED, drafted=1, failed=2)
    before = asked.aws.dump()
    asked.clock.move(hours=1)
    close(asked, RunOutcome.BILLED, drafted=3)
    assert asked.aws.dump() == before, "the same closing once more"
    close(asked, RunOutcome.BILLED, redrive=1, drafted=3)
    ends = [row for row in asked.aws.rows(APPROVALS) if row["pk"]["S"].startswith("END#")]
    assert [row["outcome"]["S"] for row in ends] == ["stopped by an error", "billed"]
    assert set(ends[0]) == {"pk", "sk", "outcome", "at", "drafted", "failed", "left_out", "row_format"}, (
        "no amount, no address"
    )
    end = asked.requests.end("run-1.1")
    assert end == RunEnd("billed", asked.clock.now.isoformat(), 3, 0, 0)


def test_a_run_that_never_asked_keeps_no_end(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock)
    close(world, RunOutcome.STOPPED)
    assert aws.rows(APPROVALS) == []


def test_a_request_whose_run_stopped_while_it_waited_says_so(asked: ApprovalWorld) -> None:
    close(asked, RunOutcome.STOPPED)
    assert "The run behind this request stopped on 1 June 2026" in text(asked.get(asked.link(ANN)))
    assert "The run stopped on 1 June 2026" in text(asked.look_into(asked.inbox(ANN)))
    asked.sleeper.woken.append("token-1")  # nobody waits for it any more
    asked.clock.move(hours=1)
    page = text(asked.post(asked.link(ANN), answer="approve", invoices="3"))
    assert "are being drafted" not in page
    assert "before this decision, and has reported no end since" in page


def test_a_decision_that_found_no_run_waiting_does_not_say_that_it_drafts(asked: ApprovalWorld) -> None:
    asked.sleeper.woken.append("token-1")  # stopped by hand: no end is on record
    page = text(asked.post(asked.link(ANN), answer="approve", invoices="3"))
    assert "The run was not waiting at the moment of this decision." in page
    assert "are being drafted" not in page
    asked.clock.move(hours=7)
    assert "has not reported its end since" in text(asked.get(asked.link(ANN)))
    assert "the run has reported no end" in text(asked.look_into(asked.inbox(ANN)))


def test_a_failure_while_an_answer_is_recorded_does_not_say_that_nothing_was_changed(
    asked: ApprovalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = asked.shown(asked.link(ANN))

    def broken(*_: object) -> bool:
        raise ConnectionError

    monkeypatch.setattr(ApprovalsTable, "conclude", broken)
    page = asked.send(asked.link(ANN), **hidden, answer="approve", invoices="3")
    assert page["statusCode"] == 500
    assert "We do not know whether your answer was recorded." in text(page)
    assert "Nothing was changed" not in text(page)
    monkeypatch.setattr(ApprovalsTable, "read", broken)
    page = asked.get(asked.link(ANN))
    assert (page["statusCode"], "Nothing was changed by opening this page." in text(page)) == (500, True)


def test_the_inbox_link_of_a_closing_notice_outlives_the_request_by_a_week_and_then_says_so(
    asked: ApprovalWorld,
) -> None:
    assert asked.expire() == "expired"
    stored = asked.requests.newest("run-1")
    assert stored is not None
    links = ApproverLinks("https://approve.example", asked.signatures.sign_link, asked.signatures.sign_inbox)
    link = links.to_inbox_after(stored.request, ANN, asked.clock.now).rpartition("/")[2]
    mailed = asked.inbox(ANN)
    assert asked.look_into(mailed)["statusCode"] == 410
    assert "Expired: nothing was drafted." in text(asked.look_into(link))
    asked.clock.move(days=7)
    page = asked.look_into(link)
    assert (page["statusCode"], "Each newer email about an approval has a newer link." in text(page)) == (410, True)
    forged = asked.look_into(link[:-4] + "AAAA")
    assert (forged["statusCode"], forged == asked.get("nonsense")) == (404, True)


def test_a_rejected_request_says_that_nothing_is_drafted_whatever_its_run_reports(asked: ApprovalWorld) -> None:
    asked.post(asked.link(ANN), answer="reject", number="3", reason="wrong month")
    close(asked, RunOutcome.REJECTED, held=3)
    for page in (asked.get(asked.link(BOB)), asked.look_into(asked.inbox(BOB))):
        assert "rejected" in text(page).lower()
        assert "drafted in Stripe" not in text(page)
    assert "Nothing is drafted and nothing is billed." in text(asked.get(asked.link(BOB)))
