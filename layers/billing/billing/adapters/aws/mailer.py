"""Mail by SES, as MIME with a plain text and an HTML body, one thread per run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from billing.domain.errors import AddressRefused, PersonNeeded
from billing.domain.mail import Importance, MailContent

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_REFUSED = (
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "AccountSuspendedException",
    "SendingPausedException",
)
# SES v2 says BadRequestException of anything that is malformed; what is wrong with an address it says in these words,
# which are those of JavaMail's InternetAddress. Addresses on a suppression list are accepted, and bounce.
_BAD_ADDRESS = re.compile(
    r"(?:Local address|Domain) (?:contains|starts|ends|literal)|Missing (?:local name|domain|final '@domain')"
    r"|Illegal (?:address|character|semicolon|whitespace)|Invalid domain name"
)


# Outlook and Gmail read the first (RFC 4021), Apple Mail and Thunderbird the second, which no standard has. A mail of
# normal importance has neither.
_IMPORTANCE: Mapping[Importance, Mapping[str, str]] = {
    "low": {"Importance": "low", "X-Priority": "5 (Lowest)"},
    "normal": {},
    "high": {"Importance": "high", "X-Priority": "1 (Highest)"},
}


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends from one verified address. The configuration set has no open and click tracking: it would rewrite links."""

    ses: SESV2Client
    sender: str
    configuration_set: str

    def send(self, to: str, content: MailContent, thread: str, tags: Mapping[str, str] | None = None) -> None:
        """Send one mail to one person. `thread` is the run's id: all mails of a run refer to the same first message.
        SES gives `tags` back when it reports that the mail bounced; they are plain words (letters, digits, "-",
        "_").

        Raises AddressRefused if SES refuses this one address for good, and PersonNeeded if it refuses what concerns
        every mail: the sender is not verified, sending is paused, the account is in SES's sandbox. The codes are those
        of SendEmail in the SES v2 API reference, the reasons "Amazon SES email sending errors" in the SES guide.
        """
        message = EmailMessage(policy=SMTP)
        message["From"] = Address("Month-end billing", addr_spec=self.sender)
        message["To"] = to
        if content.reply_to:
            message["Reply-To"] = content.reply_to
        message["Subject"] = " ".join(content.subject.split())
        root = f"<{thread}@month-end-billing.invalid>"
        message["References"] = root
        message["In-Reply-To"] = root
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        for name, value in _IMPORTANCE[content.importance].items():
            message[name] = value
        message.set_content(content.text)
        message.add_alternative(content.html, subtype="html")
        try:
            self.ses.send_email(
                FromEmailAddress=self.sender,
                Destination={"ToAddresses": [to]},
                Content={"Raw": {"Data": message.as_bytes()}},
                ConfigurationSetName=self.configuration_set,
                EmailTags=[{"Name": name, "Value": value} for name, value in (tags or {}).items()],
            )
        except ClientError as error:
            code, answer = error.response["Error"]["Code"], str(error.response["Error"].get("Message", ""))
            if code == "BadRequestException" and _BAD_ADDRESS.match(answer):
                raise AddressRefused(answer) from None
            if code in _REFUSED:
                raise PersonNeeded(
                    f"SES refuses to send ({code}): the sender must be verified, and in the SES "
                    "sandbox every recipient too."
                ) from None
            raise
