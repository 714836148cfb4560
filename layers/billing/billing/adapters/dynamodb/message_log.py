"""Which messages were sent, so that a repeated step does not send them twice.

    sk = "MESSAGE#<what>", written before a message is sent and again after.

Neither SES nor Slack takes an idempotency key. A step that was killed between sending and noting leaves BEGUN: the
sender then looks whether the message arrived, where that can be seen (Slack), and sends it again where it cannot (mail,
in the same thread): two equal mails are better than a run that waits in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import to_item, values_of, with_format
from billing.domain.sending import Sending

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class MessageLog:
    """The messages of one owner (a run, or an approval request), by its partition key."""

    dynamodb: DynamoDBClient
    table: str

    def begin(self, owner: str, what: str, at: str) -> Sending:
        """Note that a message is about to be sent, and answer how far it got before."""
        try:
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=_key(owner, what),
                    UpdateExpression="SET begun_at = :at",
                    ConditionExpression="attribute_not_exists(pk)",
                    ExpressionAttributeValues=to_item({":at": at}),
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            item = self.dynamodb.get_item(TableName=self.table, Key=_key(owner, what), ConsistentRead=True).get(
                "Item", {}
            )
            return Sending.DONE if values_of(item).get("done_at") else Sending.BEGUN
        return Sending.NEW

    def finish(self, owner: str, what: str, at: str) -> None:
        """Note that a message was sent. Safe to repeat."""
        self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=_key(owner, what),
                UpdateExpression="SET done_at = :at",
                ExpressionAttributeValues=to_item({":at": at}),
            )
        )


def _key(owner: str, what: str) -> dict[str, Any]:
    return to_item({"pk": owner, "sk": f"MESSAGE#{what}"})
