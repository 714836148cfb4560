"""The record API over HTTP: which path means what, and NetSuite's answers.

Operations, headers and query options as the REST API Browser 2026.1 lists them. POST, transform and PATCH answer
204 without a body (POST and transform with Location); with a `create-form` or `edit-form` in Accept they answer
200 with the record that would be saved, and save nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.netsuite import answers
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.headers import Headers
from tests.sandbox.netsuite.records.model import Transaction
from tests.sandbox.netsuite.records.property_names import RECORDS
from tests.sandbox.netsuite.records.refusals import Refused
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.rendering import Renderer
from tests.sandbox.netsuite.records.request_body import Body, read_body
from tests.sandbox.netsuite.records.sales import Sales
from tests.sandbox.netsuite.store import Store

RECORD_PATH = "/services/rest/record/v1/"
_PATH = re.compile(
    rf"{RECORD_PATH}(?P<record>[A-Za-z]+)(/(?P<id>[^/!]+)(/!transform/(?P<target>[A-Za-z]+))?)?/?", re.IGNORECASE
)
_NAMES = {name.lower(): name for name in (*RECORDS, "salesOrder")}


@dataclass(frozen=True)
class Call:
    """One request, taken apart. `root` is the URL up to and with /record/v1/."""

    request: Request
    record: str
    key: str | None
    target: str | None
    query: dict[str, str]
    root: str

    @property
    def expand(self) -> bool:
        return self.query.get("expandSubResources", "").lower() == "true"

    def wants(self, form: str) -> bool:
        """True if Accept asks for create-form or edit-form."""
        return f"type={form}" in self.request.headers.get("accept", "").replace(" ", "")


class RecordService:
    """Writes and reads records. Everything happens under the store's lock: a request is whole or nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.register = Register(store)
        self._headers = Headers(self.register)
        self._sales = Sales(self.register, self._headers)
        self._transforms: dict[tuple[str, str], Callable[[Call, int, Body], Response]] = {
            ("salesOrder", "invoice"): self._order_to_invoice,
        }

    def answer(self, request: Request, base: str) -> Response:
        """`base` is the URL up to and without /services, as the caller knows it."""
        found = _PATH.fullmatch(request.path)
        record = _NAMES.get(found["record"].lower()) if found else None
        if found is None or record is None:
            return answers.not_found()
        key = unquote(found["id"]) if found["id"] else None
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        call = Call(request, record, key, found["target"], query, f"{base}{RECORD_PATH}")
        try:
            with self._store.lock:
                self._permitted(call)
                return self._dispatch(call)
        except Refused as refused:
            return refused.answer()

    def ledger(self) -> dict[str, dict[str, Decimal]]:
        """Account's name -> currency (ISO) -> balance, debits positive."""
        with self._store.lock:
            chart, ledger = self._store.chart, self.register.ledger
            return {
                account.name: {
                    chart.symbol(currency): ledger.balance(account.id, currency) for currency in chart.currencies
                }
                for account in chart.accounts.values()
            }

    def base_balances(self) -> dict[str, Decimal]:
        """Account's name -> balance in the base currency of its books, all subsidiaries together."""
        with self._store.lock:
            found: dict[str, Decimal] = {}
            for (account, _), amount in self.register.ledger.base_balances().items():
                name = self._store.chart.accounts[account].name
                found[name] = found.get(name, Decimal(0)) + amount
            return found

    def _permitted(self, call: Call) -> None:
        target = _NAMES.get((call.target or "").lower(), call.record)
        forbidden = self._store.options.may_not
        if {f"{target}:{call.request.method}", f"*:{call.request.method}", f"{target}:*"} & forbidden:
            raise Refused(
                "Your current role does not have permission to perform this action. "
                "Please contact your account administrator."
            )

    def _dispatch(self, call: Call) -> Response:
        method = call.request.method
        if call.target is not None:
            if method != "POST":
                return _not_allowed(call)
            return self._transform(call)
        return _not_allowed(call)

    def _transform(self, call: Call) -> Response:
        target = _NAMES.get((call.target or "").lower())
        make = self._transforms.get((call.record, target or ""))
        if make is None or target is None:
            raise Refused(f"The record {call.record} cannot be transformed to {call.target}.", "INVALID_REQUEST")
        body = self._body(call, target)
        return make(call, self._id(call), body)

    def _order_to_invoice(self, call: Call, order_id: int, body: Body) -> Response:
        invoice, billed = self._sales.invoice_of_order(order_id, body.fields)
        if call.wants("create-form"):
            return self._form(call, invoice, body)
        self.register.save(invoice)
        self._sales.note_billed(order_id, billed)
        return self._saved(call, "invoice", invoice.id, body)

    # Shared by all.

    def _body(self, call: Call, record: str) -> Body:
        options = self._store.options
        return read_body(call.request, record, options.tax_mode == "legacy", options.undep_funds_as_flag)

    def _id(self, call: Call) -> int:
        """The internal id that the path means: a number, or eid: and an external id."""
        key = call.key or ""
        if key.lower().startswith("eid:"):
            external = key[4:]
            self._headers.legal(external)
            for found in self._store.ids_where("transaction", "externalid", external):
                row = self._store.row("transaction", found)
                if row is not None and row["recordtype"] == call.record.lower():
                    return found
            raise refusals.nothing_there()
        if not key.isdigit():
            raise refusals.nothing_there()
        return int(key)

    def _form(self, call: Call, each: Transaction, body: Body) -> Response:
        shown = Renderer(self.register, call.root, call.expand).transaction(each)
        return answers.json_answer(200, _only(call, shown), "singular", _warnings(body))

    def _saved(self, call: Call, record: str, record_id: int, body: Body) -> Response:
        location = {"Location": f"{call.root}{record}/{record_id}"}
        return Response(204, b"", {**location, **_warnings(body)})


def _only(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    """`fields` limits the answer."""
    wanted = call.query.get("fields")
    if not wanted:
        return shown
    names = {"links", "id", *(name.strip() for name in wanted.split(","))}
    return {name: value for name, value in shown.items() if name in names}


def _warnings(body: Body) -> dict[str, str]:
    """The header's name is the one clients report; its words are the stand-in's."""
    if not body.unknown:
        return {}
    return {"X-NetSuite-PropertyValidation": f"Warning: unknown properties: {', '.join(body.unknown)}"}


def _not_allowed(call: Call) -> Response:
    return answers.error(
        405, "METHOD_NOT_ALLOWED", f"{call.request.method} on {call.record} is not served by this stand-in."
    )
