"""Runs in DynamoDB: who holds a billing period.

    pk = "PERIOD#<cycle>#<period>", sk = "LOCK"

The same table keeps which messages a run has sent; see message_log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamo import to_item, values_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOCK = "LOCK"


def lock_key(cycle: str, period: str) -> str:
    """The period's partition key."""
    return f"PERIOD#{cycle}#{period}"


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that a lock names. `held` is False once it has closed."""

    run_id: str
    execution_arn: str
    held: bool


@dataclass(frozen=True, slots=True)
class RunsTable:
    """The locks of periods."""

    dynamodb: DynamoDBClient
    table: str

    def holder(self, key: str) -> Holder | None:
        """Who holds the period, read consistently."""
        item = self.dynamodb.get_item(
            TableName=self.table, Key=to_item({"pk": key, "sk": _LOCK}), ConsistentRead=True
        ).get("Item")
        if not item:
            return None
        row = values_of(item)
        return Holder(row["run_id"], row["execution_arn"], row["state"] == "held")

    def take(self, key: str, run_id: str, execution_arn: str, at: str, instead_of: str | None) -> bool:
        """Take the period if nobody holds it, this run holds it already, or `instead_of` (a run that no longer runs)
        does. Answers False if somebody else was faster. Safe to repeat."""
        condition = "attribute_not_exists(pk) OR #state = :closed OR run_id = :run"
        values: dict[str, Any] = {
            ":run": run_id,
            ":arn": execution_arn,
            ":at": at,
            ":held": "held",
            ":closed": "closed",
        }
        if instead_of is not None:
            condition += " OR run_id = :gone"
            values[":gone"] = instead_of
        return self._update(
            key, "SET run_id = :run, execution_arn = :arn, taken_at = :at, #state = :held", values, condition
        )

    def release(self, key: str, run_id: str) -> None:
        """Free the period if this run holds it. Safe to repeat, and after a takeover it does nothing."""
        self._update(key, "SET #state = :closed", {":run": run_id, ":closed": "closed"}, "run_id = :run")

    def _update(self, key: str, expression: str, values: Mapping[str, Any], condition: str) -> bool:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=to_item({"pk": key, "sk": _LOCK}),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(values),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
