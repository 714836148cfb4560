"""NetSuite's SuiteQL over REST, with the answers that a client must treat as success, retry or stop.

Source: Oracle's help page "Executing SuiteQL Queries Through REST Web Services".
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import requests

from billing.adapters.netsuite.login import Login
from billing.adapters.netsuite.transport import Transport, error_of, login_refused
from billing.domain.errors import OurFault, PassingError, PersonNeeded

PAGE_SIZE = 1000  # SuiteQL's own maximum.
_UNKNOWN_IDENTIFIER = re.compile(r"[Uu]nknown identifier '([^']+)'")
_HIDDEN_FIELD = re.compile(r"Field '([^']+)' for record '([^']+)' was not found")
_LONGEST_NOTE = 300
SUITEQL_PATH = "/services/rest/query/v1/suiteql"

Row = Mapping[str, str]


class UnknownColumn(Exception):
    """SuiteQL does not know a column: the feature is off, or the role may not see it.

    NetSuite says so in two ways: "Unknown identifier 't.memo'", and "Field 'memo' for record 'transaction' was not
    found. Reason: NOT_EXPOSED" (both seen by clients of live accounts). `name` is the first's text, `column` its last
    part; `record` is the second's, "" for the first. All in lower case.
    """

    def __init__(self, detail: str) -> None:
        super().__init__("SuiteQL does not know a column of the query")
        self.detail = detail
        unknown, hidden = _UNKNOWN_IDENTIFIER.search(detail), _HIDDEN_FIELD.search(detail)
        self.name = (unknown[1] if unknown else hidden[1] if hidden else "").lower()
        self.column = self.name.rpartition(".")[2]
        self.record = hidden[2].lower() if hidden and not unknown else ""


@dataclass(slots=True)
class SuiteQL:
    """A connection to one account. `sleep` and `now` are seconds. `slot` is held during each call (see Transport)."""

    base_url: str
    login: Login
    sleep: Callable[[float], None]
    session: requests.Session
    jitter: Callable[[], float] = random.random
    slot: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def transport(self) -> Transport:
        """The connection, for other services of the same account."""
        return Transport(self.base_url, self.login, self.sleep, self.session, self.jitter, self.slot)

    def page(self, query: str, params: Sequence[str] = ()) -> list[Row]:
        """The first page (up to 1,000 rows) of a query, keys in lower case.

        Raises UnknownColumn, PassingError (after its own retries), PersonNeeded (login, permission), OurFault.
        """
        body: dict[str, Any] = {"q": query}
        if params:
            body["params"] = list(params)
        path = f"{SUITEQL_PATH}?limit={PAGE_SIZE}&offset=0"
        headers = {"Prefer": "transient", "Accept": "application/json"}
        answer = self.transport.repeat("POST", path, body, headers, _refusal)
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
    detail, code = error_of(answer)
    if answer.status_code == 401:
        return login_refused()
    if "Unknown identifier" in detail or _HIDDEN_FIELD.search(detail):
        return UnknownColumn(detail)
    refused: Exception
    if "permission" in detail.lower() or "was not found" in detail or answer.status_code == 403:
        refused = PersonNeeded(
            "NetSuite refuses the query. The integration's role needs SuiteAnalytics Workbook (Edit), REST Web "
            "Services (Full) and View on sales orders, customers, items, currencies and terms. "
            f"({code or answer.status_code})"
        )
    else:
        refused = OurFault(f"NetSuite refused a query: HTTP {answer.status_code} {code}.")
    # Notes are for who examines the set-up; they are in no log and not in the execution history.
    refused.add_note(detail[:_LONGEST_NOTE])
    return refused
