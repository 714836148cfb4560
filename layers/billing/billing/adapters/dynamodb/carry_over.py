"""Orders that a run listed and did not draft: they come back by themselves in the cycle's next run.

    pk = "CARRY", sk = NetSuite's internal id    in the ledger's table, with the cycle that listed the order last

An order is on the list from the first run that listed it without drafting it until a run of any cycle drafts it, it is
ended in NetSuite, or a person ends it. One list for all cycles: an order that moves from one cycle's filter to
another's is the other's as soon as that one lists it, and is named by one of them until then.

Rows of older versions bear the cycle in their key (pk = "CARRY#<cycle>"). They are read as they are, and written anew
when their run closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing.adapters.dynamodb.items import batch_write, query_all, readable, row_as
from billing.domain.orders.outstanding import Carried

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIST = "CARRY"


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The list of one stack."""

    dynamodb: DynamoDBClient
    table: str

    def of(self, cycle: str) -> tuple[Carried, ...]:
        """Every order that the cycle listed last and that waits to come back."""
        rows = query_all(self.dynamodb, self.table, _LIST)
        known = {row["sk"] for row in rows}
        older = [row for row in query_all(self.dynamodb, self.table, _older(cycle)) if row["sk"] not in known]
        mine = [row for row in rows if _cycle_of(row) == cycle]
        return tuple(row_as(Carried, row, order_id="sk", number="order_number") for row in (*mine, *older))

    def change(self, cycle: str, keep: Iterable[Carried], drop: Iterable[str]) -> None:
        """Put orders on the list and take others off, whichever cycle put them there. Safe to repeat."""
        rows = {
            carried.order_id: {
                "pk": _LIST,
                "sk": carried.order_id,
                "cycle": cycle,
                "order_number": carried.number,
                "period": carried.period,
                "reason": carried.reason[:500],
                "content": carried.content,
            }
            for carried in keep
        }
        off = set(drop) - rows.keys()
        older = query_all(self.dynamodb, self.table, _older(cycle))
        if older:
            # What another cycle has listed since is that one's.
            known = {row["sk"] for row in query_all(self.dynamodb, self.table, _LIST)}
            moved = [row for row in older if row["sk"] not in known | rows.keys() | off]
            rows |= {row["sk"]: {**row, "pk": _LIST, "cycle": cycle} for row in moved}
        delete = [{"pk": _LIST, "sk": order_id} for order_id in sorted(off)]
        delete += [{"pk": _older(cycle), "sk": row["sk"]} for row in older]
        batch_write(self.dynamodb, self.table, put=rows.values(), delete=delete)


def _cycle_of(row: Mapping[str, Any]) -> str:
    with readable(row):
        return str(row["cycle"])


def _older(cycle: str) -> str:
    return f"CARRY#{cycle}"
