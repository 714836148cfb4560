"""Step Functions, as far as a run looks at other runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
