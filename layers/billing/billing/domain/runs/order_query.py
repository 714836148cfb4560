"""What to list, and what was listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from billing.domain.orders.order_filter import OrderFilter

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What to list. Dates are half-open on the transaction date; letters are sales order statuses such as "F".
    `carried` are internal ids of orders that come back whatever their date."""

    statuses: tuple[str, ...]
    listed_from: date
    listed_before: date
    filter: OrderFilter
    carried: tuple[str, ...] = ()
    email_fields: tuple[str, ...] = ()
    stripe_id_field: str = ""


@dataclass(frozen=True, slots=True)
class ListedRows:
    """Raw rows, and the columns that the account does not have."""

    rows: tuple[Row, ...]
    absent_columns: tuple[str, ...]


def email_column(field: str) -> str:
    """The row's column for a configured e-mail field: "order.email" -> "orderemail", "customer.custentity_ap" ->
    "customer_custentity_ap"."""
    known = {"order.email": "orderemail", "customer.email": "clientemail"}
    return known.get(field, field.replace(".", "_"))
