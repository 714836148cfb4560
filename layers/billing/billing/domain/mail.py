"""A mail's content. Who gets it and how it is sent is the adapter's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Importance = Literal["low", "normal", "high"]
"""How a mail program shows it beside others."""


@dataclass(frozen=True, slots=True)
class MailContent:
    """Subject, plain text and HTML say the same thing. `reply_to` is who gets an answer, "" for the sender."""

    subject: str
    text: str
    html: str
    importance: Importance = "normal"
    reply_to: str = ""
