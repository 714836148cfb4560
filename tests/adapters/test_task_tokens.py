"""Waking a run: once is enough, twice is harmless, and only with its own token."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from billing.adapters.aws.executions import Executions
from billing.adapters.aws.task_tokens import TaskCallback, seal_token
from tests.adapters.aws_world import AwsWorld


class StepFunctions:
    """Answers a token once, as Step Functions does."""

    def __init__(self, code: str = "TaskTimedOut") -> None:
        self.woken: list[str] = []
        self.code = code

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - AWS's own name
        if taskToken in self.woken or self.code == "Throttling":
            raise ClientError({"Error": {"Code": self.code}}, "SendTaskSuccess")  # type: ignore[typeddict-item]
        assert output == "{}", "whoever wakes a run does not decide"
        self.woken.append(taskToken)


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_waking_twice_is_harmless(aws: AwsWorld, code: str) -> None:
    sealed = seal_token(aws.kms, aws.key_id, "run-1", "token")
    stepfunctions = StepFunctions(code)
    callback = TaskCallback(aws.kms, stepfunctions)  # type: ignore[arg-type]
    assert callback.wake(sealed, "run-1") is True
    assert callback.wake(sealed, "run-1") is False
    assert stepfunctions.woken == ["token"]


def test_the_token_cannot_be_read_from_the_table(aws: AwsWorld) -> None:
    assert b"token" not in seal_token(aws.kms, aws.key_id, "run-1", "token")


def test_the_token_of_one_run_wakes_no_other(aws: AwsWorld) -> None:
    sealed = seal_token(aws.kms, aws.key_id, "run-1", "token")
    stepfunctions = StepFunctions()
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        TaskCallback(aws.kms, stepfunctions).wake(sealed, "run-2")  # type: ignore[arg-type]
    assert stepfunctions.woken == []


def test_a_refusal_under_load_is_not_taken_for_a_run_that_is_awake(aws: AwsWorld) -> None:
    sealed = seal_token(aws.kms, aws.key_id, "run-1", "token")
    with pytest.raises(ClientError, match="Throttling"):
        TaskCallback(aws.kms, StepFunctions("Throttling")).wake(sealed, "run-1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "running"),
    [("RUNNING", True), ("PENDING_REDRIVE", True), ("SUCCEEDED", False), ("FAILED", False), ("ABORTED", False),
     ("TIMED_OUT", False)],
)  # fmt: skip
def test_only_a_run_that_is_at_work_keeps_its_period(status: str, running: bool) -> None:
    class Described:
        def describe_execution(self, **_: Any) -> dict[str, str]:
            return {"status": status}

    assert Executions(Described()).is_running("arn:1") is running  # type: ignore[arg-type]


def test_an_execution_that_aws_has_forgotten_does_not_run() -> None:
    class Forgotten:
        def describe_execution(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")  # type: ignore[typeddict-item]

    assert Executions(Forgotten()).is_running("arn:1") is False  # type: ignore[arg-type]
