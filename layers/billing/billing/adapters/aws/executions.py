"""Step Functions, as far as a run looks at other runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, slots=True)
class Executions:
    """Executions of the state machine."""

    stepfunctions: SFNClient

    def is_running(self, execution_arn: str) -> bool:
        """Whether an execution still runs. One that AWS has forgotten (after 90 days) does not."""
        try:
            status = self.stepfunctions.describe_execution(executionArn=execution_arn)["status"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return False
            raise
        return status in ("RUNNING", "PENDING_REDRIVE")


@dataclass(frozen=True, slots=True)
class SettlementExecutions:
    """Executions of the settlement's state machine."""

    stepfunctions: SFNClient
    state_machine_arn: str

    def arn(self, name: str) -> str:
        """The execution of that name, whether it was started or not."""
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def is_running(self, execution_arn: str) -> bool:
        """Whether it still runs. One that never began, or that AWS has forgotten, does not."""
        return Executions(self.stepfunctions).is_running(execution_arn)

    def start(self, name: str, execution_input: Mapping[str, Any]) -> None:
        """Start it, if nobody has started that very execution before."""
        try:
            self.stepfunctions.start_execution(
                stateMachineArn=self.state_machine_arn, name=name, input=json.dumps(execution_input)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
