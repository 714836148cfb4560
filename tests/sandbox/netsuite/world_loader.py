"""Reads a world file (see README.md) into a `World`, or says which order and field are wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tests.sandbox.netsuite.books_reader import read_books
from tests.sandbox.netsuite.order_reader import ITEM_TYPES, OrderReader, custom_fields
from tests.sandbox.netsuite.record_ids import Ids
from tests.sandbox.netsuite.world import Currency, Customer, Item, Order, TaxCode, Term, World
from tests.sandbox.netsuite.world_fields import Fields, WorldError

WORLDS = Path(__file__).parent / "worlds"

_DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XAF": 0, "XOF": 0, "PYG": 0}
_FULFILLED = frozenset({"InvtPart", "Assembly", "Kit"})
"""Item types that are fulfilled unless the world says otherwise."""
_DECIMALS |= {"KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}


def load_world(source: str | Path | Mapping[str, object]) -> World:
    """Load a world from a path, from the name of a file in `worlds/` ("tiny"), or from parsed JSON.

    Raises WorldError naming the record and the field; FileNotFoundError if there is no such file.
    """
    if isinstance(source, Mapping):
        return _world(source)
    path = Path(source)
    if not path.exists() and (WORLDS / f"{source}.json").exists():
        path = WORLDS / f"{source}.json"
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in WORLDS.glob("*.json")))
        raise FileNotFoundError(f"no world file {source}; give a path or one of: {names}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise WorldError(f"{path.name} is not JSON: {error}") from None
    return _world(data)


def _unique(names: list[str], list_name: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise WorldError(f"{list_name}: '{name}' is there twice; every name must be unique")


def _world(data: Mapping[str, object]) -> World:
    fields = Fields("world", data)
    zone = fields.optional_text("timeZone") or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise fields.wrong("timeZone", f"{zone!r} is no IANA time zone such as America/New_York") from None
    currencies = _currencies(fields)
    terms = _terms(fields)
    tax_codes = _tax_codes(fields)
    items = _items(fields, {code.id for code in tax_codes})
    customers = _customers(fields.objects("customers"), Ids(501))
    reader = OrderReader(currencies, terms, customers, items, tax_codes)
    ids = Ids(20001)
    given = fields.objects("orders")
    order_ids: list[int | None] = []
    for data_ in given:
        order_id = Fields("an order", data_).optional_whole("id")
        number = data_.get("number") if isinstance(data_, Mapping) else None
        order_ids.append(None if order_id is None else ids.take(order_id, f"order {number}"))
    orders: list[Order] = []
    sources: dict[str, dict[str, object]] = {}
    for data_, order_id in zip(given, order_ids, strict=True):
        order, source = reader.read(data_, ids.take(None, "an order") if order_id is None else order_id)
        if order.number in sources:
            raise WorldError(f"order {order.number}: the number is there twice; every number must be unique")
        orders.append(order)
        sources[order.number] = source
    options = fields.get("options") or {}
    if not isinstance(options, Mapping):
        raise fields.wrong("options", "must be an object")
    books = read_books(fields, {each.symbol for each in currencies})
    for customer in customers:
        for symbol in customer.currencies or ():
            if symbol not in {each.symbol for each in currencies}:
                raise WorldError(f"customer {customer.number}: currency {symbol!r} is not in the world's 'currencies'")
    world = World(
        account=fields.optional_text("account") or "1234567_SB1",
        time_zone=zone,
        currencies=currencies,
        terms=terms,
        customers=customers,
        items=items,
        tax_codes=tax_codes,
        orders=tuple(orders),
        order_sources=sources,
        options={str(key): value for key, value in options.items()},
        subsidiaries=books.subsidiaries,
        accounts=books.accounts,
        accounting_periods=books.accounting_periods,
        exchange_rates=books.exchange_rates,
        payment_methods=books.payment_methods,
    )
    fields.end()
    return world


def _currencies(fields: Fields) -> tuple[Currency, ...]:
    ids = Ids(1)
    found: list[Currency] = []
    for data in fields.objects("currencies"):
        inner = Fields("a currency", data)
        symbol = inner.text("symbol")
        inner.where = f"currency {symbol}"
        decimals = inner.optional_whole("decimals")
        found.append(
            Currency(
                id=ids.take(inner.optional_whole("id"), inner.where),
                symbol=symbol,
                name=inner.text("name"),
                decimals=_DECIMALS.get(symbol, 2) if decimals is None else decimals,
                exchange_rate=inner.optional_quantity("exchangeRate") or Decimal(1),
            )
        )
        inner.end()
    _unique([currency.symbol for currency in found], "currencies")
    return tuple(found)


def _terms(fields: Fields) -> tuple[Term, ...]:
    ids = Ids(1)
    found: list[Term] = []
    for data in fields.objects("terms"):
        inner = Fields("terms", data)
        name = inner.text("name")
        inner.where = f"terms {name}"
        term = Term(
            id=ids.take(inner.optional_whole("id"), inner.where),
            name=name,
            days_until_net_due=inner.optional_whole("daysUntilNetDue"),
            date_driven=inner.flag("dateDriven"),
            day_of_month_net_due=inner.optional_whole("dayOfMonthNetDue"),
            due_next_month_if_within_days=inner.optional_whole("dueNextMonthIfWithinDays"),
        )
        if term.date_driven and term.day_of_month_net_due is None:
            raise inner.wrong("dayOfMonthNetDue", "is missing; date-driven terms need the day of the month")
        found.append(term)
        inner.end()
    _unique([term.name for term in found], "terms")
    return tuple(found)


def _tax_codes(fields: Fields) -> tuple[TaxCode, ...]:
    ids = Ids(901)
    found: list[TaxCode] = []
    for data in fields.objects("taxCodes"):
        inner = Fields("a tax code", data)
        name = inner.text("name")
        inner.where = f"tax code {name}"
        rate = inner.optional_quantity("rate")
        if rate is None:
            raise inner.wrong("rate", 'is missing; give per cent such as "8.25"')
        found.append(TaxCode(ids.take(inner.optional_whole("id"), inner.where), name, rate))
        inner.end()
    _unique([code.name for code in found], "taxCodes")
    return tuple(found)


def _items(fields: Fields, taken: set[int]) -> tuple[Item, ...]:
    ids = Ids(1001)
    for item_id in taken:
        ids.take(item_id, f"tax code {item_id}")
    found: list[Item] = []
    for data in fields.objects("items"):
        inner = Fields("an item", data)
        name = inner.text("name")
        inner.where = f"item {name}"
        kind = inner.text("type")
        if kind not in ITEM_TYPES:
            raise inner.wrong("type", f"{kind!r} is no item type; one of: {', '.join(sorted(ITEM_TYPES))}")
        found.append(
            Item(
                id=ids.take(inner.optional_whole("id"), inner.where),
                name=name,
                type=kind,
                display_name=inner.optional_text("displayName"),
                description=inner.optional_text("description"),
                fulfillable=inner.flag("fulfillable") if inner.explicit("fulfillable") else kind in _FULFILLED,
                custom=custom_fields(inner, "custitem"),
                income_account=inner.optional_text("incomeAccount"),
                non_posting=inner.flag("nonPosting"),
            )
        )
        inner.end()
    for name, kind in (("Discount", "Discount"), ("Shipping", "ShipItem"), ("Handling", "ShipItem")):
        if name not in {item.name for item in found}:
            found.append(Item(ids.take(None, f"item {name}"), name, kind))
    _unique([item.name for item in found], "items")
    return tuple(found)


def read_customer(data: object, taken: Mapping[int, str]) -> Customer:
    """One customer, for an account whose customers have the ids `taken` already. Raises WorldError."""
    ids = Ids(501)
    for customer_id, number in taken.items():
        ids.take(customer_id, f"customer {number}")
    return _customers([data], ids)[0]


def _symbols(fields: Fields) -> tuple[str, ...] | None:
    """The customer's currencies; None if the file does not say."""
    if not fields.has("currencies"):
        fields.get("currencies")
        return None
    return tuple(str(symbol) for symbol in fields.objects("currencies"))


def _customers(given: list[object], ids: Ids) -> tuple[Customer, ...]:
    found: list[Customer] = []
    for data in given:
        inner = Fields("a customer", data)
        number = inner.text("number")
        inner.where = f"customer {number}"
        is_person = inner.flag("isPerson")
        customer = Customer(
            id=ids.take(inner.optional_whole("id"), inner.where),
            number=number,
            name=inner.optional_text("name"),
            is_person=is_person,
            first_name=inner.optional_text("firstName"),
            last_name=inner.optional_text("lastName"),
            email=inner.optional_text("email"),
            category=inner.optional_text("category"),
            subsidiary=inner.optional_text("subsidiary"),
            inactive=inner.flag("inactive"),
            custom=custom_fields(inner, "custentity"),
            currencies=_symbols(inner),
            receivables_account=inner.optional_text("receivablesAccount"),
        )
        if customer.name is None and not is_person:
            raise inner.wrong("name", "is missing; a company needs a name (or set isPerson and lastName)")
        found.append(customer)
        inner.end()
    _unique([customer.number for customer in found], "customers")
    return tuple(found)
