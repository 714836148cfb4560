"""What the settlement looks up in NetSuite beside the records that it writes: customers, items, accounting periods."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.suiteql import Row, SuiteQL
from billing.domain.errors import InputInvalid
from billing.domain.settlement.periods import AccountingPeriod

_COLUMN: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class NetSuiteCustomers:
    """Customers, found by their fields as NetSuite holds them."""

    suiteql: SuiteQL
    records: NetSuiteRecords

    def by_id(self, netsuite_id: str) -> Mapping[str, Any] | None:
        """The customer, None if it was deleted or merged."""
        return self.records.by_id("customer", netsuite_id)

    def by_external_id(self, external_id: str) -> Mapping[str, Any] | None:
        """The customer with this externalId."""
        return self.records.by_external_id("customer", external_id)

    def with_email(self, email: str) -> list[str]:
        """Internal ids of active customers with this address, whatever its case."""
        return self._ids("LOWER(TRIM(c.email)) = ?", [email.strip().lower()])

    def with_name(self, name: str) -> list[str]:
        """Internal ids of active customers of this name (company name or entity id), whatever its case."""
        wanted = name.strip().lower()
        return self._ids("(LOWER(TRIM(c.companyname)) = ? OR LOWER(TRIM(c.entityid)) = ?)", [wanted, wanted])

    def create(self, body: Mapping[str, Any]) -> str:
        """POST a customer. Raises as NetSuiteRecords.create."""
        return self.records.create("customer", body)

    def add_currency(self, netsuite_id: str, currency_id: str) -> None:
        """Let the customer be billed in a currency. The list is keyed by currency: repeating it adds nothing."""
        self.records.patch("customer", netsuite_id, {"currencyList": {"items": [{"currency": {"id": currency_id}}]}})

    def _ids(self, condition: str, params: Sequence[str]) -> list[str]:
        query = f"SELECT c.id FROM customer c WHERE {condition} AND c.isinactive = 'F' ORDER BY c.id"  # noqa: S608
        return [row["id"] for row in self.suiteql.page(query, params)]


@dataclass(frozen=True, slots=True)
class NetSuiteItems:
    """Items, found by externalId or by a field."""

    suiteql: SuiteQL
    records: NetSuiteRecords

    def by_external_id(self, record_type: str, external_id: str) -> Mapping[str, Any] | None:
        """The item with this externalId."""
        return self.records.by_external_id(record_type, external_id)

    def with_field(self, field: str, value: str) -> list[str]:
        """Internal ids of active items whose field has this value. InputInvalid for what is no name of a field."""
        if not _COLUMN.fullmatch(field):
            raise InputInvalid("items.match_field of the settlement's policies is the name of an item's field.")
        query = f"SELECT i.id FROM item i WHERE i.{field} = ? AND i.isinactive = 'F' ORDER BY i.id"  # noqa: S608
        return [row["id"] for row in self.suiteql.page(query, [value])]

    def create(self, record_type: str, body: Mapping[str, Any]) -> str:
        """POST an item. Raises as NetSuiteRecords.create."""
        return self.records.create(record_type, body)


def accounting_periods(suiteql: SuiteQL) -> tuple[AccountingPeriod, ...]:
    """Every accounting period, in one query."""
    rows = suiteql.page(
        "SELECT p.id, p.periodname, TO_CHAR(p.startdate, 'YYYY-MM-DD') AS first, TO_CHAR(p.enddate, 'YYYY-MM-DD') "
        "AS last, p.closed, p.arlocked, p.isquarter, p.isyear, p.isadjust FROM accountingperiod p ORDER BY p.id"
    )
    return tuple(_period(row) for row in rows)


def _period(row: Row) -> AccountingPeriod:
    return AccountingPeriod(
        row["id"],
        row.get("periodname", ""),
        date.fromisoformat(row["first"]),
        date.fromisoformat(row["last"]),
        closed=row.get("closed") == "T",
        receivables_locked=row.get("arlocked") == "T",
        is_quarter=row.get("isquarter") == "T",
        is_year=row.get("isyear") == "T",
        is_adjustment=row.get("isadjust") == "T",
    )
