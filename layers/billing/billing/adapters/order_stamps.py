"""The cheap query between approval and drafting: has anything moved in the approved orders?"""

from __future__ import annotations

from collections.abc import Iterable

from billing.adapters.netsuite import PAGE_SIZE, SuiteQL
from billing.domain.order_stamp import OrderStamp, number_in


def order_stamps(suiteql: SuiteQL, order_ids: Iterable[str]) -> dict[str, OrderStamp]:
    """Stamps by internal id, a thousand orders a call. Orders that NetSuite no longer has are absent."""
    ids = sorted({int(order_id) for order_id in order_ids})
    stamps: dict[str, OrderStamp] = {}
    for start in range(0, len(ids), PAGE_SIZE):
        chosen = ",".join(str(order_id) for order_id in ids[start : start + PAGE_SIZE])
        for row in suiteql.page(
            "SELECT t.id, t.status, TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS') AS lastmodified,"
            " SUM(NVL(tl.quantitybilled,0)) AS billed, SUM(CASE WHEN tl.isclosed = 'T' THEN 1 ELSE 0 END) AS closed"
            " FROM transaction t LEFT JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F'"
            f" WHERE t.id IN ({chosen})"
            " GROUP BY t.id, t.status, TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS')"
            " ORDER BY t.id ASC"
        ):
            stamps[row["id"]] = OrderStamp(
                row.get("lastmodified", ""),
                row.get("status", ""),
                number_in(row.get("billed")),
                int(number_in(row.get("closed"))),
            )
    return stamps
