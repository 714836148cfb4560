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
from tests.sandbox.netsuite.record_api import RECORD_PATH, RecordApi
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.deposits import Deposits
from tests.sandbox.netsuite.records.entities import ITEM_RECORDS, READ_ONLY, Entities
from tests.sandbox.netsuite.records.headers import Headers
from tests.sandbox.netsuite.records.jobs import Jobs
from tests.sandbox.netsuite.records.model import ZERO, Transaction
from tests.sandbox.netsuite.records.money import Money
from tests.sandbox.netsuite.records.property_names import RECORDS, properties
from tests.sandbox.netsuite.records.refusals import Refused
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.rendering import Renderer, plain
from tests.sandbox.netsuite.records.request_body import Body, Fields, lines_of, read_body
from tests.sandbox.netsuite.records.sales import Sales
from tests.sandbox.netsuite.store import Store

_PATH = re.compile(
    rf"{RECORD_PATH}(?P<record>[A-Za-z]+)(/(?P<id>[^/!]+)(/!transform/(?P<target>[A-Za-z]+))?)?/?", re.IGNORECASE
)
_NAMES = {name.lower(): name for name in (*RECORDS, "salesOrder")}


TRANSACTIONS = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
_OPERATIONS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_RECEIVABLES = frozenset({"invoice", "creditMemo", "customerPayment", "customerRefund"})
_MOST_IN_BATCH = 100
_LARGEST_PAGE = 1000


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

    @property
    def replaced(self) -> list[str]:
        return [name.strip() for name in self.query.get("replace", "").split(",") if name.strip()]

    def wants(self, form: str) -> bool:
        """True if Accept asks for create-form or edit-form."""
        return f"type={form}" in self.request.headers.get("accept", "").replace(" ", "")


class RecordService:
    """Writes and reads records. Everything happens under the store's lock: a request is whole or nothing."""

    def __init__(self, store: Store, orders: RecordApi) -> None:
        self._store = store
        self._orders = orders
        self.register = Register(store)
        self._headers = Headers(self.register)
        self._sales = Sales(self.register, self._headers)
        self._money = Money(self.register, self._headers)
        self._deposits = Deposits(self.register, self._headers)
        self._entities = Entities(store, self._headers)
        self._jobs = Jobs()
        self._transforms: dict[tuple[str, str], Callable[[int, Fields, list[str]], Transaction]] = {
            ("invoice", "creditMemo"): self._invoice_to_memo,
            ("invoice", "customerPayment"): self._invoice_to_payment,
            ("creditMemo", "customerRefund"): lambda key, fields, _: self._to_refund("creditMemo", key, fields),
            ("customerPayment", "customerRefund"): lambda key, fields, _: self._to_refund(
                "customerPayment", key, fields
            ),
            ("customer", "invoice"): self._customer_to_invoice,
            ("customer", "customerPayment"): self._customer_to_payment,
        }

    def answer(self, request: Request, base: str) -> Response:
        """`base` is the URL up to and without /services, as the caller knows it."""
        if self._jobs.serves(request):
            return self._jobs.answer(request, base)
        if "respond-async" in request.headers.get("prefer", ""):
            return self._jobs.submit(request, base, lambda: self._answer(request, base))
        return self._answer(request, base)

    def _answer(self, request: Request, base: str) -> Response:
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

    def ledger(self, subsidiary: str | None = None) -> dict[str, dict[str, Decimal]]:
        """Account's name -> currency (ISO) -> balance, debits positive; of one subsidiary (a name), or of all."""
        with self._store.lock:
            chart, ledger = self._store.chart, self.register.ledger
            if subsidiary is not None:
                ledger = ledger.of_subsidiary(chart.subsidiary_names.index(subsidiary) + 1)
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
        if method not in _OPERATIONS:
            return _not_allowed(call)
        if call.target is not None:
            return self._transform(call) if method == "POST" else _not_allowed(call)
        if method == "GET":
            return self._list(call) if call.key is None else self._get(call)
        if call.record in READ_ONLY or call.record == "salesOrder":
            return _not_allowed(call)
        if method == "POST":
            return self._post(call) if call.key is None else _not_allowed(call)
        if call.key is None:
            raise Refused("Operations on lists of records are asynchronous only.", "INVALID_REQUEST")
        if method == "PUT":
            return self._put(call)
        return self._delete(call) if method == "DELETE" else self._patch(call, self._id(call))

    # Reading.

    def _get(self, call: Call) -> Response:
        return answers.json_answer(200, self._shown(call, self._id(call)), "singular")

    def _shown(self, call: Call, key: int) -> dict[str, Any]:
        if call.record == "salesOrder":
            return self._orders.shown(key, call.root, call.expand)
        renderer = Renderer(self.register, call.root, call.expand)
        if call.record in TRANSACTIONS:
            found = self.register.find(call.record, key)
            if found is None:
                raise refusals.nothing_there()
            shown = renderer.transaction(found)
        else:
            shown = self._entities.shown(call.record, key, renderer)
        if call.query.get("simpleEnumFormat", "").lower() == "true":
            kinds = properties(call.record)
            shown = {
                name: value["id"] if kinds.get(name) == "choice" and isinstance(value, dict) else value
                for name, value in shown.items()
            }
        return _only(call, shown)

    def _list(self, call: Call) -> Response:
        """Ids and links; with ids and expandRecords=true the records themselves (a batch read)."""
        if call.query.get("q"):
            raise Refused("This stand-in for NetSuite does not execute q; use SuiteQL.", "INVALID_PARAMETER")
        here = f"{call.root}{call.record}"
        asked = [each for each in call.query.get("ids", "").split(",") if each]
        items: list[dict[str, Any]]
        if asked:
            if len(asked) > _MOST_IN_BATCH:
                raise Refused(f"At most {_MOST_IN_BATCH} ids can be read at once.", "INVALID_PARAMETER")
            keys = [found for each in asked if (found := self._found(call, each)) is not None]
            if call.query.get("expandRecords", "").lower() == "true":
                items = [self._shown(call, key) for key in keys]
            else:
                items = [_link(here, key) for key in keys]
            return answers.json_answer(200, _collection(here, items, len(items), 0), "collection")
        sent = call.query.get("limit", str(_LARGEST_PAGE)), call.query.get("offset", "0")
        limit, offset = (int(each) if each.isdigit() else 0 for each in sent)
        if not 1 <= limit <= _LARGEST_PAGE or offset % limit:
            raise Refused(f"Provided limit {limit} or offset {offset} is not valid.", "INVALID_PARAMETER")
        every = self._ids(call.record)
        items = [_link(here, key) for key in every[offset : offset + limit]]
        return answers.json_answer(200, _collection(here, items, len(every), offset), "collection")

    def _ids(self, record: str) -> list[int]:
        if record in TRANSACTIONS:
            return [each.id for each in self.register.of_record(record)]
        if record == "salesOrder":
            return self._store.ids_where("transaction", "type", "SalesOrd")
        return list(self._entities.ids(record))

    # Writing.

    def _post(self, call: Call) -> Response:
        body = self._body(call, call.record)
        form = call.wants("create-form")
        if call.record in TRANSACTIONS:
            made = self._made(call.record, body.fields)
            if form:
                return self._form(call, made, body)
            return self._saved(call, call.record, self.register.save(made).id, body)
        saved = self._write_entity(call, body.fields, None, not form)
        return _entity_form(call, {}, body) if form else self._saved(call, call.record, saved, body)

    def _made(self, record: str, fields: Fields) -> Transaction:
        if record in ("invoice", "creditMemo"):
            made = self._sales.written(record, fields)
            if record == "creditMemo":
                self._money.apply(made, lines_of(fields, "apply"))
            return made
        if record == "customerPayment":
            return self._money.payment(fields)
        return self._money.refund(fields) if record == "customerRefund" else self._deposits.deposit(fields)

    def _write_entity(self, call: Call, fields: Fields, saved: int | None, save: bool) -> int:
        if call.record == "customer":
            return self._entities.write_customer(fields, saved, save)
        if saved is not None:
            raise Refused(f"A {call.record} is not changed by this stand-in.", "INVALID_REQUEST")
        return self._entities.write_item(call.record, fields, save)

    def _patch(self, call: Call, key: int) -> Response:
        body = self._body(call, call.record)
        if call.record not in TRANSACTIONS:
            form = call.wants("edit-form")
            self._write_entity(call, body.fields, key, save=not form)
            return (
                _entity_form(call, self._shown(call, key), body) if form else self._saved(call, call.record, key, body)
            )
        saved = self.register.find(call.record, key)
        if saved is None:
            raise refusals.nothing_there()
        changed = saved.copy()
        self._edit(call, changed, body.fields)
        self._check_edit(saved, changed)
        if call.wants("edit-form"):
            return self._form(call, changed, body)
        self.register.save(changed)
        return self._saved(call, call.record, key, body)

    def _edit(self, call: Call, each: Transaction, fields: Fields) -> None:
        for name, value in (("entity", each.entity), ("customer", each.entity), ("currency", each.currency)):
            if fields.get(name) is not None and str(fields[name].get("id")) != str(value):
                raise refusals.invalid_value(fields[name].get("id"), name)
        receivables = call.record in _RECEIVABLES
        if "tranDate" in fields or "postingPeriod" in fields:
            each.date, each.period = self._headers.dates(fields, receivables, each.date)
        if fields.get("externalId") is not None:
            each.external_id = self._headers.external_id(fields, "transaction", each.id)
        clears = call.query.get("replaceSelectedFields", "").lower() == "true"
        kinds = properties(call.record)
        for name, value in fields.items():
            if value is None and clears and name in call.replaced:
                each.fields.pop(name, None)
            elif value is not None and kinds.get(name, "text") != "lines" and name not in _KEPT_ELSEWHERE:
                each.fields[name] = value
        if call.record in ("invoice", "creditMemo"):
            self._sales.edit(each, fields, call.replaced)
            if call.record == "creditMemo":
                if "apply" in call.replaced:
                    each.applies = {}
                self._money.apply(each, lines_of(fields, "apply"))
        elif call.record == "deposit":
            self._deposits.edit(each, fields, call.replaced)
        else:
            self._money.edit(each, fields, call.replaced)

    def _check_edit(self, saved: Transaction, changed: Transaction) -> None:
        """Nothing applied may be left uncovered, and closed periods keep their postings."""
        taken = sum(self.register.takers(saved.id).values(), ZERO)
        applied = ZERO if changed.record == "customerRefund" else sum(changed.applies.values(), ZERO)
        if taken + applied > changed.total:
            raise refusals.access("The amount applied cannot exceed the amount of the transaction.")
        before, after = self.register.poster.entry(saved), self.register.poster.entry(changed)
        receivables = saved.record in _RECEIVABLES
        self._headers.may_change(saved.period, receivables, before != after)
        self._headers.may_change(changed.period, receivables, before != after)

    def _put(self, call: Call) -> Response:
        """Insert or update, by external id only. An update adds the lines that have no key."""
        key = call.key or ""
        if not key.lower().startswith("eid:"):
            raise Refused("PUT needs an external id: eid:...", "INVALID_REQUEST")
        found = self._found(call, key)
        if found is not None:
            return self._patch(call, found)
        body = self._body(call, call.record)
        body.fields["externalId"] = key[4:]
        if call.record in TRANSACTIONS:
            saved = self.register.save(self._made(call.record, body.fields)).id
        else:
            saved = self._write_entity(call, body.fields, None, save=True)
        return self._saved(call, call.record, saved, body)

    def _delete(self, call: Call) -> Response:
        """Removes a record that nothing depends on; an invoice's sales order is open again."""
        found = self.register.find(call.record, self._id(call))
        if call.record not in TRANSACTIONS:
            raise refusals.access("This record cannot be deleted because it has dependent records.")
        if found is None:
            raise refusals.nothing_there()
        if self.register.takers(found.id) or self.register.deposit_of(found.id) is not None:
            raise refusals.access("This transaction cannot be deleted because it is linked to by other transactions.")
        self._headers.may_change(found.period, call.record in _RECEIVABLES, ledger_changes=True)
        self.register.delete(found)
        if found.record == "invoice" and found.created_from is not None:
            self._sales.note_deleted(found)
        return Response(204, b"", {})

    # Transforms.

    def _transform(self, call: Call) -> Response:
        target = _NAMES.get((call.target or "").lower(), "")
        key = self._id(call)
        if (call.record, target) == ("salesOrder", "invoice"):
            return self._order_to_invoice(call, key, self._body(call, target))
        make = self._transforms.get((call.record, target))
        if make is None:
            raise Refused(f"The record {call.record} cannot be transformed to {call.target}.", "INVALID_REQUEST")
        body = self._body(call, target)
        made = make(key, body.fields, call.replaced)
        if call.wants("create-form"):
            return self._form(call, made, body)
        return self._saved(call, target, self.register.save(made).id, body)

    def _order_to_invoice(self, call: Call, order_id: int, body: Body) -> Response:
        invoice, billed = self._sales.invoice_of_order(order_id, body.fields)
        if call.wants("create-form"):
            return self._form(call, invoice, body)
        self.register.save(invoice)
        self._sales.note_billed(order_id, billed)
        return self._saved(call, "invoice", invoice.id, body)

    def _source(self, record: str, key: int) -> Transaction:
        found = self.register.find(record, key)
        if found is None:
            raise refusals.nothing_there()
        return found

    def _invoice_to_memo(self, key: int, fields: Fields, replaced: list[str]) -> Transaction:
        invoice = self._source("invoice", key)
        memo = self._sales.memo_of_invoice(invoice, fields, replaced)
        if "apply" in fields:
            self._money.apply(memo, lines_of(fields, "apply"))
        elif self.register.open_amount(invoice) > 0:
            self._money.apply(memo, [{"doc": {"id": str(key)}}])
        return memo

    def _invoice_to_payment(self, key: int, fields: Fields, _: list[str]) -> Transaction:
        invoice = self._source("invoice", key)
        due = self.register.open_amount(invoice)
        preset: Fields = {
            "customer": {"id": str(invoice.entity)},
            "currency": {"id": str(invoice.currency)},
            "arAcct": {"id": str(invoice.account)},
            "payment": due,
            "apply": {"items": [{"doc": {"id": str(key)}, "amount": min(due, Decimal(fields.get("payment", due)))}]},
        }
        return self._money.payment({**preset, **fields})

    def _to_refund(self, record: str, key: int, fields: Fields) -> Transaction:
        credit = self._source(record, key)
        preset: Fields = {
            "customer": {"id": str(credit.entity)},
            "currency": {"id": str(credit.currency)},
            "arAcct": {"id": str(credit.account if credit.receivable is None else credit.receivable)},
            "apply": {"items": [{"doc": {"id": str(key)}}]},
        }
        return self._money.refund({**preset, **fields})

    def _customer_to_invoice(self, key: int, fields: Fields, _: list[str]) -> Transaction:
        return self._made("invoice", {"entity": {"id": str(key)}, **fields})

    def _customer_to_payment(self, key: int, fields: Fields, _: list[str]) -> Transaction:
        return self._money.payment({"customer": {"id": str(key)}, **fields})

    # What a test asks.

    def records(self, record: str) -> list[dict[str, Any]]:
        """Every record of that name as GET shows it with its sublists, in the order of their ids."""
        name = _NAMES.get(record.lower())
        if name is None:
            raise KeyError(f"no record {record!r}; one of: {', '.join(sorted(_NAMES.values()))}")
        call = Call(Request("GET", ""), name, None, None, {"expandSubResources": "true"}, RECORD_PATH)
        with self._store.lock:
            return [self._shown(call, key) for key in self._ids(name)]

    # Shared by all.

    def _body(self, call: Call, record: str) -> Body:
        options = self._store.options
        return read_body(call.request, record, options.tax_mode == "legacy", options.undep_funds_as_flag)

    def _id(self, call: Call) -> int:
        """The internal id that the path means: a number, or eid: and an external id."""
        found = self._found(call, call.key or "")
        if found is None:
            raise refusals.nothing_there()
        return found

    def _found(self, call: Call, key: str) -> int | None:
        if not key.lower().startswith("eid:"):
            return int(key) if key.isdigit() and self._is_there(call.record, int(key)) else None
        external = key[4:]
        self._headers.legal(external)
        table = _table(call.record)
        if table not in ("transaction", "customer", "item"):
            return None
        found = self._store.ids_where(table, "externalid", external)
        return next((each for each in found if self._is_there(call.record, each)), None)

    def _is_there(self, record: str, key: int) -> bool:
        if record in TRANSACTIONS:
            return self.register.find(record, key) is not None
        if record == "salesOrder":
            return self._store.order_with_id(key) is not None
        row = self._store.row(_table(record), key)
        return row is not None and row.get("itemtype") == ITEM_RECORDS.get(record, row.get("itemtype"))

    def _form(self, call: Call, each: Transaction, body: Body) -> Response:
        shown = Renderer(self.register, call.root, call.expand).transaction(each)
        return answers.json_answer(200, _only(call, shown), "singular", _warnings(body))

    def _saved(self, call: Call, record: str, record_id: int, body: Body) -> Response:
        location = {"Location": f"{call.root}{record}/{record_id}"}
        return Response(204, b"", {**location, **_warnings(body)})


_KEPT_ELSEWHERE = frozenset(
    "entity customer currency subsidiary account arAcct undepFunds payment externalId tranDate postingPeriod "
    "exchangeRate approvalStatus id tranId total status".split()
)


def _entity_form(call: Call, before: dict[str, Any], body: Body) -> Response:
    """The form of a customer or an item: what is there, with what was sent."""
    shown = {**before, **{name: plain(value) for name, value in body.fields.items()}}
    return answers.json_answer(200, _only(call, shown), "singular", _warnings(body))


def _table(record: str) -> str:
    if record in TRANSACTIONS or record == "salesOrder":
        return "transaction"
    return "item" if record in ITEM_RECORDS else record.lower()


def _link(here: str, key: int) -> dict[str, Any]:
    return {"links": [{"rel": "self", "href": f"{here}/{key}"}], "id": str(key)}


def _collection(here: str, items: list[dict[str, Any]], total: int, offset: int) -> dict[str, Any]:
    return {
        "links": [{"rel": "self", "href": here}],
        "count": len(items),
        "hasMore": offset + len(items) < total,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }


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
