"""What everybody who was asked sees after a batch was approved: a count that moves, the drafts, the report, and what
the others said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from billing.domain.approval.approval_request import RecordedOutcome, RunEnd
from billing.domain.batch.batch import Batch, read_batch
from billing.domain.ledger.ledger import EntryState, LedgerEntry
from billing.domain.runs.report import RunOutcome
from billing.pages.approval.result_mail import closing_mail
from tests.adapters.aws_world import AwsWorld
from tests.pages import samples
from tests.pages.parsed_page import parse
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

BOTH = f"Finance: {ANN}; Controller: {BOB}"
COMMENT = "Checked with Cy: the retainer is right."


class Ledger:
    """The ledger's rows, as a run at work leaves them."""

    def __init__(self) -> None:
        self.rows: dict[str, LedgerEntry] = {}
        self.reads = 0

    def entries(self, keys: Any) -> dict[str, LedgerEntry]:
        self.reads += 1
        return {key: self.rows[key] for key in keys if key in self.rows}

    def draft(self, batch: Batch, place: int, **fields: Any) -> None:
        invoice = batch.to_draft[place]
        entry = LedgerEntry(
            invoice.plan.key, EntryState.DRAFTED, invoice.invoice_hash, "run-1", "2026-05", 1, "2026-06-01",
            invoice_id=f"in_{place}", currency="usd", total=invoice.plan.total, live_mode=False,
        )  # fmt: skip
        self.rows[invoice.plan.key] = replace(entry, **fields)


@pytest.fixture
def approved(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    """Ann has signed with a comment, Bob after her; Bob's slot and hers are all."""
    world = ApprovalWorld(aws, clock, approvers=BOTH)
    world.ledger = Ledger()  # type: ignore[assignment]
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3", comment=COMMENT)
    world.post(world.link(BOB), answer="approve", invoices="3")
    return world


def batch_of(world: ApprovalWorld) -> Batch:
    return read_batch(world.files.read_json(world.matched["batchKey"], world.matched["sha256"]))


def text_of(answer: dict[str, Any]) -> str:
    return " ".join(parse(answer["body"]).text.split())


def test_the_count_moves_when_the_page_is_loaded_again_and_each_draft_has_its_link(approved: ApprovalWorld) -> None:
    ledger, batch = approved.ledger, batch_of(approved)
    for person in (ANN, BOB):
        said = text_of(approved.get(approved.link(person)))
        assert "0 of 3 invoices are drafted. Load this page again to see how it goes on." in said
    ledger.draft(batch, 0)
    ledger.draft(batch, 1, state=EntryState.FAILED, invoice_id=None, reason="Stripe refuses: email_invalid.")
    page = approved.get(approved.link(ANN))
    assert "1 of 3 invoices are drafted, 1 could not be drafted." in text_of(page)
    assert all(said in text_of(page) for said in ("Not drafted", "SO-1002", "Stripe refuses: email_invalid."))
    links = [a.attributes["href"] for a in parse(page["body"]).all("a")]
    assert "https://dashboard.stripe.com/test/invoices/in_0" in links
    ledger.draft(batch, 1, live_mode=True)
    ledger.draft(batch, 2)
    page = approved.get(approved.link(BOB))
    assert "3 of 3 invoices are drafted." in text_of(page)
    links = [str(a.attributes["href"]) for a in parse(page["body"]).all("a")]
    stripe = "https://dashboard.stripe.com"
    drafts = [f"{stripe}/test/invoices/in_0", f"{stripe}/invoices/in_1", f"{stripe}/test/invoices/in_2"]
    assert [link for link in links if "stripe.com" in link] == drafts


def test_what_the_ledger_has_of_another_content_or_another_run_is_not_counted(approved: ApprovalWorld) -> None:
    ledger, batch = approved.ledger, batch_of(approved)
    ledger.draft(batch, 0, invoice_hash="0" * 64)
    ledger.draft(batch, 1, state=EntryState.FAILED, run_id="run-0", reason="Of last week.")
    said = text_of(approved.get(approved.link(ANN)))
    assert "0 of 3 invoices are drafted. " in said
    assert "Of last week" not in said


def test_the_report_is_shown_to_everybody_who_was_asked_once_the_run_has_ended(approved: ApprovalWorld) -> None:
    before = approved.get(approved.link(ANN), query="format=report")
    assert "0 of 3 invoices are drafted" in text_of(before)
    approved.files.write("runs/2026-05/run-1/report.html", b"<!doctype html><title>the report</title>", "text/html")
    approved.clock.move(hours=1)
    end = RunEnd(RunOutcome.BILLED, approved.clock.now.isoformat(), 3, 0, 0)
    approved.requests.note_end("run-1.1", 0, end)
    page = approved.get(approved.link(BOB))
    assert "?format=report" in [a.attributes["href"] for a in parse(page["body"]).all("a")]
    assert "Load this page again" not in text_of(page)
    shown = approved.get(approved.link(BOB), query="format=report", accept_encoding="identity")
    assert (shown["statusCode"], shown["headers"]["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in shown["headers"]["content-security-policy"]
    # Its time over, the link reads nothing any more, the report included.
    approved.clock.move(days=3)
    assert "the report" not in str(approved.get(approved.link(BOB), query="format=report")["body"])


def test_before_the_approval_nothing_is_read_of_the_ledger(aws: AwsWorld, clock: MovingClock) -> None:
    world = ApprovalWorld(aws, clock, approvers=BOTH)
    ledger = Ledger()
    world.ledger = ledger  # type: ignore[assignment]
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3")
    world.get(world.link(ANN))
    world.get(world.link(BOB), query="format=report")
    assert ledger.reads == 0


def test_a_comment_comes_with_an_approval_and_the_others_see_it_before_they_decide(
    aws: AwsWorld, clock: MovingClock
) -> None:
    world = ApprovalWorld(aws, clock, approvers=BOTH)
    world.ask()
    world.post(world.link(ANN), answer="approve", invoices="3", comment=f"  {COMMENT}\n ")
    assert COMMENT in text_of(world.get(world.link(BOB)))
    assert f"Your comment: {COMMENT}" in text_of(world.get(world.link(ANN)))
    world.post(world.link(BOB), answer="approve", invoices="4", comment="not lost on a mistake")
    refused = world.post(world.link(BOB), answer="approve", invoices="4", comment="not lost on a mistake")
    assert "not lost on a mistake" in refused["body"]
    assert world.decide() == "undecided"


def test_the_result_goes_to_everybody_with_drafts_failures_and_comments_and_nothing_that_decides() -> None:
    votes = (
        samples.vote(samples.ANN, reason=COMMENT),
        samples.vote(samples.CY, at="2026-06-01T11:40:00+00:00"),
    )
    batch = samples.month()
    failing = {batch.to_draft[0].plan.key: "Stripe refuses the address."}
    report = replace(
        samples.report(RunOutcome.MISSING, batch=batch, failing=failing, votes=votes),
        request=samples.request(batch),
    )
    inbox = "https://approve.example/approvals/inbox/signed"
    mail = closing_mail(
        report, samples.BOB, inbox=lambda _: inbox, stripe_dashboard="https://dashboard.stripe.com/test"
    )
    assert mail.subject == "May 2026: 1 invoice is missing, 35 were drafted"
    text, html = " ".join(mail.text.split()), " ".join(parse(mail.html).text.split())
    for said in (text, html):
        assert f"Comment: ann@firm.example: {COMMENT}" in said.replace("Comment ann", "Comment: ann")
        assert "Stripe refuses the address." in said
        assert "Drafted (35)" in said
        assert "and 15 more on the page" in said
        assert "in_1Qx0001Kd" in said
    links = [a.attributes["href"] for a in parse(mail.html).all("a")]
    assert links == [inbox, "https://dashboard.stripe.com/test/invoices?status=draft"]
    rejected = replace(report, decision=RecordedOutcome("rejected", "No.", "2026-06-01T11:40:00+00:00"))
    notice = closing_mail(rejected, samples.BOB, inbox=lambda _: inbox, stripe_dashboard="")
    assert notice.subject == "Rejected: 36 invoices for May 2026"
