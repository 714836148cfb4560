"""When a reminder, the deputies and the end are due: at the right moment, once, and never in a hot circle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.approval.waiting import Due, WaitingRules, check_rules, is_last_reminder, next_step
from billing.domain.errors import InputInvalid

OPENED = datetime(2026, 6, 1, 13, tzinfo=UTC)


def step(rules: WaitingRules, passed: float, reminded: int = 0, deputies: bool = False) -> tuple[Due, int, int]:
    found = next_step(
        rules,
        OPENED,
        OPENED + timedelta(seconds=rules.timeout),
        OPENED + timedelta(seconds=passed),
        reminded,
        deputies,
    )
    return found.due, found.reminder, found.seconds


RULES = WaitingRules(timeout=100, reminder_interval=30, escalation_after=50)


@pytest.mark.parametrize(
    ("passed", "reminded", "deputies", "expected"),
    [
        (0, 0, False, (Due.NOTHING, 0, 30)),
        (29.5, 0, False, (Due.NOTHING, 0, 1)),
        (30, 0, False, (Due.REMINDER, 1, 20)),
        (31, 1, False, (Due.NOTHING, 1, 19)),
        (50, 1, False, (Due.ESCALATION, 1, 10)),
        (50, 1, True, (Due.NOTHING, 1, 10)),
        (95, 1, True, (Due.REMINDER, 3, 5)),
        (95, 3, True, (Due.NOTHING, 3, 5)),
        (100, 3, True, (Due.EXPIRY, 3, 1)),
    ],
)
def test_what_is_due_follows_the_clock(
    passed: float, reminded: int, deputies: bool, expected: tuple[Due, int, int]
) -> None:
    assert step(RULES, passed, reminded, deputies) == expected


def test_no_sleep_is_longer_than_an_hour_so_that_a_lost_callback_is_found_within_it() -> None:
    assert step(WaitingRules(604_800), 0) == (Due.NOTHING, 0, 3_600)
    assert WaitingRules(604_800).first_wait == 3_600
    assert step(WaitingRules(604_800, 86_400), 86_000, 0) == (Due.NOTHING, 0, 400)
    assert RULES.first_wait == 30


def test_the_run_looks_when_those_are_to_be_asked_again_whose_approval_was_voided() -> None:
    def seconds(again: float) -> int:
        at = OPENED + timedelta(seconds=again)
        return next_step(RULES, OPENED, OPENED + timedelta(seconds=100), OPENED, 0, False, at).seconds

    assert [seconds(one) for one in (0.2, 7, 29.5, 31, -5)] == [1, 7, 30, 30, 30]


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 20_000, allow_nan=False))
def test_a_sleep_is_never_shorter_than_a_second_and_never_passes_the_end(
    timeout: int, interval: int, escalation: int, passed: float
) -> None:
    due, _, seconds = step(WaitingRules(timeout, interval, escalation), passed)
    assert seconds >= 1
    assert (due is Due.EXPIRY) == (passed >= timeout)
    assert passed + seconds < timeout + 2 or due is Due.EXPIRY


@given(st.integers(1, 500), st.integers(1, 100), st.integers(0, 500))
def test_a_run_that_sleeps_as_told_reminds_once_an_interval_and_always_ends(
    timeout: int, interval: int, escalation: int
) -> None:
    rules = WaitingRules(timeout, interval, escalation)
    passed, reminded, deputies, sent = rules.first_wait, 0, False, 0
    for _ in range(3 * timeout + 10):
        due, number, seconds = step(rules, passed, reminded, deputies)
        if due is Due.EXPIRY:
            break
        if due is Due.REMINDER:
            reminded, sent = number, sent + 1
        deputies = deputies or due is Due.ESCALATION
        passed += seconds
    assert due is Due.EXPIRY
    assert sent <= timeout // interval
    assert deputies == (0 < escalation < timeout)


def test_an_interval_that_would_outgrow_an_executions_history_is_refused() -> None:
    for rules in (WaitingRules(604_800, 60), WaitingRules(2_592_000, 3_600)):
        with pytest.raises(InputInvalid, match="ReminderIntervalSeconds"):
            check_rules(rules)
    check_rules(WaitingRules(604_800, 3_600))
    check_rules(WaitingRules(2_592_000, 86_400, 604_800))


@given(st.integers(1, 2_592_000), st.integers(0, 2_592_000), st.integers(0, 2_592_000))
def test_a_wait_that_is_accepted_leaves_its_execution_room(timeout: int, interval: int, escalation: int) -> None:
    """Every turn is played; 13 events each, and 5 for each state that reminds or escalates."""
    rules = WaitingRules(timeout, interval, escalation)
    try:
        check_rules(rules)
    except InputInvalid:
        return
    passed, reminded, deputies, events = rules.first_wait, 0, False, 13
    while True:
        due, number, seconds = step(rules, passed, reminded, deputies)
        if due is Due.EXPIRY:
            break
        events += 13
        if due is Due.ESCALATION:
            deputies, events = True, events + 5
        if number > reminded:
            reminded, events = number, events + 5
        passed += seconds
    assert events <= 25_000 - 8_000, "the rest is for what wakes the run, retries, and the other states"


@pytest.mark.parametrize("escalation", [604_800, 700_000])
def test_deputies_who_would_be_asked_after_the_end_are_refused(escalation: int) -> None:
    with pytest.raises(InputInvalid, match="EscalationAfterSeconds"):
        check_rules(WaitingRules(604_800, 0, escalation))
    check_rules(WaitingRules(604_800, 0, 604_799))


@pytest.mark.parametrize(
    ("interval", "hours", "last"),
    [
        (24, 24, False),
        (24, 48, True),  # the next would come at 72 hours, which is the end
        (24, 50, True),
        (24, 47, False),
        (30, 30, False),
        (30, 60, True),
        (0, 47, False),
        (0, 48, True),  # there are none by themselves: a person's, on the last day
        (100, 1, True),
    ],
)
def test_the_last_reminder_is_the_one_after_which_none_comes_before_the_end(
    interval: int, hours: int, last: bool
) -> None:
    rules = WaitingRules(72 * 3600, interval * 3600)
    assert is_last_reminder(rules, OPENED, OPENED + timedelta(hours=72), OPENED + timedelta(hours=hours)) is last
