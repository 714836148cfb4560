"""The Stripe stand-in: an HTTP server that behaves like api.stripe.com for the endpoints in `routes`."""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

from tests.sandbox.faults import Action
from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import Clock, HttpServer
from tests.sandbox.stripe import form, shapes
from tests.sandbox.stripe.balance import refresh
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Invalid, Refusal, unrecognized_url
from tests.sandbox.stripe.event_objects import API_VERSION
from tests.sandbox.stripe.executions import DuringExecution, LockTimeout, SlowExecution, StoredError
from tests.sandbox.stripe.expansion import expanded
from tests.sandbox.stripe.idempotency import IdempotencyKeys
from tests.sandbox.stripe.invoice_states import advance
from tests.sandbox.stripe.life_of_events import EventLife
from tests.sandbox.stripe.life_of_invoices import Named, identity
from tests.sandbox.stripe.made_invoices import InvoiceExtras, InvoiceLine
from tests.sandbox.stripe.payouts import daily
from tests.sandbox.stripe.rate_limits import RateLimiter, RateLimits
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.routes import Route, find
from tests.sandbox.stripe.store import ACCOUNT, Store
from tests.sandbox.stripe.webhooks import Webhooks

_KEY = re.compile(r"(sk|rk)_test_\w+")


class StripeServer(EventLife, HttpServer):
    """A Stripe account of its own, in memory.

    `clock` gives epoch seconds and moves everything that depends on time except rate limits and waiting for
    locks, which run in real time. `search_lag_seconds` is in the clock's time. `api_keys` names the keys that
    are accepted; without it every well-formed test key is. `account` is the account's id: two servers with different
    accounts share no other id either.
    """

    def __init__(
        self,
        clock: Clock = time.time,
        *,
        port: int = 0,
        search_lag_seconds: float = 30,
        rate_limits: RateLimits | None = None,
        api_keys: Collection[str] | None = None,
        lock_wait_seconds: float = 2,
        account: str = ACCOUNT,
    ) -> None:
        super().__init__(clock, port)
        self.account = account
        self.webhooks = Webhooks(clock)
        self._told = 0
        self.search_lag_seconds = search_lag_seconds
        self.api_keys = api_keys
        self.lock_wait_seconds = lock_wait_seconds
        self.versions: Counter[str] = Counter()
        self._limiter = RateLimiter(rate_limits or RateLimits())
        self._lock = threading.RLock()
        self._object_locks: dict[str, threading.Lock] = {}
        self._requests = 0
        self.reset()

    def reset(self) -> None:
        """An empty account: no objects, no keys, no calls, no scripted faults."""
        with self._lock:
            self._store = Store(int(self.clock()), self.account)
            self._store.webhook_endpoints = self.webhooks.registered
            self._told = 0
            self.webhooks.forget()
            self._keys = IdempotencyKeys()
            self._object_locks.clear()
            self._limiter.forget()
            self.versions.clear()
            self.faults.clear()
            self.forget_calls()

    # What a test reads back ---------------------------------------------------------------------------

    @property
    def reads(self) -> int:
        """How many GET requests arrived, whatever became of them."""
        return sum(call.method == "GET" for call in self.calls)

    @property
    def writes(self) -> int:
        """How many POST and DELETE requests arrived, whatever became of them."""
        return sum(call.method in ("POST", "DELETE") for call in self.calls)

    def invoices(self) -> list[Json]:
        """Every invoice as the API shows it, oldest first, with all its lines in `lines.data`."""
        with self._settled() as store:
            found = []
            for invoice in store.invoices.values():
                shape = shapes.invoice(store, invoice)
                shape["lines"]["data"] = [shapes.line(store, invoice, item) for item in store.lines(invoice.id)]
                shape["lines"]["has_more"] = False
                found.append(shape)
            return copy.deepcopy(found)

    def close(self) -> None:
        """Stop listening and delivering."""
        self.webhooks.close()
        super().close()

    @overload
    def invoice(self, identifier: Named) -> Json: ...

    @overload
    def invoice(
        self,
        identifier: Named,
        lines: Sequence[InvoiceLine],
        currency: str = "usd",
        extras: InvoiceExtras | None = None,
        *,
        finalise: bool = True,
    ) -> Json: ...

    def invoice(
        self,
        identifier: Named,
        lines: Sequence[InvoiceLine] | None = None,
        currency: str = "usd",
        extras: InvoiceExtras | None = None,
        *,
        finalise: bool = True,
    ) -> Json:
        """One invoice with all its lines, KeyError if there is none; with `lines`, `bill` of this customer."""
        if lines is not None:
            return self.bill(identifier, lines, currency, extras, finalise=finalise)
        for invoice in self.invoices():
            if invoice["id"] == identity(identifier):
                return invoice
        raise KeyError(f"no invoice {identifier} in the Stripe stand-in")

    def customers(self) -> list[Json]:
        """Every customer that is not deleted, oldest first."""
        with self._settled() as store:
            found = [
                shapes.customer(store, identifier)
                for identifier, customer in store.customers.items()
                if not customer.get("deleted")
            ]
            return copy.deepcopy(found)

    def sent(self) -> list[str]:
        """Ids of the invoices that were sent to their customers, once per sending."""
        with self._settled() as store:
            return [invoice.id for invoice in store.invoices.values() for _ in invoice.sent_at]

    def dump(self) -> bytes:
        """The whole store as canonical JSON, to compare byte for byte. Idempotency keys are not part of
        it.
        """
        with self._settled() as store:
            return store.dump()

    # What a person does in the Dashboard --------------------------------------------------------------

    def as_person(self, method: str, path: str, params: dict[str, Any] | None = None) -> Json:
        """Do what an API call would, by hand: no key, no rate limit, not among the calls. Raises
        `Refusal`.
        """
        found = find(method, path)
        if found is None:
            raise unrecognized_url(method, path)
        route, ids = found
        typed = route.takes.read(form.decode(form.encode(params or {})))
        return self._execute(route, ids, typed)

    def finalize(self, invoice: str) -> Json:
        return self.finalise(invoice)

    def delete(self, invoice: str) -> Json:
        return self.as_person("DELETE", f"/v1/invoices/{invoice}")

    def edit(self, invoice: str, **changes: Any) -> Json:
        return self.as_person("POST", f"/v1/invoices/{invoice}", changes)

    def edit_line(self, invoice: str, line: str, **changes: Any) -> Json:
        return self.as_person("POST", f"/v1/invoices/{invoice}/lines/{line}", changes)

    def add_line(self, invoice: str, **line: Any) -> Json:
        return self.as_person("POST", f"/v1/invoices/{invoice}/add_lines", {"lines": [line]})

    def create_customer(self, **fields: Any) -> Json:
        return self.as_person("POST", "/v1/customers", fields)

    def edit_customer(self, customer: str, **changes: Any) -> Json:
        return self.as_person("POST", f"/v1/customers/{customer}", changes)

    def delete_customer(self, customer: str) -> Json:
        return self.as_person("DELETE", f"/v1/customers/{customer}")

    # The exchange -------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        return self._exchange(request, None)

    def perform(self, action: Action, request: Request) -> Response | None:
        if isinstance(action, DuringExecution):
            return self._exchange(request, action)
        return super().perform(action, request)

    def _exchange(self, request: Request, fault: DuringExecution | None) -> Response:
        with self._lock:
            self._requests += 1
            request_id = f"req_{self._requests:014d}"
        version = request.headers.get("stripe-version", API_VERSION)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        try:
            response = self._admitted(request, fault, version, key, request_id)
        except Refusal as refusal:
            response = refusal.response()
        headers = {
            "Content-Type": "application/json", "Request-Id": request_id, "Stripe-Version": version,
            **({"Idempotency-Key": key} if key else {}), **response.headers,
        }  # fmt: skip
        return Response(response.status, response.body, headers)

    def _admitted(
        self, request: Request, fault: DuringExecution | None, version: str, key: str | None, request_id: str
    ) -> Response:
        self._authenticate(request)
        self.versions[version] += 1
        if version != API_VERSION:
            raise Refusal(f"Invalid Stripe API version: {version}. The sandbox speaks {API_VERSION}.")
        found = find(request.method, request.path)
        if found is None:
            raise unrecognized_url(request.method, request.path)
        route, ids = found
        self._limiter.admit(f"{route.method} {route.template}")
        fields = self._fields(request)
        if key is None:
            return self._answer(route, ids, self._typed(route, fields), fault)
        keys = self._keys  # a reset meanwhile must not be written to
        replay = keys.begin(key, request.path, fields, self.clock(), request_id)
        if replay is not None:
            return replay
        try:
            response = self._answer(route, ids, self._typed(route, fields), fault)
        except Invalid:
            keys.release(key)
            raise
        except Refusal as refusal:
            keys.keep(key, refusal.response())
            raise
        except BaseException:
            keys.release(key)
            raise
        keys.keep(key, response)
        return response

    def _authenticate(self, request: Request) -> None:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                credential = base64.b64decode(credential, validate=True).decode().partition(":")[0]
            except ValueError:
                credential = ""
        if scheme.lower() not in ("basic", "bearer") or not credential:
            raise Refusal(
                "You did not provide an API key. You need to provide your API key in the Authorization "
                "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
                "https://stripe.com/docs/api#authentication for details, or we can help at "
                "https://support.stripe.com/.",
                status=401,
            )
        known = credential in self.api_keys if self.api_keys is not None else bool(_KEY.fullmatch(credential))
        if not known:
            shown = f"{credential[:8]}{'*' * max(0, len(credential) - 12)}{credential[-4:]}"
            raise Refusal(f"Invalid API Key provided: {shown}", status=401)

    @staticmethod
    def _fields(request: Request) -> form.Pairs:
        if request.method == "POST" and request.body:
            kind = request.headers.get("content-type", "").partition(";")[0].strip()
            if kind != "application/x-www-form-urlencoded":
                raise Invalid(
                    "Invalid request (check that your POST content type is "
                    "application/x-www-form-urlencoded). If "
                    "you have any questions, we can help at https://support.stripe.com/."
                )
        try:
            body = request.body.decode()
        except UnicodeDecodeError:
            raise Invalid("Invalid request: the body is not UTF-8 text.") from None
        return form.pairs(request.query) + form.pairs(body)

    @staticmethod
    def _typed(route: Route, fields: form.Pairs) -> dict[str, Any]:
        typed = route.takes.read(form.decode(fields))
        for name in typed.get("expand", []):
            if name not in route.expands:
                raise Invalid(f"This property cannot be expanded ({name}).", param="expand")
        return typed

    def _answer(
        self, route: Route, ids: tuple[str, ...], params: dict[str, Any], fault: DuringExecution | None
    ) -> Response:
        """Execute with the fault, if there is one, and encode."""
        with self._object(route, ids, params):
            if isinstance(fault, SlowExecution):
                time.sleep(fault.seconds)
            if isinstance(fault, StoredError):
                if fault.commit:
                    self._execute(route, ids, params)
                return fault.response()
            answer = self._execute(route, ids, params)
        return Response(200, json.dumps(answer, indent=2).encode() + b"\n")

    @contextmanager
    def _object(self, route: Route, ids: tuple[str, ...], params: dict[str, Any]) -> Iterator[None]:
        """Hold the invoice that is written to; who waits too long gets Stripe's lock_timeout."""
        invoice = ids[0] if ids and route.template.startswith("/v1/invoices/") else params.get("invoice")
        if route.method == "GET" or not invoice:
            yield
            return
        with self._lock:
            lock = self._object_locks.setdefault(str(invoice), threading.Lock())
        if not lock.acquire(timeout=self.lock_wait_seconds):
            timeout = LockTimeout()
            headers = {"Stripe-Should-Retry": timeout.should_retry}
            raise Refusal(timeout.message, timeout.status, timeout.code, None, timeout.kind, headers)
        try:
            yield
        finally:
            lock.release()

    def _execute(self, route: Route, ids: tuple[str, ...], params: dict[str, Any]) -> Json:
        with self._settled() as store:
            moment = self.clock() - self.search_lag_seconds
            answer = route.handler(Exchange(store, ids, params, moment))
            for path in params.get("expand", []):
                answer = expanded(store, answer, path)
            # A copy: a caller inside the sandbox must not hold the store's own objects.
            copied: Json = json.loads(json.dumps(answer))
            return copied

    @contextmanager
    def _settled(self) -> Iterator[Store]:
        """The store, locked, at the clock's time, with everything done that was due by then."""
        with self._lock:
            self._store.now = int(self.clock())
            advance(self._store)
            refresh(self._store)
            daily(self._store)
            try:
                yield self._store
            finally:
                fresh, self._told = self._store.events[self._told :], len(self._store.events)
                self.webhooks.queue(fresh)
