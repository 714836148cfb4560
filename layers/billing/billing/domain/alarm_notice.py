"""What CloudWatch says of an alarm, as SNS carries it.

Source: "Amazon SNS notifications for CloudWatch alarms" (CloudWatch user guide): a JSON object with AlarmName,
AlarmDescription, NewStateValue, StateChangeTime, AlarmArn and Region (in words).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

RUNBOOK: Final = "docs/runbook/"
_PAGE: Final = re.compile(r"\s*\bRunbook: docs/runbook/([A-Za-z0-9._/-]+\.md)")


@dataclass(frozen=True, slots=True)
class AlarmNotice:
    """An alarm that changed its state. `page` is its runbook page below docs/runbook, "" if its description names none;
    `changed_at` is CloudWatch's own text of the moment."""

    name: str
    arn: str
    state: str
    description: str
    page: str
    changed_at: str

    @property
    def message_id(self) -> str:
        """One for each change of state, however often it is delivered."""
        return f"alarm/{self.name}/{self.state}/{self.changed_at}"


def alarm_notices(messages: Iterable[str]) -> Iterator[AlarmNotice]:
    """The notices among messages of the topic; whatever else was published to it is left alone."""
    for message in messages:
        try:
            said = json.loads(message)
            name, state = str(said["AlarmName"]), str(said["NewStateValue"])
        except (KeyError, TypeError, ValueError):
            continue
        description = str(said.get("AlarmDescription") or "")
        page = _PAGE.search(description)
        yield AlarmNotice(
            name,
            str(said.get("AlarmArn") or ""),
            state,
            _PAGE.sub("", description).strip(),
            page[1] if page else "",
            str(said.get("StateChangeTime") or ""),
        )
