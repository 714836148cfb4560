"""The one SuiteQL query that lists open sales orders: headers, lines, client, currency and terms together.

One joined query instead of one call per order: a thousand rows cost one call. Rows come ordered by order and line, so
that an order's lines stand together and the last row's ids are the next page's cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from billing.adapters.netsuite.listing_filter import FROM_ORDERS, IDS_IN_A_LIST, JOIN_TERM, conditions, parts_of
from billing.adapters.netsuite.suiteql import Row, SuiteQL, UnknownColumn
from billing.domain.errors import InputInvalid, OurFault
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.orders.row_columns import COLUMNS, STRIPE_ID_COLUMN, Column
from billing.domain.runs.order_query import ListedRows, OrderQuery, email_column

_ALIASES = {
    "transaction": "t",
    "transactionline": "tl",
    "customer": "c",
    "currency": "cur",
    "item": "i",
    "term": "term",
}
"""What the query calls each record."""
_NO_LINE = -1
_OR_THE_STACK = {"subsidiary": ", or the stack's parameter Subsidiaries,"}


def list_sales_orders(suiteql: SuiteQL, query: OrderQuery) -> ListedRows:
    """Every row of every open order, page by page. An order that comes back is asked for only if its date has not
    listed it already. Raises what SuiteQL raises."""
    absent: list[str] = []
    while True:
        try:
            return ListedRows(tuple(_rows(suiteql, query, absent)), tuple(absent))
        except UnknownColumn as error:
            absent += _absent_columns(error, query, absent)


def _rows(suiteql: SuiteQL, query: OrderQuery, absent: Sequence[str]) -> Iterator[Row]:
    at_most = query.filter.at_most
    seen: set[str] = set()
    for part in parts_of(query, seen):
        for row in suiteql.rows(lambda cursor, part=part: _sql(query, absent, part, cursor), _cursor):  # type: ignore[misc]
            seen.add(row.get("id", ""))
            if at_most is not None and len(seen) > at_most:
                return
            yield row


def orders_of_status(
    suiteql: SuiteQL, query: OrderQuery, status: str, order_ids: Iterable[str], absent: Sequence[str]
) -> tuple[Row, ...]:
    """The rows of these orders that have this status (a letter), whatever their date, with the columns of a listing by
    `query` that lacked `absent`. A thousand rows a call, none without an id."""
    ids = sorted({int(order_id) for order_id in order_ids})
    chosen = replace(query, statuses=(status,), filter=OrderFilter())
    rows: list[Row] = []
    for start in range(0, len(ids), IDS_IN_A_LIST):
        part = f"t.id IN ({','.join(map(str, ids[start : start + IDS_IN_A_LIST]))})"
        rows += suiteql.rows(lambda cursor, part=part: _sql(chosen, absent, part, cursor), _cursor)  # type: ignore[misc]
    return tuple(rows)


def _cursor(row: Row) -> tuple[int, int]:
    try:
        return int(row["id"]), int(row.get("line", _NO_LINE))
    except (KeyError, ValueError):
        raise OurFault("NetSuite answered a sales order without a numeric internal id: paging cannot go on.") from None


def columns_of(query: OrderQuery) -> list[Column]:
    """What is asked of each line, with its order and client."""
    custom = []
    for field in query.email_fields:
        table, column = field.split(".", 1)
        if field not in ("order.email", "customer.email"):
            custom.append(Column(f"{'t' if table == 'order' else 'c'}.{column}", email_column(field), optional=True))
    if query.stripe_id_field:
        custom.append(Column(f"c.{query.stripe_id_field}", STRIPE_ID_COLUMN, optional=True))
    return [*COLUMNS, *custom]


def _sql(query: OrderQuery, absent: Sequence[str], part: str, cursor: tuple[int, int] | None) -> tuple[str, list[str]]:
    chosen = [one for one in columns_of(query) if one.name not in absent]
    where, params = conditions(query, part)
    if cursor is not None:
        order, line = cursor
        where.append(f"(t.id > {order} OR (t.id = {order} AND tl.id > {line}))")
    return (
        f"SELECT {', '.join(f'{one.source} AS {one.name}' for one in chosen)} {FROM_ORDERS}"
        + (JOIN_TERM if any(one.source.startswith("term.") for one in chosen) else "")
        + " LEFT JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F'"
        " LEFT JOIN item i ON i.id = tl.item"
        f" WHERE {' AND '.join(where)}"
        # Without ASC and a unique key SuiteQL has been seen to drop and repeat rows.
        " ORDER BY t.id ASC, tl.id ASC",
        params,
    )


def refuse_unknown_filter(error: UnknownColumn, chosen: OrderFilter) -> None:
    """Raise InputInvalid if what SuiteQL does not know is what the run's own filter asks for: a field that this account
    lacks (subsidiaries exist in OneWorld only), or that is mistyped."""
    name = error.column
    fields = {field.lower(): f"filter.customFields.{field}" for field, _ in chosen.custom_fields}
    if chosen.subsidiaries:
        fields["subsidiary"] = "filter.subsidiaries"
    if chosen.customer_categories:
        fields["category"] = "filter.customerCategories"
    if name in fields:
        raise InputInvalid(
            f'The field "{fields[name]}" of the input{_OR_THE_STACK.get(name, "")} asks for {name}, which NetSuite '
            "does not know on sales orders. Correct its spelling, or let the integration's role see it."
        )


def _absent_columns(error: UnknownColumn, query: OrderQuery, absent: Sequence[str]) -> list[str]:
    """The aliases of what is asked of the optional column that SuiteQL refused. Raises OurFault if the query cannot do
    without it."""
    refuse_unknown_filter(error, query.filter)
    name = f"{_ALIASES[error.record]}.{error.column}" if error.record in _ALIASES else error.name
    optional = [one for one in columns_of(query) if one.optional]
    columns = {one.name: re.sub(r"^.*\(|\).*$", "", one.source).split(",")[0].lower() for one in optional}
    for alias, column in columns.items():
        if alias not in absent and name in (column, column.split(".")[-1]):
            return [one for one, other in columns.items() if other == column]
    raise OurFault(
        f"NetSuite does not know the column {name[:60]!r}, which no bill can do without. The role may "
        "lack the permission "
        "to see it."
    )
