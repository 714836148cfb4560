"""DynamoDB's wire types, and reading and writing many rows at once. A value that is None is written as NULL."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from billing.domain.errors import PassingError
from billing.domain.records import FORMAT, RecordUnreadable, from_record, to_record, written_fields

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize
_BATCH = 100  # BatchGetItem's own maximum.
_WRITE_BATCH = 25  # BatchWriteItem's own maximum.
_TRIES = 8
T = TypeVar("T")

ROW_FORMAT: Final = "row_format"
"""The attribute with the number of the format in which a row was last written ("format" is a word of DynamoDB's own).
Rows of versions before there were numbers have none: they are read as format 1."""


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Python values as DynamoDB attributes."""
    return {name: _serialize(str(value) if isinstance(value, str) else value) for name, value in values.items()}


def row_as(kind: type[T], row: Mapping[str, Any], **renamed: str) -> T:
    """A row as the dataclass that it keeps, field by field; `renamed` gives the attribute of a field that has another
    name. A row may hold more than the dataclass. Raises RecordUnreadable."""
    attributes = {key: renamed.get(name, key) for name, key, _ in written_fields(cast("Any", kind))}
    found = {key: _as_json(row[attribute]) for key, attribute in attributes.items() if attribute in row}
    try:
        return from_record(kind, found)
    except RecordUnreadable as error:
        raise _unreadable(row, error.problem) from None


def json_as(kind: type[T], row: Mapping[str, Any], attribute: str) -> T:
    """The dataclass that an attribute of a row keeps as a JSON text. Raises RecordUnreadable."""
    with readable(row):
        data = json.loads(row[attribute])
    try:
        return from_record(kind, data)
    except RecordUnreadable as error:
        raise _unreadable(row, f"{attribute}: {error.problem}") from None


def json_text(value: Any) -> str:
    """A dataclass as the JSON text that `json_as` reads."""
    return json.dumps(to_record(value))


@contextmanager
def readable(row: Mapping[str, Any]) -> Iterator[None]:
    """Around the reading of a row by hand: what it lacks, or has otherwise, becomes RecordUnreadable."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        # A KeyError names the attribute; the others could quote a value.
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else "a value is not of its type"
        raise _unreadable(row, where) from None


def _unreadable(row: Mapping[str, Any], problem: str) -> RecordUnreadable:
    written = row.get(ROW_FORMAT, 1)
    by = "an earlier version of this product" if written < FORMAT else "this version"
    return RecordUnreadable(
        f"The row {_place(row)} has format {written} ({by}) and cannot be read: {problem}. Whoever wrote to the table "
        "past the product altered it: restore the row from the table's backup, and start a new execution.",
        problem,
    )


def refuse_newer(row: Mapping[str, Any]) -> None:
    """Raise RecordUnreadable for a row that a newer version has written."""
    if row.get(ROW_FORMAT, 1) > FORMAT:
        raise RecordUnreadable(
            f"The row {_place(row)} has format {row[ROW_FORMAT]}: it was written by a newer version of this product. "
            f"The deployed one reads formats 1 to {FORMAT}. Deploy the newer version again."
        )


def _place(row: Mapping[str, Any]) -> str:
    return " / ".join(str(row[name]) for name in ("pk", "sk") if name in row)


def _as_json(value: Any) -> Any:
    """Numbers of DynamoDB as whole numbers: the tables hold no others."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _as_json(one) for name, one in value.items()}
    return value


def with_format(**update: Any) -> dict[str, Any]:
    """The arguments of an update, with the number of the format in which the row is written from now on."""
    expression, number = str(update["UpdateExpression"]), f"SET {ROW_FORMAT} = :row_format"
    expression = expression.replace("SET ", f"{number}, ", 1) if "SET " in expression else f"{expression} {number}"
    values = {**update.get("ExpressionAttributeValues", {}), ":row_format": _serialize(FORMAT)}
    return {**update, "UpdateExpression": expression, "ExpressionAttributeValues": values}


def to_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """A whole row as DynamoDB attributes, with its format's number."""
    return to_item({**values, ROW_FORMAT: FORMAT})


def values_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row's attributes as Python values; numbers come as Decimal. Raises RecordUnreadable for a newer version's."""
    row = {name: _deserialize(value) for name, value in item.items()}
    refuse_newer(row)
    return row


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
    requests: list[Any] = [{"PutRequest": {"Item": to_row(row)}} for row in put]
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
