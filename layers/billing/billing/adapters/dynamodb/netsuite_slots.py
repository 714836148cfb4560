"""NetSuite's concurrent calls, counted: pk = "NETSUITE#SLOT#<n>" in the table of runs.

NetSuite counts calls per account, whoever makes them, and refuses above its limit. The monthly run and the settlement
share the slots of this table. A slot is a lease: one that a killed process left behind is free again when it is over.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import to_item
from billing.domain.errors import PassingError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE_SECONDS = 180
"""Longer than the longest call: 5 s to connect and 120 s to answer."""

_LONGEST_WAIT = 120.0


@dataclass(frozen=True, slots=True)
class NetSuiteSlots:
    """`count` slots. `sleep` and `now` are seconds."""

    dynamodb: DynamoDBClient
    table: str
    count: int
    sleep: Callable[[float], None]
    now: Callable[[], float]
    jitter: Callable[[], float] = random.random

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot. PassingError if none becomes free within two minutes."""
        holder = uuid.uuid4().hex
        key = self._take(holder)
        try:
            yield
        finally:
            self._leave(key, holder)

    def _take(self, holder: str) -> str:
        waited, pause = 0.0, 0.1
        while True:
            first = int(self.jitter() * self.count)
            for offset in range(self.count):
                key = f"NETSUITE#SLOT#{(first + offset) % self.count}"
                if self._taken(key, holder):
                    return key
            if waited >= _LONGEST_WAIT:
                raise PassingError("All of NetSuite's slots are in use (NetSuiteConcurrency). Run again later.")
            wait = pause * (0.5 + self.jitter() / 2)
            self.sleep(wait)
            waited += wait
            pause = min(2.0, pause * 2)

    def _taken(self, key: str, holder: str) -> bool:
        now = int(self.now())
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=to_item({"pk": key, "sk": "SLOT"}),
                UpdateExpression="SET holder = :holder, busy_until = :until",
                ConditionExpression="attribute_not_exists(busy_until) OR busy_until < :now",
                ExpressionAttributeValues=to_item({":holder": holder, ":until": now + LEASE_SECONDS, ":now": now}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _leave(self, key: str, holder: str) -> None:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=to_item({"pk": key, "sk": "SLOT"}),
                UpdateExpression="REMOVE busy_until, holder",
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues=to_item({":holder": holder}),
            )
        except ClientError as error:
            # Its lease was over, and another has the slot now.
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
