"""The mail with a code to sign. It has no link: whoever has only this mail can do nothing."""

from __future__ import annotations

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.second_factor import GOOD_FOR
from billing.domain.mail import MailContent
from billing.domain.period_name import period_name
from billing.pages.email import Email, Figure, mail_of
from billing.pages.formatting import counted


def code_mail(request: ApprovalRequest, approver: str, digits: str) -> MailContent:
    """Give one person their code. The subject does not hold it: subjects are shown on locked phones, and logged."""
    what = f"{counted(request.invoices, 'invoice')} for {period_name(request.period)}"
    minutes = GOOD_FOR // 60
    return mail_of(
        Email(
            subject=f"Your code to sign: {what}",
            heading="Your code to sign",
            opening=(f"Type this code on the page where you were asked about {what}.",),
            amounts=[Figure(f"{digits[:3]} {digits[3:]}", f"good for {minutes} minutes")],
            closing=(
                f"Someone asked for it on the approval page, with the personal link of {approver}.",
                (
                    "If that was not you, someone or something else has opened your link and tried to answer. Nothing "
                    "was recorded: do not give the code to anyone, and tell the billing team."
                ),
                f"Run {request.run_id}.",
            ),
        )
    )
