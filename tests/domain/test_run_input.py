"""What a run may be started with, and that a mistake is named by its field."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.errors import InputInvalid
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.runs.run_input import MAX_FILTER_VALUES, RunInput, parse_filter, parse_run_input

SYDNEY = ZoneInfo("Australia/Sydney")


def parse(raw: object) -> RunInput:
    return parse_run_input(raw, SYDNEY, "main")


def test_the_schedules_instant_gives_the_month_before_in_the_firms_zone() -> None:
    run = parse({"scheduledAt": "2026-05-31T23:00:00Z"})
    assert run.period.name == "2026-05"
    assert run.scheduled_at == datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert run.dry_run is False
    assert run.filter == OrderFilter()


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
    assert parse_filter(json.loads(json.dumps(narrowed.to_input()))) == narrowed


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


HALF = json.loads('"SO-\\ud83d"')
"""Half of an emoji: JSON can write it, no encoding can."""


@pytest.mark.parametrize(
    ("narrowed", "named"),
    [
        ({"orderNumbers": [HALF]}, '"filter.orderNumbers"'),
        ({"orderNumbers": ["SO-1\x00"]}, '"filter.orderNumbers"'),
        ({"customerIds": [HALF]}, '"filter.customerIds"'),
        ({"customFields": {"custbody_group": HALF}}, '"filter.customFields.custbody_group"'),
        ({"customFields": {f"custbody{HALF}": "A"}}, '"filter.customFields"'),
        ({"fromDate": HALF}, '"filter.fromDate"'),
        ({HALF: []}, '"filter"'),
        ({"customerIds": ["\uff17\uff17"]}, '"filter.customerIds"'),
        ({"customerCategories": ["\u0667"]}, '"filter.customerCategories"'),
        ({"subsidiaries": ["\u096d"]}, '"filter.subsidiaries"'),
        ({"toDate": "\uff12026-05-01"}, '"filter.toDate"'),
        ({"atMost": 10**9}, '"filter.atMost"'),
    ],
)
def test_a_lone_surrogate_and_the_digits_of_other_scripts_are_refused_in_every_field_of_the_filter(
    narrowed: Any, named: str
) -> None:
    with pytest.raises(InputInvalid) as refused:
        parse({"period": "2026-05", "filter": narrowed})
    assert named in str(refused.value)
    str(refused.value).encode()  # the sentence itself can be written down


@pytest.mark.parametrize("name", ["period", "scheduledAt", "cycle", "timeZone", "requestedBy", "dryRun"])
@pytest.mark.parametrize("value", [HALF, "\uff12\uff10\uff12\uff16-05", "\uff12026-06-01T09:00:00Z", "\x00"])
def test_a_lone_surrogate_and_the_digits_of_other_scripts_are_refused_in_every_field(name: str, value: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        parse({"period": "2026-05", name: value})
    assert f'"{name}"' in str(refused.value)
    str(refused.value).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
"""Whatever JSON can hold, lone surrogates included."""
KNOWN = ["scheduledAt", "period", "dryRun", "cycle", "timeZone", "filter", "requestedBy"]
NARROWING = [
    "orderNumbers", "customerIds", "customerCategories", "subsidiaries", "customFields", "fromDate", "toDate", "atMost",
]  # fmt: skip
NEARLY = st.sampled_from(
    ["2026-05", "2026-06-01T09:00:00Z", "2026-05-31", "monthly", "Europe/Berlin", "a@b.example", "77", "SO-1", 3, True]
)
FILTERS = st.dictionaries(
    st.sampled_from(NARROWING),
    JSON | NEARLY | st.lists(NEARLY, max_size=3) | st.dictionaries(st.just("custbody_a"), JSON | NEARLY, max_size=1),
    max_size=4,
)
INPUTS = JSON | st.dictionaries(st.sampled_from(KNOWN), JSON | NEARLY | FILTERS, max_size=7)


@given(INPUTS)
@settings(max_examples=1500, deadline=None)
def test_any_json_is_either_refused_as_input_or_read_and_can_be_written_down(raw: Any) -> None:
    try:
        run = parse(raw)
    except InputInvalid as refused:
        str(refused).encode()
        return
    written = json.dumps(run.filter.to_input(), ensure_ascii=False).encode()
    assert parse_filter(json.loads(written)) == run.filter
