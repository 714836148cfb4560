"""The map from NetSuite customers to Stripe customers, in DynamoDB: pk = NetSuite internal id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import batch_get, row_as, to_item, to_row, values_of
from billing.domain.ledger.customer_match import KnownCustomer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CustomersTable:
    """Written when a draft is made or a person settles who is who, read when customers are matched."""

    dynamodb: DynamoDBClient
    table: str

    def known(self, netsuite_ids: Iterable[str]) -> dict[str, KnownCustomer]:
        """What is kept, by NetSuite id."""
        keys = [{"pk": netsuite_id} for netsuite_id in dict.fromkeys(netsuite_ids)]
        return {row["pk"]: _known(row) for row in batch_get(self.dynamodb, self.table, keys)}

    def one(self, netsuite_id: str) -> KnownCustomer | None:
        """What is kept of one NetSuite customer."""
        item = self.dynamodb.get_item(TableName=self.table, Key=to_item({"pk": netsuite_id}), ConsistentRead=True).get(
            "Item"
        )
        return _known(values_of(item)) if item else None

    def settle(self, netsuite_id: str, stripe_id: str, by: str, instead_of: str | None, at: str) -> bool:
        """Keep what a person has said. Answers False if the row is no longer the one that they saw. Safe to repeat."""
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=to_row(
                    {"pk": netsuite_id, "stripe_id": stripe_id, "kept_at": at, "settled_by": by, "before": instead_of}
                ),
                ConditionExpression="attribute_not_exists(pk) OR stripe_id IN (:old, :new)",
                ExpressionAttributeValues=to_item({":old": instead_of or stripe_id, ":new": stripe_id}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def remember(self, netsuite_id: str, stripe_id: str, instead_of: str | None, at: str) -> None:
        """Keep a pair. An entry is replaced only if it is still `instead_of`; another writer's newer pair stays."""
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=to_row({"pk": netsuite_id, "stripe_id": stripe_id, "kept_at": at}),
                ConditionExpression="attribute_not_exists(pk) OR stripe_id = :old",
                ExpressionAttributeValues=to_item({":old": instead_of or stripe_id}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def _known(row: Mapping[str, Any]) -> KnownCustomer:
    return row_as(KnownCustomer, {**row, "settled_by": row.get("settled_by") or ""})
