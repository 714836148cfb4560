"""The map from NetSuite customers to Stripe customers, in DynamoDB: pk = NetSuite internal id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from billing.adapters.dynamo import batch_get, to_item, values_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CustomersTable:
    """Written when a draft is made, read when customers are matched."""

    dynamodb: DynamoDBClient
    table: str

    def known(self, netsuite_ids: Iterable[str]) -> dict[str, str]:
        """Stripe ids by NetSuite id."""
        keys = [{"pk": netsuite_id} for netsuite_id in dict.fromkeys(netsuite_ids)]
        return {row["pk"]: row["stripe_id"] for row in batch_get(self.dynamodb, self.table, keys)}

    def one(self, netsuite_id: str) -> str | None:
        """The Stripe id of one NetSuite customer."""
        item = self.dynamodb.get_item(TableName=self.table, Key=to_item({"pk": netsuite_id}), ConsistentRead=True).get(
            "Item"
        )
        return str(values_of(item)["stripe_id"]) if item else None

    def remember(self, netsuite_id: str, stripe_id: str, instead_of: str | None, at: str) -> None:
        """Keep a pair. An entry is replaced only if it is still `instead_of`; another writer's newer pair stays."""
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=to_item({"pk": netsuite_id, "stripe_id": stripe_id, "kept_at": at}),
                ConditionExpression="attribute_not_exists(pk) OR stripe_id = :old",
                ExpressionAttributeValues=to_item({":old": instead_of or stripe_id}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
