"""Harmless reads of NetSuite: may the role do what the product's own queries and records need?

The queries are not written here a second time. The functions that ask them are called with a connection that notes
what they would ask, and then with one that asks the same for no rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from billing.adapters.netsuite.beside_the_listing import order_states, orders_before, orders_of_others
from billing.adapters.netsuite.books import NetSuiteBooks
from billing.adapters.netsuite.clients import client_by_id, clients_sharing, clients_with_emails
from billing.adapters.netsuite.fingerprints import order_fingerprints, order_lines_now, orders_listed_now
from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.sales_orders import columns_of, list_sales_orders, orders_of_status
from billing.adapters.netsuite.settlement_lookups import NetSuiteCustomers, NetSuiteItems, accounting_periods
from billing.adapters.netsuite.suiteql import SUITEQL_PATH, Row, SuiteQL, UnknownColumn
from billing.adapters.netsuite.transport import NO_ANSWER, login_refused
from billing.domain.doctor.netsuite import CurrencyFound, QueryFound, TableFound
from billing.domain.doctor.policies import Existing
from billing.domain.doctor.suiteql_text import asking_nothing, columns_read
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.runs.order_query import OrderQuery
from billing.domain.settlement.write_doubts import AlreadyExists, Refused

_NOBODY: Final = "nobody@month-end-billing.invalid"
_COLUMN: Final = re.compile(r"\b([a-z]\w*)\.([a-z]\w*)")
_ALIASES: Final = {"t": "transaction", "tl": "transactionline", "c": "customer", "cur": "currency", "i": "item"}
WRITTEN: Final = ("customer", "invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
"""Records that the settlement makes. A preview (`type=create-form`) of one saves nothing, and is refused to a role that
may not make it: Oracle's help, "Using Create-Form" (article_1217103046)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a stack asks of NetSuite: its listing's parameters, whether and how it settles, and the subsidiaries (ids)
    that it bills, empty for all."""

    statuses: tuple[str, ...]
    email_fields: tuple[str, ...] = ()
    stripe_id_field: str = ""
    settles: bool = False
    match_item_field: str = ""
    subsidiaries: tuple[str, ...] = ()


@dataclass(slots=True)
class _Noting(SuiteQL):
    """Notes what it is asked and answers nothing, without a call; with `sends`, asks the same for no rows."""

    asked: list[str] = field(default_factory=list)
    sends: bool = False

    def page(self, query: str, params: Iterable[str] = ()) -> list[Row]:
        self.asked.append(query)
        # A slotted dataclass is made twice, and super() would know the first one.
        return SuiteQL.page(self, asking_nothing(query), tuple(params)) if self.sends else []


def _noting(connection: SuiteQL, sends: bool) -> _Noting:
    return _Noting(
        connection.base_url,
        connection.login,
        connection.sleep,
        connection.session,
        connection.jitter,
        connection.slot,
        sends=sends,
    )


def queries(asked: Asked, today: date) -> dict[str, Callable[[SuiteQL], object]]:
    """Every function of the product that asks SuiteQL, by a name for people."""
    query = OrderQuery(
        asked.statuses,
        today - timedelta(days=31),
        today,
        OrderFilter(),
        email_fields=asked.email_fields,
        stripe_id_field=asked.stripe_id_field,
    )
    found: dict[str, Callable[[SuiteQL], object]] = {
        "the listing": lambda suiteql: list_sales_orders(suiteql, query),
        "orders of one status": lambda suiteql: orders_of_status(
            suiteql, query, "F", ["1"], list_sales_orders(suiteql, query).absent_columns
        ),
        "orders before BillFrom": lambda suiteql: orders_before(suiteql, query),
        **(
            {"orders of other subsidiaries": lambda suiteql: orders_of_others(suiteql, query, asked.subsidiaries)}
            if asked.subsidiaries
            else {}
        ),
        "the state of orders": lambda suiteql: order_states(suiteql, ["1"]),
        "what has moved": lambda suiteql: order_fingerprints(suiteql, ["1"]),
        "the lines of orders": lambda suiteql: order_lines_now(suiteql, ["1"]),
        "the listing's comparison": lambda suiteql: orders_listed_now(
            suiteql, query, list_sales_orders(suiteql, query).absent_columns
        ),
        "clients by address": lambda suiteql: clients_with_emails(suiteql, [_NOBODY]),
        "clients that share an address": lambda suiteql: clients_sharing(suiteql, {"1": _NOBODY}),
        "one client": lambda suiteql: client_by_id(suiteql, "1", asked.stripe_id_field),
    }
    if asked.settles:
        found |= {
            "accounting periods": accounting_periods,
            "the books": lambda suiteql: NetSuiteBooks(suiteql).ask_each(today),
            "customers by address": lambda suiteql: _customers(suiteql).with_email(_NOBODY),
            "customers by name": lambda suiteql: _customers(suiteql).with_name(_NOBODY),
        }
        if asked.match_item_field:
            found["items by their field"] = lambda suiteql: NetSuiteItems(
                suiteql, NetSuiteRecords(suiteql.transport)
            ).with_field(asked.match_item_field, _NOBODY)
    return found


def optional_columns(asked: Asked) -> frozenset[str]:
    """The columns ("transaction.memo") without which the product goes on. A field that a parameter names is none of
    them: the listing goes on without it, and is not what was meant."""
    query = OrderQuery(asked.statuses, date.min, date.min, OrderFilter())
    optional, needed = set[str](), set[str]()
    for one in columns_of(query):
        for alias, column in _COLUMN.findall(one.source):
            (optional if one.optional else needed).add(f"{_ALIASES.get(alias, alias)}.{column}")
    return frozenset(optional - needed)


@dataclass(frozen=True, slots=True)
class NetSuiteSetup:
    """One account, looked at by one login."""

    connection: SuiteQL
    asked: Asked
    today: date

    def sign_in(self) -> None:
        """One call, signed, and once more if it was refused: five bad logins lock a user. What NetSuite says of the
        query itself is another check's. Raises PersonNeeded (login), PassingError (no answer)."""
        transport, body = self.connection.transport, {"q": "SELECT cur.id FROM currency cur WHERE ROWNUM <= 1"}
        for _ in range(2):
            try:
                answer = transport.send("POST", SUITEQL_PATH, body, {"Prefer": "transient"})
            except NO_ANSWER as error:
                raise PassingError(f"NetSuite gave no answer ({type(error).__name__}).") from None
            if answer.status_code >= 500 or answer.status_code == 429:
                raise PassingError(f"NetSuite answers HTTP {answer.status_code}.")
            if answer.status_code != 401:
                return
            self.connection.login.renew()
        raise login_refused()

    def tables(self) -> list[TableFound]:
        """Each table and column that the queries read, asked for one row."""
        noting = _noting(self.connection, sends=False)
        for ask in queries(self.asked, self.today).values():
            ask(noting)
        return [self._table(table, columns) for table, columns in columns_read(noting.asked).items()]

    def asked_for_nothing(self) -> list[QueryFound]:
        """Each query of the product as it is, for no rows."""
        noting = _noting(self.connection, sends=True)
        found = []
        for name, ask in queries(self.asked, self.today).items():
            refused = ""
            try:
                ask(noting)
            except UnknownColumn as error:
                refused = error.detail
            except (PersonNeeded, OurFault) as error:
                refused = _words(error)
            found.append(QueryFound(name, refused))
        return found

    def currencies(self) -> list[CurrencyFound]:
        """The active currencies."""
        rows = self.connection.page("SELECT cur.id, cur.symbol FROM currency cur ORDER BY cur.id ASC")
        precisions = self._one_column("currencyprecision")
        inactive = self._one_column("isinactive")
        return [
            CurrencyFound(row["id"], row.get("symbol", ""), _whole(precisions.get(row["id"])))
            for row in rows
            if inactive.get(row["id"]) != "T"
        ]

    def _one_column(self, column: str) -> dict[str, str]:
        """A column of the currencies that an account may lack, by internal id."""
        try:
            rows = self.connection.page(f"SELECT cur.id, cur.{column} FROM currency cur ORDER BY cur.id ASC")
        except UnknownColumn:
            return {}
        return {row["id"]: row[column] for row in rows if column in row}

    def records_refused(self) -> list[str]:
        """A preview of each record that the settlement makes, as NetSuite would save it, saved nowhere."""
        records = NetSuiteRecords(self.connection.transport)
        asked = [lambda record=record: records.preview(record, {}) for record in WRITTEN]
        return [said for ask in asked if (said := _refused(ask))]

    def preview_refused(self) -> str:
        """A preview of the invoice of some sales order, if the role sees one; "" if NetSuite makes it."""
        rows = self.connection.page("SELECT t.id FROM transaction t WHERE t.type = 'SalesOrd' AND ROWNUM <= 1")
        if not rows:
            return ""
        records = NetSuiteRecords(self.connection.transport)
        return _refused(lambda: records.preview_transform("salesOrder", rows[0]["id"], "invoice", {}))

    def subsidiaries(self) -> tuple[str, ...]:
        """Internal ids of the active subsidiaries that the role sees; none in an account without OneWorld."""
        try:
            rows = self.connection.page("SELECT x.id FROM subsidiary x WHERE x.isinactive = 'F' ORDER BY x.id ASC")
        except PersonNeeded:
            return ()
        return tuple(row["id"] for row in rows)

    def existing(self, table: str, ids: Iterable[str]) -> Existing:
        """Which of these internal ids the account has, with whether each is inactive."""
        if not re.fullmatch("account|item|subsidiary|currency|customer", table):
            raise OurFault(f"No policy names a {table}.")
        chosen = ",".join(str(int(one)) for one in sorted(set(ids)))
        symbol = ", x.symbol" if table == "currency" else ""
        try:
            rows = self.connection.page(
                f"SELECT x.id, x.isinactive{symbol} FROM {table} x WHERE x.id IN ({chosen}) ORDER BY x.id ASC"
            )
        except PersonNeeded as error:
            return Existing({}, {}, _words(error))
        return Existing(
            {row["id"]: row.get("isinactive") == "T" for row in rows},
            {row["id"]: row["symbol"] for row in rows if row.get("symbol")},
        )

    def _table(self, table: str, columns: tuple[str, ...]) -> TableFound:
        left, missing = list(columns), list[str]()
        while left:
            try:
                self.connection.page(f"SELECT {', '.join(f'x.{one}' for one in left)} FROM {table} x WHERE ROWNUM <= 1")
                break
            except UnknownColumn as error:
                if error.column not in left:
                    return TableFound(table, columns, tuple(missing), error.detail)
                left.remove(error.column)
                missing.append(error.column)
            except (PersonNeeded, OurFault) as error:
                return TableFound(table, columns, tuple(missing), _words(error))
        return TableFound(table, columns, tuple(missing))


def _customers(suiteql: SuiteQL) -> NetSuiteCustomers:
    return NetSuiteCustomers(suiteql, NetSuiteRecords(suiteql.transport))


def _refused(ask: Callable[[], Mapping[str, object] | object]) -> str:
    """Why the role may not, "" if it may: that NetSuite misses a field is an answer to one who may."""
    try:
        ask()
    except (Refused, AlreadyExists):
        return ""
    except PersonNeeded as error:
        return _words(error)
    return ""


def _words(error: Exception) -> str:
    """NetSuite's own words, which an error carries as its notes; its sentence if there are none."""
    return " ".join(getattr(error, "__notes__", [])) or str(error)


def _whole(text: str | None) -> int | None:
    return int(float(text)) if text and re.fullmatch(r"[0-9]+(\.0+)?", text) else None
