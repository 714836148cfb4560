"""Cheap queries about orders that a listing does not show: what lies before the day from which the firm bills, what
belongs to subsidiaries that another stack bills, and what has become of single orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from billing.adapters.netsuite.listing_filter import FROM_ORDERS, conditions, dates_of
from billing.adapters.netsuite.suiteql import PAGE_SIZE, Row, SuiteQL
from billing.domain.errors import OurFault
from billing.domain.orders.outstanding import OrderState
from billing.domain.runs.order_query import OrderQuery


def orders_before(suiteql: SuiteQL, query: OrderQuery) -> list[tuple[str, int, str]]:
    """Open orders of the query's statuses and filter dated before its first day: (currency code, number of orders, sum
    of their totals as a decimal text), by currency. One call."""
    where, params = conditions(query, f"t.trandate < TO_DATE('{query.listed_from.isoformat()}','YYYY-MM-DD')")
    rows = suiteql.page(
        "SELECT cur.symbol AS currencycode, COUNT(t.id) AS orders, SUM(t.foreigntotal) AS total"
        f" {FROM_ORDERS} WHERE {' AND '.join(where)} GROUP BY cur.symbol ORDER BY cur.symbol ASC",
        params,
    )
    return [(row.get("currencycode", ""), int(row.get("orders", "0")), row.get("total", "0")) for row in rows]


def orders_of_others(suiteql: SuiteQL, query: OrderQuery, subsidiaries: Sequence[str]) -> tuple[Row, ...]:
    """Open orders that the query would list if it asked for every subsidiary, and that belong to none of these
    (internal ids) or name none: one row each, a thousand a call."""
    everywhere = replace(query, filter=replace(query.filter, subsidiaries=()))
    where, params = conditions(everywhere, dates_of(everywhere))
    ids = ",".join(str(int(one)) for one in subsidiaries)
    where.append(f"(ml.subsidiary IS NULL OR ml.subsidiary NOT IN ({ids}))")

    def asked(after: int | None) -> tuple[str, list[str]]:
        later = [f"t.id > {after}"] if after is not None else []
        query = (
            "SELECT t.id, t.tranid AS number, ml.subsidiary AS subsidiary, "
            "BUILTIN.DF(ml.subsidiary) AS subsidiaryname, cur.symbol AS currencycode, t.foreigntotal AS total "
            f"{FROM_ORDERS} JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T' "
            f"WHERE {' AND '.join([*where, *later])} ORDER BY t.id ASC"
        )
        return query, params

    return tuple(suiteql.rows(asked, _order_id))


def _order_id(row: Row) -> int:
    try:
        return int(row["id"])
    except (KeyError, ValueError):
        raise OurFault("NetSuite answered a sales order without a numeric internal id: paging cannot go on.") from None


def order_states(suiteql: SuiteQL, order_ids: Iterable[str]) -> dict[str, OrderState]:
    """These sales orders as NetSuite has them now, whatever their status, by internal id: a thousand a call. Those that
    it no longer has, or does not show to the role, are absent."""
    ids = sorted({int(order_id) for order_id in order_ids})
    states: dict[str, OrderState] = {}
    for start in range(0, len(ids), PAGE_SIZE):
        chosen = ",".join(str(order_id) for order_id in ids[start : start + PAGE_SIZE])
        for row in suiteql.page(
            "SELECT t.id, t.tranid, t.status, TO_CHAR(t.trandate,'YYYY-MM-DD') AS trandate FROM transaction t"
            f" WHERE t.type = 'SalesOrd' AND t.id IN ({chosen}) ORDER BY t.id ASC"
        ):
            states[row["id"]] = OrderState(
                row["id"], row.get("tranid", ""), row.get("status", ""), row.get("trandate", "")
            )
    return states
