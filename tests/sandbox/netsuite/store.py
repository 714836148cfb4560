"""The account's data in an SQLite database in memory: what SuiteQL runs on and what people edit.

Every change stamps `lastmodifieddate` with the clock, in the session's time zone.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.sandbox.http_server import Clock
from tests.sandbox.netsuite.options import Options
from tests.sandbox.netsuite.oracle_functions import OracleFunctions
from tests.sandbox.netsuite.order_reader import OrderReader
from tests.sandbox.netsuite.order_rows import (
    DESCRIPTION_ITEM,
    END_OF_GROUP_ITEM,
    SUBTOTAL_ITEM,
    LineNumbers,
    Lists,
    OrderRows,
    Row,
    Stamps,
    WorldIndex,
    midnight,
    number_of,
    order_rows,
)
from tests.sandbox.netsuite.records.chart import Chart, Period
from tests.sandbox.netsuite.records.model import NAME_OF, STATUS_WORDS, TYPE_OF
from tests.sandbox.netsuite.tables import CUSTOM_FIELDS, STATUS_NAMES, TABLES, Column, Kind, Table
from tests.sandbox.netsuite.world import Customer, Item, Order, RawValue, World, resolve_date
from tests.sandbox.netsuite.world_fields import WorldError
from tests.sandbox.netsuite.world_loader import read_customer

_SQLITE_TYPES = {
    Kind.ID: "INTEGER",
    Kind.TEXT: "TEXT",
    Kind.NUMBER: "NUMERIC",
    Kind.DATE: "TEXT",
    Kind.DATETIME: "TEXT",
    Kind.FLAG: "TEXT",
}
_INDEXED = (
    ("transaction", "externalid"),
    ("customer", "externalid"),
    ("customer", "entityid"),
    ("item", "externalid"),
    ("transactionaccountingline", "transaction"),
    ("previoustransactionlinelink", "previousdoc"),
    ("previoustransactionlinelink", "nextdoc"),
    ("nexttransactionlinelink", "previousdoc"),
    ("nexttransactionlinelink", "nextdoc"),
)
"""Record and column of the look-ups that must not slow down with thousands of records."""

_BUILT_IN_ITEMS = (
    (SUBTOTAL_ITEM, "Subtotal", "Subtotal"),
    (DESCRIPTION_ITEM, "Description", "Description"),
    (END_OF_GROUP_ITEM, "End of Group", "EndGroup"),
)


class Store:
    """`connection` is shared between threads: hold `lock` around every use."""

    def __init__(self, world: World, options: Options, clock: Clock, today: date | None = None) -> None:
        self.world = world
        self.options = options
        self.zone = ZoneInfo(world.time_zone)
        self.lock = threading.RLock()
        self.schema_version = 0
        self._clock = clock
        self.today = today or self.now().date()
        self.functions = OracleFunctions(self.zone, lambda: self.options.date_format)
        self.connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.functions.register(self.connection)
        # Oracle compares with case; SQLite's LIKE does not unless told.
        self.connection.execute("PRAGMA case_sensitive_like = ON")
        self.tables: dict[str, dict[str, Column]] = {}
        self.index = WorldIndex(world)
        self.lists = Lists()
        self.chart = Chart(world, self.today)
        self.customers: dict[int, Customer] = {each.id: each for each in world.customers}
        self.items: dict[int, Item] = {each.id: each for each in world.items}
        self._numbers: dict[str, LineNumbers] = {}
        self._order_numbers: dict[int, str] = {}
        self._highest_transaction = max([20_000, *(order.id for order in world.orders)])
        self._orders: dict[str, Order] = {}
        self._sources: dict[str, Mapping[str, object]] = dict(world.order_sources)
        self._reader = OrderReader(world.currencies, world.terms, world.customers, world.items, world.tax_codes)
        with self.lock:
            self._create()
            self._fill()

    def now(self) -> datetime:
        """The clock in the session's zone, without microseconds."""
        return datetime.fromtimestamp(self._clock(), UTC).astimezone(self.zone).replace(microsecond=0)

    def visible(self, record: str) -> Mapping[str, Column] | None:
        """The columns of a record that a query may name; None if there is no such record here."""
        if record in self.options.records_absent or record not in TABLES:
            return None
        absent = {name.partition(".")[2] for name in self.options.columns_absent if name.startswith(f"{record}.")}
        return {name: column for name, column in self.tables[record].items() if name not in absent}

    # People at work in NetSuite.

    def orders(self) -> dict[str, Order]:
        """The orders as they stand, by number."""
        with self.lock:
            return dict(self._orders)

    def order_json(self, number: str) -> dict[str, object]:
        """An order as the world file would write it. KeyError-like WorldError if there is none."""
        with self.lock:
            if number not in self._sources:
                raise WorldError(f"order {number}: there is no such order in NetSuite")
            return dict(self._sources[number])

    def write_order(self, source: Mapping[str, object], stamp: bool = True) -> Order:
        """Add an order, or replace the one with the same number (its id stays). Raises WorldError.

        Without `stamp` its lastmodifieddate stays too.
        """
        with self.lock:
            number = str(source.get("number"))
            known = self._orders.get(number)
            if known is not None:
                order_id = known.id
            elif isinstance(given := source.get("id"), int):
                order_id = given
                taken = self.connection.execute('SELECT 1 FROM "transaction" WHERE "id" = ?', (given,)).fetchone()
                if taken is not None:
                    raise WorldError(f"order {number}, field 'id': {given} is already used")
                self._highest_transaction = max(self._highest_transaction, given)
            else:
                order_id = self.take_transaction_id()
            # The id of a line that was removed is never given to another one.
            used = self._numbers[number].highest if known is not None else 0
            order, filled = self._reader.read(source, order_id, used + 1)
            self._sources[number] = filled
            self._store(order, edited=stamp)
            self._write_lists()
            return order

    def take_transaction_id(self) -> int:
        """The next internal id: orders, invoices, payments and all others share one series."""
        self._highest_transaction += 1
        return self._highest_transaction

    def order_with_id(self, order_id: int) -> Order | None:
        number = self._order_numbers.get(order_id)
        return None if number is None else self._orders.get(number)

    def line_numbers(self, number: str) -> LineNumbers:
        """The ids of the rows that NetSuite added to an order."""
        return self._numbers[number]

    # What the record API writes. Hold `lock`.

    def replace_rows(self, record: str, column: str, key: int, rows: Iterable[Row]) -> None:
        """Put these rows in place of those whose `column` is `key`."""
        self.connection.execute(f'DELETE FROM "{record}" WHERE "{column}" = ?', (key,))
        self._insert(record, rows)

    def update_row(self, record: str, row_id: int, values: Row) -> None:
        for column in values:
            self._ensure_column(record, column)
        sets = ", ".join(f'"{column}" = ?' for column in values)
        cells = [*(_cell(value) for value in values.values()), row_id]
        self.connection.execute(f'UPDATE "{record}" SET {sets} WHERE "id" = ?', cells)

    def ids_where(self, record: str, column: str, value: str | int) -> list[int]:
        found = self.connection.execute(f'SELECT "id" FROM "{record}" WHERE "{column}" = ?', (value,))
        return [int(row[0]) for row in found]

    def row(self, record: str, row_id: int) -> dict[str, str | int | float | None] | None:
        cursor = self.connection.execute(f'SELECT * FROM "{record}" WHERE "id" = ?', (row_id,))
        found = cursor.fetchone()
        names = [description[0] for description in cursor.description]
        return None if found is None else dict(zip(names, found, strict=True))

    def add_item(self, item: Item) -> None:
        """Add an item that a later order may name too."""
        self.items[item.id] = item
        self.index.add_item(item)
        self._reader.know_item(item)
        self._insert("item", [_item_row(item)])

    def write_period(self, period: Period) -> None:
        self.replace_rows("accountingperiod", "id", period.id, [_period_row(period)])

    def delete_order(self, number: str) -> None:
        with self.lock:
            self.order_json(number)
            order = self._orders.pop(number)
            del self._sources[number], self._order_numbers[order.id]
            self.connection.execute('DELETE FROM "transactionline" WHERE "transaction" = ?', (order.id,))
            self.connection.execute('DELETE FROM "transaction" WHERE "id" = ?', (order.id,))

    def add_customer(self, data: Mapping[str, object]) -> Customer:
        """Add a customer written as in the world file. WorldError if the number is taken."""
        with self.lock:
            known = self.index.customers
            customer = read_customer(data, {each: str(each) for each in self.customers})
            if customer.number in known:
                raise WorldError(f"customer {customer.number}: the number is there already")
            row = self._customer_row(customer)
            self._insert("customer", [row])
            self._insert("entity", [_entity_row(row)])
            self._write_lists()
            known[customer.number] = customer
            self.customers[customer.id] = customer
            self._reader.know_customer(customer.number)
            return customer

    def set_customer(self, number: str, values: Mapping[str, RawValue]) -> None:
        """Change columns of a customer's row, such as email."""
        with self.lock:
            for column in values:
                self._ensure_column("customer", column)
            cells = [*(_cell(value) for value in values.values()), number]
            sets = ", ".join(f'"{column}" = ?' for column in values)
            changed = self.connection.execute(f'UPDATE "customer" SET {sets} WHERE "entityid" = ?', cells)
            if changed.rowcount == 0:
                raise WorldError(f"customer {number}: there is no such customer in NetSuite")

    def dump(self) -> dict[str, list[dict[str, object]]]:
        """Every table with its rows, in a fixed order: two equal stores give equal dumps."""
        with self.lock:
            found: dict[str, list[dict[str, object]]] = {}
            for name in TABLES:
                cursor = self.connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, rowid')
                names = [description[0] for description in cursor.description]
                found[name] = [dict(zip(names, row, strict=True)) for row in cursor]
            return found

    # Filling.

    def _create(self) -> None:
        for table in TABLES.values():
            self.tables[table.name] = dict(table.columns)
            self.connection.execute(f'CREATE TABLE "{table.name}" ({_definitions(table)})')
        # Rows of one order lie together in the order of their ids: what a keyset page reads.
        self.connection.execute('CREATE UNIQUE INDEX lines ON "transactionline" ("transaction", "id")')
        for indexed, column in _INDEXED:
            self.connection.execute(f'CREATE INDEX "{indexed} {column}" ON "{indexed}" ("{column}")')
        self.connection.execute("CREATE TABLE ns_status (id TEXT PRIMARY KEY, name TEXT)")
        self.connection.execute("CREATE TABLE ns_type (id TEXT PRIMARY KEY, name TEXT)")

    def _fill(self) -> None:
        world = self.world
        self._insert("dual", [{"dummy": "X"}])
        self.connection.executemany(
            "INSERT INTO ns_status VALUES (?, ?)",
            [
                (f"{TYPE_OF[record]}:{letter}", f"{NAME_OF[record]} : {name}")
                for record, words in (("salesOrder", STATUS_NAMES), *STATUS_WORDS.items())
                for letter, name in words.items()
            ],
        )
        self.connection.executemany(
            "INSERT INTO ns_type VALUES (?, ?)", [(TYPE_OF[record], name) for record, name in NAME_OF.items()]
        )
        for name in self.chart.subsidiary_names:
            self.lists.id_of("subsidiary", name)
        self._fill_books()
        self._insert(
            "currency",
            (
                {
                    "id": each.id,
                    "symbol": each.symbol,
                    "name": each.name,
                    "exchangerate": number_of(each.exchange_rate),
                    "currencyprecision": each.decimals,
                    "isbasecurrency": "T" if each.id == 1 else "F",
                    "isinactive": "F",
                }
                for each in world.currencies
            ),
        )
        self._insert(
            "term",
            (
                {
                    "id": each.id,
                    "name": each.name,
                    "daysuntilnetdue": each.days_until_net_due,
                    "datedriven": "T" if each.date_driven else "F",
                    "dayofmonthnetdue": each.day_of_month_net_due,
                    "duenextmonthifwithindays": each.due_next_month_if_within_days,
                    "isinactive": "F",
                }
                for each in world.terms
            ),
        )
        self._fill_items()
        customers = [self._customer_row(each) for each in world.customers]
        self._insert("customer", customers)
        self._insert("entity", (_entity_row(each) for each in customers))
        for order in world.orders:
            self._store(order, edited=False)
        self._write_lists()

    def _fill_books(self) -> None:
        self._insert(
            "account",
            (
                {
                    "id": each.id,
                    "acctnumber": each.number,
                    "accountsearchdisplayname": each.name,
                    "fullname": each.name,
                    "accttype": each.type,
                    "currency": each.currency,
                    "subsidiary": each.subsidiary,
                    "isinactive": "F",
                }
                for each in self.chart.accounts.values()
            ),
        )
        self._insert("accountingperiod", (_period_row(each) for each in self.chart.periods.values()))
        self._insert(
            "paymentmethod",
            (
                {"id": place, "name": each.name, "undepfunds": "T", "isinactive": "F"}
                for place, each in enumerate(self.world.payment_methods, 1)
            ),
        )

    def _fill_items(self) -> None:
        rows: list[Row] = [_item_row(each) for each in self.world.items]
        rows += [
            {"id": number, "itemid": name, "fullname": name, "itemtype": kind, "isinactive": "F"}
            for number, name, kind in _BUILT_IN_ITEMS
        ]
        for code in self.world.tax_codes:
            names: Row = {"id": code.id, "itemid": code.name, "fullname": code.name, "isinactive": "F"}
            rows.append({**names, "itemtype": "TaxItem"})
            self._insert("salestaxitem", [{**names, "rate": f"{number_of(code.rate)}%"}])
        absent = self.options.item_rows_absent
        self._insert("item", (row for row in rows if row["itemtype"] not in absent))

    def _customer_row(self, customer: Customer) -> Row:
        person = " ".join(part for part in (customer.first_name, customer.last_name) if part)
        return {
            "id": customer.id,
            "entityid": customer.number,
            "companyname": customer.name,
            "firstname": customer.first_name,
            "lastname": customer.last_name,
            "altname": customer.name or person,
            "email": customer.email,
            "category": self.lists.id_of("customercategory", customer.category),
            "subsidiary": self.lists.id_of("subsidiary", customer.subsidiary),
            "isperson": "T" if customer.is_person else "F",
            "isinactive": "T" if customer.inactive else "F",
            **customer.custom,
        }

    def _store(self, order: Order, edited: bool) -> None:
        previous = self._orders.get(order.number)
        numbers = self._numbers.setdefault(order.number, LineNumbers())
        rows: OrderRows = order_rows(self.index, order, numbers, self.lists, self.today, self._stamps(order, edited))
        if previous is not None:
            self.connection.execute('DELETE FROM "transactionline" WHERE "transaction" = ?', (order.id,))
            self.connection.execute('DELETE FROM "transaction" WHERE "id" = ?', (order.id,))
        self._orders[order.number] = order
        self._order_numbers[order.id] = order.number
        self._insert("transaction", [rows.header])
        self._insert("transactionline", rows.lines)

    def _stamps(self, order: Order, edited: bool) -> Stamps:
        now = self.now().strftime("%Y-%m-%d %H:%M:%S")
        made = self.connection.execute('SELECT "createddate" FROM "transaction" WHERE "id" = ?', (order.id,))
        before = made.fetchone()
        if before is not None:
            kept = self.connection.execute(
                'SELECT "lastmodifieddate" FROM "transaction" WHERE "id" = ?', (order.id,)
            ).fetchone()
            return Stamps(str(before[0]), now if edited else str(kept[0]))
        if edited:
            return Stamps(now, now)
        day = resolve_date(order.created or order.date, self.today)
        # Nothing was created later than now, whatever date a person put on it.
        created = min(now, (midnight(day) or "").replace("00:00:00", "09:30:00"))
        return Stamps(created, order.modified or created)

    def _write_lists(self) -> None:
        for record, rows in self.lists.rows().items():
            self.connection.execute(f'DELETE FROM "{record}"')
            if record == "subsidiary":
                for row in rows:
                    row["currency"] = self.chart.base_currency(int(str(row["id"]))) or None
            self._insert(record, rows)

    def _insert(self, record: str, rows: Iterable[Row]) -> None:
        by_columns: dict[tuple[str, ...], list[list[str | int | float | None]]] = {}
        for row in rows:
            by_columns.setdefault(tuple(row), []).append([_cell(value) for value in row.values()])
        for columns, cells in by_columns.items():
            for column in columns:
                self._ensure_column(record, column)
            names = ", ".join(f'"{column}"' for column in columns)
            marks = ", ".join("?" * len(columns))
            self.connection.executemany(f'INSERT INTO "{record}" ({names}) VALUES ({marks})', cells)

    def _ensure_column(self, record: str, column: str) -> None:
        """Add a custom field on its first use; any other unknown column is a mistake in the world."""
        if column in self.tables[record]:
            return
        if not any(column.startswith(prefix) and CUSTOM_FIELDS[prefix] == record for prefix in CUSTOM_FIELDS):
            raise WorldError(f"record '{record}' has no column '{column}'; custom fields begin with cust...")
        if not column.replace("_", "").isalnum():
            raise WorldError(f"'{column}' is no name of a custom field")
        self.connection.execute(f'ALTER TABLE "{record}" ADD COLUMN "{column}"')
        self.tables[record][column] = Column(column, Kind.TEXT)
        self.schema_version += 1


def _entity_row(customer: Row) -> Row:
    columns = ("id", "entityid", "altname", "email", "isinactive")
    return {**{column: customer[column] for column in columns}, "type": "CustJob"}


def _item_row(item: Item) -> Row:
    return {
        "id": item.id,
        "itemid": item.name,
        "fullname": item.name,
        "displayname": item.display_name,
        "itemtype": item.type,
        "description": item.description,
        "isinactive": "F",
        "isfulfillable": "T" if item.fulfillable else "F",
        **item.custom,
    }


def _period_row(period: Period) -> Row:
    def flag(value: bool) -> str:
        return "T" if value else "F"

    return {
        "id": period.id,
        "parent": period.parent,
        "periodname": period.name,
        "startdate": midnight(period.start),
        "enddate": midnight(period.end),
        "closed": flag(period.closed),
        "arlocked": flag(period.closed or period.ar_locked),
        "aplocked": flag(period.closed),
        "alllocked": flag(period.closed),
        "allownonglchanges": flag(period.allow_non_gl_changes),
        "isquarter": flag(period.is_quarter),
        "isyear": flag(period.is_year),
        "isadjust": "F",
        "isposting": flag(period.posts),
        "isinactive": "F",
    }


def _cell(value: RawValue) -> str | int | float | None:
    # Oracle knows no empty text: it is null.
    if value == "":
        return None
    return float(value) if isinstance(value, Decimal) else value


def _definitions(table: Table) -> str:
    definitions: list[str] = []
    for column in table.columns.values():
        key = " PRIMARY KEY" if frozenset({column.name}) in table.unique and column.kind is Kind.ID else ""
        definitions.append(f'"{column.name}" {_SQLITE_TYPES[column.kind]}{key}')
    return ", ".join(definitions)
