"""One mail to one person: both bodies, one thread per run, and nothing that a name could add to its headers."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from billing.adapters.aws.mailer import Mailer
from billing.domain.errors import AddressRefused, PersonNeeded
from billing.domain.mail import Importance, MailContent
from tests.adapters.aws_world import SENDER

CONTENT = MailContent("Approve 3 invoices – May 2026", "Hello, 12.00 €\n", "<p>Hello, 12.00 €</p>\n")


class Ses:
    def __init__(self, code: str = "", message: str = "") -> None:
        self.sent: list[dict[str, Any]] = []
        self.code = code
        self.message = message

    def send_email(self, **mail: Any) -> None:
        if self.code:
            error = {"Code": self.code, "Message": self.message}
            raise ClientError({"Error": error}, "SendEmail")  # type: ignore[typeddict-item]
        self.sent.append(mail)


def sent(content: MailContent = CONTENT, to: str = "ann@firm.example", thread: str = "run-1") -> EmailMessage:
    ses = Ses()
    Mailer(ses, SENDER, "no-tracking").send(to, content, thread)  # type: ignore[arg-type]
    (mail,) = ses.sent
    assert mail["Destination"] == {"ToAddresses": [to]}
    assert mail["ConfigurationSetName"] == "no-tracking"
    return cast(EmailMessage, message_from_bytes(mail["Content"]["Raw"]["Data"], policy=default))


def test_a_mail_has_both_bodies_and_its_headers() -> None:
    mail = sent()
    assert mail["From"] == f"Month-end billing <{SENDER}>"
    assert mail["To"] == "ann@firm.example"
    assert mail["Subject"] == CONTENT.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert cast(EmailMessage, text).get_content().replace("\r\n", "\n") == CONTENT.text
    assert cast(EmailMessage, html).get_content().replace("\r\n", "\n") == CONTENT.html


@pytest.mark.parametrize(
    ("importance", "standard", "priority"),
    [("normal", None, None), ("high", "high", "1 (Highest)"), ("low", "low", "5 (Lowest)")],
)
def test_mail_programs_are_told_how_urgent_it_is(
    importance: Importance, standard: str | None, priority: str | None
) -> None:
    mail = sent(replace(CONTENT, importance=importance))
    assert (mail["Importance"], mail["X-Priority"]) == (standard, priority)


def test_all_mails_of_a_run_are_one_thread() -> None:
    assert sent()["References"] == sent(to="bob@firm.example")["References"]
    assert sent()["References"] != sent(thread="run-2")["References"]


@pytest.mark.parametrize(
    "subject",
    ["x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example", "x\r\n\r\n<script>", "x\x0bBcc: eve@evil.example",
     "x\u2028Bcc: eve@evil.example", "y" * 2000 + "\r\nBcc: eve@evil.example"],
)  # fmt: skip
def test_a_clients_name_adds_no_header(subject: str) -> None:
    mail = sent(MailContent(subject, "t", "<p>h</p>"))
    assert mail["Bcc"] is None
    assert set(mail.keys()) == set(sent().keys())


@pytest.mark.parametrize("to", ["ann@firm.example\r\nBcc: eve@evil.example", "ann@firm.example\nX: y"])
def test_an_address_adds_no_header(to: str) -> None:
    ses = Ses()
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        Mailer(ses, SENDER, "c").send(to, CONTENT, "run-1")  # type: ignore[arg-type]
    assert ses.sent == []


@pytest.mark.parametrize("code", ["MessageRejected", "MailFromDomainNotVerifiedException", "SendingPausedException"])
def test_a_refusal_for_good_needs_a_person(code: str) -> None:
    with pytest.raises(PersonNeeded, match=code):
        Mailer(Ses(code), SENDER, "c").send("ann@firm.example", CONTENT, "run-1")  # type: ignore[arg-type]


def test_a_refusal_for_now_keeps_its_name() -> None:
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        Mailer(Ses("TooManyRequestsException"), SENDER, "c").send("ann@firm.example", CONTENT, "run-1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        "Illegal address",
        "Missing final '@domain'",
        "Missing domain",
        "Missing local name",
        "Local address contains control or whitespace",
        "Local address contains dot-dot",
        "Domain contains illegal character",
        "Domain ends with dot",
        "Invalid domain name: 'firm..example'",
    ],
)
def test_an_address_that_is_malformed_to_ses_is_told_from_what_concerns_every_mail(answer: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Mailer(Ses("BadRequestException", answer), SENDER, "c").send("ann@firm.example", CONTENT, "run-1")  # type: ignore[arg-type]
    assert refused.value.answer == answer
    assert answer not in str(refused.value), "an error's text reaches the execution's history, an address must not"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region X: a@b.c",
        ),
        ("SendingPausedException", "Email sending is paused."),
        ("AccountSuspendedException", "Illegal address"),
    ],
)
def test_what_concerns_every_mail_is_never_the_addresss_fault(code: str, message: str) -> None:
    with pytest.raises(PersonNeeded) as refused:
        Mailer(Ses(code, message), SENDER, "c").send("ann@firm.example", CONTENT, "run-1")  # type: ignore[arg-type]
    assert type(refused.value) is PersonNeeded


@pytest.mark.parametrize("message", ["Invalid tag <a b>.", "", "Email sending: Illegal address"])
def test_any_other_bad_request_is_our_own_fault_and_keeps_its_name(message: str) -> None:
    with pytest.raises(ClientError, match="BadRequestException"):
        Mailer(Ses("BadRequestException", message), SENDER, "c").send("ann@firm.example", CONTENT, "run-1")  # type: ignore[arg-type]
