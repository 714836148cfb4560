"""DynamoDB's wire types, and reading many rows at once. Attributes that are None are left out or written as NULL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from billing.domain.errors import PassingError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize
_BATCH = 100  # BatchGetItem's own maximum.


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Python values as DynamoDB attributes."""
    return {name: _serialize(str(value) if isinstance(value, str) else value) for name, value in values.items()}


def values_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB attributes as Python values; numbers come as Decimal."""
    return {name: _deserialize(value) for name, value in item.items()}


def batch_get(dynamodb: DynamoDBClient, table: str, keys: Sequence[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """The rows that exist among `keys`, read consistently. PassingError if the table stays throttled."""
    for start in range(0, len(keys), _BATCH):
        request: Any = {table: {"Keys": [to_item(key) for key in keys[start : start + _BATCH]], "ConsistentRead": True}}
        for _ in range(8):
            answer = dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                yield values_of(item)
            request = answer.get("UnprocessedKeys")
            if not request:
                break
        else:
            raise PassingError(f"The table {table} is throttled.")
