"""State "Ask the deputies": the people of the parameter Deputies are asked as well, in every slot that waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from billing.domain.approval.approval_entries import Entry, EntryKind, passed_on
from billing.domain.approval.approvers import is_barred
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.errors import PassingError
from billing.domain.records import to_record
from billing.domain.run import Run
from billing.workflows.approval.present_request import SignedTexts, present_request

_NOBODY = "The parameter Deputies lists no one who may sign this request."


class Requests(Protocol):
    """The approvals table."""

    def newest(self, run_id: str) -> StoredRequest | None: ...
    def append(self, request_id: str, seen: int, signed: str, content: str) -> bool: ...


class Signing(SignedTexts, Protocol):
    """Signs and verifies."""

    def sign_entry(self, request_id: str, number: int, entry: Mapping[str, Any]) -> str: ...


def ask_the_deputies(
    run: Run,
    deputies: Sequence[str],
    requests: Requests,
    signing: Signing,
    now: datetime,
) -> dict[str, int]:
    """Put the escalation on record; "Ask for approval" then mails the deputies links of their own. Safe to repeat.

    Those who were asked first stay asked, and no slot needs fewer people. An escalation that finds nobody (the deputies
    are the barred requester, or have passed the request on, or the parameter is empty by now) is on record too, and
    is over: it is not tried again. Answers how many deputies are asked. Raises PassingError if others change the
    request at the same moment.
    """
    stored = requests.newest(run.id)
    if stored is None:
        return {"deputies": 0}
    present = present_request(stored, signing)
    present.refuse_blind_changes()
    if present.decided or present.deputies_asked or present.expired(now):
        return {"deputies": 0}
    out = passed_on(present.entries)
    people = tuple(one for one in deputies if not is_barred(one, present.request.barred) and one not in out)
    entry = Entry(
        EntryKind.ESCALATE,
        "",
        now.isoformat(),
        reason="Not everyone responded in time." if people else _NOBODY,
        people=people,
        slots=present.tally.open_slots,
    )
    signed = signing.sign_entry(present.request.id, stored.changes + 1, to_record(entry))
    if not requests.append(present.request.id, stored.changes, signed, present.request.request_hash):
        raise PassingError("Others change the same approval request at this moment.")
    return {"deputies": len(people)}
