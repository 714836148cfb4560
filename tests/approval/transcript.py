"""What people were sent in a run that was played through, to be read beside CI's pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.approval.asked import mails_of
from tests.conftest import SCREENSHOTS
from tests.played.story import entered
from tests.sandbox import Run, Sandbox

TRANSCRIPTS = SCREENSHOTS.parent / "transcripts"
_LINK = re.compile(r"(/approvals/(?:inbox/)?)\S+")


def transcribe(sandbox: Sandbox, run: Run, name: str) -> str:
    """Keep the run's states, mails and Slack posts as a text in CI's output, without what the links are signed with.
    Answers the text."""
    parts = ["States: " + ", ".join(entered(sandbox, run))]
    parts += [f"Mail to {', '.join(mail.to)}: {mail.subject}\n\n{mail.text.strip()}" for mail in mails_of(sandbox, run)]
    parts += ["Slack:\n\n" + "\n".join(_texts(post)) for post in sandbox.posts() if run.name in json.dumps(post)]
    text = _LINK.sub(r"\1...", f"\n\n{'-' * 80}\n\n".join(parts).replace("\r\n", "\n"))
    TRANSCRIPTS.mkdir(parents=True, exist_ok=True)
    (TRANSCRIPTS / f"{name}.txt").write_text(text, encoding="utf-8")
    return text


def _texts(block: Any) -> Iterator[str]:
    """Every text of a post, in its order."""
    if isinstance(block, dict):
        for name, value in block.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(block, list):
        for one in block:
            yield from _texts(one)
