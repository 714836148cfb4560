"""Which nightly proofs there are, in the settlement's table.

pk = "PROOF#<day>"    the proof of a day: its file's key and hash, and the day of the proof that it was compared with
pk = "PROOF"          the latest day that was proved
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import row_as, to_item, to_row, values_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class KeptProof:
    """A row. Days are ISO; `previous` is "" for the first proof."""

    day: str
    key: str
    sha256: str
    previous: str


@dataclass(frozen=True, slots=True)
class ProofRows:
    """Written by the nightly proof only."""

    dynamodb: DynamoDBClient
    table: str

    def of_day(self, day: str) -> KeptProof | None:
        """The proof of a day."""
        row = self._row(f"PROOF#{day}")
        return row_as(KeptProof, {"day": day, **row}) if row is not None else None

    def latest(self) -> KeptProof | None:
        """The proof of the latest day."""
        row = self._row("PROOF")
        return self.of_day(str(row["day"])) if row is not None else None

    def keep(self, day: str, key: str, sha256: str, previous: str, at: str) -> None:
        """Keep a proof. Safe to repeat; an older day never becomes the latest."""
        row = {"pk": f"PROOF#{day}", "key": key, "sha256": sha256, "previous": previous, "proved_at": at}
        self.dynamodb.put_item(TableName=self.table, Item=to_row(row))
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=to_row({"pk": "PROOF", "day": day}),
                ConditionExpression="attribute_not_exists(pk) OR #day < :day",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues=to_item({":day": day}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def _row(self, pk: str) -> dict[str, Any] | None:
        item = self.dynamodb.get_item(TableName=self.table, Key=to_item({"pk": pk}), ConsistentRead=True).get("Item")
        return values_of(item) if item else None
