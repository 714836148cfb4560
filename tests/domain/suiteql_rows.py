"""Rows as NetSuite answers them for one sales order: text values, nulls absent, NetSuite's signs."""

from __future__ import annotations

from decimal import Decimal

Row = dict[str, str]

HEADER: Row = {
    "id": "500",
    "tranid": "SO-1001",
    "status": "F",
    "trandate": "2026-05-12",
    "lastmodified": "2026-05-13 09:30:00",
    "entity": "77",
    "clientnumber": "CUST-77",
    "clientname": "Northwind Pty Ltd",
    "clientemail": "ap@northwind.example",
    "currencycode": "USD",
    "terms": "2",
    "termsname": "Net 30",
    "daysuntilnetdue": "30",
    "datedriven": "F",
}


def line(number: int, item_type: str | None, amount: str | None, **columns: str | None) -> Row:
    """A line in NetSuite's signs: `amount` is the invoice's amount, so a sale of 10.00 becomes -10.00.

    A quantity is given as a person reads it and becomes negative. A column given as None is absent.
    """
    row: Row = {
        "line": str(number),
        "uniquekey": str(9000 + number),
        "item": str(40 + number),
        "itemid": f"ITEM-{number}",
        "itemname": f"Item {number}",
        "isclosed": "F",
        "mainline": "F",
        "taxline": "F",
        "iscogs": "F",
    }
    if item_type is not None:
        row["itemtype"] = item_type
    if amount is not None:
        row["foreignamount"] = opposite(amount)
    for column, text in columns.items():
        if text is None:
            row.pop(column, None)
        elif column == "quantity":
            row[column] = opposite(text)
        else:
            row[column] = text
    return row


def opposite(number: str) -> str:
    """The number with the other sign, in plain writing; what is no number stays as it is."""
    try:
        return f"{-Decimal(number):f}"
    except ArithmeticError:
        return number


def order(total: str | None, *lines: Row, **header: str | None) -> list[Row]:
    """The rows of one order; a header column given as None is absent."""
    columns = dict(HEADER)
    if total is not None:
        columns["foreigntotal"] = total
    for column, text in header.items():
        if text is None:
            columns.pop(column, None)
        else:
            columns[column] = text
    return [{**columns, **each} for each in lines] or [columns]


def hours(quantity: str = "10", amount: str = "1000.00", **columns: str | None) -> Row:
    """The line that most cases start from: ten hours for 1,000.00."""
    return line(1, "Service", amount, quantity=quantity, quantitybilled="0", **columns)
