"""The mails that SES accepted, parsed."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from weakref import WeakKeyDictionary

from tests.sandbox.aws.frontdoor import SentMail


@dataclass(frozen=True)
class Mail:
    """One mail. `to` are the addresses it was delivered to (SES's Destination), `time` is the sandbox's, in epoch
    seconds; `text` and `html` are empty where that part is missing; `raw` is empty for a Simple message; `message_id`
    is SES's."""

    time: float
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    links: tuple[str, ...]
    headers: Mapping[str, str]
    configuration_set: str | None
    raw: bytes = b""
    message_id: str = ""


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


_parsed: WeakKeyDictionary[SentMail, Mail] = WeakKeyDictionary()
"""A test that waits for a mail looks at all of them, again and again."""


def parse_mail(sent: SentMail) -> Mail:
    """The mail of a SES v2 SendEmail call."""
    if sent not in _parsed:
        _parsed[sent] = _parse(sent)
    return _parsed[sent]


def _parse(sent: SentMail) -> Mail:
    parameters = sent.parameters
    destination = parameters.get("Destination", {})
    to = tuple(
        address for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for address in destination.get(kind, [])
    )
    content = parameters["Content"]
    if "Raw" in content:
        raw = base64.b64decode(content["Raw"]["Data"])
        message = email.message_from_bytes(raw, policy=email.policy.default)
        text, html = _part(message, "plain"), _part(message, "html")
        headers = {name: str(value) for name, value in message.items()}
        subject = str(message.get("Subject", ""))
        to = to or tuple(re.findall(r"[^\s<>,]+@[^\s<>,]+", str(message.get("To", ""))))
    else:
        simple: Mapping[str, Any] = content["Simple"]
        raw = b""
        text = simple["Body"].get("Text", {}).get("Data", "")
        html = simple["Body"].get("Html", {}).get("Data", "")
        headers = {item["Name"]: item["Value"] for item in simple.get("Headers", [])}
        subject = simple["Subject"]["Data"]
    return Mail(
        time=sent.time,
        sender=str(parameters.get("FromEmailAddress", "")),
        to=to,
        subject=subject,
        text=text,
        html=html,
        links=_links(text, html),
        headers=headers,
        configuration_set=parameters.get("ConfigurationSetName"),
        raw=raw,
        message_id=sent.message_id,
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else ""


def _links(text: str, html: str) -> tuple[str, ...]:
    anchors = _Anchors()
    anchors.feed(html)
    found = [*anchors.found, *(link.rstrip(".,;:!?") for link in re.findall(r"https?://[^\s<>\"')]+", text))]
    return tuple(dict.fromkeys(link for link in found if link.startswith("http")))
