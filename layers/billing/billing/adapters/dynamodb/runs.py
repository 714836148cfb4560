"""Runs in DynamoDB: who holds a billing period.

    pk = "PERIOD#<cycle>#<period>", sk = "LOCK"
    pk = "RUN#<run id>",            sk = "STARTED"         the address of whoever started the run
    pk = "BILLFROM",                sk = "STACK"           the day from which the stack bills, written by its first run
    pk = "BILLFROM",                sk = "TOLD#<cycle>"    which such day the cycle's pages and reports have told

The same table keeps which messages a run has sent; see message_log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import readable, to_item, values_of, with_format
from billing.domain.runs.period_lock import Holder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOCK = "LOCK"
_BILL_FROM = "BILLFROM"
_STARTED = "STARTED"
_STACK = {"pk": _BILL_FROM, "sk": "STACK"}


@dataclass(frozen=True, slots=True)
class RunsTable:
    """The locks of periods, and the day from which the stack bills."""

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
        with readable(row):
            return Holder(row["run_id"], row["execution_arn"], row["state"] == "held", row.get("finished_by", ""))

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

    def release(self, key: str, run_id: str, *, finished: bool = False) -> None:
        """Free the period if this run holds it, and note if it has finished the period. Safe to repeat, and after a
        takeover it does nothing."""
        expression = "SET #state = :closed, finished_by = :run" if finished else "SET #state = :closed"
        self._update(key, expression, {":run": run_id, ":closed": "closed"}, "run_id = :run")

    def note_start(self, run_id: str, requested_by: str, at: str) -> None:
        """Keep the address of whoever started the run. Safe to repeat."""
        self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=to_item({"pk": f"RUN#{run_id}", "sk": _STARTED}),
                UpdateExpression="SET requested_by = :by, started_at = :at",
                ExpressionAttributeValues=to_item({":by": requested_by, ":at": at}),
            )
        )

    def requested_by(self, run_id: str) -> str:
        """The address of whoever started the run, "" if nobody is on record."""
        return str(self._row({"pk": f"RUN#{run_id}", "sk": _STARTED}).get("requested_by", ""))

    def bill_from(self) -> date | None:
        """The day that the stack's first run has remembered, read consistently."""
        day = self._row(_STACK).get("first_day")
        return date.fromisoformat(day) if day else None

    def remember_bill_from(self, day: date, run_id: str, at: str) -> date:
        """Remember the day unless one is remembered already; answer the one that is. Safe to repeat: it never moves."""
        try:
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item(_STACK),
                    UpdateExpression="SET first_day = :day, run_id = :run, remembered_at = :at",
                    ConditionExpression="attribute_not_exists(pk)",
                    ExpressionAttributeValues=to_item({":day": day.isoformat(), ":run": run_id, ":at": at}),
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return self.bill_from() or day
        return day

    def first_billed_day(self) -> date | None:
        """The first day of the first month of which an invoice is on record, for a stack that billed before it began to
        remember. Reads the whole table: once in a stack's life."""
        months: set[str] = set()
        arguments: dict[str, Any] = {
            "TableName": self.table,
            "FilterExpression": "begins_with(pk, :month)",
            "ProjectionExpression": "pk",
            "ExpressionAttributeValues": to_item({":month": "MONTH#"}),
            "ConsistentRead": True,
        }
        while True:
            page = self.dynamodb.scan(**arguments)
            months |= {values_of(item)["pk"].rpartition("#")[2] for item in page["Items"]}
            if not page.get("LastEvaluatedKey"):
                return date.fromisoformat(f"{min(months)}-01") if months else None
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def bill_from_told(self, cycle: str) -> str:
        """The day (YYYY-MM-DD) of which the cycle's readers have been told what lies before it; "" if of none."""
        return str(self._row({"pk": _BILL_FROM, "sk": f"TOLD#{cycle}"}).get("first_day", ""))

    def tell_bill_from(self, cycle: str, day: str, run_id: str) -> None:
        """Note that it was told. Safe to repeat."""
        self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=to_item({"pk": _BILL_FROM, "sk": f"TOLD#{cycle}"}),
                UpdateExpression="SET first_day = :day, run_id = :run",
                ExpressionAttributeValues=to_item({":day": day, ":run": run_id}),
            )
        )

    def _row(self, key: Mapping[str, str]) -> dict[str, Any]:
        item = self.dynamodb.get_item(TableName=self.table, Key=to_item(key), ConsistentRead=True).get("Item")
        return values_of(item) if item else {}

    def _update(self, key: str, expression: str, values: Mapping[str, Any], condition: str) -> bool:
        try:
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": key, "sk": _LOCK}),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=to_item(values),
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
