"""LogLevel decides which log lines there are; metrics are there at every level, and each stack has its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.played.firm import firm, order
from tests.played.story import SECONDS, deployed
from tests.played.template_cuts import TEMPLATE
from tests.sandbox import Sandbox
from tests.sandbox.aws.world import STACK_NAME

SAID = {
    "DEBUG": {"done", "stopped"},
    "INFO": {"done", "stopped"},
    "WARNING": {"stopped"},
    "ERROR": set(),
}
"""What a run with a mistake in its input says: INFO where a state has done its work, WARNING where one has stopped."""


@pytest.fixture(scope="module", params=list(SAID))
def logged(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The level, and every JSON line that reached the log group in such a run."""
    with deployed(firm([order(1)]), parameters={"LogLevel": request.param}) as sandbox:
        assert sandbox.wait_for_end(sandbox.start({"period": "May"}), SECONDS).error == "InputInvalid"
        yield request.param, _json_lines(sandbox)


def _json_lines(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [json.loads(line) for _, line in sandbox.logs() if line.startswith("{")]


def test_the_functions_write_what_log_level_asks_for_and_no_more(logged: tuple[str, list[dict[str, Any]]]) -> None:
    level, lines = logged
    assert {line["message"] for line in lines if line.get("service") == STACK_NAME and "level" in line} == SAID[level]


def test_metrics_are_there_at_every_level_under_the_stacks_own_name(logged: tuple[str, list[dict[str, Any]]]) -> None:
    _, lines = logged
    metrics = [line for line in lines if "_aws" in line]
    assert {name for line in metrics for name in line} >= {"InputInvalid", "StatesDone"}
    for line in metrics:
        (measured,) = line["_aws"]["CloudWatchMetrics"]
        assert measured["Namespace"] == "MonthEndBilling"
        assert (measured["Dimensions"], line["service"]) == ([["service"]], STACK_NAME)


def test_libraries_write_no_requests_at_any_level(logged: tuple[str, list[dict[str, Any]]]) -> None:
    _, lines = logged
    assert [line for line in lines if str(line.get("logger", "")).startswith(("botocore", "urllib3", "slack"))] == []


def test_every_alarm_on_our_own_metrics_watches_this_stacks_alone() -> None:
    resources = yaml_parse(TEMPLATE)["Resources"]
    own = [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    watched = []
    for resource in resources.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]
            stats = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
            watched += [one for one in (alarm, *stats) if one.get("Namespace") == "MonthEndBilling"]
    assert {one["MetricName"] for one in watched} >= {"RunsNotWoken", "EventsForeign", "EventsForged"}
    assert [one["Dimensions"] for one in watched] == [own] * len(watched)
