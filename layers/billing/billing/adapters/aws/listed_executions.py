"""Step Functions, as far as somebody looks at all runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.domain.doctor.watched import RunningRun, StartedRun

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, slots=True)
class ListedExecutions:
    """The executions of one state machine, newest first as AWS lists them."""

    stepfunctions: SFNClient
    state_machine_arn: str

    def running(self) -> Iterator[RunningRun]:
        """Those that run or wait."""
        pages = self.stepfunctions.get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=self.state_machine_arn, statusFilter="RUNNING"):
            for one in page["executions"]:
                yield RunningRun(one["name"], one.get("redriveDate") or one["startDate"])

    def started_since(self, moment: datetime) -> Iterator[StartedRun]:
        """Those started at or after `moment`, with their input: one call each beside the list's."""
        for page in self.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self.state_machine_arn
        ):
            for one in page["executions"]:
                if one["startDate"] < moment:
                    return
                described = self.stepfunctions.describe_execution(executionArn=one["executionArn"])
                yield StartedRun(one["name"], one["startDate"], _json(described.get("input", "")))


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
