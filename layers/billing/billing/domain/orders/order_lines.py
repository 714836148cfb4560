"""The lines of a sales order, in NetSuite's signs and in the order in which a person sees them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from billing.domain.orders import row_values
from billing.domain.orders.item_types import is_fulfilled, role_of
from billing.domain.orders.row_columns import LINE_COLUMNS
from billing.domain.orders.row_values import LONGEST_NAME, LONGEST_NUMBER, CellUnreadable, Row
from billing.domain.orders.sales_order import LineRole, Reason, SalesOrderLine
from billing.domain.orders.unbillable import Unbillable, amount_in, briefly
from billing.domain.text import truncate

LONGEST_TEXT: Final = 4_500
"""Below Stripe's 5,000 characters for a line, with room for quantity, price and order number."""

_NEVER_BILLED: Final = frozenset({LineRole.SUBTOTAL, LineRole.GROUP_START, LineRole.GROUP_END, LineRole.TEXT})
_PRICED: Final = frozenset({LineRole.GOODS, LineRole.DISCOUNT, LineRole.MARKUP, LineRole.PAYMENT})


def lines_of(order_id: str, rows: list[Row], currency: str) -> tuple[SalesOrderLine, ...]:
    """The order's lines, amounts still in NetSuite's signs. Raises Unbillable, CellUnreadable."""
    lines = tuple(_line(order_id, row, currency) for row in _line_rows(rows))
    if not lines:
        raise Unbillable("line", Reason.NO_LINES, "has no lines", "add its lines in NetSuite or close it")
    _no_line_twice(lines)
    return lines


def notes_on_lines(rows: list[Row]) -> list[tuple[str, str]]:
    """What the approver must know of the lines' texts and dates, as (code, message) pairs."""
    notes: list[tuple[str, str]] = []
    for row in _line_rows(rows):
        label = row.get("line", row.get("uniquekey", ""))[:LONGEST_NUMBER]
        for column in ("linestart", "lineend"):
            found: list[tuple[str, str]] = []
            service_day(row, column, found)
            notes += [(code, f"Line {label}: {message}") for code, message in found]
        if len(row.get("linememo", "")) > LONGEST_TEXT:
            notes.append(("text_cut", f"Line {label}: its text was cut to {LONGEST_TEXT} characters."))
    return notes


def service_day(row: Row, column: str, notes: list[tuple[str, str]]) -> date | None:
    """A service date is shown, not billed by: an unreadable one is left out and said so."""
    try:
        return row_values.day(row, column)
    except CellUnreadable as cell:
        notes.append(("service_date_unreadable", f"The {cell}; the line shows no service period."))
        return None


def _line_rows(rows: list[Row]) -> list[Row]:
    """The rows that are lines of their own, as a person sees them.

    Not the header's own line, not cost of goods sold, and not the components of a kit: the kit's one line
    has the price, and its components (kitmemberof) would bill it again. Members of an item group are
    ordinary lines and stay, also if an account should name their group in kitmemberof [unsure].
    """
    groups = {row.get("line") for row in rows if row.get("itemtype", "").lower() == "group"}
    lines = [
        row
        for row in rows
        if any(column in row for column in LINE_COLUMNS)
        and not row_values.flag(row, "mainline")
        and not row_values.flag(row, "iscogs")
        and ("kitmemberof" not in row or row["kitmemberof"] in groups)
    ]
    if lines and all("linesequencenumber" in row for row in lines):
        return sorted(lines, key=lambda row: row_values.number(row, "linesequencenumber") or Decimal(0))
    return lines


def _line(order_id: str, row: Row, currency: str) -> SalesOrderLine:
    line = row_values.name(row, "line", LONGEST_NUMBER)
    unique_key = row_values.name(row, "uniquekey", LONGEST_NUMBER)
    if line is None and unique_key is None:
        raise Unbillable("line", Reason.LINE_UNIDENTIFIED, "has a line without line id", "start the run again for it")
    label = f"line {line or unique_key}"
    role = _role(row, currency, label)
    measured = role not in _NEVER_BILLED
    quantity = row_values.number(row, "quantity") if measured else None
    amount = amount_in(row, "foreignamount", currency, label) if measured else None
    if amount is None and role in _PRICED:
        raise Unbillable(
            "foreignamount",
            Reason.AMOUNT_MISSING,
            f"has no amount on {label}",
            "enter the line's amount in NetSuite (0 if it is free)",
        )
    if role is LineRole.GOODS and quantity == 0 and amount:
        raise Unbillable(
            "quantity",
            Reason.QUANTITY_ZERO,
            f"has an amount but quantity 0 on {label}, so nobody can tell what is open",
            "enter the line's quantity in NetSuite",
        )
    text = row_values.prose(row, "linememo") or row_values.prose(row, "itemname")
    text = text or row_values.prose(row, "itemid") or ""
    return SalesOrderLine(
        id=unique_key or f"{order_id}-{line}",
        line=line or "",
        role=role,
        item_id=row_values.name(row, "item", LONGEST_NUMBER),
        item_code=row_values.prose(row, "itemid"),
        text=truncate(text, LONGEST_TEXT),
        amount=amount or 0,
        quantity=abs(quantity) if quantity else None,
        billed=abs(row_values.number(row, "quantitybilled") or Decimal(0)) if measured else Decimal(0),
        closed=row_values.flag(row, "isclosed"),
        unit=_unit(row),
        rate=row.get("rate"),
        start=service_day(row, "linestart", []),
        end=service_day(row, "lineend", []),
        whole_order=row_values.flag(row, "transactiondiscount") if "transactiondiscount" in row else None,
        tax_code=row_values.name(row, "linetaxcode", LONGEST_NUMBER),
        tax_rate=_tax_rate(row),
        fulfillable=_fulfillable(row) if role is LineRole.GOODS else False,
        fulfilled=abs(row_values.number(row, "quantityshiprecv") or Decimal(0)) if measured else Decimal(0),
        billing_schedule=schedule_of(row, "linebillingschedule"),
    )


def schedule_of(row: Row, column: str) -> str | None:
    """The billing schedule's name, else its internal id in words; None where the column has none.

    Source: billing schedules are chosen on the sales order or on its lines (record API: `billingSchedule`); in SuiteQL
    both are internal ids [likely for the line, unsure for the order].
    """
    if column not in row:
        return None
    return truncate(row_values.prose(row, f"{column}name") or f"with internal id {row[column]}", LONGEST_NAME)


def _tax_rate(row: Row) -> Decimal | None:
    """The line's rate in per cent ("20", "20%"), None where it has none that can be read."""
    try:
        rate = row_values.number({"rate": row.get("linetaxrate", "").removesuffix("%").strip()}, "rate")
    except CellUnreadable:
        return None
    return None if rate is None else abs(rate)


def _fulfillable(row: Row) -> bool | None:
    flag = row_values.flag(row, "isfulfillable") if "isfulfillable" in row else None
    return is_fulfilled(row.get("itemtype"), flag)


def _role(row: Row, currency: str, label: str) -> LineRole:
    item_id, item_type = row.get("item"), row.get("itemtype")
    role = role_of(item_type, item_id, row_values.flag(row, "taxline"))
    if role is not None:
        return role
    if item_id is None and item_type is None and not amount_in(row, "foreignamount", currency, label):
        return LineRole.TEXT
    raise Unbillable(
        "itemtype",
        Reason.ITEM_TYPE_UNKNOWN,
        f"has a {label} whose item type we do not know how to bill ({briefly(item_type or 'none')})",
        "bill it by hand, or have the type added to the rules",
    )


def _unit(row: Row) -> str | None:
    """The unit's display name. NetSuite's own column holds an internal id, which nobody wants to read."""
    unit = row_values.prose(row, "unitname")
    return unit if unit and len(unit) <= 20 and not unit.isdigit() else None


def _no_line_twice(lines: tuple[SalesOrderLine, ...]) -> None:
    seen: set[str] = set()
    for line in lines:
        if line.id in seen:
            raise Unbillable(
                "line",
                Reason.LINE_TWICE,
                f"was listed with its line {line.line or line.id} twice",
                "start the run again; if it stays, look for a join that repeats the line",
            )
        seen.add(line.id)
