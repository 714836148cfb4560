"""The mail to everybody who was asked when an approved run has ended: what was drafted, what was not, who said what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Answer, Outcome
from billing.domain.mail import MailContent
from billing.domain.money.rough_worth import largest_first
from billing.domain.runs.report import LineOutcome, Report
from billing.pages.approval.approval_mail import decided_mail
from billing.pages.email import Email, Figure, Listing, mail_of
from billing.pages.formatting import counted, local_words, money_words, people_words
from billing.pages.report.report_story import (
    FATE_TITLES,
    TROUBLED,
    explanation,
    fate_sums,
    headline,
    line_amount,
    named_lines,
    order_text,
    trouble_subject,
    troubles,
)

_MOST_DRAFTS: Final = 20
_MOST_TROUBLES: Final = 10


def closing_mail(
    report: Report, approver: str, inbox: Callable[[ApprovalRequest], str], stripe_dashboard: str
) -> MailContent:
    """Tell one person who was asked how that ended: the result of an approved run, or by whom and why nothing was
    drafted. `inbox` gives their link. Raises ValueError for a report of a run whose request has not ended."""
    request, decision = report.request, report.decision
    if request is None or decision is None:
        raise ValueError("The request has not ended: there is nothing to tell of it.")
    if decision.outcome == Outcome.APPROVED:
        return result_mail(report, approver, inbox=inbox(request), stripe_dashboard=stripe_dashboard)
    return decided_mail(request, decision, approver, report.votes, inbox(request), report.run.zone)


def result_mail(report: Report, approver: str, *, inbox: str, stripe_dashboard: str) -> MailContent:
    """Tell one person the result of what they were asked about. Neither of its links can decide anything: one is their
    inbox, whose page of this request lists every draft with its own link, the other is Stripe."""
    drafted = largest_first(report.totals.get(str(LineOutcome.DRAFTED), {}))
    lines = report.of(LineOutcome.DRAFTED)
    counts = {currency: sum(1 for line in lines if line.currency == currency) for currency in drafted}
    title = headline(report)
    references = [
        ("Everything you were asked, with every draft", inbox),
        ("The drafts in Stripe", f"{stripe_dashboard.rstrip('/')}/invoices?status=draft"),
    ]
    return mail_of(
        Email(
            subject=title,
            heading=title,
            opening=(explanation(report),),
            amounts=[
                Figure(money_words(minor, currency), f"{counted(counts[currency], 'invoice')} drafted")
                for currency, minor in drafted.items()
            ],
            facts=list(_facts(report)),
            listings=[*_troubles(report), *_drafts(report)],
            references=[(label, address) for label, address in references if address],
            closing=(
                f"You are receiving this because {approver} was asked to sign. No action is needed.",
                f"Run {report.run.id}. Fingerprint of the content (SHA-256): {report.batch_sha256}",
            ),
        )
    )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    for fate, orders, words in fate_sums(report):
        if orders and fate is not LineOutcome.DRAFTED:
            yield FATE_TITLES[fate], counted(orders, "order") + (f", {words}" if words else "")
    signed = [vote for vote in report.votes if vote.answer is Answer.APPROVE]
    if signed:
        yield "Signed by", people_words([vote.approver for vote in signed])
    for vote in signed:
        if vote.reason:
            yield "Comment", f"{vote.approver}: {vote.reason}"
    if report.decision is not None:
        yield "Approved", local_words(report.decision.at, report.run.zone)


def _troubles(report: Report) -> Iterator[Listing]:
    found = troubles(report)
    for fate in TROUBLED:
        of_fate = [trouble for trouble in found if trouble.fate is fate]
        if of_fate:
            items = tuple(f"{trouble_subject(trouble)}: {trouble.reason}" for trouble in of_fate[:_MOST_TROUBLES])
            rest = sum(len(trouble.lines) for trouble in of_fate[_MOST_TROUBLES:])
            yield Listing(f"{FATE_TITLES[fate]} ({len(named_lines(report, fate)):,})", items, rest)


def _drafts(report: Report) -> Iterator[Listing]:
    lines = report.of(LineOutcome.DRAFTED)
    if lines:
        items = tuple(
            ", ".join(filter(None, (line.client, order_text(line), line_amount(line), line.invoice_id)))
            for line in lines[:_MOST_DRAFTS]
        )
        yield Listing(f"Drafted ({len(lines):,})", items, max(0, len(lines) - _MOST_DRAFTS), "on the page")
