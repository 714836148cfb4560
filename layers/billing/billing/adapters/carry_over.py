"""Orders that a run listed and did not draft: they come back by themselves in the cycle's next run.

    pk = "CARRY#<cycle>", sk = NetSuite's internal id    in the ledger's table

An order is on the list from the first run that listed it without drafting it until a run drafts it, or NetSuite no
longer lists it as billable. An old order that no run has ever listed is not on it, so a first deployment does not bill
history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.adapters.dynamo import batch_write, query_all
from billing.domain.carry_over import Carried

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The list of one stack, by cycle."""

    dynamodb: DynamoDBClient
    table: str

    def of(self, cycle: str) -> tuple[Carried, ...]:
        """Every order of the cycle that waits to come back, by internal id."""
        rows = query_all(self.dynamodb, self.table, _key(cycle))
        return tuple(
            Carried(row["sk"], row["order_number"], row["period"], row["reason"], row.get("content", ""))
            for row in rows
        )

    def change(self, cycle: str, keep: Iterable[Carried], drop: Iterable[str]) -> None:
        """Put orders on the list and take others off. Safe to repeat."""
        batch_write(
            self.dynamodb,
            self.table,
            put=(
                {
                    "pk": _key(cycle),
                    "sk": carried.order_id,
                    "order_number": carried.number,
                    "period": carried.period,
                    "reason": carried.reason[:500],
                    "content": carried.content,
                }
                for carried in keep
            ),
            delete=({"pk": _key(cycle), "sk": order_id} for order_id in drop),
        )


def _key(cycle: str) -> str:
    return f"CARRY#{cycle}"
