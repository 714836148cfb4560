"""The bells of the settlement, in DynamoDB: pk = "BELL#<root>". The index ByList has those that somebody must look at.

wanted, done   how often the bell was rung, and up to which ring a pass has answered
answering      how often it had been rung when its holder began to read Stripe
holder, since  the execution that works on it (its ARN), and since when
list           ringing, parked, held or failed; absent once it is settled
hold_*         why it is parked, held or failed: name, reason, columns (JSON), since when
stopped        the redrive count at which its holder has given up; a redrive goes on from there
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import readable, to_item, values_of, with_format
from billing.domain.errors import Superseded
from billing.domain.settlement.passes import BellList
from billing.domain.settlement.records import Hold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "ByList"
_NOT_HELD = "REMOVE hold_name, hold_reason, hold_columns, hold_error, held_since, stopped"


@dataclass(frozen=True, slots=True)
class Bell:
    """A bell as it is now. `stopped` is None while its holder works."""

    root: str
    kind: str
    wanted: int
    done: int
    holder: str = ""
    since: str = ""
    list: str = ""
    stopped: int | None = None
    answering: int = 0
    hold: Hold | None = None
    hold_error: str = ""
    held_since: str = ""
    rung_at: str = ""


@dataclass(frozen=True, slots=True)
class Bells:
    """Rung by many, held by one execution."""

    dynamodb: DynamoDBClient
    table: str

    def ring(self, root: str, kind: str, at: str) -> Bell:
        """Ring. Repeated, it only makes its holder look once more."""
        answer = self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=to_item({"pk": _key(root)}),
                UpdateExpression="SET wanted = if_not_exists(wanted, :zero) + :one, done = if_not_exists(done, :zero), "
                "root = :root, kind = :kind, #list = :ringing, rung_at = :at",
                ExpressionAttributeNames={"#list": "list"},
                ExpressionAttributeValues=to_item(
                    {":zero": 0, ":one": 1, ":root": root, ":kind": kind, ":ringing": BellList.RINGING, ":at": at}
                ),
                ReturnValues="ALL_NEW",
            )
        )
        return _bell(values_of(answer["Attributes"]))

    def bell(self, root: str) -> Bell | None:
        """The bell, None if it was never rung."""
        item = self.dynamodb.get_item(TableName=self.table, Key=to_item({"pk": _key(root)}), ConsistentRead=True).get(
            "Item"
        )
        return _bell(values_of(item)) if item else None

    def claim(self, bell: Bell, execution: str, at: str) -> bool:
        """Make `execution` the holder, if the holder is still the one that `bell` names (or nobody)."""
        return self._changed(
            bell.root,
            "SET holder = :execution, since = :at REMOVE stopped",
            "attribute_not_exists(holder)" if not bell.holder else "holder = :former",
            {":execution": execution, ":at": at, **({":former": bell.holder} if bell.holder else {})},
        )

    def begin(self, root: str, execution: str) -> int:
        """A pass begins, or begins again: the number of rings that it answers. Raises Superseded."""
        try:
            answer = self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": _key(root)}),
                    UpdateExpression=f"SET #list = :ringing, answering = wanted {_NOT_HELD}",
                    ConditionExpression="holder = :execution",
                    ExpressionAttributeNames={"#list": "list"},
                    ExpressionAttributeValues=to_item({":ringing": BellList.RINGING, ":execution": execution}),
                    ReturnValues="ALL_NEW",
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise _superseded(root) from None
            raise
        return int(values_of(answer["Attributes"])["wanted"])

    def still_holds(self, root: str, execution: str) -> Bell:
        """The bell, which `execution` holds. Raises Superseded."""
        bell = self.bell(root)
        if bell is None or bell.holder != execution:
            raise _superseded(root)
        return bell

    def note(self, root: str, execution: str, hold: Hold, at: str) -> None:
        """Keep what a person must see: reason and columns do not fit into an execution's history. Raises Superseded."""
        if not self._changed(
            root,
            "SET hold_name = :name, hold_reason = :reason, hold_columns = :columns, "
            "held_since = if_not_exists(held_since, :at)",
            "holder = :execution",
            {**_hold_values(hold), ":execution": execution, ":at": at},
        ):
            raise _superseded(root)

    def release(self, root: str, execution: str, wanted: int) -> bool:
        """The pass is done; False if the bell was rung since Stripe was read. Raises Superseded."""
        if self._changed(
            root,
            f"SET done = :wanted {_NOT_HELD}, holder, since, #list",
            "holder = :execution AND wanted = :wanted",
            {":wanted": wanted, ":execution": execution},
            list_named=True,
        ):
            return True
        self.still_holds(root, execution)
        return False

    def park(self, root: str, execution: str, wanted: int, hold: Hold, at: str) -> bool:
        """It waits, and nobody holds it; False if the bell was rung since Stripe was read. Raises Superseded."""
        if self._changed(
            root,
            "SET done = :wanted, #list = :parked, hold_name = :name, hold_reason = :reason, hold_columns = :columns, "
            "held_since = if_not_exists(held_since, :at) REMOVE holder, since, stopped",
            "holder = :execution AND wanted = :wanted",
            {
                **_hold_values(hold),
                ":wanted": wanted,
                ":execution": execution,
                ":parked": BellList.PARKED,
                ":at": at,
            },
            list_named=True,
        ):
            return True
        self.still_holds(root, execution)
        return False

    def stop(self, bell: Bell, wanted: int, hold: Hold, error: str, redrives: int, at: str) -> bool:
        """Its holder gives up, red, and keeps the bell so that a redrive goes on; the next ring takes it over. False if
        it was rung since Stripe was read. Raises Superseded."""
        if self._changed(
            bell.root,
            "SET #list = :list, stopped = :redrives, hold_error = :error, hold_name = :name, hold_reason = :reason, "
            "hold_columns = :columns, held_since = if_not_exists(held_since, :at)",
            "holder = :execution AND wanted = :wanted",
            {
                **_hold_values(hold),
                ":execution": bell.holder,
                ":wanted": wanted,
                ":list": BellList.FAILED if error == "PassingError" else BellList.HELD,
                ":redrives": redrives,
                ":error": error,
                ":at": at,
            },
            list_named=True,
        ):
            return True
        self.still_holds(bell.root, bell.holder)
        return False

    def listed(self, which: BellList) -> Iterator[Bell]:
        """The bells on a list, by the index (which may be a moment behind)."""
        arguments: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#list = :list",
            "ExpressionAttributeNames": {"#list": "list"},
            "ExpressionAttributeValues": to_item({":list": which}),
        }
        while True:
            page = self.dynamodb.query(**arguments)
            yield from (_bell(values_of(item)) for item in page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _changed(
        self, root: str, update: str, condition: str, values: Mapping[str, Any], list_named: bool = False
    ) -> bool:
        names: dict[str, Any] = {"ExpressionAttributeNames": {"#list": "list"}} if list_named else {}
        try:
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": _key(root)}),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_item(values),
                    **names,
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _key(root: str) -> str:
    return f"BELL#{root}"


def _superseded(root: str) -> Superseded:
    return Superseded(f"Another execution works on {root} now. This one writes nothing more.")


def _hold_values(hold: Hold) -> dict[str, Any]:
    return {
        ":name": hold.name,
        ":reason": hold.reason,
        ":columns": json.dumps([list(one) for one in hold.columns]),
    }


def _bell(row: Mapping[str, Any]) -> Bell:
    with readable(row):
        hold = None
        if row.get("hold_name"):
            columns = json.loads(row.get("hold_columns") or "[]")
            hold = Hold(
                row["hold_name"], row.get("hold_reason", ""), tuple((one[0], one[1], one[2]) for one in columns)
            )
        return Bell(
            str(row.get("root") or row["pk"].removeprefix("BELL#")),
            str(row.get("kind", "")),
            int(row.get("wanted", 0)),
            int(row.get("done", 0)),
            str(row.get("holder") or ""),
            str(row.get("since") or ""),
            str(row.get("list") or ""),
            int(row["stopped"]) if row.get("stopped") is not None else None,
            int(row.get("answering") or row.get("wanted", 0)),
            hold,
            str(row.get("hold_error") or ""),
            str(row.get("held_since") or ""),
            str(row.get("rung_at") or ""),
        )
