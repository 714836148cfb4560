"""Stripe's rate limits, as sliding windows over one second of real time.

Source: Stripe's docs on rate limits (2026): 25 requests a second per endpoint even in live mode, 100 a second
per account in live mode and 25 in a sandbox, 20 a second for all searches together. No Retry-After is sent.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass

from tests.sandbox.stripe.errors import Refusal

WINDOW_SECONDS = 1.0


@dataclass(frozen=True)
class RateLimits:
    """Requests a second; None switches a limit off."""

    per_endpoint: int | None = 25
    per_account: int | None = 100
    searches: int | None = 20

    @classmethod
    def sandbox(cls) -> RateLimits:
        """The limits of a Stripe sandbox account."""
        return cls(per_account=25)

    @classmethod
    def off(cls) -> RateLimits:
        return cls(None, None, None)


class RateLimiter:
    """Counts admitted requests; a refused one does not count."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._admitted: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, endpoint: str) -> None:
        """`Refusal` 429 with its reason if the request comes too soon."""
        windows = [
            ("account", self.limits.per_account, "global-rate"),
            (endpoint, self.limits.per_endpoint, "endpoint-rate"),
        ]
        if endpoint.endswith("/search"):
            windows.append(("searches", self.limits.searches, "endpoint-rate"))
        now = time.monotonic()
        with self._lock:
            for name, limit, reason in windows:
                admitted = self._admitted[name]
                while admitted and admitted[0] <= now - WINDOW_SECONDS:
                    admitted.popleft()
                if limit is not None and len(admitted) >= limit:
                    raise Refusal(
                        "Request rate limit exceeded. Learn more about rate limits here "
                        "https://stripe.com/docs/rate-limits.",
                        status=429,
                        code="rate_limit",
                        headers={"Stripe-Rate-Limited-Reason": reason},
                    )
            for name, _, _ in windows:
                self._admitted[name].append(now)

    def forget(self) -> None:
        with self._lock:
            self._admitted.clear()
