"""CloudWatch's part in a sandbox: what the deployed alarms watch, and whether what happens raises them.

Metrics of ours are read from the functions' log lines (embedded metric format), those of Step Functions, Lambda and SQS
from what the sandbox has done. What only AWS can measure (throttles, ages) a test emits. A period is whatever has
happened since `mark`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox import Sandbox

Watched = tuple[str, str, str]
"""Namespace, name, and the value of the one dimension."""

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
}
_STATISTIC: Mapping[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}


@dataclass
class AlarmTower:
    """Watches one sandbox from its making on."""

    sandbox: Sandbox
    emitted: list[tuple[Watched, float]] = field(default_factory=list)
    _lambda: list[tuple[Watched, float]] = field(default_factory=list)
    _logs: int = 0
    _ended: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        functions: Any = self.sandbox.aws.functions
        invoke = functions.invoke

        def counted(name: str, payload: bytes) -> Any:
            outcome = invoke(name, payload)
            ref = functions.settings(name).name
            self._lambda.append((("AWS/Lambda", "Invocations", ref), 1))
            self._lambda.append((("AWS/Lambda", "Errors", ref), float(outcome.error is not None)))
            return outcome

        functions.invoke = counted
        self.mark()

    def mark(self) -> None:
        """A new period begins."""
        self.emitted.clear()
        self._lambda.clear()
        self._logs = len(self.sandbox.logs())
        self._ended = self._executions()

    def emit(self, watched: Watched, value: float) -> None:
        """A metric that only AWS could measure."""
        self.emitted.append((watched, value))

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The deployed alarms by logical id."""
        listed = self.sandbox.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        names = {one.ref: name for name, one in self.sandbox.stack.resources.items()}
        return {names[one["AlarmName"]]: one for one in listed}

    def raised(self) -> set[str]:
        """The alarms whose threshold is crossed in this period. All treat missing data as not breaching."""
        points = self._points()
        return {name for name, alarm in self.alarms().items() if self._is_raised(alarm, points)}

    def _is_raised(self, alarm: Mapping[str, Any], points: Mapping[Watched, list[float]]) -> bool:
        if alarm.get("Metrics"):
            found = {
                one["Id"]: _value(one["MetricStat"]["Metric"], one["MetricStat"]["Stat"], points)
                for one in alarm["Metrics"]
                if "MetricStat" in one
            }
            (formula,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
            value: float | None = _calculated(formula, found)
        else:
            value = _value(alarm, alarm["Statistic"], points)
        return value is not None and _COMPARE[alarm["ComparisonOperator"]](value, alarm["Threshold"])

    def watched(self, alarm: Mapping[str, Any]) -> list[Watched]:
        """The metrics of an alarm."""
        parts = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics") or () if "MetricStat" in one] or [alarm]
        return [_watched(one) for one in parts]

    def _points(self) -> dict[Watched, list[float]]:
        found: dict[Watched, list[float]] = {}
        ended = [
            (("AWS/States", f"Executions{status.capitalize()}", machine), float(count))
            for (machine, status), count in (self._executions() - self._ended).items()
        ]
        for watched, value in (*self.emitted, *self._lambda, *ended, *self._own(), *self._queues()):
            found.setdefault(watched, []).append(value)
        return found

    def _own(self) -> list[tuple[Watched, float]]:
        lines = [line for _, line in self.sandbox.logs()[self._logs :] if line.startswith("{") and '"_aws"' in line]
        return [
            ((measured["Namespace"], metric["Name"], fields["service"]), float(value))
            for fields in map(json.loads, lines)
            for measured in fields["_aws"]["CloudWatchMetrics"]
            for metric in measured["Metrics"]
            for value in _listed(fields[metric["Name"]])
        ]

    def _executions(self) -> Counter[tuple[str, str]]:
        client = self.sandbox.aws.client("stepfunctions")
        machines = [self.sandbox.stack.resources[name].ref for name in ("MonthlyBilling", "Settlements")]
        return Counter(
            (machine, one["status"])
            for machine in machines
            for one in client.list_executions(stateMachineArn=machine)["executions"]
        )

    def _queues(self) -> list[tuple[Watched, float]]:
        return [
            (
                ("AWS/SQS", "ApproximateNumberOfMessagesVisible", one.attributes["QueueName"]),
                float(self.sandbox.settlement.queued(name)),
            )
            for name, one in self.sandbox.stack.resources.items()
            if name.startswith("Lost")
            if "QueueName" in one.attributes
        ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _watched(metric: Mapping[str, Any]) -> Watched:
    (dimension,) = metric["Dimensions"]
    return metric["Namespace"], metric["MetricName"], dimension["Value"]


def _value(metric: Mapping[str, Any], statistic: str, points: Mapping[Watched, list[float]]) -> float | None:
    values = points.get(_watched(metric))
    return _STATISTIC[statistic](values) if values else None


def _calculated(formula: str, found: Mapping[str, float | None]) -> float:
    """CloudWatch's metric math, as far as the template uses it: sums, FILL, IF, comparisons and OR."""
    text = re.sub(r"\bOR\b", "or", formula.replace("IF(", "IF_("))
    known = {
        "FILL": lambda value, missing: missing if value is None else value,
        "IF_": lambda condition, true, false: true if condition else false,
    }
    return float(eval(text, {"__builtins__": {}}, {**known, **found}))  # the template's own text
