"""NetSuite's slots: never more calls at once than there are, whoever makes them; a dead holder's slot comes back."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from itertools import count

import pytest

from billing.adapters.dynamodb.netsuite_slots import LEASE_SECONDS, NetSuiteSlots
from billing.domain.errors import PassingError
from tests.adapters.aws_world import RUNS, AwsWorld

NOW = 1_780_300_800.0


class Time:
    """Seconds that pass while somebody sleeps; threads yield to each other then."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept = 0.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept += seconds
        threading.Event().wait(0.001)


def slots(aws: AwsWorld, time: Time, number: int) -> NetSuiteSlots:
    places = count()
    return NetSuiteSlots(
        aws.dynamodb, RUNS, number, time.sleep, lambda: time.now, lambda: (next(places) * 0.37) % 1.0
    )  # fmt: skip


def test_no_more_calls_run_at_once_than_there_are_slots_and_everybody_has_a_turn(aws: AwsWorld) -> None:
    time, inside, most, done = Time(), 0, 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most, done
        mine = slots(aws, time, 3)
        for _ in range(4):
            with mine.slot():
                with lock:
                    inside += 1
                    most = max(most, inside)
                threading.Event().wait(0.002)
                with lock:
                    inside, done = inside - 1, done + 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert done == 32
    assert 2 <= most <= 3


def test_when_all_slots_are_taken_a_call_waits_two_minutes_and_then_fails_as_something_that_passes(
    aws: AwsWorld,
) -> None:
    time = Time()
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(slots(aws, time, 2).slot())
        with pytest.raises(PassingError, match="NetSuiteConcurrency"), slots(aws, time, 2).slot():
            raise AssertionError("a third call ran")
        assert 120 <= time.slept < 125
    with slots(aws, time, 2).slot():
        pass


def test_the_slot_of_a_dead_holder_is_free_when_its_lease_is_over_and_not_before(aws: AwsWorld) -> None:
    time = Time()
    dead = slots(aws, time, 1)
    dead._take("dead")
    time.now += LEASE_SECONDS
    with pytest.raises(PassingError), slots(aws, time, 1).slot():
        raise AssertionError("taken while it was leased")
    time.now += 1
    with slots(aws, time, 1).slot():
        pass


def test_whoever_outlived_its_lease_does_not_give_away_the_slot_of_the_next(aws: AwsWorld) -> None:
    time = Time()
    slow = slots(aws, time, 1)
    with ExitStack() as first:
        first.enter_context(slow.slot())
        time.now += LEASE_SECONDS + 1
        with slots(aws, time, 1).slot():
            first.close()
            with pytest.raises(PassingError), slots(aws, time, 1).slot():
                raise AssertionError("two at once")


def test_a_call_that_raises_gives_its_slot_back(aws: AwsWorld) -> None:
    time = Time()
    with pytest.raises(KeyError), slots(aws, time, 1).slot():
        raise KeyError
    with slots(aws, time, 1).slot():
        assert time.slept == 0
