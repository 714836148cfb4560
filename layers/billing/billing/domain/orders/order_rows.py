"""From SuiteQL rows to sales orders and problems; nothing is lost and nothing raises.

One joined query gives one row per order line, the header's columns repeated on each (row_columns names
them). Rows of one order are adjacent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Final

from billing.domain.orders import row_values
from billing.domain.orders.order_header import client_of, currency_of, terms_of, total_of
from billing.domain.orders.order_lines import LONGEST_TEXT, lines_of, notes_on_lines, schedule_of, service_day
from billing.domain.orders.order_total import HeaderDiffers, in_invoice_sense
from billing.domain.orders.row_columns import LINE_COLUMNS
from billing.domain.orders.row_values import LONGEST_NAME, LONGEST_NUMBER, CellUnreadable, Row
from billing.domain.orders.sales_order import Listing, Problem, Reason, SalesOrder
from billing.domain.orders.unbillable import Unbillable, briefly, problem_of
from billing.domain.text import truncate

_ID: Final = re.compile(r"[0-9]{1,18}")


def read_orders(rows: Iterable[Mapping[str, str]]) -> Listing:
    """Every distinct order id of `rows` ends in exactly one order or one problem, in the order of listing.

    Rows may hold anything; a row without a readable order id becomes a problem of its own. Signs: the
    lines of a NetSuite sales order are negative in SuiteQL and the header's total is positive [likely],
    so the sign that makes lines and header agree is taken, whichever it is (see order_total).
    """
    blocks: dict[str, list[list[Row]]] = {}
    strays: list[Problem] = []
    for order_id, block in _blocks(rows):
        if order_id is None:
            strays.extend(_stray(row) for row in block)
        else:
            blocks.setdefault(order_id, []).append(block)
    orders: list[SalesOrder] = []
    problems: list[Problem] = []
    for order_id, occurrences in blocks.items():
        header = occurrences[0][0]
        try:
            if len(occurrences) > 1:
                raise Unbillable(
                    "id",
                    Reason.ORDER_TWICE,
                    "was listed twice by NetSuite",
                    "start the run again; if it stays, look for a join that repeats the order",
                )
            orders.append(_read_order(order_id, occurrences[0]))
        except Unbillable as fault:
            problems.append(problem_of(order_id, header, fault))
    return Listing(_same_numbers_noted(orders), tuple(problems + strays))


def _same_numbers_noted(orders: list[SalesOrder]) -> tuple[SalesOrder, ...]:
    """Two orders of one number may be one order entered twice: both are billed, and the approver is told."""
    bearers = Counter(order.number for order in orders)
    note = ("number_twice", "Another order of this run has the same number; one may be a copy of the other.")
    return tuple(replace(order, notes=(*order.notes, note)) if bearers[order.number] > 1 else order for order in orders)


def _blocks(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[str | None, list[Row]]]:
    for order_id, block in groupby(map(row_values.as_row, rows), key=_order_id):
        yield order_id, list(block)


def _order_id(row: Row) -> str | None:
    order_id = row.get("id", "")
    return order_id if _ID.fullmatch(order_id) else None


def _stray(row: Row) -> Problem:
    fault = Unbillable(
        "id",
        Reason.ORDER_ID_UNREADABLE,
        "has no readable internal id",
        "look at the order in NetSuite and start the run again",
    )
    return problem_of(briefly(row.get("id", "")), row, fault)


def _read_order(order_id: str, rows: list[Row]) -> SalesOrder:
    header = _one_header(rows)
    try:
        return _order_from(order_id, header, rows)
    except CellUnreadable as cell:
        raise Unbillable(
            cell.column,
            Reason.AMOUNT_UNREADABLE if cell.column == "foreigntotal" else Reason.FIELD_UNREADABLE,
            f"has a {cell.column} that {cell.what}",
            "correct that field in NetSuite",
        ) from cell


def _order_from(order_id: str, header: Row, rows: list[Row]) -> SalesOrder:
    notes: list[tuple[str, str]] = []
    number = row_values.name(header, "tranid", LONGEST_NUMBER)
    if number is None:
        raise Unbillable("tranid", Reason.NUMBER_MISSING, "has no number", "give it one in NetSuite")
    ordered_on = row_values.day(header, "trandate")
    if ordered_on is None:
        raise Unbillable("trandate", Reason.DATE_MISSING, "has no date", "give it one in NetSuite")
    client = client_of(header, notes)
    currency = currency_of(header)
    total = total_of(header, currency)
    written = lines_of(order_id, rows, currency)
    try:
        lines = in_invoice_sense(written, total)
    except HeaderDiffers as differs:
        raise Unbillable(
            "foreigntotal",
            Reason.HEADER_DIFFERS,
            str(differs),
            "save it anew in NetSuite so that its total is computed again, or bill it by hand",
        ) from differs
    return SalesOrder(
        id=order_id,
        number=number,
        status=row_values.name(header, "status", LONGEST_NUMBER) or "",
        ordered_on=ordered_on,
        last_modified=row_values.name(header, "lastmodified", LONGEST_NUMBER) or "",
        client=client,
        currency=currency,
        total=total,
        terms=terms_of(header, notes),
        po_number=row_values.name(header, "otherrefnum", LONGEST_NAME),
        memo=truncate(row_values.prose(header, "memo") or "", LONGEST_TEXT) or None,
        start=service_day(header, "startdate", notes),
        end=service_day(header, "enddate", notes),
        lines=lines,
        notes=tuple(notes + notes_on_lines(rows)),
        billing_schedule=schedule_of(header, "billingschedule"),
        next_bill=_next_bill(header),
        precision=_precision(header),
    )


def _next_bill(header: Row) -> date | None:
    """The day on which NetSuite bills the order next by its schedule; only for the sentence about it."""
    try:
        return row_values.day(header, "nextbill")
    except CellUnreadable:
        return None


def _precision(header: Row) -> int | None:
    """How many decimals NetSuite's amounts in this currency have; what is no such number says nothing."""
    try:
        return row_values.whole_number(header, "currencyprecision", 0, 6)
    except CellUnreadable:
        return None


def _one_header(rows: list[Row]) -> Row:
    """The header that all rows agree on; differing ones mean that someone saved the order between pages."""
    first, *others = ({column: text for column, text in row.items() if column not in LINE_COLUMNS} for row in rows)
    for other in others:
        if other != first:
            column = min(key for key in first.keys() | other.keys() if first.get(key) != other.get(key))
            raise Unbillable(
                column,
                Reason.EDITED_WHILE_LISTED,
                f"was changed while it was being listed ({column} differs from row to row)",
                "start the run again for it",
            )
    return first
