"""What Amazon SES publishes about a mail after it accepted it.

Sources: "Contents of event data that Amazon SES publishes to Amazon SNS" and "Examples of event data that Amazon SES
publishes to Amazon SNS" (Amazon SES developer guide).
"""

from __future__ import annotations

import base64
import email
import email.policy
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from tests.sandbox.aws.frontdoor import SentMail

Failure = Literal["permanent", "transient", "suppressed", "complaint", "reject"]
"""permanent: there is no such mailbox. transient: SES tried for hours in vain (a full mailbox). suppressed: the address
is on a suppression list, which SES reports as a permanent bounce. complaint: delivered, and marked as spam. reject:
SES found a virus and sent nothing."""

EVENT_TYPES: Mapping[Failure, str] = {
    "permanent": "Bounce",
    "transient": "Bounce",
    "suppressed": "Bounce",
    "complaint": "Complaint",
    "reject": "Reject",
}
_BOUNCES: Mapping[str, tuple[str, str, str, str]] = {
    "permanent": ("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    "transient": ("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full"),
    "suppressed": (
        "Permanent",
        "OnAccountSuppressionList",
        "5.1.1",
        "the address is on the account's suppression list",
    ),
}


@dataclass(frozen=True)
class Place:
    """The sending account and its region: a part of every record."""

    region: str
    account: str

    def arn(self, resource: str) -> str:
        """The ARN of something of SES's."""
        return f"arn:aws:ses:{self.region}:{self.account}:{resource}"


def event_data(sent: SentMail, failure: Failure, recipients: Sequence[str], at: float, place: Place) -> dict[str, Any]:
    """The record about one mail. `at` is in epoch seconds."""
    event_type = EVENT_TYPES[failure]
    about: dict[str, Any]
    if event_type == "Bounce":
        kind, subtype, status, diagnosis = _BOUNCES[failure]
        about = {
            "feedbackId": _feedback_id(),
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [
                {"emailAddress": one, "action": "failed", "status": status, "diagnosticCode": diagnosis}
                for one in recipients
            ],
            "timestamp": instant(at),
            "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
        }
    elif event_type == "Complaint":
        about = {
            "feedbackId": _feedback_id(),
            "complaintSubType": None,
            "complainedRecipients": [{"emailAddress": one} for one in recipients],
            "timestamp": instant(at),
            "userAgent": "Mozilla/5.0",
            "complaintFeedbackType": "abuse",
            "arrivalDate": instant(sent.time),
        }
    else:
        about = {"reason": "Bad content"}
    return {"eventType": event_type, event_type.lower(): about, "mail": _mail(sent, place)}


def _mail(sent: SentMail, place: Place) -> dict[str, Any]:
    parameters = sent.parameters
    sender = str(parameters["FromEmailAddress"])
    headers: list[tuple[str, str]] = []
    if "Raw" in parameters["Content"]:
        raw = base64.b64decode(parameters["Content"]["Raw"]["Data"])
        message = email.message_from_bytes(raw, policy=email.policy.default)
        headers = [(name, str(value)) for name, value in message.items()]
    named = dict(headers)
    tags = {
        "ses:source-ip": ["192.0.2.0"],
        "ses:configuration-set": [str(parameters.get("ConfigurationSetName", ""))],
        "ses:from-domain": [sender.rpartition("@")[2]],
        "ses:caller-identity": [sent.caller],
    }
    tags |= {tag["Name"]: [tag["Value"]] for tag in parameters.get("EmailTags", [])}
    return {
        "timestamp": instant(sent.time),
        "source": named.get("From", sender),
        "sourceArn": place.arn(f"identity/{sender}"),
        "sendingAccountId": place.account,
        "messageId": sent.message_id,
        "destination": list(parameters["Destination"].get("ToAddresses", [])),
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers],
        "commonHeaders": {
            "from": [named.get("From", sender)],
            "to": [named.get("To", "")],
            "messageId": sent.message_id,
            "subject": named.get("Subject", ""),
        },
        "tags": tags,
    }


def instant(seconds: float) -> str:
    """Such as 2026-06-01T09:00:00.000Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _feedback_id() -> str:
    return f"0100{uuid.uuid4()}-000000"
