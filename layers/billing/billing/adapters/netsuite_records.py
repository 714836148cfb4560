"""NetSuite's record API, as far as the settlement needs it: create, transform, preview, read, and apply.

Nothing here replaces, deletes or voids: an upsert (PUT with `eid:`) would add a record's lines a second time, and
undoing is a memo or a refund of its own. A synchronous POST has no idempotency key in NetSuite; the externalId in its
body is the guard, unique among all transactions. So a write that got no answer is never repeated by itself: it raises
MayBeWritten, and whoever wrote looks first.

Sources: Oracle's help pages "The Record Service", "Transforming Records", "Using External IDs" and "Error Handling in
REST Web Services"; REST API Browser 2026.1.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from billing.adapters.netsuite_login import Login
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.settlement.write_doubts import AlreadyExists, MayBeWritten

_RECORDS = "/services/rest/record/v1"
_ATTEMPTS = 6
_LONGEST_PAUSE = 60.0
_TIMEOUT = (5, 120)
_CREATE_FORM = "application/vnd.oracle.resource+json; type=create-form"
_IN_LOCATION = re.compile(r"/([^/?]+)/?(?:\?.*)?$")
_BATCH = 100

Json = Mapping[str, Any]


class Refused(PersonNeeded):
    """NetSuite refuses a record by one of its rules. `detail` is its own sentence, which may quote values: it belongs
    into the settlement's row, and into no log."""

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


@dataclass(slots=True)
class NetSuiteRecords:
    """A connection to one account. `slot` is held during each call: NetSuite counts concurrent calls per account, and
    the monthly run shares them."""

    base_url: str
    login: Login
    sleep: Callable[[float], None]
    session: requests.Session
    slot: Callable[[], AbstractContextManager[None]] = nullcontext
    jitter: Callable[[], float] = random.random

    def create(self, record_type: str, body: Json) -> str:
        """POST a record; return its internal id. Raises MayBeWritten, AlreadyExists, Refused."""
        return self._write("POST", f"/{record_type}", body)

    def transform(self, record_type: str, record_id: str, target: str, body: Json) -> str:
        """Make a record of another and save it; return its internal id. Raises as create does."""
        return self._write("POST", f"/{record_type}/{record_id}/!transform/{target}", body)

    def preview_transform(self, record_type: str, record_id: str, target: str, body: Json) -> Json:
        """What `transform` would save. Saves nothing, so it is repeated like a read."""
        path = f"/{record_type}/{record_id}/!transform/{target}?expandSubResources=true"
        return self._read("POST", path, body, accept=_CREATE_FORM) or {}

    def preview(self, record_type: str, body: Json) -> Json:
        """What `create` would save. Saves nothing."""
        return self._read("POST", f"/{record_type}?expandSubResources=true", body, accept=_CREATE_FORM) or {}

    def by_id(self, record_type: str, record_id: str) -> Json | None:
        """A record with its lines, None if there is none."""
        return self._read("GET", f"/{record_type}/{record_id}?expandSubResources=true")

    def by_external_id(self, record_type: str, external_id: str) -> Json | None:
        """The record with this externalId and its lines, None if there is none."""
        return self._read("GET", f"/{record_type}/eid:{external_id}?expandSubResources=true")

    def by_external_ids(self, record_type: str, external_ids: Sequence[str]) -> Iterator[Json]:
        """Those of the records that exist, a hundred a call."""
        for start in range(0, len(external_ids), _BATCH):
            ids = ",".join(f"eid:{one}" for one in external_ids[start : start + _BATCH])
            found = self._read("GET", f"/{record_type}?ids={ids}&expandRecords=true") or {}
            yield from found.get("items") or ()

    def accounting_periods(self) -> list[Json]:
        """Every accounting period, as NetSuite holds it."""
        found: list[Json] = []
        path: str | None = "/accountingPeriod?limit=1000"
        while path:
            page = self._read("GET", path) or {}
            found += [
                one
                for one in (self.by_id("accountingPeriod", str(item["id"])) for item in page.get("items") or ())
                if one is not None
            ]
            path = None
            if page.get("hasMore"):
                path = f"/accountingPeriod?limit=1000&offset={int(page['offset']) + 1000}"
        return found

    def set_applies(self, record_type: str, record_id: str, applies: Sequence[Json]) -> None:
        """Change what a record is applied to. The sublist is keyed by `doc`: a line that is named is changed, and
        repeating it changes nothing. Raises MayBeWritten, Refused."""
        self._write("PATCH", f"/{record_type}/{record_id}", {"apply": {"items": list(applies)}})

    def _write(self, method: str, path: str, body: Json) -> str:
        pause = 1.0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._send(method, path, body, "application/json")
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                raise MayBeWritten(path) from None
            if answer.status_code in (200, 204):
                found = _IN_LOCATION.search(answer.headers.get("Location", ""))
                return found[1] if found else ""
            if answer.status_code >= 500:
                raise MayBeWritten(path)
            detail, code = _detail(answer)
            if answer.status_code == 429 or _is_passing(detail, code):
                # Refused before anything was done.
                self._wait(attempt, pause, answer)
                pause *= 2
                continue
            if answer.status_code == 401:
                if attempt == 1:
                    self.login.renew()
                    continue
                raise _login_refused()
            raise _refusal(detail, code, answer.status_code, path)
        raise PassingError("NetSuite is busy: too many requests at the same time. Run again later.")

    def _read(self, method: str, path: str, body: Json | None = None, accept: str = "application/json") -> Json | None:
        """A call that changes nothing, repeated as long as it may help. None for a record that does not exist."""
        pause, renewed = 1.0, False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._send(method, path, body, accept)
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                if attempt == _ATTEMPTS:
                    raise PassingError(f"NetSuite gave no answer ({type(error).__name__}). Run again later.") from None
                self.sleep(min(_LONGEST_PAUSE, pause * (0.5 + self.jitter() / 2)))
                pause *= 2
                continue
            if answer.ok:
                value = _json(answer)
                if value is not None:
                    return value
            elif answer.status_code == 404:
                return None
            elif answer.status_code == 401 and not renewed:
                renewed = True
                self.login.renew()
                continue
            else:
                detail, code = _detail(answer)
                if answer.status_code < 500 and answer.status_code != 429 and not _is_passing(detail, code):
                    raise (
                        _login_refused()
                        if answer.status_code == 401
                        else _refusal(detail, code, answer.status_code, path)
                    )
            self._wait(attempt, pause, answer)
            pause *= 2
        raise PassingError("NetSuite has a fault or is busy. Run again later.")

    def _send(self, method: str, path: str, body: Json | None, accept: str) -> requests.Response:
        url = f"{self.base_url}{_RECORDS}{path}"
        headers = {
            "Authorization": self.login.authorize(self.session, method, url),
            "Accept": accept,
            # Without it a misspelt field is dropped with a warning header, and the record is saved without it.
            "X-NetSuite-PropertyNameValidation": "Error",
        }
        with self.slot():
            return self.session.request(
                method,
                url,
                json=None if body is None else _plain(body),
                headers=headers,
                timeout=_TIMEOUT,
            )

    def _wait(self, attempt: int, pause: float, answer: requests.Response) -> None:
        if attempt == _ATTEMPTS:
            raise PassingError(f"NetSuite gave HTTP {answer.status_code} {_ATTEMPTS} times. Run again later.")
        after = answer.headers.get("Retry-After", "")
        wait = float(after) if re.fullmatch("[0-9]{1,6}", after) else pause * (0.5 + self.jitter() / 2)
        self.sleep(min(_LONGEST_PAUSE, wait))


def _plain(value: Any) -> Any:
    """Decimals as JSON numbers, exactly. Raises OurFault for one that a JSON number of NetSuite's could not hold."""
    if isinstance(value, Decimal):
        number = float(value)
        if Decimal(repr(number)) != value:
            raise OurFault("An amount has more digits than NetSuite's JSON numbers hold.")
        return number
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _json(answer: requests.Response) -> Json | None:
    """The body with every number as a Decimal, None if it is no JSON object."""
    try:
        value = answer.json(parse_float=Decimal)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _detail(answer: requests.Response) -> tuple[str, str]:
    fields = _json(answer) or {}
    details = fields.get("o:errorDetails")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    return str(first.get("detail", "")), str(first.get("o:errorCode", ""))


def _is_passing(detail: str, code: str) -> bool:
    """Refusals that pass: optimistic locking, and the concurrency limit under its other name."""
    return code in ("RCRD_HAS_BEEN_CHANGED", "CONCURRENCY_LIMIT_EXCEEDED") or "Record has been changed" in detail


def _login_refused() -> PersonNeeded:
    return PersonNeeded("NetSuite refuses the login (INVALID_LOGIN). See the Login Audit Trail in NetSuite.")


def _refusal(detail: str, code: str, status: int, path: str) -> Exception:
    record = path.split("/")[1].partition("?")[0]
    lower = detail.lower()
    if "already exists" in lower:
        return AlreadyExists(record)
    if "does not have permission" in lower or "insufficient permission" in lower or status == 403:
        return Refused(
            f"NetSuite's role may not do this with the record '{record}'. The README lists the permissions.", detail
        )
    if "locked by a user defined workflow" in lower:
        return Refused(f"A workflow in NetSuite has locked the record '{record}'. Unlock it, then redrive.", detail)
    if "enter value" in lower or "invalid field value" in lower:
        return Refused(
            f"NetSuite wants another value for a field of '{record}'. Its own sentence is in the settlement's row.",
            detail,
        )
    return Refused(f"NetSuite refuses the record '{record}' ({code or status}). Its sentence is in the row.", detail)
