"""Whether what NetSuite has billed of an order since it was listed is what the settlement made of our own drafts. Pure.

A run waits for its approval for days. Meanwhile the settlement may turn an earlier draft of the same order into
NetSuite's invoice, which moves what is billed of the order and nothing of what was approved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from billing.domain.ledger.billed_union import readings_of
from billing.domain.ledger.ledger import OrderRecord
from billing.domain.orders.order_fingerprint import number_in
from billing.domain.orders.order_rows import read_orders

NUMBERS: Final = ("quantity", "rate", "foreignamount")
TEXTS: Final = ("entity", "item", "uniquekey", "isclosed")
Row = Mapping[str, str]


def billed_by_us_alone(
    listed: Sequence[Row], now: Iterable[Row], record: OrderRecord | None, gone: Collection[str]
) -> bool:
    """True if the order's lines are what they were but for what is billed of them, and all that was billed since is of
    drafts of ours that NetSuite's invoices mirror. `listed` are the order's rows as they were listed, `now` has a row a
    line with NUMBERS, TEXTS, `line` and `quantitybilled`. `gone` are drafts that a person deleted or voided."""
    by_line = {row.get("line", ""): row for row in now}
    if record is None or len(by_line) != len(listed) or any(not _same(row, by_line) for row in listed):
        return False
    mirrored = {id_: one for id_, one in record.billed.items() if one.mirrored_as and id_ not in gone}
    own = replace(record, billed=mirrored)
    later = [{**row, "quantitybilled": by_line[row["line"]].get("quantitybilled", "0")} for row in listed]
    alone = [_netsuites_own(rows, own) for rows in (listed, later)]
    return alone[0] is not None and alone[0] == alone[1]


def _same(listed: Row, now: Mapping[str, Row]) -> bool:
    found = now.get(listed.get("line", ""))
    if found is None:
        return False
    return all((listed.get(name) or "") == (found.get(name) or "") for name in TEXTS) and all(
        # A column that the account does not have is on neither side.
        name not in listed or number_in(listed[name]) == number_in(found.get(name))
        for name in NUMBERS
    )


def _netsuites_own(rows: Sequence[Row], record: OrderRecord) -> list[tuple[str, object]] | None:
    """What NetSuite alone has billed of each line; None where that is not certain."""
    orders = read_orders(rows).orders
    if len(orders) != 1:
        return None
    readings = readings_of(orders[0], record, ())
    return [(line.id, line.billed) for line in readings.least.lines] if readings.certain else None
