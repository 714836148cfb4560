"""The cheap queries: has anything moved in these orders, or in what a listing found? One row an order, a thousand
orders a call, and no lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from billing.adapters.netsuite.listing_filter import FROM_ORDERS, JOIN_TERM, conditions, parts_of
from billing.adapters.netsuite.sales_orders import columns_of, refuse_unknown_filter
from billing.adapters.netsuite.suiteql import PAGE_SIZE, Row, SuiteQL, UnknownColumn
from billing.domain.batch.listing_comparison import ListedOrder
from billing.domain.errors import OurFault
from billing.domain.orders.order_fingerprint import OrderFingerprint, number_in
from billing.domain.orders.row_columns import Column
from billing.domain.runs.order_query import OrderQuery

_LAST_MODIFIED = "TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS')"
_STAMP = (
    f"t.id, t.status, {_LAST_MODIFIED} AS lastmodified, SUM(NVL(tl.quantitybilled,0)) AS billed,"
    " SUM(CASE WHEN tl.isclosed = 'T' THEN 1 ELSE 0 END) AS closed,"
    " SUM(NVL(tl.quantitybilled,0) * tl.id) AS spread"
)
_LINES = " LEFT JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F'"
_LINE = (
    "t.id, t.entity, tl.id AS line, tl.uniquekey, tl.item, tl.quantity, tl.rate, tl.foreignamount, tl.quantitybilled,"
    " tl.isclosed"
)
_ORDERS_OF_LINES = 500
_PER_ORDER = f"GROUP BY t.id, t.status, {_LAST_MODIFIED}"
_NOT_THE_ORDERS = ("c.", "cur.", "term.")


def order_fingerprints(suiteql: SuiteQL, order_ids: Iterable[str]) -> dict[str, OrderFingerprint]:
    """Stamps by internal id, a thousand orders a call. Orders that NetSuite no longer has are absent."""
    ids = sorted({int(order_id) for order_id in order_ids})
    fingerprints: dict[str, OrderFingerprint] = {}
    for start in range(0, len(ids), PAGE_SIZE):
        chosen = ",".join(str(order_id) for order_id in ids[start : start + PAGE_SIZE])
        for row in suiteql.page(
            f"SELECT {_STAMP} FROM transaction t{_LINES} WHERE t.id IN ({chosen}) {_PER_ORDER} ORDER BY t.id ASC"
        ):
            fingerprints[row["id"]] = _fingerprint(row)
    return fingerprints


def order_lines_now(suiteql: SuiteQL, order_ids: Iterable[str]) -> dict[str, list[Row]]:
    """The lines of these orders by the order's internal id, with what says how much of each is billed; a thousand lines
    a call."""
    lines: dict[str, list[Row]] = {}
    ids = sorted({int(order_id) for order_id in order_ids})
    for start in range(0, len(ids), _ORDERS_OF_LINES):
        chosen = ",".join(str(order_id) for order_id in ids[start : start + _ORDERS_OF_LINES])
        query = f"SELECT {_LINE} FROM transaction t{_LINES} WHERE t.id IN ({chosen}) AND tl.uniquekey > "
        for row in suiteql.rows(
            lambda after, query=query: (f"{query}{after or 0} ORDER BY tl.uniquekey ASC", ()),  # type: ignore[misc]
            _line_key,
        ):
            lines.setdefault(row["id"], []).append(row)
    return lines


def _line_key(row: Mapping[str, str]) -> int:
    try:
        return int(row["uniquekey"])
    except (KeyError, ValueError):
        raise OurFault("NetSuite answered a line without a numeric unique key: paging cannot go on.") from None


def orders_listed_now(suiteql: SuiteQL, query: OrderQuery, absent: Collection[str]) -> dict[str, ListedOrder]:
    """What a listing by this query would find now, by internal id: a thousand orders a call.

    `absent` are the columns that the account did not have when it was listed. Raises OurFault if it lacks others now,
    and what SuiteQL raises.
    """
    beside = _columns_beside(query, absent)
    at_most = query.filter.at_most
    found: dict[str, ListedOrder] = {}
    try:
        for part in parts_of(query, found):
            for row in suiteql.rows(lambda after, part=part: _sql(query, beside, part, after), _id):  # type: ignore[misc]
                if at_most is not None and len(found) == at_most:
                    return found
                found[row["id"]] = ListedOrder(
                    _fingerprint(row), {one.name: row[one.name] for one in beside if row.get(one.name)}
                )
    except UnknownColumn as error:
        refuse_unknown_filter(error, query.filter)
        raise OurFault("NetSuite lacks a column that it had when the orders were listed.") from None
    return found


def columns_beside(query: OrderQuery) -> frozenset[str]:
    """The listing's columns that tell of the client, the currency and the terms."""
    return frozenset(one.name for one in _columns_beside(query, ()))


def _columns_beside(query: OrderQuery, absent: Collection[str]) -> list[Column]:
    return [one for one in columns_of(query) if one.source.startswith(_NOT_THE_ORDERS) and one.name not in absent]


def _sql(query: OrderQuery, beside: Sequence[Column], part: str, after: int | None) -> tuple[str, Sequence[str]]:
    where, params = conditions(query, part)
    if after is not None:
        where.append(f"t.id > {after}")
    columns = "".join(f", {one.source} AS {one.name}" for one in beside)
    groups = "".join(f", {one.source}" for one in beside)
    terms = JOIN_TERM if any(one.source.startswith("term.") for one in beside) else ""
    return (
        f"SELECT {_STAMP}{columns} {FROM_ORDERS}{terms}{_LINES}"
        f" WHERE {' AND '.join(where)} {_PER_ORDER}{groups} ORDER BY t.id ASC"
    ), params


def _id(row: Mapping[str, str]) -> int:
    try:
        return int(row["id"])
    except (KeyError, ValueError):
        raise OurFault("NetSuite answered a sales order without a numeric internal id: paging cannot go on.") from None


def _fingerprint(row: Mapping[str, str]) -> OrderFingerprint:
    return OrderFingerprint(
        row.get("lastmodified", ""),
        row.get("status", ""),
        number_in(row.get("billed")),
        int(number_in(row.get("closed"))),
        number_in(row.get("spread")),
    )
