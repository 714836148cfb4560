"""SES says that a mail to an approver bounced or was complained about: it is put on record, and the run is woken.

Not a state: SNS calls it. It can neither vote nor decide; the run itself finds out whether a slot is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from billing.domain.approval.approval_request import Bounce
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.errors import PassingError
from billing.workflows.approval.approval_links import request_of_tag


class Requests(Protocol):
    """The approvals table."""

    def read(self, request_id: str) -> StoredRequest | None: ...
    def note_bounce(self, request_id: str, bounce: Bounce) -> bool: ...


class Waking(Protocol):
    """Wakes a waiting run."""

    def wake(self, sealed_token: bytes, run_id: str) -> bool: ...


def note_the_bounce(event: Mapping[str, Any], requests: Requests, callback: Waking, now: datetime) -> dict[str, int]:
    """Put every lasting failure of the event on record, once for each person, and wake the runs they concern.

    A passing failure (a full mailbox) is left to SES, which tries again. Mails that ask nobody (the summary) carry no
    tags and are left alone. Safe to repeat. Answers how many failures were noted. Raises PassingError if the run
    could not be woken: Lambda repeats an asynchronous call twice (AWS, "How Lambda handles errors and retries").
    """
    noted = 0
    for request_id, bounce in _bounces(event, now):
        stored = requests.read(request_id)
        if stored is None:
            continue
        noted += requests.note_bounce(request_id, bounce)
        # Also for one that was noted before: the function may have been killed between the two.
        if stored.outcome is None and now < datetime.fromisoformat(stored.request.expires_at):
            asleep = bool(stored.sealed_token) and callback.wake(stored.sealed_token, stored.request.run_id)
            if not asleep:
                raise PassingError("The run is between two turns of its waiting. Lambda calls again in a minute.")
    return {"bounces": noted}


def _bounces(event: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, Bounce]]:
    """SES's event format: "Contents of event data that Amazon SES publishes to Amazon SNS" (SES developer guide)."""
    for record in event.get("Records") or []:
        try:
            message = json.loads(record["Sns"]["Message"])
            kind = str(message["eventType"]).lower()
            tags = message["mail"]["tags"]
            request_id, person = request_of_tag(tags["request"][0]), str(tags["approver"][0])
        except (KeyError, IndexError, TypeError, ValueError):
            continue
        about = message.get(kind) or {}
        if request_id is None or kind not in ("bounce", "complaint", "reject"):
            continue
        if kind == "bounce" and about.get("bounceType") != "Permanent":
            continue
        detail = about.get("bounceSubType") or about.get("complaintFeedbackType") or about.get("reason") or ""
        yield request_id, Bounce(person, kind, str(detail)[:200], now.isoformat())
