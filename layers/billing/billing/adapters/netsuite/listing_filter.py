"""Which sales orders a listing is about, as SuiteQL. One place for it: what is listed, and what a listing is later
compared with, must be the same orders.

The conditions name the tables by the aliases `t` (transaction), `c` (the customer) and, inside, `ml` (a main line).
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from billing.domain.orders.order_filter import OrderFilter
from billing.domain.runs.order_query import OrderQuery

FROM_ORDERS = "FROM transaction t LEFT JOIN customer c ON c.id = t.entity LEFT JOIN currency cur ON cur.id = t.currency"
"""The order with its client and currency."""
JOIN_TERM = " LEFT JOIN term ON term.id = t.terms"
"""The payment terms; an account that lacks the table is asked without."""
IDS_IN_A_LIST = 1000  # SuiteQL's own maximum.


def parts_of(query: OrderQuery, found: Container[str] = ()) -> Iterator[str]:
    """The orders in parts, a condition each: those of the dates, then those that come back.

    An order that comes back is left out if its date lists it already, and if its id is in `found` by the time its part
    is reached: whoever has seen it need not ask. A trial by dates leaves out all that come back.
    """
    yield dates_of(query)
    if query.filter.from_date is not None or query.filter.to_date is not None:
        return
    wanted = [order_id for order_id in query.carried if order_id not in found]
    for start in range(0, len(wanted), IDS_IN_A_LIST):
        ids = ",".join(str(int(order_id)) for order_id in wanted[start : start + IDS_IN_A_LIST])
        yield f"t.id IN ({ids}) AND NOT ({dates_of(query)})"


def conditions(query: OrderQuery, part: str) -> tuple[list[str], list[str]]:
    """What an order of one part has to meet, and the parameters for the question marks in it."""
    statuses = ",".join(f"'SalesOrd:{letter}'" for letter in query.statuses)
    where = [
        "t.type = 'SalesOrd'",
        # Oracle asks for BUILTIN.CF when a composite field such as status is compared.
        f"BUILTIN.CF(t.status) IN ({statuses})",
        part,
    ]
    params: list[str] = []
    if query.filter.order_numbers:
        where.append(f"t.tranid IN ({','.join('?' * len(query.filter.order_numbers))})")
        params += query.filter.order_numbers
    if query.filter.customer_ids:
        where.append(f"t.entity IN ({','.join(str(int(id_)) for id_ in query.filter.customer_ids)})")
    return where + _cycle_filter(query.filter, params), params


def dates_of(query: OrderQuery) -> str:
    """The condition that an order's own date meets, whatever comes back beside it."""
    listed_from = max(filter(None, (query.listed_from, query.filter.from_date)))
    listed_before = min(filter(None, (query.listed_before, query.filter.to_date)))
    return (
        f"t.trandate >= TO_DATE('{listed_from.isoformat()}','YYYY-MM-DD')"
        f" AND t.trandate < TO_DATE('{listed_before.isoformat()}','YYYY-MM-DD')"
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
