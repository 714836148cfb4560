"""A message for Slack, of blocks, into which foreign text goes only escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from billing.domain.text import clean, truncate

MOST_BLOCKS: Final = 50
LONGEST_TEXT: Final = 3_000
"""Slack's limits: blocks in a message, characters of a section's text."""

_LONGEST_HEADER: Final = 150
_FORMATS: Final = re.compile(r"`|(?<!\w)[*_~]+|[*_~]+(?!\w)")


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """`text` is for notifications and screen readers, `blocks` for everybody else."""

    text: str
    blocks: list[dict[str, Any]]

    @property
    def content(self) -> tuple[str, list[dict[str, Any]]]:
        """Text and blocks, as a channel takes them."""
        return self.text, self.blocks


def message_of_sections(title: str, sections: Sequence[str], run_id: str) -> SlackMessage:
    """A message of few words: a header, sections of mrkdwn whose foreign text is escaped already, and the run."""
    blocks = [header(title), *(section(text) for text in sections)]
    blocks.append({"type": "context", "elements": [mrkdwn(f"Run {escaped(run_id, 100)}")]})
    return SlackMessage(text=escaped(title, 600), blocks=blocks)


def escaped(text: str, most: int) -> str:
    """Foreign text for Slack's mrkdwn: one line, at most `most` characters, "&", "<" and ">" as Slack wants them.

    What would format (* _ ~ `) at a word's edge gets an invisible joiner, so that names look as they are written.
    """
    short = truncate(clean(text), most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _FORMATS.sub("\u2060\\g<0>\u2060", short)


def link(address: str, label: str) -> str:
    """A link in Slack's mrkdwn, "" without an address."""
    # A ">" or "|" in an address would end the link early.
    return f"<{address.replace('&', '&amp;').replace('>', '%3E').replace('|', '%7C')}|{label}>" if address else ""


def header(title: str) -> dict[str, Any]:
    """The block that says in large letters what a message is about."""
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": truncate(clean(title), _LONGEST_HEADER), "emoji": True},
    }


def section(text: str) -> dict[str, Any]:
    """A block of mrkdwn, cut to what Slack takes."""
    return {"type": "section", "text": mrkdwn(text)}


def mrkdwn(text: str) -> dict[str, Any]:
    """A text in Slack's format; foreign text in it is escaped already."""
    # verbatim: Slack makes no links and no mentions out of what it finds in the text by itself.
    return {"type": "mrkdwn", "text": truncate(text, LONGEST_TEXT), "verbatim": True}
