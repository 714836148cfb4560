"""NetSuite's record API, as far as the settlement needs it: create, transform, preview, read, and apply.

Nothing here replaces, deletes or voids: an upsert (PUT with `eid:`) would add a record's lines a second time, and
undoing is a memo or a refund of its own. A synchronous POST has no idempotency key in NetSuite; the externalId in its
body is the guard, unique among all transactions. So a write that got no answer is never repeated by itself: it raises
MayBeWritten, and whoever wrote looks first.

Sources: Oracle's help pages "The Record Service", "Transforming Records", "Using External IDs" and "Error Handling in
REST Web Services"; REST API Browser 2026.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import requests

from billing.adapters.netsuite.transport import ATTEMPTS, NO_ANSWER, Transport, error_of, login_refused
from billing.domain.errors import PassingError, PersonNeeded
from billing.domain.settlement.write_doubts import AlreadyExists, MayBeWritten, Refused, Rule

_RECORDS: Final = "/services/rest/record/v1"
_CREATE_FORM: Final = "application/vnd.oracle.resource+json; type=create-form"
_IN_LOCATION: Final = re.compile(r"/([^/?]+)/?(?:\?.*)?$")
_BATCH: Final = 100

Json = Mapping[str, Any]


class _Missing(Exception):
    """There is no such record."""


@dataclass(slots=True)
class NetSuiteRecords:
    """The records of one account."""

    transport: Transport

    def create(self, record_type: str, body: Json) -> str:
        """POST a record; return its internal id, "" if the answer does not say it.

        Raises MayBeWritten, AlreadyExists, Refused, PassingError (nothing was written), PersonNeeded.
        """
        return self._write("POST", f"/{record_type}", body)

    def transform(self, record_type: str, record_id: str, target: str, body: Json) -> str:
        """Make a record of another and save it; return its internal id. Raises as create does."""
        return self._write("POST", f"/{record_type}/{record_id}/!transform/{target}", body)

    def preview_transform(self, record_type: str, record_id: str, target: str, body: Json) -> Json:
        """What `transform` would save. Saves nothing, so it is repeated like a read."""
        path = f"/{record_type}/{record_id}/!transform/{target}?expandSubResources=true"
        return self._read("POST", path, body, _CREATE_FORM) or {}

    def preview(self, record_type: str, body: Json) -> Json:
        """What `create` would save. Saves nothing."""
        return self._read("POST", f"/{record_type}?expandSubResources=true", body, _CREATE_FORM) or {}

    def by_id(self, record_type: str, record_id: str) -> Json | None:
        """A record with its lines, None if there is none."""
        return self._read("GET", f"/{record_type}/{record_id}?expandSubResources=true")

    def by_external_id(self, record_type: str, external_id: str) -> Json | None:
        """The record with this externalId and its lines, None if there is none."""
        return self._read("GET", f"/{record_type}/eid:{external_id}?expandSubResources=true")

    def by_external_ids(self, record_type: str, external_ids: Sequence[str]) -> Iterator[Json]:
        """Those of the records that exist, a hundred a call, without their lines."""
        for start in range(0, len(external_ids), _BATCH):
            ids = ",".join(f"eid:{one}" for one in external_ids[start : start + _BATCH])
            found = self._read("GET", f"/{record_type}?ids={ids}&expandRecords=true") or {}
            yield from found.get("items") or ()

    def set_applies(self, record_type: str, record_id: str, applies: Sequence[Json]) -> None:
        """Change what a record is applied to. The sublist is keyed by `doc`: a line that is named is changed, and
        repeating it changes nothing. Raises as create does."""
        self._write("PATCH", f"/{record_type}/{record_id}", {"apply": {"items": list(applies)}})

    def patch(self, record_type: str, record_id: str, body: Json) -> None:
        """Change fields, or lines of a keyed sublist, of a record that is no transaction. Raises as create does."""
        self._write("PATCH", f"/{record_type}/{record_id}", body)

    def _write(self, method: str, path: str, body: Json) -> str:
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self.transport.send(method, f"{_RECORDS}{path}", body, _headers("application/json"))
            except NO_ANSWER:
                raise MayBeWritten(path) from None
            if answer.status_code in (200, 204):
                found = _IN_LOCATION.search(answer.headers.get("Location", ""))
                return found[1] if found else ""
            if answer.status_code >= 500:
                raise MayBeWritten(path)
            if answer.status_code == 401 and not renewed:
                renewed = True
                self.transport.login.renew()
                continue
            named = _refusal(path, answer)
            if isinstance(named, _Missing):
                raise Refused(Rule.OTHER, error_of(answer)[0] or "HTTP 404")
            if named is not None:
                raise named
            # Refused before anything was done: the concurrency limit, or a record that somebody else has just changed.
            if attempt < ATTEMPTS:
                self.transport.pause(attempt, answer)
        raise PassingError("NetSuite is busy: too many requests at the same time. Run again later.")

    def _read(self, method: str, path: str, body: Json | None = None, accept: str = "application/json") -> Json | None:
        try:
            return self.transport.repeat(method, f"{_RECORDS}{path}", body, _headers(accept), partial(_refusal, path))
        except _Missing:
            return None


def _headers(accept: str) -> dict[str, str]:
    # Without the second a misspelt field is dropped with a warning header, and the record is saved without it.
    return {"Accept": accept, "X-NetSuite-PropertyNameValidation": "Error"}


_PERMISSIONS: Final = {
    "salesOrder": "Invoice (Create) and Sales Order (Edit)",
    "invoice": "Invoice (Create)",
    "creditMemo": "Credit Memo (Create)",
    "customerPayment": "Customer Payment (Create)",
    "customerRefund": "Customer Refund (Create)",
    "deposit": "Deposit (Create)",
    "accountingPeriod": "Manage Accounting Periods (View)",
}


def _permission(path: str) -> str:
    record = re.split("[/?]", path.lstrip("/"))[0]
    return _PERMISSIONS.get(record, f"the record '{record}'")


_RULES: Final = (
    ("locked by a user defined workflow", Rule.WORKFLOW_LOCK),
    ("enter value", Rule.FIELD_MISSING),
    ("invalid field value", Rule.FIELD_VALUE),
    ("unknown property", Rule.FIELD_UNKNOWN),
    ("matching line for sub-list apply", Rule.APPLY_NOT_OFFERED),
    ("invalid id reference key", Rule.NOT_TO_DEPOSIT),
    ("total can not be negative", Rule.NEGATIVE_TOTAL),
    ("already been processed", Rule.ALREADY_PROCESSED),
    ("closed period", Rule.PERIOD_CLOSED),
    ("period closed", Rule.PERIOD_CLOSED),
    ("locked for accounts receivable", Rule.PERIOD_CLOSED),
)
"""NetSuite's own words, in lower case, and what they mean."""


def _refusal(path: str, answer: requests.Response) -> Exception | None:
    """What an error answer means; None for one that passes."""
    detail, code = error_of(answer)
    lower = detail.lower()
    if answer.status_code == 404:
        return _Missing()
    if answer.status_code == 401:
        return login_refused()
    passing = "record has been changed" in lower or "request limit exceeded" in lower
    if answer.status_code == 429 or code in ("RCRD_HAS_BEEN_CHANGED", "CONCURRENCY_LIMIT_EXCEEDED") or passing:
        return None
    if "already exists" in lower:
        return AlreadyExists()
    if "does not have permission" in lower or "insufficient permission" in lower or answer.status_code == 403:
        return PersonNeeded(
            f"NetSuite's role lacks a permission ({code or answer.status_code}): this call needs {_permission(path)}."
        )
    closed = code in ("TRAN_PERIOD_CLOSED", "TRAN_PRD_CLOSED")
    rule = next((rule for words, rule in _RULES if words in lower), Rule.PERIOD_CLOSED if closed else Rule.OTHER)
    return Refused(rule, detail or f"HTTP {answer.status_code} {code}")
