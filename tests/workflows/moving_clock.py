"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime


class MovingClock:
    """Epoch seconds, as the sandbox's servers want them."""

    def __init__(self, now: datetime = datetime(2026, 6, 1, 9, tzinfo=UTC)) -> None:
        self.seconds = now.timestamp()

    def __call__(self) -> float:
        return self.seconds

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def move(self, *, hours: float = 0, days: float = 0) -> None:
        self.seconds += hours * 3600 + days * 86_400
