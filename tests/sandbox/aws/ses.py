"""What becomes of a mail: refused by SES at sending, or accepted and reported on later through the deployed template.

A test says which address fails how; the mail itself, its tags and its configuration set are the product's. SES's
mailbox simulator answers too ("Using the mailbox simulator", Amazon SES developer guide): bounce@, complaint@ and
suppressionlist@simulator.amazonses.com, with or without a +label.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.sandbox.aws import notifications
from tests.sandbox.aws.deploy.registry import Deployment
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.frontdoor import FrontDoor, SentMail
from tests.sandbox.aws.iam.requests import ApiCall
from tests.sandbox.aws.mail import Mail
from tests.sandbox.aws.ses_events import EVENT_TYPES, Failure, Place, event_data

_SIMULATOR = "@simulator.amazonses.com"
_SIMULATED: Mapping[str, Failure] = {
    "bounce": "permanent",
    "complaint": "complaint",
    "suppressionlist": "suppressed",
}
_SUBJECT = "Amazon SES Email Event Notification"
_UPPER = re.compile(r"(?<!^)(?=[A-Z])")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True)
class MailEvent:
    """Something that SES had to say about a mail: its type ("Bounce"), the mail's id at SES, the logical ids of the
    functions that were invoked with it, and what kept it from being heard, a sentence for each place it was lost."""

    event_type: str
    message_id: str
    heard: tuple[str, ...]
    lost: tuple[str, ...]


class Ses:
    """`sandbox.ses`. Safe for many threads."""

    def __init__(
        self, door: FrontDoor, clock: Callable[[], float], place: Place, owner: Callable[[str], Deployment]
    ) -> None:
        self._door = door
        self._clock = clock
        self._place = place
        self._owner = owner
        self._lock = threading.Lock()
        self._failing: dict[str, Failure] = {}
        self._refused: dict[str, tuple[str, str]] = {}
        self._events: list[MailEvent] = []
        door.refuse_mail = self._refusal
        door.on_mail = self._accepted
        door.ses_reads = self._read
        self.production_access = True
        """Whether SES has let the account out of its sandbox; it delivers to everybody either way."""
        self.sending_enabled = True
        self.unverified: set[str] = set()
        """Addresses and domains that are asked for and that SES has not verified, though mails from them are sent."""
        self.redirect_domain = ""
        """A redirect domain that somebody gave the configuration sets, which tracks opens and clicks."""

    def fails(self, address: str, failure: Failure) -> None:
        """From now on, SES reports this failure of every mail to the address."""
        with self._lock:
            self._failing[address.lower()] = failure

    def refuses(self, address: str, message: str = "Illegal address", code: str = "BadRequestException") -> None:
        """From now on, SES refuses SendEmail for the address with this error."""
        with self._lock:
            self._refused[address.lower()] = (code, message)

    def works(self, address: str) -> None:
        """Mails to the address arrive again."""
        with self._lock:
            self._failing.pop(address.lower(), None)
            self._refused.pop(address.lower(), None)

    def reports(self, mail: Mail, failure: Failure, copies: int = 1) -> MailEvent:
        """SES reports on a mail that it accepted earlier. SNS delivers at least once: `copies` says how often."""
        sent = next((one for one in list(self._door.mails) if one.message_id == mail.message_id), None)
        if sent is None:
            raise SandboxError(f"SES never accepted a mail {mail.message_id!r}")
        found = [self._report(sent, failure, list(mail.to)) for _ in range(copies)]
        return found[-1]

    @property
    def events(self) -> list[MailEvent]:
        """Everything that SES had to say about mails so far."""
        with self._lock:
            return list(self._events)

    def _read(self, call: ApiCall) -> tuple[int, Mapping[str, Any]] | None:
        """Source: SES v2 API reference, GetAccount, GetEmailIdentity, GetConfigurationSet and its destinations."""
        if call.operation == "GetAccount":
            return 200, {
                "ProductionAccessEnabled": self.production_access,
                "SendingEnabled": self.sending_enabled,
                "EnforcementStatus": "HEALTHY",
            }
        if call.operation == "GetEmailIdentity":
            identity = str(call.parameters["EmailIdentity"])
            if identity not in self._owner("").lookup.identities and identity not in self.unverified:
                return 404, {"code": "NotFoundException", "message": f"Email identity {identity} does not exist."}
            kind = "EMAIL_ADDRESS" if "@" in identity else "DOMAIN"
            return 200, {"IdentityType": kind, "VerifiedForSendingStatus": identity not in self.unverified}
        if call.operation not in ("GetConfigurationSet", "GetConfigurationSetEventDestinations"):
            return None
        named = str(call.parameters["ConfigurationSetName"])
        if named not in self._owner(named).lookup.configuration_sets:
            return 404, {"code": "NotFoundException", "message": f"Configuration set <{named}> does not exist."}
        if call.operation == "GetConfigurationSet":
            tracking = (
                {"TrackingOptions": {"CustomRedirectDomain": self.redirect_domain}} if self.redirect_domain else {}
            )
            return 200, {"ConfigurationSetName": named, "SendingOptions": {"SendingEnabled": True}, **tracking}
        return 200, {
            "EventDestinations": [
                {
                    "Name": label,
                    "Enabled": destination["Enabled"],
                    "MatchingEventTypes": [_UPPER.sub("_", kind).upper() for kind in destination["MatchingEventTypes"]],
                }
                for owner, label, destination in self._owner(named).event_destinations
                if owner == named
            ]
        }

    def _accepted(self, sent: SentMail) -> None:
        for address in sent.parameters["Destination"].get("ToAddresses", []):
            failure = self._failure_of(address.lower())
            if failure is not None:
                self._report(sent, failure, [address])

    def _failure_of(self, address: str) -> Failure | None:
        if address.endswith(_SIMULATOR):
            return _SIMULATED.get(address.removesuffix(_SIMULATOR).partition("+")[0])
        with self._lock:
            return self._failing.get(address)

    def _report(self, sent: SentMail, failure: Failure, recipients: list[str]) -> MailEvent:
        named = str(sent.parameters.get("ConfigurationSetName") or "")
        deployment, event_type, at = self._owner(named), EVENT_TYPES[failure], self._clock()
        heard: list[str] = []
        lost: list[str] = []
        listening = [
            destination
            for configuration_set, _, destination in deployment.event_destinations
            if configuration_set == named
            # "Enabled" is false unless it is said (AWS::SES::ConfigurationSetEventDestination).
            and destination.get("Enabled", False)
            and event_type.lower() in destination["MatchingEventTypes"]
        ]
        if not listening:
            lost.append(f"no enabled event destination of the configuration set {named!r} matches {event_type.lower()}")
        message = json.dumps(event_data(sent, failure, recipients, at, self._place))
        for destination in listening:
            if "SnsDestination" not in destination:
                lost.append("the sandbox knows event destinations by SNS only")
                continue
            delivery = notifications.publish(
                deployment,
                destination["SnsDestination"]["TopicArn"],
                "ses.amazonaws.com",
                self._place.arn(f"configuration-set/{named}"),
                _SUBJECT,
                message,
                at,
            )
            heard += delivery.heard
            lost += delivery.lost
        event = MailEvent(event_type, sent.message_id, tuple(heard), tuple(lost))
        with self._lock:
            self._events.append(event)
        return event

    def _refusal(self, parameters: Mapping[str, Any]) -> tuple[str, str] | None:
        """(error code, message) if SES does not accept the mail."""
        for tag in parameters.get("EmailTags", []):
            for text in (tag["Name"], tag["Value"]):
                if not _TAG.fullmatch(text):
                    # "MessageTag" in the SES v2 API reference.
                    return "BadRequestException", f"Invalid tag <{text[:60]}>."
        for address in parameters["Destination"].get("ToAddresses", []):
            with self._lock:
                told = self._refused.get(address.lower())
            if told is not None:
                return told
            fault = _fault_of(address)
            if fault:
                return "BadRequestException", fault
        return None


def _fault_of(address: str) -> str:
    """What SES finds wrong with an address, in its words; "" for nothing. SES takes 7-bit ASCII only ("Destination" in
    the SES v2 API reference), and its words are those of JavaMail's InternetAddress."""
    local, _, domain = address.rpartition("@")
    if not local or not domain:
        return "Missing final '@domain'"
    for part, where in ((local, "Local address"), (domain, "Domain")):
        if not part.isascii() or any(letter <= " " for letter in part):
            return f"{where} contains control or whitespace"
        if part.startswith("."):
            return f"{where} starts with dot"
        if part.endswith("."):
            return f"{where} ends with dot"
        if ".." in part:
            return f"{where} contains dot-dot"
    return ""
