"""Promises of the mails to approvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer, Slot
from billing.domain.batch.batch import Batch
from billing.domain.batch.month_comparison import MonthInvoice, compare_with_last_month
from billing.domain.batch.past_months import past_months
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.mail import Importance, MailContent
from billing.pages.approval.approval_mail import Invitation, approval_mail, bounce_mail, decided_mail
from billing.pages.approval.approval_view import CountDiffers
from tests.pages import samples
from tests.pages.parsed_page import parse

LINK = "https://billing.example/approvals/eyJyIjoiMSJ9.aGVsbG8td29ybGQ-_x"
AT = "2026-06-02T08:00:00+00:00"
BATCH = samples.month()
REQUEST = samples.request(BATCH)


def test_the_subject_says_what_and_how_much() -> None:
    subject = approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK)).subject
    # What is worth the most comes first: 15,851 dinars are some 50,000 dollars, 5,337,820 yen some 35,000.
    assert subject == (
        "Approve 36 invoices for May 2026: USD 166,018.00, EUR 111,336.40, KWD 15,851.130, JPY 5,337,820"
    )
    assert "\n" not in subject


def test_a_single_invoice_is_one_invoice() -> None:
    batch = Batch(samples.run_frame(), (samples.invoice(samples.plan(3, lines=1)),), ())
    mail = approval_mail(Invitation(samples.request(batch), batch, samples.ANN, LINK))
    assert mail.subject.startswith("Approve 1 invoice for May 2026: USD ")


def test_text_and_html_say_the_same() -> None:
    mail = approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK))
    html = parse(mail.html).text
    text = " ".join(mail.text.split())
    for said in (
        "36 invoices",
        "EUR 111,336.40",
        "KWD 15,851.130",
        "2 customers will be created",
        "2 orders with a problem",
        "Finance lead: any one of ann@firm.example and bob@firm.example; Controller: cy@firm.example",
        "Monday, 8 June 2026, 09:00 UTC",
        "Nothing is sent to clients",
        "If you did not expect this email, ignore it",
        samples.SHA,
        samples.RUN_ID,
    ):
        assert said in text, said
        assert said in html, said


def test_the_link_stands_alone_on_its_line_and_is_the_only_one() -> None:
    mail = approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK))
    assert LINK in mail.text.split("\n")
    assert [a.attributes["href"] for a in parse(mail.html).all("a")] == [LINK]
    assert mail.text.count("http") == 1


def test_the_mail_names_no_client_about_whom_there_is_nothing_to_say() -> None:
    known = MatchedCustomer("cus_1", How.KNOWN, stripe_name="Known in Stripe", stripe_email="ap@known.example")
    batch = replace(
        BATCH,
        invoices=tuple(replace(one, customer=known, plan=replace(one.plan, warnings=())) for one in BATCH.invoices),
    )
    mail = approval_mail(Invitation(REQUEST, batch, samples.ANN, LINK))
    for invoice in BATCH.invoices:
        assert invoice.plan.client.name not in mail.text
        assert invoice.plan.client.name not in parse(mail.html).text
    assert "Known in Stripe" not in mail.text


@pytest.mark.parametrize("how", [How.EMAIL, How.SETTLED])
def test_the_mail_names_whom_stripe_would_bill_where_only_the_address_or_a_person_says_so(how: How) -> None:
    found = MatchedCustomer("cus_9", how, stripe_name="Northwind <b>Holding</b>", stripe_email="ap@holding.example")
    draft = next(one for one in BATCH.to_draft)
    batch = replace(BATCH, invoices=tuple(replace(i, customer=found) if i is draft else i for i in BATCH.invoices))
    mail = approval_mail(Invitation(REQUEST, batch, samples.ANN, LINK))
    for text in (" ".join(mail.text.split()), " ".join(parse(mail.html).text.split())):
        assert f"{draft.plan.client.name}: Northwind <b>Holding</b>, ap@holding.example (cus_9)" in text
    assert "<b>Holding" not in mail.html


def test_of_many_such_customers_the_mail_names_twenty_and_says_how_many_more_the_page_has() -> None:
    invoices = tuple(
        samples.invoice(
            samples.plan(number, client=f"Client {number}"),
            customer=MatchedCustomer(f"cus_{number}", How.EMAIL, stripe_name=f"Stripe's {number}"),
        )
        for number in range(25)
    )
    batch = Batch(samples.run_frame(), invoices, ())
    clients = len({one.plan.client.netsuite_id for one in invoices})
    text = " ".join(approval_mail(Invitation(samples.request(batch), batch, samples.ANN, LINK)).text.split())
    assert text.count("found by the e-mail address") == 20
    assert f"and {clients - 20} more on the page" in text


def test_the_mail_needs_no_images_no_style_element_and_no_script() -> None:
    page = parse(approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK)).html)
    for tag in ("img", "style", "script", "link", "form", "input"):
        assert list(page.all(tag)) == []


def test_who_can_be_replaced_and_who_cannot_are_told_the_truth() -> None:
    text = " ".join(approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK)).text.split())
    assert "without a signature from your group" in text
    assert "without your signature" in " ".join(
        approval_mail(Invitation(REQUEST, BATCH, samples.CY, LINK)).text.split()
    )


def test_automatic_sending_is_said_where_it_happens() -> None:
    text = " ".join(approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK), finalizes=True).text.split())
    assert "in Stripe, which finalizes and sends them automatically" in text
    assert "Nothing is sent" not in text


def test_a_mail_for_another_number_than_the_batch_holds_is_never_written() -> None:
    with pytest.raises(CountDiffers):
        approval_mail(Invitation(replace(REQUEST, invoices=1), BATCH, samples.ANN, LINK))


def test_hostile_slot_names_and_filters_stay_text_and_break_no_header() -> None:
    bad = samples.HOSTILE + "\r\nBcc: x@y.example"
    # As hostile as a filter can be: the run's input refuses marks that turn the text, and line breaks.
    number = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    batch = replace(BATCH, run=samples.run_frame(period=bad, filter={"orderNumbers": [number]}))
    request = replace(samples.request(batch, (Slot(bad, 1, (samples.ANN,)),)), period=bad, run_id=bad)
    mail = approval_mail(Invitation(request, batch, samples.ANN, LINK))
    assert "\n" not in mail.subject
    assert "\r" not in mail.text
    assert "\u202e" not in mail.subject + mail.text + mail.html
    page = parse(mail.html)
    assert list(page.all("script")) == []
    assert list(page.all("img")) == []


def test_a_rejection_is_told_with_by_whom_and_why_and_that_nothing_was_drafted() -> None:
    votes = [samples.vote(samples.ANN), samples.vote(samples.CY, Answer.REJECT, "SO-1004 is wrong")]
    mail = decided_mail(REQUEST, RecordedOutcome("rejected", "SO-1004 is wrong", AT), samples.ANN, votes)
    assert mail.subject == "Rejected: 36 invoices for May 2026"
    for said in ("Rejected by: cy@firm.example", "Reason: SO-1004 is wrong", "Nothing was drafted"):
        assert said in mail.text
    assert "SO-1004 is wrong" in parse(mail.html).text


def test_an_expiry_is_told_apart_from_a_rejection_and_names_who_did_not_answer() -> None:
    outcome = RecordedOutcome("expired", "No decision before the deadline.", AT)
    mail = decided_mail(REQUEST, outcome, samples.CY, [samples.vote(samples.ANN)])
    text = " ".join(mail.text.split())
    assert mail.subject == "Expired: 36 invoices for May 2026"
    assert "was not rejected, but not everyone required signed in time" in text
    assert "No response from: bob@firm.example and cy@firm.example" in text
    assert "Signed by: ann@firm.example" in text


def test_a_signature_that_was_voided_is_told_apart_from_no_answer() -> None:
    voided = replace(samples.vote(samples.ANN), request_hash="0" * 64, shown="40 invoices, USD 5.00")
    outcome = RecordedOutcome("expired", "No decision before the deadline.", AT)
    text = " ".join(decided_mail(REQUEST, outcome, samples.CY, [voided]).text.split())
    assert (
        "Signed an earlier version: ann@firm.example (40 invoices, USD 5.00) on Monday, 1 June 2026, 10:15 UTC" in text
    )
    assert "No response from: bob@firm.example and cy@firm.example" in text
    assert "Signed by" not in text
    again = " ".join(decided_mail(REQUEST, outcome, samples.CY, [voided, samples.vote(samples.ANN)]).text.split())
    assert "Signed other content" not in again


def test_somebody_of_two_slots_is_named_once_among_those_who_did_not_answer() -> None:
    both = replace(REQUEST, slots=(Slot("Lead", 1, (samples.ANN,)), Slot("Controller", 1, (samples.ANN, samples.CY))))
    text = decided_mail(both, RecordedOutcome("expired", "No decision before the deadline.", AT), samples.ANN).text
    assert "No response from: ann@firm.example and cy@firm.example" in " ".join(text.split())


def test_notices_lead_to_the_inbox_and_to_nothing_that_decides() -> None:
    inbox = "https://approve.example/approvals/inbox/signed"
    ended = decided_mail(REQUEST, RecordedOutcome("expired", "Late.", AT), samples.ANN, (), inbox)
    for mail in (ended, bounce_mail(REQUEST, samples.ANN, samples.CY, inbox)):
        assert f"Everything waiting for you: {inbox}" in mail.text
        assert [link.attributes["href"] for link in parse(mail.html).all("a")] == [inbox]


def test_an_approval_is_told_without_saying_that_nothing_was_drafted() -> None:
    votes = [samples.vote(samples.ANN), samples.vote(samples.CY)]
    mail = decided_mail(REQUEST, RecordedOutcome("approved", "Every slot has signed.", AT), samples.ANN, votes)
    assert mail.subject == "Approved: 36 invoices for May 2026"
    assert "Nothing was drafted" not in mail.text
    assert "ann@firm.example and cy@firm.example" in mail.text


def test_an_end_that_is_not_known_is_told_with_its_name_and_reason() -> None:
    mail = decided_mail(REQUEST, RecordedOutcome("abandoned", "No mail arrived.", AT), samples.ANN)
    assert "abandoned" in mail.subject
    assert "No mail arrived." in mail.text


def _compared(last: list[MonthInvoice] | None, *, billed: Sequence[MonthInvoice] = (), percent: int = 30) -> Batch:
    """The sample month beside a last month, as the product's own rules compare them."""
    now = [
        MonthInvoice(one.plan.client.netsuite_id, one.plan.client.name, one.plan.currency, one.plan.total)
        for one in BATCH.to_draft
    ]
    return replace(
        BATCH,
        warnings=compare_with_last_month([*billed, *now], last, percent),
        past=past_months([("2026-04", last or ()), ("2026-05", billed)], {one.client_id for one in now}),
    )


def _said(mail: MailContent) -> tuple[str, str]:
    """The mail's text and its HTML's, each in one line."""
    return " ".join(mail.text.split()), " ".join(parse(mail.html).text.split())


def test_the_mail_has_the_totals_beside_last_months_and_the_currencies_that_only_last_month_had() -> None:
    last = [
        MonthInvoice("1", "Kestrel Analytics", "usd", 96_000_00),
        MonthInvoice("2", "Brightwater", "jpy", 5_337_820),
        MonthInvoice("3", "Halcyon Media", "sek", 90_000_00),
    ]
    # 166,018 + 1,000 against 96,000: 71,018 more, which is 73.9...%, and said as 73%.
    billed = [MonthInvoice("4", "Zephyr Labs", "usd", 1_000_00)]
    for said in _said(approval_mail(Invitation(REQUEST, _compared(last, billed=billed), samples.ANN, LINK))):
        assert (
            "USD 166,018.00 18 invoices Up 73% from April 2026 (USD 96,000.00), with USD 1,000.00 drafted before"
        ) in said
        assert "JPY 5,337,820 4 invoices Unchanged from April 2026 (JPY 5,337,820)" in said
        assert "EUR 111,336.40 10 invoices Nothing in April 2026" in said
        assert "SEK 0.00 no invoices April 2026 had SEK 90,000.00" in said


def test_the_mail_names_the_three_things_to_look_at_first_by_the_money_in_question() -> None:
    last = [
        MonthInvoice(one.plan.client.netsuite_id, one.plan.client.name, one.plan.currency, one.plan.total)
        for one in BATCH.to_draft
    ]
    # Three clients stand out, by some 60,000, 40,000 and 18,000 dollars, and each warning's own sum says which.
    gone = MonthInvoice("900", "Aldgate Partners", "gbp", 45_000_00)
    fell = MonthInvoice("99", "Halcyon Media", "jpy", 6_000_000)
    small = MonthInvoice("902", "Corner Shop", "usd", 1_800_00)
    batch = _compared([*last, gone, fell, small])
    assert [one.code for one in batch.warnings] == ["client_gone"] * 3
    mail = approval_mail(Invitation(REQUEST, batch, samples.ANN, LINK))
    for said in _said(mail):
        listed = said.partition("Look at these first")[2].partition("Review and decide")[0]
        order = [listed.index(name) for name in ("Aldgate Partners", "Halcyon Media")]
        assert order == sorted(order)
        assert "Aldgate Partners: nothing to bill now, and GBP 45,000.00 in April 2026" in listed
        # One of its orders is on the list of problems: that is why nothing is billed.
        assert "Halcyon Media: nothing to bill now, and JPY 6,000,000 in April 2026 (1 order with a problem)" in listed
        # Three plans have warnings, and one of them is about more money than the shop.
        assert "Corner Shop" not in listed
        assert "and 3 more on the page" in listed


def test_a_month_without_a_record_of_the_last_one_says_so_and_compares_nothing() -> None:
    for said in _said(approval_mail(Invitation(REQUEST, _compared(None), samples.ANN, LINK))):
        assert "There is no record of last month's invoices" in said
        assert "April 2026" not in said


def test_the_mail_says_how_much_is_not_billed_and_what_is_held() -> None:
    for said in _said(approval_mail(Invitation(REQUEST, BATCH, samples.ANN, LINK))):
        assert "2 orders with a problem: USD 1,200.00 and 1 order of an unknown amount" in said
        assert "1 invoice: EUR 2,594.00" in said


@pytest.mark.parametrize(
    ("started", "by", "said"),
    [
        ("by the schedule", "", "by the schedule"),
        ("by hand", "", "by hand; no name was given"),
        ("by hand", "dana@firm.example", "by dana@firm.example"),
    ],
)
def test_the_mail_says_who_or_what_started_the_run_its_cycle_and_what_it_covers(
    started: str, by: str, said: str
) -> None:
    frame = replace(BATCH.run, started=started, listed_from="2026-01-01", listed_before="2026-06-01")
    asked = Invitation(replace(REQUEST, requested_by=by), replace(BATCH, run=frame), samples.ANN, LINK)
    text = approval_mail(asked).text
    assert f"Run started: {said}\n" in text
    assert "Cycle: monthly\n" in text
    assert "Covers: open orders dated 1 January 2026 to 31 May 2026\n" in text


def test_deadlines_are_on_the_firms_clock_with_its_name() -> None:
    batch = replace(BATCH, run=replace(BATCH.run, zone="America/New_York"))
    for said in _said(approval_mail(Invitation(REQUEST, batch, samples.ANN, LINK))):
        assert "Open until" in said
        assert said.count("Monday, 8 June 2026, 05:00 EDT (America/New_York)") == 3
        assert "UTC" not in said


@pytest.mark.parametrize(
    ("importance", "left", "last", "subject", "header"),
    [
        ("normal", None, False, "Approve 36", "normal"),
        ("low", None, False, "Approve 36", "low"),
        ("high", None, False, "Urgent: approve 36", "high"),
        ("normal", timedelta(days=2), False, "Reminder: approve 36", "normal"),
        ("high", timedelta(days=2), False, "Urgent reminder: approve 36", "high"),
        ("low", timedelta(hours=20), True, "Urgent reminder: approve 36", "high"),
    ],
)
def test_the_subjects_first_word_says_that_it_is_urgent_and_the_last_reminder_always_is(
    importance: Importance, left: timedelta | None, last: bool, subject: str, header: str
) -> None:
    asked = Invitation(REQUEST, BATCH, samples.ANN, LINK, left=left, last=last)
    mail = approval_mail(asked, importance=importance)
    assert mail.subject.startswith(subject)
    assert mail.importance == header


def test_many_currencies_leave_no_single_one_unnamed_and_never_the_largest() -> None:
    currencies = ("aud", "cad", "eur", "gbp", "jpy", "nzd", "usd")
    one = replace(samples.plan(3, lines=1), total=100_00)
    batch = Batch(
        samples.run_frame(),
        tuple(
            samples.invoice(replace(one, key=currency, currency=currency, total=100_00 if currency != "usd" else 10**9))
            for currency in currencies
        ),
        (),
    )
    request = samples.request(batch)
    seven = approval_mail(Invitation(request, batch, samples.ANN, LINK)).subject
    assert seven.startswith("Approve 7 invoices for May 2026: USD 10,000,000.00, ")
    assert seven.endswith(" and 2 smaller totals")
    six = replace(batch, invoices=batch.invoices[1:])
    subject = approval_mail(Invitation(samples.request(six), six, samples.ANN, LINK)).subject
    assert [currency for currency in currencies[1:] if currency.upper() in subject] == list(currencies[1:])
