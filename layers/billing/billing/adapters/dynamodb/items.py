"""DynamoDB's wire types, and reading and writing many rows at once. A value that is None is written as NULL."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from billing.domain.errors import PassingError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize
_BATCH = 100  # BatchGetItem's own maximum.
_WRITE_BATCH = 25  # BatchWriteItem's own maximum.
_TRIES = 8


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Python values as DynamoDB attributes."""
    return {name: _serialize(str(value) if isinstance(value, str) else value) for name, value in values.items()}


def values_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB attributes as Python values; numbers come as Decimal."""
    return {name: _deserialize(value) for name, value in item.items()}


def _pause(attempt: int) -> None:
    """What DynamoDB asks of whoever gets unprocessed rows back: 50 ms at first, at most two seconds."""
    time.sleep(min(2.0, 0.05 * 2**attempt))


def batch_get(dynamodb: DynamoDBClient, table: str, keys: Sequence[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """The rows that exist among `keys`, read consistently, each once. PassingError if the table stays throttled."""
    # DynamoDB refuses a batch that names a key twice.
    wanted = list({tuple(sorted(key.items())): key for key in keys}.values())
    for start in range(0, len(wanted), _BATCH):
        chosen = [to_item(key) for key in wanted[start : start + _BATCH]]
        request: Any = {table: {"Keys": chosen, "ConsistentRead": True}}
        for attempt in range(_TRIES):
            answer = dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                yield values_of(item)
            request = answer.get("UnprocessedKeys")
            if not request:
                break
            _pause(attempt)
        else:
            raise PassingError(f"The table {table} is throttled.")


def batch_write(
    dynamodb: DynamoDBClient,
    table: str,
    put: Iterable[Mapping[str, Any]],
    delete: Iterable[Mapping[str, str]] = (),
) -> None:
    """Put and delete rows, each whole. Safe to repeat. PassingError if the table stays throttled."""
    requests: list[Any] = [{"PutRequest": {"Item": to_item(row)}} for row in put]
    requests += [{"DeleteRequest": {"Key": to_item(key)}} for key in delete]
    for start in range(0, len(requests), _WRITE_BATCH):
        unwritten: Any = {table: requests[start : start + _WRITE_BATCH]}
        for attempt in range(_TRIES):
            unwritten = dynamodb.batch_write_item(RequestItems=unwritten).get("UnprocessedItems")
            if not unwritten:
                break
            _pause(attempt)
        else:
            raise PassingError(f"The table {table} is throttled: not every row could be written.")


def query_all(dynamodb: DynamoDBClient, table: str, pk: str) -> list[dict[str, Any]]:
    """Every row of a partition, read consistently."""
    rows: list[dict[str, Any]] = []
    arguments: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": to_item({":pk": pk}),
        "ConsistentRead": True,
    }
    while True:
        page = dynamodb.query(**arguments)
        rows += map(values_of, page["Items"])
        if not page.get("LastEvaluatedKey"):
            return rows
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
