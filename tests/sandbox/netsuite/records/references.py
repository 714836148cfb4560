"""Finds what a request's references point at: {"id": "5"} or {"externalId": "cus_1"}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.chart import Account, Chart, Period
from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.world import Customer

_WITH_EXTERNAL_IDS = frozenset({"transaction", "customer", "item"})


class References:
    """Looks references up in a store, or refuses them as NetSuite does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def chart(self) -> Chart:
        return self._store.chart

    def id_of(self, fields: Mapping[str, Any], name: str, record: str, path: str | None = None) -> int | None:
        """The internal id that the field `name` means among the rows of `record`; None if it was not sent."""
        value = fields.get(name)
        if value is None:
            return None
        external = value.get("externalId")
        if external is not None and value.get("id") is None:
            found = self._store.ids_where(record, "externalid", str(external)) if record in _WITH_EXTERNAL_IDS else []
            if not found:
                raise refusals.invalid_value(external, name, path)
            return found[0]
        key = str(value["id"])
        if not key.lstrip("-").isdigit() or not self._store.ids_where(record, "id", int(key)):
            raise refusals.invalid_value(key, name, path)
        return int(key)

    def customer(self, fields: Mapping[str, Any], name: str) -> Customer:
        found = self.id_of(fields, name, "customer")
        if found is None:
            raise refusals.enter_value("Customer")
        customer = self._store.customers[found]
        if customer.inactive:
            raise refusals.invalid_value(found, name)
        return customer

    def account(self, fields: Mapping[str, Any], name: str, path: str | None = None) -> Account | None:
        found = self.id_of(fields, name, "account", path)
        return None if found is None else self.chart.accounts[found]

    def period(self, fields: Mapping[str, Any]) -> Period | None:
        found = self.id_of(fields, "postingPeriod", "accountingperiod")
        return None if found is None else self.chart.periods[found]

    def allows(self, customer: Customer, currency: int) -> bool:
        """True if the customer's list of currencies has this one."""
        return customer.currencies is None or self.chart.symbol(currency) in customer.currencies

    def subsidiary_of(self, customer: Customer) -> int:
        """The customer's subsidiary; 0 in an account that is not OneWorld, the first one if it names none."""
        found = self._store.lists.id_of("subsidiary", customer.subsidiary)
        return found or (1 if self.chart.subsidiary_names else 0)
