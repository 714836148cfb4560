"""Promises of a run's report as it is kept."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from dataclasses import replace

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer
from billing.domain.batch.batch import Batch
from billing.domain.run import RunFrame
from billing.domain.runs.report import LineOutcome, Report, RunOutcome
from billing.pages.report.report_page import report_csv, report_page
from tests.pages import samples
from tests.pages.parsed_page import Element, parse

CONSOLE = "https://console.example/states/home?region=x#/v2/executions/details/arn"
STRIPE = "https://dashboard.stripe.com/test"


def tree(report: Report) -> Element:
    return parse(report_page(report, CONSOLE, STRIPE))


def figures(report: Report) -> dict[str, list[str]]:
    return {
        row.first("th").text: [cell.text for cell in row.all("td")]
        for row in tree(report).first("table", class_="figures").all("tr")
        if list(row.all("td"))
    }


def test_the_outcome_comes_first() -> None:
    page = tree(samples.report(failing={"order-5003": "Stripe refused it."}, outcome=RunOutcome.MISSING))
    assert page.first("main").first("h1").text == "May 2026: 1 invoice is missing, 35 were drafted"
    assert (
        tree(samples.report()).first("h1").text == "May 2026 is billed, but for 3 orders: 36 draft invoices in Stripe"
    )


def test_listed_is_drafted_and_skipped_and_held_and_failed_and_problems_by_count_and_by_sum() -> None:
    rows = figures(samples.report(failing={"order-5003": "x"}, outcome=RunOutcome.MISSING))
    assert [row[0] for row in rows.values()] == ["35", "1", "1", "1", "2", "0", "40"]
    numbers = [[int(cell.replace(",", "").replace(".", "")) for cell in row] for row in rows.values()]
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]
    assert list(rows)[-1] == "Listed"


def test_a_report_that_does_not_add_up_says_no() -> None:
    report = samples.report()
    page = tree(replace(report, listed=report.listed + 1, outcome=RunOutcome.INCOMPLETE))
    assert "No. 41 orders were listed and 40 are accounted for." in page.text
    assert "Yes." in tree(report).text


def test_amounts_that_cannot_be_read_are_counted_and_in_no_sum() -> None:
    page = tree(samples.report())
    assert "The amount of 1 order cannot be read and is not in any total." in page.text
    assert "amount unknown" in page.text


def test_every_line_is_there_with_its_invoice_customer_and_content_hash() -> None:
    report = samples.report(failing={"order-5003": "Stripe refused it."}, outcome=RunOutcome.MISSING)
    page = tree(report)
    assert len(list(page.first("main").all("th", class_="who"))) == len(report.lines)
    links = [a.attributes["href"] for a in page.all("a")]
    for line in report.lines:
        if line.invoice_hash:
            assert line.invoice_hash in page.text
        if line.invoice_id:
            assert f"{STRIPE}/invoices/{line.invoice_id}" in links
        assert line.reason in page.text
    assert CONSOLE in links


def test_who_signed_when_and_for_which_content_is_in_the_report() -> None:
    page = tree(samples.report())
    assert "ann@firm.example approved on 1 June 2026, 10:15 UTC" in page.text
    assert page.text.count(f"For this batch: {samples.SHA}") == 2


def test_a_vote_for_another_content_is_told_apart() -> None:
    other = replace(samples.vote(samples.ANN), request_hash="0" * 64)
    assert "For another content than this run’s" in tree(samples.report(votes=[other])).text


def test_a_rejected_run_says_by_whom_and_why() -> None:
    why = "SO-1004 is wrong"
    report = samples.report(
        RunOutcome.REJECTED,
        votes=[samples.vote(samples.CY, Answer.REJECT, why)],
        decision=RecordedOutcome("rejected", why, "2026-06-01T10:15:00+00:00"),
        unreleased="The batch was rejected.",
    )
    page = tree(report)
    assert page.first("h1").text == "May 2026 was rejected: nothing was drafted"
    assert "Rejected by cy@firm.example: SO-1004 is wrong" in page.text
    assert report.of(LineOutcome.DRAFTED) == ()
    assert "Drafted (" not in page.text


def test_a_run_that_stopped_before_it_listed_anything_still_has_a_report() -> None:
    report = replace(
        samples.report(batch=Batch(RunFrame(), (), ()), votes=[]),
        outcome=RunOutcome.STOPPED,
        error="PersonNeeded",
        cause="NetSuite refused the key.",
        decision=None,
        batch_sha256=None,
        live_mode=None,
    )
    page = tree(report)
    assert "PersonNeeded: NetSuite refused the key." in page.text
    assert "No one responded, because no one was asked." in page.text


def test_the_kept_page_runs_nothing_and_needs_nothing() -> None:
    html = report_page(samples.report(), CONSOLE, STRIPE)
    page = parse(html)
    style = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.first("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    for tag in ("script", "img", "link", "iframe", "form"):
        assert list(page.all(tag)) == []


def test_hostile_names_reasons_and_invoice_ids_stay_text() -> None:
    bad = samples.HOSTILE
    batch = Batch(samples.run_frame(id=bad), (samples.invoice(samples.plan(1, client=bad)),), ())
    report = samples.report(batch=batch, failing={"order-5001": bad}, outcome=RunOutcome.MISSING)
    line = replace(report.lines[0], invoice_id='in_"><script>', warnings=(bad,), stripe_customer=bad)
    html = report_page(replace(report, lines=(line,)), CONSOLE, STRIPE)
    page = parse(html)
    assert list(page.all("script")) == []
    assert list(page.all("img")) == []
    assert "\u202e" not in html
    assert f"{STRIPE}/invoices/in_%22%3E%3Cscript%3E" in [a.attributes["href"] for a in page.all("a")]


def test_the_csv_has_every_line_with_plain_amounts_and_harmless_texts() -> None:
    report = samples.report()
    line = replace(report.lines[0], client="=1+1", total=-500)
    rows = list(
        csv.DictReader(
            io.StringIO(report_csv(replace(report, lines=(line, *report.lines[1:]))).decode("utf-8-sig"), newline="")
        )
    )
    assert len(rows) == 40
    assert rows[0]["Client"] == "'=1+1"
    assert rows[0]["Amount"] == "-5.00"
    assert {row["Outcome"] for row in rows} == {"drafted", "skipped", "held", "problem"}
    assert rows[-1]["Amount"] == ""
