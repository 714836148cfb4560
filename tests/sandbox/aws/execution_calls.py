"""What moto's API of Step Functions does not answer and whoever looks after executions asks: RedriveExecution, whether
one can be redriven, and a history from its end, page by page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

from tests.sandbox.aws import moto_patches, stepfunctions

REDRIVABLE_FOR = timedelta(days=14)
"""AWS Step Functions, "Restarting state machine executions with redrive": from the end of the execution."""

_PAGE = 100
"""Events on a page of GetExecutionHistory unless the request names another number (AWS, API reference)."""


class ExecutionNotRedrivable(AWSError):  # type: ignore[misc]
    """AWS's answer where DescribeExecution says NOT_REDRIVABLE."""

    TYPE = "ExecutionNotRedrivable"
    STATUS = 400


def why_not_redrivable(execution: Any) -> str:
    """Why the execution cannot be redriven, "" if it can."""
    status = execution.exec_status.value if execution.exec_status else "RUNNING"
    if status not in stepfunctions.REDRIVABLE:
        return f"Execution is {status} and cannot be redriven"
    now = datetime.fromtimestamp(moto_patches.hooks().clock(), execution.stop_date.tzinfo)
    if now - execution.stop_date > REDRIVABLE_FOR:
        return "Execution has exceeded the redrivable period of 14 days"
    return ""


def install() -> None:
    """Patch moto's responses."""
    describe, listed = StepFunctionResponse.describe_execution, StepFunctionResponse.list_executions

    def describe_execution(self: Any) -> Any:
        answer = describe(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        reason = why_not_redrivable(execution)
        answer._result |= {
            "redriveCount": getattr(execution, "redrive_count", 0),
            "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
            **({"redriveStatusReason": reason} if reason else {}),
            **({"stopDate": execution.stop_date} if execution.stop_date else {}),
        }
        return answer

    def list_executions(self: Any) -> Any:
        answer = listed(self)
        for one in answer._result["executions"]:
            execution = self.stepfunction_backend.describe_execution(one["executionArn"])
            one["redriveCount"] = getattr(execution, "redrive_count", 0)
            if execution.stop_date:
                one["stopDate"] = execution.stop_date
        return answer

    def redrive_execution(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        reason = why_not_redrivable(execution)
        if reason:
            raise ExecutionNotRedrivable(reason)
        stepfunctions.redrive(execution)
        return ActionResult({"redriveDate": moto_patches.hooks().clock()})

    def get_execution_history(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        events = stepfunctions.history(execution)
        if self._get_param("reverseOrder"):
            events.reverse()
        start, size = int(self._get_param("nextToken") or 0), int(self._get_param("maxResults") or _PAGE)
        after = {"nextToken": str(start + size)} if start + size < len(events) else {}
        return ActionResult({"events": events[start : start + size], **after})

    StepFunctionResponse.describe_execution = describe_execution
    StepFunctionResponse.list_executions = list_executions
    StepFunctionResponse.redrive_execution = redrive_execution
    StepFunctionResponse.get_execution_history = get_execution_history
