"""State "Ask the deputies": the people of the parameter Deputies are asked as well, wherever a slot still waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from billing.adapters.approvals_table import StoredRequest
from billing.domain.approval_entries import Entry, EntryKind
from billing.domain.approvers import approver_id
from billing.domain.errors import PassingError
from billing.steps.present_request import SignedTexts, present_request


class Requests(Protocol):
    """The approvals table."""

    def newest(self, run_id: str) -> StoredRequest | None: ...
    def append(self, request_id: str, seen: int, signed: str, content: str) -> bool: ...


class Signing(SignedTexts, Protocol):
    """Signs and verifies."""

    def sign_entry(self, request_id: str, number: int, entry: Mapping[str, Any]) -> str: ...


def ask_the_deputies(
    run: Mapping[str, Any],
    deputies: Sequence[str],
    requester_may_sign: bool,
    requests: Requests,
    signing: Signing,
    now: datetime,
) -> dict[str, int]:
    """Put the escalation on record; "Ask for approval" then mails the deputies links of their own. Safe to repeat.

    Those who were asked first stay asked, and no slot needs fewer people. Answers how many deputies are asked. Raises
    PassingError if others change the request at the same moment.
    """
    stored = requests.newest(run["id"])
    if stored is None:
        return {"deputies": 0}
    present = present_request(stored, signing)
    present.refuse_blind_changes()
    people = tuple(
        one
        for one in deputies
        if requester_may_sign or not run["requestedBy"] or approver_id(one) != run["requestedBy"]
    )
    if present.decided or present.deputies_asked or present.expired(now) or not people:
        return {"deputies": 0}
    entry = Entry(
        EntryKind.ESCALATE,
        "",
        now.isoformat(),
        reason="Not everybody answered in time.",
        people=people,
        slots=present.standing.open_slots,
    )
    signed = signing.sign_entry(present.request.id, stored.changes + 1, entry.to_dict())
    if not requests.append(present.request.id, stored.changes, signed, present.request.batch_sha256):
        raise PassingError("Others change the same approval request at this moment.")
    return {"deputies": len(people)}
