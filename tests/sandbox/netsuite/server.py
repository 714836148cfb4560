"""The stand-in for one NetSuite account: login, SuiteQL and the record API behind NetSuite's own paths."""

from __future__ import annotations

import copy
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import Clock, HttpServer
from tests.sandbox.netsuite import answers
from tests.sandbox.netsuite.credentials import (
    DEFAULT_ACCOUNT,
    Kind,
    certificate_of,
    new_credentials,
    token_pair_of,
)
from tests.sandbox.netsuite.options import Options
from tests.sandbox.netsuite.original_url import original_url
from tests.sandbox.netsuite.record_api import RECORD_PATH, RecordApi
from tests.sandbox.netsuite.records.jobs import JOBS_PATH
from tests.sandbox.netsuite.records.ledger import Entry
from tests.sandbox.netsuite.records.model import Transaction
from tests.sandbox.netsuite.records.service import RecordService
from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.suiteql_service import SuiteQLService
from tests.sandbox.netsuite.token_based_login import TokenBasedLogin
from tests.sandbox.netsuite.token_endpoint import TOKEN_PATH, TokenEndpoint
from tests.sandbox.netsuite.world import Customer, Order, RawValue, World
from tests.sandbox.netsuite.world_fields import WorldError

SUITEQL_PATH = "/services/rest/query/v1/suiteql"

Credentials = Mapping[str, str]


class NetSuiteServer(HttpServer):
    """`start()` it, use `url`; see README.md.

    `credentials` is one secret, or several; without any a fresh one of each kind is made. They are in
    `oauth2_credentials` and `tba_credentials`. `today` fixes the day from which relative dates count; else it
    is the clock's, in the account's time zone, when the server is made. Further keyword arguments are
    `Options`, laid over those of the world.
    """

    def __init__(
        self,
        world: World,
        clock: Clock = time.time,
        credentials: Credentials | Iterable[Credentials] | None = None,
        *,
        port: int = 0,
        today: date | None = None,
        **options: object,
    ) -> None:
        super().__init__(clock, port)
        self.login_audit: list[str] = []
        self._store = Store(world, Options().with_values(world.options).with_values(options), clock, today)
        self._queries = SuiteQLService(self._store)
        self._orders = RecordApi(self._store)
        self._records = RecordService(self._store, self._orders)
        self._tokens = TokenEndpoint(world.account, clock, self.login_audit)
        self._logins = TokenBasedLogin(world.account, clock, self.login_audit)
        self._in_flight = 0
        self._most_in_flight = 0
        self._in_flight_lock = threading.Lock()
        self._this_request = threading.local()
        self.oauth2_credentials: dict[str, str] = {}
        self.tba_credentials: dict[str, str] = {}
        given: list[Credentials] = [credentials] if isinstance(credentials, Mapping) else list(credentials or ())
        if not given:
            given = [
                new_credentials("oauth2", account=world.account),
                new_credentials("tba", account=world.account),
            ]
        for secret in given:
            self.register(secret)
        self._apply_options()

    @staticmethod
    def new_credentials(
        kind: Kind = "oauth2",
        algorithm: str = "ES256",
        account: str = DEFAULT_ACCOUNT,
        begins: datetime | None = None,
    ) -> dict[str, str]:
        """A fresh secret; see `credentials.new_credentials`."""
        return new_credentials(kind, algorithm, account, begins)

    def register(self, secret: Credentials) -> None:
        """Upload a certificate, or create an access token, for this secret. ValueError if it is neither."""
        account = secret.get("account", self.account)
        if account != self.account:
            raise ValueError(f"the credentials are for account {account}, the world is {self.account}")
        if "private_key" in secret:
            self._tokens.register(certificate_of(secret))
            self.oauth2_credentials = dict(secret)
        elif "token_secret" in secret:
            self._logins.register(token_pair_of(secret))
            self.tba_credentials = dict(secret)
        else:
            raise ValueError("credentials need private_key (oauth2) or token_secret (tba)")

    # The account.

    @property
    def account(self) -> str:
        return self._store.world.account

    @property
    def today(self) -> date:
        """The day from which the world's relative dates count."""
        return self._store.today

    @property
    def options(self) -> Options:
        return self._store.options

    def set_options(self, **values: object) -> None:
        """Change options while the server runs, such as date_format="D.M.YYYY"."""
        with self._store.lock:
            self._store.options = self._store.options.with_values(values)
            self._apply_options()

    def expire_tokens(self) -> None:
        """End every OAuth 2.0 access token before its time."""
        self._tokens.expire_tokens()

    def revoke_credentials(self) -> None:
        """An administrator revokes everything: certificates, tokens and what was issued for them."""
        self._tokens.revoke()
        self._tokens.expire_tokens()
        self._logins.revoke()

    def counts(self) -> dict[str, int]:
        """Calls so far by kind: token, suiteql, record, other."""
        found = Counter(_kind(call.path) for call in self.calls)
        return {kind: found[kind] for kind in ("token", "suiteql", "record", "other")}

    @property
    def most_at_once(self) -> int:
        """The most requests that were in work at the same time."""
        return self._most_in_flight

    def dump(self) -> dict[str, list[dict[str, object]]]:
        """Every record with its rows: equal dumps mean that nobody changed anything."""
        return self._store.dump()

    # What people do in NetSuite. Each change stamps lastmodifieddate with the clock.

    def orders(self) -> dict[str, Order]:
        """The orders as they stand, by number."""
        return self._store.orders()

    def order_json(self, number: str) -> dict[str, object]:
        """An order as the world file would write it, its line ids filled in. WorldError if there is none."""
        return copy.deepcopy(self._store.order_json(number))

    def edit_order(self, number: str, **changes: object) -> Order:
        """Set fields of an order, named as in the world file: memo="x", poNumber=None, lines=[...]."""
        with self._store.lock:
            if changes.get("number", number) != number:
                raise WorldError(f"order {number}, field 'number': cannot be edited; delete it and add another")
            return self._store.write_order({**self._store.order_json(number), **changes})

    def add_order(self, order: Mapping[str, object]) -> Order:
        """Add an order written as in the world file. WorldError if the number is taken."""
        with self._store.lock:
            if order.get("number") in self._store.orders():
                raise WorldError(f"order {order.get('number')}: the number is there already; use edit_order")
            return self._store.write_order(order)

    def edit_line(self, number: str, line: int, **changes: object) -> Order:
        """Set fields of one line; `line` is `tl.id` (1 for the first one unless the file says else)."""
        with self._store.lock:
            source = self.order_json(number)
            entry = _find_line(source, number, line)
            entry.update(changes)
            if ("quantity" in changes or "rate" in changes) and "amount" not in changes:
                # As in NetSuite: the amount follows quantity and rate.
                entry.pop("amount", None)
            return self._store.write_order(source)

    def bill(self, number: str, line: int, quantity: Decimal | int | str) -> Order:
        """Invoice `quantity` more of a line in NetSuite: its billed quantity grows; the status stays."""
        with self._store.lock:
            entry = _find_line(self.order_json(number), number, line)
            billed = Decimal(str(entry.get("billed") or 0)) + Decimal(str(quantity))
            return self.edit_line(number, line, billed=billed)

    def close_line(self, number: str, line: int) -> Order:
        return self.edit_line(number, line, closed=True)

    def set_status(self, number: str, status: str) -> Order:
        """Set the status letter (F Pending Billing, G Billed, H Closed, ...)."""
        return self.edit_order(number, status=status)

    def delete_order(self, number: str) -> None:
        self._store.delete_order(number)

    def add_customer(self, customer: Mapping[str, object]) -> Customer:
        """Add a customer written as in the world file: {"number": "C-200", "name": ..., "email": ...}."""
        return self._store.add_customer(customer)

    def set_customer(self, number: str, **columns: RawValue) -> None:
        """Change columns of a customer's row: set_customer("C-101", email=None)."""
        self._store.set_customer(number, columns)

    # The books.

    def ledger(self, subsidiary: str | None = None) -> dict[str, dict[str, Decimal]]:
        """Balances by account's name and currency (ISO); debits are positive. Every account is there. With the name of
        a subsidiary only what its own transactions posted."""
        return self._records.ledger(subsidiary)

    def records(self, record: str) -> list[dict[str, Any]]:
        """Every "invoice", "customerPayment", ... as GET shows it with its sublists."""
        return self._records.records(record)

    def edit_record(self, external_id: str, **changes: object) -> None:
        """A person changes a saved transaction, whatever NetSuite's rules would say: `total`, `entity`, `currency`,
        `date`, `account`, `applies`, `lines` ({line number: amount}), ... as the model's Transaction has them."""
        with self._store.lock:
            each = self._of_external_id(external_id).copy()
            self._change(each, changes)
            self._records.register.save(each)

    def enter_again(self, external_id: str, /, **changes: object) -> int:
        """A person enters a transaction once more, as `edit_record` changes it (`external_id=None` for none); its
        internal id. It is applied to nothing, and no order is billed by it."""
        with self._store.lock:
            each = self._of_external_id(external_id).copy()
            each.id, each.created_from, each.applies, each.deposited = 0, None, {}, {}
            for line in each.lines:
                line.order_line = None
            self._change(each, changes)
            return self._records.register.save(each).id

    def delete_record(self, external_id: str) -> None:
        """A person deletes a transaction, whatever NetSuite's rules would say."""
        with self._store.lock:
            self._records.register.delete(self._of_external_id(external_id))

    def _of_external_id(self, external_id: str) -> Transaction:
        register = self._records.register
        kinds = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
        found = [each for kind in kinds for each in register.of_record(kind) if each.external_id == external_id]
        if not found:
            raise KeyError(f"no transaction {external_id} in the NetSuite stand-in")
        return found[0]

    def _change(self, each: Transaction, changes: Mapping[str, object]) -> None:
        for name, value in changes.items():
            if name == "lines":
                assert isinstance(value, Mapping)
                for line in each.lines:
                    line.amount = value.get(line.line, line.amount)
            else:
                getattr(each, name)
                setattr(each, name, value)

    def entries(self) -> list[Entry]:
        """The general ledger's entries, one for each transaction that posts."""
        return list(self._records.register.ledger.entries())

    def close_period(self, month: str | date, **changes: bool) -> None:
        """Close a month: "2026-05", or any day in it. `ar_locked=True` instead only locks receivables."""
        self._change_period(month, changes or {"closed": True})

    def open_period(self, month: str | date) -> None:
        self._change_period(month, {"closed": False, "ar_locked": False})

    def _change_period(self, month: str | date, changes: Mapping[str, bool]) -> None:
        with self._store.lock:
            day = date.fromisoformat(f"{month}-01") if isinstance(month, str) else month
            chart = self._store.chart
            period = chart.month(day)
            chart.change_period(period.id, **changes)
            self._store.write_period(chart.periods[period.id])

    def base_balances(self) -> dict[str, Decimal]:
        """Balances by account's name in base currency: their sum is 0. One base currency is assumed."""
        return self._records.base_balances()

    # Answering.

    def exchange(self, request: Request) -> Response | None:
        """Counts the requests at once around everything else, so that delays by faults count too."""
        if _kind(request.path) not in ("suiteql", "record"):
            return super().exchange(request)
        with self._in_flight_lock:
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
            self._this_request.too_many = self._in_flight > self._store.options.concurrency_limit
        try:
            return super().exchange(request)
        finally:
            with self._in_flight_lock:
                self._in_flight -= 1

    def handle(self, request: Request) -> Response:
        kind = _kind(request.path)
        if kind == "token":
            return self._tokens.answer(request)
        if kind == "other":
            return answers.not_found()
        refusal = self._login(request)
        if refusal is not None:
            return refusal
        if getattr(self._this_request, "too_many", False):
            return answers.too_many_requests(self._store.options.retry_after)
        url = original_url(request)
        if kind == "record":
            base = url.removesuffix(request.path)
            service = self._orders if self._orders.serves(request) else self._records
            return service.answer(request, base)
        if request.method != "POST":
            return answers.error(405, "METHOD_NOT_ALLOWED", f"The {request.method} method is not allowed.")
        return self._queries.answer(request, url)

    def _login(self, request: Request) -> Response | None:
        authorization = request.headers.get("authorization", "")
        scheme, _, rest = authorization.partition(" ")
        if scheme == "Bearer":
            if self._tokens.accepts(rest.strip()):
                return None
            self.login_audit.append("oauth2 bearer token unknown or expired")
            return answers.invalid_login(self.account, "Bearer")
        if scheme == "OAuth" and self._logins.accepts(request):
            return None
        if scheme != "OAuth":
            self.login_audit.append("no Authorization header that NetSuite knows")
        return answers.invalid_login(self.account, "OAuth")

    def _apply_options(self) -> None:
        options = self._store.options
        self._tokens.public_base = options.public_base
        self._logins.public_base = options.public_base
        self._logins.lock_after = options.lock_after


def _kind(path: str) -> str:
    if path == TOKEN_PATH:
        return "token"
    if path == SUITEQL_PATH:
        return "suiteql"
    return "record" if path.startswith((RECORD_PATH, JOBS_PATH)) else "other"


def _find_line(source: Mapping[str, object], number: str, line: int) -> dict[str, object]:
    lines = source["lines"]
    assert isinstance(lines, list)
    for entry in lines:
        members = entry.get("members")
        for candidate in [entry, *(members if isinstance(members, list) else [])]:
            if candidate["id"] == line:
                assert isinstance(candidate, dict)
                return candidate
    known = ", ".join(str(entry["id"]) for entry in lines)
    raise WorldError(f"order {number}: there is no line {line}; its lines are {known}")
