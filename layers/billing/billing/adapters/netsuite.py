"""NetSuite's SuiteQL over REST, with the answers that a client must treat as success, retry or stop.

Sources: Oracle's help pages "Executing SuiteQL Queries Through REST Web Services", "Error Handling in REST Web
Services" and "Web Services and RESTlet Concurrency Governance".
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from billing.adapters.netsuite_login import Login
from billing.domain.errors import OurFault, PassingError, PersonNeeded

PAGE_SIZE = 1000  # SuiteQL's own maximum.
_ATTEMPTS = 7
_LONGEST_PAUSE = 60.0
_SUITEQL_PATH = "/services/rest/query/v1/suiteql"

Row = Mapping[str, str]


class UnknownColumn(Exception):
    """SuiteQL does not know a column: the feature is off, or the role may not see it."""

    def __init__(self, detail: str) -> None:
        super().__init__("SuiteQL does not know a column of the query")
        self.detail = detail


class RecordRefused(Exception):
    """The record API refuses what was asked of one record, in NetSuite's words: a rule of its own, not a permission."""

    def __init__(self, detail: str) -> None:
        super().__init__("NetSuite refuses what was asked of a record")
        self.detail = detail


@dataclass(slots=True)
class SuiteQL:
    """A connection to one account. `sleep` and `now` are seconds."""

    base_url: str
    login: Login
    sleep: Callable[[float], None]
    session: requests.Session
    jitter: Callable[[], float] = random.random

    def page(self, query: str, params: Sequence[str] = ()) -> list[Row]:
        """The first page (up to 1,000 rows) of a query, keys in lower case.

        Raises UnknownColumn, PassingError (after its own retries), PersonNeeded (login, permission), OurFault.
        """
        body: dict[str, Any] = {"q": query}
        if params:
            body["params"] = list(params)
        url = f"{self.base_url}{_SUITEQL_PATH}?limit={PAGE_SIZE}&offset=0"
        answer = self._post(url, body, {"Prefer": "transient", "Accept": "application/json"}, _refusal)
        items = answer.get("items")
        if not isinstance(items, list):
            raise PassingError("NetSuite answered a query without its items.")
        return [_row(item) for item in items]

    def rows(
        self, query_after: Callable[[Any], tuple[str, Sequence[str]]], cursor_of: Callable[[Row], Any]
    ) -> Iterator[Row]:
        """All rows by keyset paging: each page asks for what comes after the last row's cursor, at offset 0.

        An offset would shift when somebody edits an order between two pages, and ends at 100,000 rows.
        """
        cursor = None
        while True:
            page = self.page(*query_after(cursor))
            yield from page
            if len(page) < PAGE_SIZE:
                return
            after = cursor_of(page[-1])
            if cursor is not None and after <= cursor:
                raise PassingError("NetSuite's pages do not advance: the same rows came twice.")
            cursor = after

    def record(self, path: str, body: Mapping[str, Any], accept: str) -> Mapping[str, Any]:
        """What the record API answers to a POST of `body` to `path`, a call that saves nothing and may be repeated.

        Raises RecordRefused, PassingError (after its own retries), PersonNeeded (login, permission).
        """
        return self._post(f"{self.base_url}{path}", body, {"Accept": accept}, _record_refusal)

    def _post(
        self,
        url: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        refusal: Callable[[requests.Response], Exception],
    ) -> Mapping[str, Any]:
        renewed = False
        pause = 1.0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self.session.post(
                    url,
                    json=body,
                    headers={
                        **headers,
                        "Authorization": self.login.authorize(self.session, "POST", url),
                    },
                    timeout=(5, 120),
                )
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                problem, wait = f"no answer ({type(error).__name__})", None
            except PassingError as error:
                problem, wait = str(error), None
            else:
                if answer.ok:
                    fields = _json(answer)
                    if fields is not None:
                        return fields
                    problem, wait = "an answer that is not JSON", None
                elif answer.status_code == 401 and not renewed:
                    # Seen under load as well; one fresh login, and no more: five bad logins lock a user.
                    renewed = True
                    self.login.renew()
                    continue
                elif answer.status_code in (429, 500, 502, 503, 504):
                    problem, wait = f"HTTP {answer.status_code}", _retry_after(answer)
                else:
                    raise refusal(answer)
            if attempt == _ATTEMPTS:
                raise PassingError(f"NetSuite gave {problem} {_ATTEMPTS} times. Run again later.")
            self.sleep(min(_LONGEST_PAUSE, wait if wait is not None else pause * (0.5 + self.jitter() / 2)))
            pause *= 2
        raise PassingError("NetSuite refused the login twice.")


def _row(item: object) -> Row:
    if not isinstance(item, dict):
        raise PassingError("NetSuite answered a query with a row that is no object.")
    # Oracle does not promise the casing of keys. "links" belongs to the envelope, not to the row.
    return {
        # A text cut in the middle of an emoji holds half of it, which no file can store.
        str(key).lower(): str(value).encode(errors="replace").decode()
        for key, value in item.items()
        if key != "links" and value is not None
    }


def _refusal(answer: requests.Response) -> Exception:
    detail, code = _detail(answer)
    if answer.status_code == 401:
        return _login_refused()
    if "Unknown identifier" in detail:
        return UnknownColumn(detail)
    if "permission" in detail.lower() or "was not found" in detail or answer.status_code == 403:
        return PersonNeeded(
            "NetSuite refuses the query. The integration's role needs SuiteAnalytics Workbook (Edit), REST Web "
            "Services (Full) and View on sales orders, customers, items, currencies and terms. "
            f"({code or answer.status_code})"
        )
    return OurFault(f"NetSuite refused a query: HTTP {answer.status_code} {code}.")


def _record_refusal(answer: requests.Response) -> Exception:
    detail, code = _detail(answer)
    if answer.status_code == 401:
        return _login_refused()
    if "permission" in detail.lower() or answer.status_code == 403:
        return PersonNeeded(
            "NetSuite refuses to show the invoice that it would make of an order (PreviewPartlyBilled). The "
            "integration's role needs the permissions Invoice (Create) and Sales Order (Edit). "
            f"({code or answer.status_code})"
        )
    return RecordRefused(detail or f"HTTP {answer.status_code} {code}")


def _login_refused() -> PersonNeeded:
    return PersonNeeded(
        "NetSuite refuses the login (INVALID_LOGIN). See the Login Audit Trail in NetSuite; the credentials may have "
        "been revoked or the certificate may have expired."
    )


def _detail(answer: requests.Response) -> tuple[str, str]:
    """The first error's detail and code; "" where the answer has none."""
    details = (_json(answer) or {}).get("o:errorDetails")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    return str(first.get("detail", "")), str(first.get("o:errorCode", ""))


def _retry_after(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]{1,6}", value) else None


def _json(answer: requests.Response) -> Mapping[str, Any] | None:
    try:
        value = answer.json()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
