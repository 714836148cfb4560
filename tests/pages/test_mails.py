"""Promises of the mails to approvers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer, Slot
from billing.domain.batch.batch import Batch
from billing.domain.ledger.customer_match import How, MatchedCustomer
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
    assert subject.startswith("Approve 36 invoices for May 2026: EUR ")
    assert "JPY 5,337,820" in subject
    assert "KWD 15,851.130" in subject
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
        "8 June 2026, 09:00 UTC",
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


def test_the_mail_names_no_client_of_whom_netsuite_or_an_earlier_month_says_who_it_is() -> None:
    known = MatchedCustomer("cus_1", How.KNOWN, stripe_name="Known in Stripe", stripe_email="ap@known.example")
    batch = replace(BATCH, invoices=tuple(replace(one, customer=known) for one in BATCH.invoices))
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
    assert "Signed an earlier version: ann@firm.example (40 invoices, USD 5.00) on 1 June 2026, 10:15 UTC" in text
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
