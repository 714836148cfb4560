"""The sandbox's time: real time plus an offset that a test can move."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Ticks like the machine's clock, `offset` seconds apart from it.

    Calling it gives epoch seconds, which is the `clock` argument of the stand-in servers.
    Whoever needs to know that time jumped (the function processes, which shift their own clock
    when they start) registers with `on_jump`.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = float(offset)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    def starting_at(cls, now: datetime) -> SandboxClock:
        """A clock that shows `now` (zone-aware) at this instant and ticks on from there."""
        if now.tzinfo is None:
            raise ValueError("now must carry a time zone, for example datetime(..., tzinfo=UTC)")
        return cls(now.timestamp() - time.time())

    @property
    def offset(self) -> float:
        """Seconds that the sandbox's time is ahead of the machine's (negative: behind)."""
        with self._lock:
            return self._offset

    def __call__(self) -> float:
        return time.time() + self.offset

    def now(self) -> datetime:
        """The sandbox's time, in UTC."""
        return datetime.fromtimestamp(self(), UTC)

    def advance(self, by: float | timedelta) -> None:
        """Move time forward (or back, if negative) by seconds or a timedelta."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else float(by)
        with self._lock:
            self._offset += seconds
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def move_to(self, now: datetime) -> None:
        """Move time so that it is `now` (zone-aware)."""
        if now.tzinfo is None:
            raise ValueError("now must carry a time zone, for example datetime(..., tzinfo=UTC)")
        self.advance(now.timestamp() - self())

    def on_jump(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every jump of this clock."""
        with self._lock:
            self._listeners.append(listener)
