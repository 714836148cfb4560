"""Promises of what Slack and the owners hear about a run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer
from billing.domain.batch.batch import Batch
from billing.domain.mail import MailContent
from billing.domain.runs.report import Report, RunOutcome
from billing.pages.report.run_messages import slack_summary, summary_mail
from billing.pages.slack_message import LONGEST_TEXT, MOST_BLOCKS, SlackMessage, escaped
from tests.pages import samples
from tests.pages.parsed_page import parse

LINKS = {
    "console_url": "https://console.example/home?region=x&a=b#/details/arn",
    "report_url": "https://report.example/report.html",
    "stripe_dashboard": "https://dashboard.stripe.com/test",
}
AT = "2026-06-02T08:00:00+00:00"


def slack(report: Report) -> SlackMessage:
    return slack_summary(report, **LINKS)


def mail(report: Report) -> MailContent:
    return summary_mail(report, **LINKS)


def words(message: SlackMessage) -> str:
    return "\n".join(
        block["text"]["text"] if "text" in block else block["elements"][0]["text"] for block in message.blocks
    )


def every_outcome() -> dict[RunOutcome, Report]:
    empty = Batch(samples.run_frame(), (), ())
    rejection = RecordedOutcome("rejected", "SO-1004 is wrong", AT)
    lost = RecordedOutcome("undeliverable", "Mail does not reach cy@firm.example.", "2026-06-02T10:00:00+00:00")
    expiry = RecordedOutcome("expired", "No decision before the deadline.", AT)
    return {
        RunOutcome.BILLED: samples.report(),
        RunOutcome.NOTHING_TO_BILL: samples.report(RunOutcome.NOTHING_TO_BILL, batch=empty, votes=[]),
        RunOutcome.NOTHING_NEW: samples.report(RunOutcome.NOTHING_NEW, batch=empty, votes=[]),
        RunOutcome.DRY_RUN: samples.report(RunOutcome.DRY_RUN, votes=[], unreleased="A dry run drafts nothing."),
        RunOutcome.REJECTED: samples.report(
            RunOutcome.REJECTED,
            votes=[samples.vote(samples.CY, Answer.REJECT, "SO-1004 is wrong")],
            decision=rejection,
            unreleased="The batch was rejected.",
        ),
        RunOutcome.EXPIRED: samples.report(
            RunOutcome.EXPIRED, votes=[samples.vote(samples.ANN)], decision=expiry, unreleased="The approval expired."
        ),
        RunOutcome.UNDELIVERABLE: samples.report(
            RunOutcome.UNDELIVERABLE, votes=[], decision=lost, unreleased="Email to the approvers bounced."
        ),
        RunOutcome.MISSING: samples.report(RunOutcome.MISSING, failing={"order-5003": "Stripe refused line 2."}),
        RunOutcome.INCOMPLETE: samples.report(RunOutcome.INCOMPLETE, listed=41),
        RunOutcome.STOPPED: samples.report(
            RunOutcome.STOPPED,
            batch=empty,
            votes=[],
            error="PersonNeeded",
            cause="NetSuite refused the certificate of the integration record.",
        ),
    }


def test_every_way_to_end_has_wording_of_its_own() -> None:
    reports = every_outcome()
    assert set(reports) == set(RunOutcome)
    assert len({slack(report).blocks[0]["text"]["text"] for report in reports.values()}) == len(reports)
    assert len({mail(report).subject for report in reports.values()}) == len(reports)
    for report in reports.values():
        message = slack(report)
        assert message.text.startswith("May 2026")
        assert "May 2026" in mail(report).subject


def test_what_has_to_be_done_about_a_run_is_said() -> None:
    reports = every_outcome()
    assert "Rejected by cy@firm.example: SO-1004 is wrong" in words(slack(reports[RunOutcome.REJECTED]))
    expired = words(slack(reports[RunOutcome.EXPIRED]))
    assert "It was not rejected" in expired
    assert "Signed so far: ann@firm.example" in expired
    assert "existing drafts stay as they are" in words(slack(reports[RunOutcome.MISSING]))
    assert "PersonNeeded: NetSuite refused the certificate" in words(slack(reports[RunOutcome.STOPPED]))
    assert "41 orders were listed and 40 are accounted for" in words(slack(reports[RunOutcome.INCOMPLETE]))
    assert "NetSuite has no open order" in words(slack(reports[RunOutcome.NOTHING_TO_BILL]))


def test_nothing_to_bill_because_everything_is_in_the_way_is_not_called_done() -> None:
    batch = Batch(samples.run_frame(), (), samples.problems())
    text = words(slack(samples.report(RunOutcome.NOTHING_TO_BILL, batch=batch, votes=[])))
    assert "No order can be billed as it is" in text
    assert "SO-1990" in text


def test_counts_by_fate_and_sums_per_currency_are_told() -> None:
    text = words(slack(every_outcome()[RunOutcome.MISSING]))
    assert "*Listed:* 40" in text
    assert "*Drafted:* 35 (EUR 111,336.40, JPY 5,337,820, KWD 15,851.130, USD 158,108.00)" in text
    assert "*Failed:* 1 (USD 7,910.00)" in text


def test_failures_held_and_problems_are_named_with_order_amount_and_reason_the_failures_first() -> None:
    text = words(slack(every_outcome()[RunOutcome.MISSING]))
    assert "*Failed:* SO-1004 (شركة الخليج للتجارة, USD 7,910.00)\nStripe refused line 2." in text
    assert text.index("SO-1004") < text.index("SO-1013") < text.index("SO-1990")


def test_orders_with_the_same_reason_are_one_entry() -> None:
    text = words(slack(every_outcome()[RunOutcome.REJECTED]))
    assert text.count("The batch was rejected.") == 1
    assert "36 together (" in text
    assert "SO-1001, SO-1002, SO-1003, SO-1004, SO-1005 and 31 more" in text


def test_beyond_ten_reasons_the_rest_is_counted() -> None:
    failing = {f"order-{5000 + number}": f"Reason number {number}." for number in range(12)}
    text = words(slack(samples.report(RunOutcome.MISSING, failing=failing)))
    assert "Reason number 9." in text
    assert "Reason number 10." not in text
    assert "and 5 more" in text  # two failures, one held, two problems
    assert "and 2 more" in mail(samples.report(RunOutcome.MISSING, failing=failing)).text


def test_links_lead_to_the_report_the_drafts_and_the_execution() -> None:
    text = words(slack(samples.report()))
    assert "<https://report.example/report.html|Report>" in text
    assert "<https://dashboard.stripe.com/test/invoices?status=draft|Drafts in Stripe>" in text
    assert "<https://console.example/home?region=x&amp;a=b#/details/arn|Execution>" in text
    assert LINKS["console_url"] in mail(samples.report()).text.split(" ")[-1]


def test_foreign_text_cannot_mention_link_or_format_in_slack() -> None:
    bad = "<!channel> <https://evil.example|here> & *bold* _it_ `code` ~x~"
    batch = Batch(samples.run_frame(id=bad), (samples.invoice(samples.plan(1, client=bad)),), ())
    message = slack(samples.report(RunOutcome.MISSING, batch=batch, failing={"order-5001": bad}))
    text = words(message)
    assert "<!channel>" not in text
    assert "<https://evil" not in text
    assert "&lt;!channel&gt;" in text
    assert "&amp;" in text
    assert " *bold*" not in text
    for block in message.blocks:
        for part in (block.get("text"), *block.get("elements", [])):
            if part and part["type"] == "mrkdwn":
                assert part["verbatim"] is True


def test_order_numbers_with_underscores_stay_copyable() -> None:
    assert escaped("SO_1001_A and ann_b@firm.example", 100) == "SO_1001_A and ann_b@firm.example"


@pytest.mark.parametrize("outcome", list(RunOutcome))
def test_slacks_limits_hold_whatever_the_text(outcome: RunOutcome) -> None:
    long = "<&>" * 20_000
    batch = Batch(
        samples.run_frame(id=long, period=long),
        tuple(samples.invoice(samples.plan(number, client=long)) for number in range(30)),
        (),
    )
    failing = {f"order-{5000 + number}": f"{number} {long}" for number in range(30)}
    report = samples.report(outcome, batch=batch, failing=failing, cause=long, error="OurFault")
    report = replace(report, decision=RecordedOutcome("rejected", long, AT))
    message = slack(report)
    assert len(message.blocks) <= MOST_BLOCKS
    json.dumps(message.blocks)
    for block in message.blocks:
        for part in (block.get("text"), *block.get("elements", [])):
            if part:
                assert 1 <= len(part["text"]) <= (150 if part["type"] == "plain_text" else LONGEST_TEXT)
    assert len(message.text) <= 4_000


def test_the_owners_mail_says_what_slack_says() -> None:
    for report in every_outcome().values():
        content = mail(report)
        html, text = parse(content.html).text, " ".join(content.text.split())
        for said in (content.subject, "Listed"):
            assert said in text
            assert said in html
        for line in report.lines:
            if line.reason and str(line.fate) == "failed":
                assert line.reason in text
                assert line.reason in html
        for address in (LINKS["console_url"], LINKS["report_url"]):
            assert address in text
            assert address in [a.attributes["href"] for a in parse(content.html).all("a")]


def test_hostile_text_stays_text_in_the_owners_mail() -> None:
    bad = samples.HOSTILE
    batch = Batch(samples.run_frame(id=bad), (samples.invoice(samples.plan(1, client=bad)),), ())
    content = mail(samples.report(RunOutcome.MISSING, batch=batch, failing={"order-5001": bad}))
    page = parse(content.html)
    assert list(page.all("script")) == []
    assert list(page.all("img")) == []
    assert "\u202e" not in content.html + content.text
