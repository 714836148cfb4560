"""Functions, stand-ins and the interpreter live in the sandbox's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.sandbox import Sandbox
from tests.sandbox_tests.aws.small_world import play, small_sandbox

START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def _function_time(sandbox: Sandbox) -> datetime:
    seen = sandbox.invoke("NoteFunction", {"event": {"do": "look around"}})
    assert 0 < seen["remaining"] <= 21_000
    shown = datetime.fromisoformat(seen["now"])
    assert abs(shown.timestamp() - seen["time"]) < 1
    return shown


def test_everything_starts_at_the_given_time_and_can_be_moved() -> None:
    with small_sandbox(now=START) as sandbox:
        assert timedelta(0) <= _function_time(sandbox) - START < timedelta(minutes=5)
        result = play(sandbox)
        assert result.status == "SUCCEEDED"
        run = sandbox.fire_schedule()
        sandbox.wait_for_end(run, 30)
        assert sandbox.states(run)[0].time.startswith("2027-03-01T12:")
        assert sandbox.next_occurrence() == datetime(2027, 3, 31, 22, 0, tzinfo=UTC)
        sandbox.clock.advance(timedelta(days=40))
        assert timedelta(days=40) <= _function_time(sandbox) - START < timedelta(days=40, minutes=5)
        assert sandbox.stripe.clock() - START.timestamp() > 40 * 86400


def test_an_offset_moves_functions_by_as_much() -> None:
    with small_sandbox(clock_offset=-86400.0) as sandbox:
        behind = datetime.now(UTC) - _function_time(sandbox)
        assert timedelta(hours=23, minutes=55) < behind < timedelta(hours=24, minutes=5)
