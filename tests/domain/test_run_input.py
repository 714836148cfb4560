"""What a run may be started with, and that a mistake is named by its field."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.domain.errors import InputInvalid
from billing.domain.run_input import MAX_FILTER_VALUES, OrderFilter, RunInput, parse_filter, parse_run_input

SYDNEY = ZoneInfo("Australia/Sydney")


def parse(raw: object) -> RunInput:
    return parse_run_input(raw, SYDNEY, 2, "main")


def test_the_schedules_instant_gives_the_month_before_in_the_firms_zone() -> None:
    run = parse({"scheduledAt": "2026-05-31T23:00:00Z"})
    assert run.period.name == "2026-05"
    assert run.scheduled_at == datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert run.dry_run is False
    assert run.filter == OrderFilter()
    assert run.period.lookback_months == 2


def test_a_period_by_hand_wins_over_the_schedules_instant() -> None:
    run = parse({"scheduledAt": "2026-05-31T23:00:00Z", "period": "2026-02", "dryRun": True})
    assert (run.period.name, run.dry_run) == ("2026-02", True)


def test_the_key_that_aws_adds_is_tolerated() -> None:
    arn = "arn:aws:states:eu-central-1:123456789012:execution:m:x"
    assert parse({"period": "2026-02", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": arn}).period.name == "2026-02"


def test_a_whole_filter_is_read() -> None:
    raw = {
        "orderNumbers": [" SO-1 ", "SO-2", "SO-1"],
        "customerIds": ["77", "-5"],
        "fromDate": "2026-05-01",
        "toDate": "2026-05-16",
        "atMost": 3,
    }
    read = parse({"period": "2026-05", "filter": raw}).filter
    assert read == OrderFilter(("SO-1", "SO-2"), ("77", "-5"), date(2026, 5, 1), date(2026, 5, 16), 3)


@pytest.mark.parametrize(
    "narrowed",
    [
        OrderFilter(),
        OrderFilter(at_most=1),
        OrderFilter(("SO-1",), ("7",), date(2026, 5, 1), date(2026, 5, 2), 9),
    ],
)
def test_a_filter_survives_the_execution_state(narrowed: OrderFilter) -> None:
    assert parse_filter(json.loads(json.dumps(narrowed.to_dict()))) == narrowed


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (None, "The input must be a JSON object"),
        ([], "The input must be a JSON object"),
        ("2026-05", "The input must be a JSON object"),
        ({}, '"scheduledAt"'),
        ({"dryRun": True}, '"scheduledAt"'),
        ({"fliter": {}, "period": "2026-05"}, "'fliter'"),
        ({"Period": "2026-05"}, "'Period'"),
        ({"period": "2026-13"}, '"period"'),
        ({"period": "May 2026"}, '"period"'),
        ({"period": 202605}, '"period"'),
        ({"period": None}, '"period"'),
        ({"period": ["2026-05"]}, '"period"'),
        ({"scheduledAt": "2026-06-01T09:00:00"}, '"scheduledAt"'),
        ({"scheduledAt": "2026-06-01"}, '"scheduledAt"'),
        ({"scheduledAt": "yesterday"}, '"scheduledAt"'),
        ({"scheduledAt": 1780300800}, '"scheduledAt"'),
        ({"scheduledAt": None, "period": "2026-05"}, '"scheduledAt"'),
        ({"scheduledAt": "0001-01-01T00:00:00Z"}, '"scheduledAt"'),
        ({"scheduledAt": "9999-12-31T23:59:59Z"}, '"scheduledAt"'),
        ({"scheduledAt": "<aws.scheduler.scheduled-time>"}, '"scheduledAt"'),
        ({"period": "2026-05", "dryRun": "yes"}, '"dryRun"'),
        ({"period": "2026-05", "dryRun": 1}, '"dryRun"'),
        ({"period": "2026-05", "dryRun": None}, '"dryRun"'),
        ({"period": "2026-05", "filter": None}, '"filter"'),
        ({"period": "2026-05", "filter": ["SO-1"]}, '"filter"'),
        ({"period": "2026-05", "filter": {"orderNumber": ["SO-1"]}}, "'orderNumber'"),
        ({"period": "2026-05", "filter": {"orderNumbers": "SO-1"}}, '"filter.orderNumbers"'),
        ({"period": "2026-05", "filter": {"orderNumbers": []}}, '"filter.orderNumbers"'),
        ({"period": "2026-05", "filter": {"orderNumbers": [1001]}}, '"filter.orderNumbers"'),
        ({"period": "2026-05", "filter": {"orderNumbers": ["  "]}}, '"filter.orderNumbers"'),
        ({"period": "2026-05", "filter": {"orderNumbers": None}}, '"filter.orderNumbers"'),
        ({"period": "2026-05", "filter": {"orderNumbers": ["x"] * (MAX_FILTER_VALUES + 1)}}, '"filter.orderNumbers"'),
        ({"period": "2026-05", "filter": {"customerIds": [77]}}, '"filter.customerIds"'),
        ({"period": "2026-05", "filter": {"customerIds": ["77 OR 1=1"]}}, '"filter.customerIds"'),
        ({"period": "2026-05", "filter": {"customerIds": ["C-77"]}}, '"filter.customerIds"'),
        ({"period": "2026-05", "filter": {"fromDate": "1/5/2026"}}, '"filter.fromDate"'),
        ({"period": "2026-05", "filter": {"fromDate": "2026-05-32"}}, '"filter.fromDate"'),
        ({"period": "2026-05", "filter": {"toDate": 20260501}}, '"filter.toDate"'),
        ({"period": "2026-05", "filter": {"toDate": None}}, '"filter.toDate"'),
        ({"period": "2026-05", "filter": {"fromDate": "2026-05-02", "toDate": "2026-05-02"}}, '"filter.fromDate"'),
        ({"period": "2026-05", "filter": {"atMost": 0}}, '"filter.atMost"'),
        ({"period": "2026-05", "filter": {"atMost": -1}}, '"filter.atMost"'),
        ({"period": "2026-05", "filter": {"atMost": 1.0}}, '"filter.atMost"'),
        ({"period": "2026-05", "filter": {"atMost": True}}, '"filter.atMost"'),
        ({"period": "2026-05", "filter": {"atMost": "3"}}, '"filter.atMost"'),
        # Whoever writes null meant a limit and would get the whole month.
        ({"period": "2026-05", "filter": {"atMost": None}}, '"filter.atMost"'),
    ],
)
def test_a_bad_input_names_its_field(raw: Any, named: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        parse(raw)
    assert named in str(refused.value)
    assert len(str(refused.value)) < 400, "a long value must not flood the execution's error"
