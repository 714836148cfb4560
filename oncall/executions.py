"""Executions of the stack's two state machines, as Step Functions tells of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.domain.run import Caught
from oncall.exits import NotFound, Refused
from oncall.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType


class Machine(StrEnum):
    """The state machines, by their logical ids."""

    MONTHLY = "MonthlyBilling"
    SETTLEMENT = "Settlements"


@dataclass(frozen=True, slots=True)
class Execution:
    """What DescribeExecution says. `error` and `cause` are "" unless it failed or was aborted; `why_not` is why it
    cannot be redriven, "" if it can."""

    machine: Machine
    arn: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str
    error: str
    cause: str
    redrives: int
    why_not: str

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.status == "RUNNING"

    @property
    def went_wrong(self) -> bool:
        """Whether it has ended red."""
        return self.status not in ("RUNNING", "SUCCEEDED")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an execution stands or stood: the state that it entered last, whether that waits for a person's answer, and
    the state's data as the history's newest event with any shows it."""

    state: str
    waits: bool
    data: Mapping[str, Any]

    def text(self, *path: str) -> str:
        """A text inside the data, "" where it has none."""
        found: Any = self.data
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, str) else ""

    def part(self, name: str) -> Mapping[str, Any]:
        """An object inside the data, an empty one where it has none."""
        found = self.data.get(name)
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Executions:
    """Those of one stack."""

    stack: Stack

    def _client(self) -> SFNClient:
        client: SFNClient = self.stack.client("stepfunctions")
        return client

    def newest(self, machine: Machine, last: int, status: ExecutionStatusType | None) -> list[Execution]:
        """The last ones, newest first; of one status if it is named."""
        client = self._client()
        filtered: dict[str, Any] = {"statusFilter": status} if status else {}
        pages = client.get_paginator("list_executions").paginate(
            stateMachineArn=self.stack.resource(machine), **filtered
        )
        listed = islice((one for page in pages for one in page["executions"]), last)
        return [self._described(client, machine, one["executionArn"]) for one in listed]

    def find(self, name: str) -> Execution:
        """The execution of this name, of either state machine. Raises NotFound."""
        client = self._client()
        for machine in Machine:
            arn = self.stack.resources.get(machine, "")
            if not arn:
                continue
            try:
                return self._described(client, machine, f"{arn.replace(':stateMachine:', ':execution:')}:{name}")
            except ClientError as error:
                # A name that no execution can have makes an ARN that is none.
                if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidArn"):
                    raise
        raise NotFound(f"The stack {self.stack.name} has no execution {name}; `runs` lists them.")

    @staticmethod
    def _described(client: SFNClient, machine: Machine, arn: str) -> Execution:
        found = client.describe_execution(executionArn=arn)
        redrivable = found.get("redriveStatus") != "NOT_REDRIVABLE"
        return Execution(
            machine=machine,
            arn=arn,
            name=found["name"],
            status=found["status"],
            started=found["startDate"],
            stopped=found.get("stopDate"),
            input=found.get("input", "{}"),
            error=found.get("error", ""),
            # Lambda wraps the sentence in JSON of its own.
            cause=Caught(found.get("error", ""), found.get("cause", "")).message,
            redrives=found.get("redriveCount", 0),
            why_not="" if redrivable else found.get("redriveStatusReason", "Step Functions does not redrive it"),
        )

    def standing(self, execution: Execution) -> Standing:
        """Read the history from its end until a state's name and data are known."""
        client = self._client()
        state, waits, data = "", False, None
        for place, event in enumerate(_events(client, execution.arn)):
            if place == 0:
                waits = event["type"] == "TaskSubmitted" and execution.runs
            entered, left = event.get("stateEnteredEventDetails"), event.get("stateExitedEventDetails")
            if data is None and (entered or left):
                data = _object(entered["input"] if entered else left["output"] if left else "")
            if entered:
                state = entered["name"]
                break
        return Standing(state, waits, data or {})

    def start(self, machine: Machine, given: str) -> Execution:
        """Start an execution with this input, as the console's "New execution" does."""
        client = self._client()
        started = client.start_execution(
            stateMachineArn=self.stack.resource(machine), name=str(uuid.uuid4()), input=given
        )
        return self._described(client, machine, started["executionArn"])

    def redrive(self, execution: Execution) -> None:
        """Redrive it. Raises Refused with Step Functions' own words if it cannot be."""
        try:
            self._client().redrive_execution(executionArn=execution.arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionNotRedrivable":
                raise
            raise Refused(f"{execution.name} cannot be redriven: {error.response['Error']['Message']}.") from None

    def abort(self, execution: Execution, why: str) -> None:
        """Abort it; harmless if it has ended meanwhile."""
        self._client().stop_execution(executionArn=execution.arn, cause=why)

    def again(self, execution: Execution) -> Execution:
        """As it is now."""
        return self._described(self._client(), execution.machine, execution.arn)


def _events(client: SFNClient, arn: str) -> Iterator[Mapping[str, Any]]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn, reverseOrder=True)
    for page in pages:
        yield from page["events"]


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
