"""NetSuite's clients beside those of a listing: who shares an address, and whether one exists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from billing.adapters.netsuite.suiteql import PAGE_SIZE, SuiteQL
from billing.domain.errors import OurFault
from billing.domain.orders.netsuite_client import NetSuiteClient

_COLUMNS = "c.id, c.entityid, c.companyname, c.email"


def clients_with_emails(suiteql: SuiteQL, emails: Iterable[str]) -> list[NetSuiteClient]:
    """Every customer of the account that has one of these addresses, in any case, inactive ones included: a thousand
    addresses a call (SuiteQL's maximum in IN)."""
    wanted = sorted({email.strip().lower() for email in emails})
    found: list[NetSuiteClient] = []
    for start in range(0, len(wanted), PAGE_SIZE):
        chosen = wanted[start : start + PAGE_SIZE]
        where = f"LOWER(c.email) IN ({','.join('?' * len(chosen))})"

        def sql(after: int | None, where: str = where, chosen: list[str] = chosen) -> tuple[str, list[str]]:
            beyond = "" if after is None else f" AND c.id > {after}"
            return f"SELECT {_COLUMNS} FROM customer c WHERE {where}{beyond} ORDER BY c.id ASC", chosen

        found += [_client(row) for row in suiteql.rows(sql, lambda row: int(row["id"]))]
    return found


def client_by_id(suiteql: SuiteQL, netsuite_id: str, stripe_id_field: str = "") -> NetSuiteClient | None:
    """The customer with this internal id, or None."""
    field = f", c.{stripe_id_field} AS stripeid" if stripe_id_field else ""
    rows = suiteql.page(f"SELECT {_COLUMNS}{field} FROM customer c WHERE c.id = {int(netsuite_id)}")
    return _client(rows[0]) if rows else None


def _client(row: object) -> NetSuiteClient:
    if not isinstance(row, dict) or not str(row.get("id", "")).isdecimal():
        raise OurFault("NetSuite answered a customer without a numeric internal id.")
    name = str(row.get("companyname") or "")
    return NetSuiteClient(
        str(row["id"]), str(row.get("entityid", "")), name, str(row.get("email", "")), str(row.get("stripeid", ""))
    )


def clients_sharing(suiteql: SuiteQL, addresses: Mapping[str, str]) -> dict[str, list[str]]:
    """Names (or numbers), by internal id, of the other clients that have the same address. `addresses`: by internal
    id."""
    found = clients_with_emails(suiteql, addresses.values())
    return {netsuite_id: _others_with(found, email, netsuite_id) for netsuite_id, email in addresses.items()}


def _others_with(found: Collection[NetSuiteClient], email: str, netsuite_id: str) -> list[str]:
    """Names (or numbers) of the other clients that have this address."""
    wanted = email.strip().lower()
    return [one.name or one.number for one in found if one.id != netsuite_id and one.email.strip().lower() == wanted]
