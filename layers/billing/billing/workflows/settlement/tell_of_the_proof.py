"""A proof that was kept, shown to people: its page in the bucket, and one line to Slack a day.

{"day": "2026-11-30"}    the day of the proof
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from billing.domain.errors import InputInvalid
from billing.domain.records import read_stored
from billing.domain.sending import Sending
from billing.domain.settlement.proof import Proof
from billing.workflows.ports import Channel, Messages
from billing.workflows.settlement.prove_the_books import KeptProof

_REMEMBERED: Final = timedelta(days=2)


class Files(Protocol):
    """The bucket."""

    def read_json(self, key: str, sha256: str | None = None) -> Any: ...
    def write(self, key: str, data: bytes, content_type: str) -> None: ...


@dataclass(frozen=True, slots=True)
class TellingOfTheProof:
    """What telling needs. `page` writes the page, `line` Slack's text and blocks."""

    of_day: Callable[[str], KeptProof | None]
    files: Files
    messages: Messages
    channel: Callable[[], Channel]
    page: Callable[[Proof], str]
    line: Callable[[Proof], tuple[str, list[dict[str, Any]]]]
    now: datetime

    def tell(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Write the page, and post the day's line unless it was posted. Raises InputInvalid for a day without a proof,
        and what the ports raise."""
        day = str(asked.get("day", ""))
        kept = self.of_day(day)
        if kept is None:
            raise InputInvalid(f"There is no proof of the day {day!r}.")
        proof = read_stored(Proof, self.files.read_json(kept.key, kept.sha256), f"the proof {kept.key}")
        self.files.write(f"settlement/proofs/{day}.html", self.page(proof).encode(), "text/html; charset=utf-8")
        return {"day": day, "told": int(self._post(proof))}

    def _post(self, proof: Proof) -> bool:
        """Whether it was posted now. One that may have gone out is looked for first."""
        owner, message_id = f"PROOF#{proof.day}", f"proof/{proof.day}"
        sending = self.messages.begin(owner, "slack", self.now.isoformat())
        if sending is Sending.DONE:
            return False
        slack = self.channel()
        new = sending is Sending.NEW or not slack.has(message_id, (self.now - _REMEMBERED).timestamp())
        if new:
            text, blocks = self.line(proof)
            slack.post(message_id, text, blocks)
        self.messages.finish(owner, "slack", self.now.isoformat())
        return new
