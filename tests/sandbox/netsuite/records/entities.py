"""Customers and items that the record API makes, and the lists that it only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tests.sandbox.netsuite.order_rows import Row
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.headers import Headers
from tests.sandbox.netsuite.records.rendering import Body, Renderer, plain
from tests.sandbox.netsuite.records.request_body import Fields, lines_of
from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.world import Customer, Item

ITEM_RECORDS = {"serviceSaleItem": "Service", "discountItem": "Discount"}
READ_ONLY = ("account", "currency", "subsidiary", "accountingPeriod", "paymentMethod")
_ACCOUNT_FIELD = {"serviceSaleItem": "incomeAccount", "discountItem": "account"}
_INCOME_TYPES = frozenset({"Income", "OthIncome", "OthCurrLiab", "Expense", "OthExpense", "COGS", "DeferRevenue"})


class Entities:
    def __init__(self, store: Store, headers: Headers) -> None:
        self._store = store
        self._headers = headers
        self._sent: dict[tuple[str, int], Fields] = {}

    # Customers.

    def write_customer(self, fields: Fields, saved: int | None, save: bool) -> int:
        """Add a customer, or change the one with the id `saved`. Without `save` only check."""
        store = self._store
        external = self._headers.external_id(fields, "customer", saved or 0)
        known = store.customers.get(saved or 0)
        names = {"isPerson": known.is_person if known else False, **fields}
        currencies = self._currencies(fields, known)
        if known is not None:
            if save:
                self._change_customer(known, fields, currencies, external)
            return known.id
        if names["isPerson"]:
            if not fields.get("lastName"):
                raise refusals.access("You must enter a value for Last Name.")
        elif not fields.get("companyName"):
            raise refusals.access("You must enter a value for Company Name.")
        subsidiary = self._headers.references.id_of(fields, "subsidiary", "subsidiary")
        if subsidiary is None and store.chart.one_world:
            raise refusals.enter_value("Subsidiary")
        person = " ".join(str(fields[name]) for name in ("firstName", "lastName") if fields.get(name))
        number = fields.get("entityId") or fields.get("companyName") or person
        if store.options.auto_numbering:
            number = f"CUST{max(store.customers, default=500) + 1}"
        if store.ids_where("customer", "entityid", str(number)):
            raise refusals.already_exists()
        if not save:
            return 0
        named = store.chart.subsidiary_names[subsidiary - 1] if subsidiary else None
        data = {
            "number": str(number),
            "name": None if names["isPerson"] else fields.get("companyName"),
            "isPerson": bool(names["isPerson"]),
            "firstName": fields.get("firstName"),
            "lastName": fields.get("lastName"),
            "email": fields.get("email"),
            "subsidiary": named,
            "currencies": list(currencies) if currencies is not None else None,
        }
        customer = store.add_customer(data)
        if external is not None:
            store.update_row("customer", customer.id, {"externalid": external})
        self._keep_custom("customer", "custentity", customer.id, fields)
        self._sent["customer", customer.id] = dict(fields)
        return customer.id

    def _change_customer(
        self, known: Customer, fields: Fields, currencies: tuple[str, ...] | None, external: str | None
    ) -> None:
        columns = {"companyName": "companyname", "email": "email", "firstName": "firstname", "lastName": "lastname"}
        row: Row = {column: fields[name] for name, column in columns.items() if name in fields}
        if external is not None:
            row["externalid"] = external
        if row:
            self._store.update_row("customer", known.id, row)
        changed = replace(known, currencies=currencies, email=fields.get("email", known.email))
        self._store.customers[known.id] = self._store.index.customers[known.number] = changed
        self._keep_custom("customer", "custentity", known.id, fields)
        self._sent["customer", known.id] = {**self._sent.get(("customer", known.id), {}), **fields}

    def _currencies(self, fields: Fields, known: Customer | None) -> tuple[str, ...] | None:
        """The customer's list: what is sent is added to it (keyed by currency)."""
        sent = [
            self._headers.references.id_of(line, "currency", "currency") for line in lines_of(fields, "currencyList")
        ]
        first = self._headers.references.id_of(fields, "currency", "currency")
        if known is not None and known.currencies is None:
            return None
        chart = self._store.chart
        before = list(known.currencies or ()) if known is not None else []
        if known is None and first is None and not sent:
            first = next(iter(chart.currencies))
        asked = [chart.symbol(each) for each in (first, *sent) if each is not None]
        return tuple(dict.fromkeys([*before, *asked]))

    # Items.

    def write_item(self, record: str, fields: Fields, save: bool) -> int:
        store = self._store
        external = self._headers.external_id(fields, "item")
        name = fields.get("itemId")
        if not name:
            raise refusals.enter_value("Item Name/Number")
        if name in store.index.item_ids:
            raise refusals.already_exists()
        if store.chart.one_world and not lines_of(fields, "subsidiary"):
            raise refusals.enter_value("Subsidiary")
        account = self._headers.references.account(fields, _ACCOUNT_FIELD[record])
        non_posting = record == "discountItem" and bool(fields.get("nonPosting"))
        if account is None and not non_posting:
            raise refusals.enter_value("Income Account" if record == "serviceSaleItem" else "Account")
        if account is not None and account.type not in _INCOME_TYPES:
            raise refusals.invalid_value(account.id, _ACCOUNT_FIELD[record])
        if not save:
            return 0
        item = Item(
            id=max([*store.items, 1000, *(code.id for code in store.world.tax_codes)]) + 1,
            name=str(name),
            type=ITEM_RECORDS[record],
            display_name=fields.get("displayName"),
            description=fields.get("salesDescription") or fields.get("description"),
            income_account=account.name if account else None,
            non_posting=non_posting,
        )
        store.add_item(item)
        if external is not None:
            store.update_row("item", item.id, {"externalid": external})
        self._keep_custom("item", "custitem", item.id, fields)
        self._sent[record, item.id] = dict(fields)
        return item.id

    def _keep_custom(self, table: str, prefix: str, row_id: int, fields: Fields) -> None:
        custom: Row = {name: _cell(value) for name, value in fields.items() if name.startswith(prefix)}
        if custom:
            self._store.update_row(table, row_id, custom)

    # Reading.

    def shown(self, record: str, key: int, renderer: Renderer) -> Body:
        """The record as GET shows it; 404 if there is none."""
        table = "item" if record in ITEM_RECORDS else record.lower()
        row = self._store.row(table, key)
        if row is None or (record in ITEM_RECORDS and row["itemtype"] != ITEM_RECORDS[record]):
            raise refusals.nothing_there()
        body = {name: plain(value) for name, value in self._sent.get((record, key), {}).items()}
        body |= getattr(self, f"_{record}")(row, renderer)
        body |= {"id": str(key), "externalId": row.get("externalid")}
        body |= {name: value for name, value in row.items() if name.startswith(("custentity", "custitem"))}
        body["links"] = [{"rel": "self", "href": renderer.href(record, key)}]
        return {name: value for name, value in body.items() if value is not None}

    def ids(self, record: str) -> Iterable[int]:
        if record in ITEM_RECORDS:
            return sorted(each.id for each in self._store.items.values() if each.type == ITEM_RECORDS[record])
        table = record.lower()
        cursor = self._store.connection.execute(f'SELECT "id" FROM "{table}" ORDER BY "id"')
        return [int(row[0]) for row in cursor]

    def _customer(self, row: Mapping[str, Any], renderer: Renderer) -> Body:
        customer = self._store.customers[int(row["id"])]
        chart = self._store.chart
        allowed = [each for each in chart.currencies if self._headers.references.allows(customer, each)]
        items = ({"currency": renderer.reference("currency", each)} for each in allowed)
        return {
            "entityId": row["entityid"],
            "companyName": row["companyname"],
            "firstName": row["firstname"],
            "lastName": row["lastname"],
            "email": row["email"],
            "isPerson": row["isperson"] == "T",
            "isInactive": row["isinactive"] == "T",
            "subsidiary": renderer.reference("subsidiary", row["subsidiary"]),
            "currency": renderer.reference("currency", allowed[0]) if allowed else None,
            "currencyList": renderer.sublist(renderer.href("customer", customer.id), "currencyList", items),
        }

    def _item(self, row: Mapping[str, Any], renderer: Renderer, record: str) -> Body:
        item = self._store.items[int(row["id"])]
        account = self._store.chart.named(item.income_account).id if item.income_account else None
        return {
            "itemId": row["itemid"],
            "displayName": row["displayname"],
            "isInactive": row["isinactive"] == "T",
            "itemType": {"id": item.type, "refName": item.type},
            _ACCOUNT_FIELD[record]: renderer.reference("account", account, "accountsearchdisplayname"),
        }

    def _serviceSaleItem(self, row: Mapping[str, Any], renderer: Renderer) -> Body:  # noqa: N802 - the record's name
        return self._item(row, renderer, "serviceSaleItem")

    def _discountItem(self, row: Mapping[str, Any], renderer: Renderer) -> Body:  # noqa: N802
        item = self._store.items[int(row["id"])]
        return {**self._item(row, renderer, "discountItem"), "nonPosting": item.non_posting}

    def _account(self, row: Mapping[str, Any], renderer: Renderer) -> Body:
        subsidiary = renderer.reference("subsidiary", row["subsidiary"])
        items = (subsidiary,) if subsidiary else ()
        return {
            "acctName": row["fullname"],
            "acctNumber": row["acctnumber"],
            "acctType": {"id": row["accttype"], "refName": row["accttype"]},
            "currency": renderer.reference("currency", row["currency"]),
            "isInactive": row["isinactive"] == "T",
            "subsidiary": renderer.sublist(renderer.href("account", int(row["id"])), "subsidiary", items),
        }

    def _currency(self, row: Mapping[str, Any], renderer: Renderer) -> Body:
        return {
            "name": row["name"],
            "symbol": row["symbol"],
            "exchangeRate": float(row["exchangerate"]),
            "currencyPrecision": 0 if row["currencyprecision"] == 0 else 2,
            "isBaseCurrency": row["isbasecurrency"] == "T",
            "isInactive": row["isinactive"] == "T",
        }

    def _subsidiary(self, row: Mapping[str, Any], renderer: Renderer) -> Body:
        return {
            "name": row["name"],
            "currency": renderer.reference("currency", row["currency"]),
            "isInactive": row["isinactive"] == "T",
        }

    def _accountingPeriod(self, row: Mapping[str, Any], renderer: Renderer) -> Body:  # noqa: N802
        flags = {
            "allLocked": "alllocked",
            "allowNonGLChanges": "allownonglchanges",
            "apLocked": "aplocked",
            "arLocked": "arlocked",
            "closed": "closed",
            "isAdjust": "isadjust",
            "isInactive": "isinactive",
            "isPosting": "isposting",
            "isQuarter": "isquarter",
            "isYear": "isyear",
        }
        return {
            "periodName": row["periodname"],
            "startDate": str(row["startdate"])[:10],
            "endDate": str(row["enddate"])[:10],
            "parent": renderer.reference("accountingPeriod", row["parent"], "periodname", "accountingperiod"),
            **{name: row[column] == "T" for name, column in flags.items()},
        }

    def _paymentMethod(self, row: Mapping[str, Any], renderer: Renderer) -> Body:  # noqa: N802
        return {
            "name": row["name"],
            "undepFunds": {"id": row["undepfunds"], "refName": row["undepfunds"]},
            "isInactive": row["isinactive"] == "T",
        }


def _cell(value: Any) -> str | int | None:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if value is None or isinstance(value, int) else str(value)
