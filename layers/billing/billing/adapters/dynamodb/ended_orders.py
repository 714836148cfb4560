"""Orders that a person has ended, in the ledger's table.

    pk = "ENDED", sk = "<NetSuite's internal id>#<when>"    once for each time that it was ended, or opened again

Of several rows of one order the latest counts; none is ever taken away. Only the run whose report named it is written
into a row afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import batch_write, query_all, row_as, to_row
from billing.domain.ledger.ended_orders import EndedOrder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = "ENDED"


@dataclass(frozen=True, slots=True)
class EndedOrders:
    """Those of one stack, whatever their cycle."""

    dynamodb: DynamoDBClient
    table: str

    def latest(self) -> dict[str, EndedOrder]:
        """What was last said of each order, by NetSuite's internal id; those that were opened again included."""
        found: dict[str, EndedOrder] = {}
        for row in query_all(self.dynamodb, self.table, _KEY):
            one = _ended(row)
            known = found.get(one.order_id)
            if known is None or known.at <= one.at:
                found[one.order_id] = one
        return found

    def say(self, ended: EndedOrder) -> bool:
        """Keep that an order was ended, or opened again. Answers False if this very row is there already."""
        try:
            self.dynamodb.put_item(
                TableName=self.table, Item=to_row(_row(ended)), ConditionExpression="attribute_not_exists(pk)"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def note_named(self, ended: Iterable[EndedOrder], run_id: str) -> None:
        """Remember which run's report has named them. Safe to repeat; the first run stays."""
        batch_write(
            self.dynamodb,
            self.table,
            put=[_row(replace(one, named_in=run_id)) for one in ended if not one.named_in],
        )


def _row(ended: EndedOrder) -> dict[str, Any]:
    return {
        "pk": _KEY,
        "sk": f"{ended.order_id}#{ended.at}",
        "order_number": ended.number,
        "reason": ended.reason,
        "by": ended.by,
        "at": ended.at,
        "content": ended.content,
        "named_in": ended.named_in,
        "open_again": ended.open_again,
    }


def _ended(row: Mapping[str, Any]) -> EndedOrder:
    return row_as(EndedOrder, {**row, "order_id": str(row["sk"]).partition("#")[0]}, number="order_number")
