"""Threads that take turns on one clock, which moves only when all of them wait: what takes a minute in the world takes
no minute here, and a busy machine changes nothing. The same work gives the same times, to the microsecond.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from typing import Protocol


class Clock(Protocol):
    """Epoch seconds that somebody moves."""

    seconds: float


class Turns:
    """One thread runs at a time; `sleep` hands the turn to whoever wakes first. Outside `run` it moves the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._count = 0
        self._mine = threading.local()
        self._ended = threading.Event()
        self._failures: list[BaseException] = []

    def sleep(self, seconds: float) -> None:
        """Wait for so long in the clock's time."""
        event = getattr(self._mine, "event", None)
        if event is None:
            self._clock.seconds += seconds
            return
        event.clear()
        self._wake_at(self._clock.seconds + seconds, event)
        self._next()
        event.wait()

    def run(self, workers: Sequence[Callable[[], None]]) -> None:
        """Run all of them from now on; returns when the last one has ended, and raises what one of them raised."""
        threads = []
        for worker in workers:
            event = threading.Event()
            self._wake_at(self._clock.seconds, event)
            threads.append(threading.Thread(target=self._work, args=(worker, event), daemon=True))
            threads[-1].start()
        self._next()
        self._ended.wait()
        self._ended.clear()
        if self._failures:
            raise self._failures[0]

    def _work(self, worker: Callable[[], None], event: threading.Event) -> None:
        self._mine.event = event
        event.wait()
        try:
            worker()
        except BaseException as error:  # noqa: BLE001 - told by `run`; the others must not wait for ever
            self._failures.append(error)
        self._next()

    def _wake_at(self, seconds: float, event: threading.Event) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (seconds, self._count, event))

    def _next(self) -> None:
        if not self._waiting:
            self._ended.set()
            return
        seconds, _, event = heapq.heappop(self._waiting)
        self._clock.seconds = max(self._clock.seconds, seconds)
        event.set()
