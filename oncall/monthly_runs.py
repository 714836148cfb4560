"""A monthly run as the people on call see it: its frame and counts from the execution, its reasons from the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.domain.records import RecordUnreadable
from billing.domain.runs.report import LineOutcome, Report
from billing.domain.runs.report_record import read_report
from billing.runtime.console_links import execution_url, object_url
from oncall.executions import Execution, Executions, Machine, Standing
from oncall.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WITHOUT_A_DRAFT = (LineOutcome.FAILED, LineOutcome.HELD, LineOutcome.PROBLEM)


@dataclass(frozen=True, slots=True)
class SeenRun:
    """An execution and where it stands. `report` is None before the run has written one, or if it cannot be read, and
    `unread` says why then."""

    execution: Execution
    standing: Standing
    report: Report | None = None
    unread: str = ""

    @property
    def period(self) -> str:
        """The billed month, "" if the run never got to know it."""
        return self.standing.text("run", "period") or _asked(self.execution).get("period", "")

    @property
    def cycle(self) -> str:
        """The billing cycle, "" if the run never got to know it."""
        return self.standing.text("run", "cycle") or _asked(self.execution).get("cycle", "")

    @property
    def dry(self) -> bool:
        """Whether it only says what it would ask."""
        return self.standing.part("run").get("dryRun") is True

    @property
    def counts(self) -> dict[str, int]:
        """Orders by what became of them, with "listed"; empty before the run is closed."""
        counts = self.standing.part("closed").get("counts")
        return {str(name): int(count) for name, count in counts.items()} if isinstance(counts, Mapping) else {}

    @property
    def state(self) -> str:
        """In a few words: what the run does, or how it ended."""
        if self.execution.runs:
            return "waits for approval" if self.standing.waits else f"runs: {self.standing.state}"
        if self.execution.status == "SUCCEEDED":
            if self.execution.machine is Machine.SETTLEMENT:
                return self.standing.state
            outcome = self.standing.text("closed", "outcome")
            held = self.standing.text("run", "lock") == "held by another run"
            return outcome or ("another run holds the period" if held else "ended well")
        if self.execution.status == "ABORTED":
            return f"aborted in {self.standing.state}"
        return self.execution.error or self.execution.status.lower()

    @property
    def reasons(self) -> list[dict[str, str]]:
        """Every line of the report that has no draft: orders, what became of them, why."""
        lines = self.report.lines if self.report is not None else ()
        return [
            {"orders": ", ".join(line.orders), "outcome": str(line.fate), "code": line.code, "reason": line.reason}
            for line in lines
            if line.fate in _WITHOUT_A_DRAFT
        ]

    def links(self, stack: Stack) -> dict[str, str]:
        """The execution in the console, and the report if there is one."""
        found = {"execution": execution_url(self.execution.arn, stack.region)}
        key = self.standing.text("closed", "reportKey")
        if key:
            page = key.removesuffix(".json") + ".html"
            found["report"] = object_url(stack.resource("RunsBucket"), page, stack.region)
        return found

    def as_json(self, stack: Stack) -> dict[str, Any]:
        """For machines."""
        execution = self.execution
        return {
            "name": execution.name,
            "status": execution.status,
            "state": self.state,
            "entered": self.standing.state,
            "period": self.period,
            "cycle": self.cycle,
            "dryRun": self.dry,
            "started": execution.started.isoformat(),
            "stopped": execution.stopped.isoformat() if execution.stopped else None,
            "redrives": execution.redrives,
            "error": execution.error,
            "cause": execution.cause,
            "counts": self.counts,
            "links": self.links(stack),
        }


def seen(executions: Executions, execution: Execution) -> SeenRun:
    """The run without its report."""
    return SeenRun(execution, executions.standing(execution))


def seen_with_report(executions: Executions, execution: Execution) -> SeenRun:
    """The run and what its report says."""
    standing = executions.standing(execution)
    key = standing.text("closed", "reportKey")
    if not key:
        return SeenRun(execution, standing, unread="This attempt has written no report yet.")
    try:
        return SeenRun(execution, standing, _report(executions.stack, key))
    except (RecordUnreadable, ValueError):
        return SeenRun(execution, standing, unread=f"The report {key} cannot be read by this version.")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("NoSuchKey", "AccessDenied", "AccessDeniedException"):
            raise
        return SeenRun(execution, standing, unread=f"The report {key} cannot be read: S3 answers {code}.")


def _report(stack: Stack, key: str) -> Report:
    client: S3Client = stack.client("s3")
    body = client.get_object(Bucket=stack.resource("RunsBucket"), Key=key)["Body"].read()
    return read_report(json.loads(body))


def _asked(execution: Execution) -> dict[str, str]:
    """The texts of the execution's input, which may be anything."""
    try:
        given = json.loads(execution.input)
    except ValueError:
        return {}
    return {key: value for key, value in given.items() if isinstance(value, str)} if isinstance(given, dict) else {}
