"""The mail with an approver's question to whoever started the run."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.approval.approval_entries import Entry
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.mail import MailContent
from billing.domain.period_name import period_name
from billing.pages.email import Email, mail_of
from billing.pages.formatting import counted


def question_mail(request: ApprovalRequest, question: Entry) -> MailContent:
    """Put the question. An answer to the mail goes to the approver; nothing of the mail can decide anything."""
    what = f"{counted(request.invoices, 'invoice')} for {period_name(request.period)}"
    content = mail_of(
        Email(
            subject=f"Question about {what}",
            heading=f"Question about {what}",
            opening=(f"{question.by} was asked to approve {what}, and asks:", question.reason),
            closing=(
                f"Reply to this email: your answer goes to {question.by}.",
                "The question is on record with the request, where the other approvers see it.",
                f"Run {request.run_id}, cycle {request.cycle}.",
            ),
            importance="high",
        )
    )
    return replace(content, reply_to=question.by)
