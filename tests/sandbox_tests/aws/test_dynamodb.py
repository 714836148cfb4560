"""DynamoDB as moto plays it, with what the sandbox changes in it: transactions are whole, values come back as put."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_tests.aws.small_world import small_sandbox

WITH_RANGE, WITHOUT = "with-a-range-key", "without"


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with small_sandbox() as opened:
        client = opened.aws.client("dynamodb")
        for name, keys in ((WITH_RANGE, {"pk": "HASH", "sk": "RANGE"}), (WITHOUT, {"pk": "HASH"})):
            client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        client.put_item(TableName=WITH_RANGE, Item=_row("a", "1", kept="there before"))
        client.put_item(TableName=WITH_RANGE, Item=_row("a", "2", kept="there before"))
        client.put_item(TableName=WITHOUT, Item=_row("a", kept="there before"))
        yield client


def _row(pk: str, sk: str | None = None, **values: str) -> dict[str, Any]:
    keys = {"pk": {"S": pk}} | ({"sk": {"S": sk}} if sk is not None else {})
    return keys | {name: {"S": value} for name, value in values.items()}


def _all(client: Any) -> dict[str, list[Any]]:
    found = {name: client.scan(TableName=name)["Items"] for name in (WITH_RANGE, WITHOUT)}
    return {name: sorted(rows, key=str) for name, rows in found.items()}


def _changes() -> list[dict[str, Any]]:
    """One of each kind, on rows that are there and rows that are not."""
    set_kept = {"UpdateExpression": "SET kept = :new", "ExpressionAttributeValues": {":new": {"S": "changed"}}}
    return [
        {"Update": {"TableName": WITH_RANGE, "Key": _row("a", "1"), **set_kept}},
        {"Delete": {"TableName": WITH_RANGE, "Key": _row("a", "2")}},
        {"Put": {"TableName": WITH_RANGE, "Item": _row("a", "3", kept="new")}},
        {"Update": {"TableName": WITH_RANGE, "Key": _row("b", "1"), **set_kept}},
        {"Update": {"TableName": WITHOUT, "Key": _row("a"), **set_kept}},
        {"Put": {"TableName": WITHOUT, "Item": _row("b", kept="new")}},
    ]


def test_a_cancelled_transaction_changes_no_row_of_any_table(dynamodb: Any) -> None:
    before = _all(dynamodb)
    never = {
        "ConditionCheck": {
            "TableName": WITHOUT,
            "Key": _row("c"),
            "ConditionExpression": "attribute_exists(pk)",
        }
    }
    for _ in range(2):
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(TransactItems=[*_changes(), never])
        assert _all(dynamodb) == before


def test_a_transaction_that_holds_changes_every_row_that_it_names(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=_changes())
    assert _all(dynamodb) == {
        WITH_RANGE: sorted(
            [_row("a", "1", kept="changed"), _row("a", "3", kept="new"), _row("b", "1", kept="changed")], key=str
        ),
        WITHOUT: sorted([_row("a", kept="changed"), _row("b", kept="new")], key=str),
    }


def test_every_kind_of_value_comes_back_as_it_was_written(dynamodb: Any) -> None:
    plain: dict[str, Any] = {
        "text": {"S": ""},
        "number": {"N": "-12.50"},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "bytes": {"B": b"\x00\xff"},
        "texts": {"SS": ["a", "b"]},
        "numbers": {"NS": ["1", "2.5"]},
        "several bytes": {"BS": [b"\x01", b"\x02"]},
    }
    row = {
        "pk": {"S": "kinds"},
        **plain,
        "list": {"L": [*plain.values(), {"L": []}]},
        "map": {
            "M": {
                **plain,
                "inner": {"M": {"deep": {"L": [{"S": "x"}, {"B": b"y"}]}}},
                "S": {"S": "a name like a kind's"},
            }
        },
    }
    dynamodb.put_item(TableName=WITHOUT, Item=row)
    found = dynamodb.get_item(TableName=WITHOUT, Key={"pk": {"S": "kinds"}})["Item"]
    assert found == row
    assert dynamodb.query(
        TableName=WITHOUT,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "kinds"}},
    )["Items"] == [row]
