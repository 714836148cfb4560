"""The one SuiteQL query that lists open sales orders: headers, lines, client, currency and terms together.

One joined query instead of one call per order: a thousand rows cost one call. Rows come ordered by order and line, so
that an order's lines stand together and the last row's ids are the next page's cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from billing.adapters.netsuite import Row, SuiteQL, UnknownColumn
from billing.adapters.order_query import ListedRows, OrderQuery, email_column
from billing.domain.errors import OurFault
from billing.domain.run_input import OrderFilter

_REQUIRED = (
    ("t.id", "id"),
    ("t.tranid", "tranid"),
    ("t.status", "status"),
    ("TO_CHAR(t.trandate,'YYYY-MM-DD')", "trandate"),
    ("TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS')", "lastmodified"),
    ("t.entity", "entity"),
    ("c.entityid", "clientnumber"),
    ("c.companyname", "clientname"),
    ("c.email", "clientemail"),
    ("cur.symbol", "currencycode"),
    ("t.foreigntotal", "foreigntotal"),
    ("t.terms", "terms"),
    ("tl.id", "line"),
    ("tl.uniquekey", "uniquekey"),
    ("tl.item", "item"),
    ("i.itemid", "itemid"),
    ("i.itemtype", "itemtype"),
    ("tl.memo", "linememo"),
    ("tl.quantity", "quantity"),
    ("tl.foreignamount", "foreignamount"),
    ("tl.quantitybilled", "quantitybilled"),
    ("tl.isclosed", "isclosed"),
    ("tl.mainline", "mainline"),
    ("tl.taxline", "taxline"),
    # Without it a kit's components would be billed beside the kit.
    ("tl.kitmemberof", "kitmemberof"),
)
# An account may lack any of these: a feature is off or the role may not see the field. The query then goes without it.
_OPTIONAL = (
    ("t.otherrefnum", "otherrefnum"),
    ("t.memo", "memo"),
    ("t.email", "orderemail"),
    ("c.firstname", "clientfirstname"),
    ("c.lastname", "clientlastname"),
    ("BUILTIN.DF(t.terms)", "termsname"),
    ("term.daysuntilnetdue", "daysuntilnetdue"),
    ("term.datedriven", "datedriven"),
    ("term.dayofmonthnetdue", "dayofmonthnetdue"),
    ("term.duenextmonthifwithindays", "duenextmonthifwithindays"),
    ("TO_CHAR(t.startdate,'YYYY-MM-DD')", "startdate"),
    ("TO_CHAR(t.enddate,'YYYY-MM-DD')", "enddate"),
    ("i.displayname", "itemname"),
    ("tl.rate", "rate"),
    ("tl.iscogs", "iscogs"),
    ("tl.linesequencenumber", "linesequencenumber"),
    ("tl.transactiondiscount", "transactiondiscount"),
)
_TERM_JOIN = "LEFT JOIN term ON term.id = t.terms"
_UNKNOWN = re.compile(r"[Uu]nknown identifier '([^']+)'")
_NO_LINE = -1
_IDS_IN_A_LIST = 1000  # SuiteQL's own maximum.


def list_sales_orders(suiteql: SuiteQL, query: OrderQuery) -> ListedRows:
    """Every row of every open order, page by page. Raises what SuiteQL raises."""
    absent: list[str] = []
    while True:
        try:
            return ListedRows(tuple(_rows(suiteql, query, absent)), tuple(absent))
        except UnknownColumn as error:
            absent.append(_absent_column(error, query, absent))


def _rows(suiteql: SuiteQL, query: OrderQuery, absent: Sequence[str]) -> Iterator[Row]:
    at_most = query.filter.at_most
    seen: set[str] = set()
    for within in (_dates(query), *_carried(query)):
        for row in suiteql.rows(lambda cursor, within=within: _sql(query, absent, within, cursor), _cursor):  # type: ignore[misc]
            seen.add(row.get("id", ""))
            if at_most is not None and len(seen) > at_most:
                return
            yield row


def _dates(query: OrderQuery) -> str:
    listed_from = max(filter(None, (query.listed_from, query.filter.from_date)))
    listed_before = min(filter(None, (query.listed_before, query.filter.to_date)))
    return (
        f"t.trandate >= TO_DATE('{listed_from.isoformat()}','YYYY-MM-DD')"
        f" AND t.trandate < TO_DATE('{listed_before.isoformat()}','YYYY-MM-DD')"
    )


def _carried(query: OrderQuery) -> Iterator[str]:
    """Orders that come back, where their own date does not list them already. A trial by dates leaves them out."""
    if query.filter.from_date is not None or query.filter.to_date is not None:
        return
    for start in range(0, len(query.carried), _IDS_IN_A_LIST):
        ids = ",".join(str(int(order_id)) for order_id in query.carried[start : start + _IDS_IN_A_LIST])
        yield f"t.id IN ({ids}) AND NOT ({_dates(query)})"


def _cursor(row: Row) -> tuple[int, int]:
    try:
        return int(row["id"]), int(row.get("line", _NO_LINE))
    except (KeyError, ValueError):
        raise OurFault("NetSuite answered a sales order without a numeric internal id: paging cannot go on.") from None


def _columns(query: OrderQuery) -> list[tuple[str, str]]:
    custom = []
    for field in query.email_fields:
        table, column = field.split(".", 1)
        if field not in ("order.email", "customer.email"):
            custom.append((f"{'t' if table == 'order' else 'c'}.{column}", email_column(field)))
    if query.stripe_id_field:
        custom.append((f"c.{query.stripe_id_field}", "clientstripeid"))
    return [*_REQUIRED, *_OPTIONAL, *custom]


def _sql(
    query: OrderQuery, absent: Sequence[str], within: str, cursor: tuple[int, int] | None
) -> tuple[str, list[str]]:
    chosen = [(source, alias) for source, alias in _columns(query) if alias not in absent]
    statuses = ",".join(f"'SalesOrd:{letter}'" for letter in query.statuses)
    where = [
        "t.type = 'SalesOrd'",
        # Oracle asks for BUILTIN.CF when a composite field such as status is compared.
        f"BUILTIN.CF(t.status) IN ({statuses})",
        within,
    ]
    params: list[str] = []
    if query.filter.order_numbers:
        where.append(f"t.tranid IN ({','.join('?' * len(query.filter.order_numbers))})")
        params += query.filter.order_numbers
    if query.filter.customer_ids:
        where.append(f"t.entity IN ({','.join(str(int(id_)) for id_ in query.filter.customer_ids)})")
    where += _cycle_filter(query.filter, params)
    if cursor is not None:
        order, line = cursor
        where.append(f"(t.id > {order} OR (t.id = {order} AND tl.id > {line}))")
    return (
        "SELECT " + ", ".join(f"{source} AS {alias}" for source, alias in chosen) + " FROM transaction t"
        " LEFT JOIN customer c ON c.id = t.entity"
        " LEFT JOIN currency cur ON cur.id = t.currency"
        + (f" {_TERM_JOIN}" if any(source.startswith("term.") for source, _ in chosen) else "")
        + " LEFT JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F'"
        " LEFT JOIN item i ON i.id = tl.item"
        f" WHERE {' AND '.join(where)}"
        # Without ASC and a unique key SuiteQL has been seen to drop and repeat rows.
        " ORDER BY t.id ASC, tl.id ASC",
        params,
    )


def _cycle_filter(chosen: OrderFilter, params: list[str]) -> list[str]:
    """What narrows a whole cycle: customer categories, subsidiaries, custom body fields."""
    where = []
    if chosen.customer_categories:
        where.append(f"c.category IN ({','.join(str(int(id_)) for id_ in chosen.customer_categories)})")
    if chosen.subsidiaries:
        # The subsidiary stands on the main line, not on the transaction.
        ids = ",".join(str(int(id_)) for id_ in chosen.subsidiaries)
        where.append(
            "t.id IN (SELECT ml.transaction FROM transactionline ml WHERE ml.mainline = 'T'"
            f" AND ml.subsidiary IN ({ids}))"
        )
    for field, value in chosen.custom_fields:
        where.append(f"t.{field} = ?")
        params.append(value)
    return where


def _absent_column(error: UnknownColumn, query: OrderQuery, absent: Sequence[str]) -> str:
    """The alias of the optional column that SuiteQL refused. Raises OurFault if the query cannot do without it."""
    match = _UNKNOWN.search(error.detail)
    name = match[1].lower() if match else ""
    optional = [(source, alias) for source, alias in _columns(query) if (source, alias) not in _REQUIRED]
    for source, alias in optional:
        bare = re.sub(r"^.*\(|\).*$", "", source).split(",")[0].lower()
        if alias not in absent and name in (bare, bare.split(".")[-1]):
            return alias
    raise OurFault(
        f"NetSuite does not know the column {name[:60]!r}, which no bill can do without. The role may "
        "lack the permission "
        "to see it."
    )
