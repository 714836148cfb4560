"""Webhook endpoints and the delivery of events to them: signed, repeated until taken, or as a test says.

Source: Stripe's docs on webhooks. `Stripe-Signature` is `t=<seconds>,v1=<HMAC-SHA256 of "t.body">`, one v1 for each
secret while a secret is rotated. Any answer but 2xx is tried again; Stripe does so for up to three days, here after
the endpoint's own short list of real seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import requests as http

from tests.sandbox.stripe.event_objects import API_VERSION, matches, shape
from tests.sandbox.stripe.store import Event

Order = Literal["created", "reversed", "shuffled"]
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Endpoint:
    """A registered URL. `types` may end in `*`. `account` is only sent where given, as Stripe does for connected
    accounts. `retries` are real seconds before each further attempt."""

    url: str
    secrets: tuple[str, ...]
    types: tuple[str, ...] = ("*",)
    api_version: str = API_VERSION
    livemode: bool = False
    account: str | None = None
    retries: tuple[float, ...] = (0.1, 0.5, 1, 2, 5)
    status: Literal["enabled", "disabled"] = "enabled"


@dataclass(frozen=True)
class Delivery:
    """One attempt: `status` is None if no answer came."""

    event: str
    type: str
    url: str
    attempt: int
    status: int | None

    @property
    def taken(self) -> bool:
        """Whether the endpoint answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(order=True)
class _Waiting:
    due: float
    place: int
    event: Event = field(compare=False)
    endpoint: Endpoint = field(compare=False)
    attempt: int = field(default=1, compare=False)


def signature(body: bytes, secrets: Iterable[str], moment: int) -> str:
    """The header Stripe-Signature over `body` at `moment`, with one v1 for each secret."""
    parts = [f"t={moment}"]
    for secret in secrets:
        digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        parts.append(f"v1={digest}")
    return ",".join(parts)


def body_of(event: Event, endpoint: Endpoint) -> bytes:
    """What is posted to the endpoint."""
    sent = {**shape(event), "api_version": endpoint.api_version, "livemode": endpoint.livemode}
    if endpoint.account is not None:
        sent["account"] = endpoint.account
    return json.dumps(sent, indent=2).encode()


class Webhooks:
    """The endpoints of one account. Delivers in a thread of its own, in the order of creation, unless held."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.deliveries: list[Delivery] = []
        self._taken: set[tuple[str, str]] = set()
        self._endpoints: list[Endpoint] = []
        self._waiting: list[_Waiting] = []
        self._in_hand = 0
        self._held = False
        self._place = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def registered(self) -> list[Endpoint]:
        """The endpoints, oldest first."""
        with self._changed:
            return list(self._endpoints)

    def register(self, endpoint: Endpoint) -> None:
        """From now on: events that happened before are not sent."""
        with self._changed:
            self._endpoints.append(endpoint)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="stripe-webhooks")
                self._thread.start()

    def forget(self) -> None:
        """No endpoints, nothing waiting, nothing delivered."""
        with self._changed:
            self._endpoints.clear()
            self._waiting.clear()
            self.deliveries.clear()
            self._taken.clear()
            self._held = False

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def queue(self, events: Sequence[Event]) -> None:
        """Events that have just happened."""
        if not self._endpoints:
            return
        with self._changed:
            for event in events:
                wanted = [one for one in self._endpoints if one.status == "enabled" and matches(event.type, one.types)]
                event.pending = len(wanted)
                for endpoint in wanted:
                    self._wait(event, endpoint, 0)
            self._changed.notify_all()

    def _wait(self, event: Event, endpoint: Endpoint, seconds: float, attempt: int = 1) -> None:
        self._place += 1
        self._waiting.append(_Waiting(time.monotonic() + seconds, self._place, event, endpoint, attempt))

    def hold(self) -> None:
        """Deliver nothing until `release`; what happens meanwhile waits."""
        with self._changed:
            self._held = True

    @property
    def held(self) -> bool:
        """Whether nothing is delivered until `release`."""
        with self._changed:
            return self._held

    def release(self) -> None:
        """Deliver again, beginning with what waits."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def waiting(self) -> list[Event]:
        """What waits for delivery, oldest first, each once."""
        with self._changed:
            found = {one.event.id: one.event for one in sorted(self._waiting, key=lambda one: one.place)}
        return list(found.values())

    def drop(self, events: Iterable[Event]) -> None:
        """Never deliver these, though Stripe's list shows them as undelivered."""
        gone = {event.id for event in events}
        with self._changed:
            self._waiting = [one for one in self._waiting if one.event.id not in gone]
            self._changed.notify_all()

    def wait(self, timeout: float) -> None:
        """Until nothing waits any more; TimeoutError if something still does."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._waiting and not self._in_hand, timeout)
            left = sorted({one.event.type for one in self._waiting})
        if not done:
            raise TimeoutError(f"webhook events were not taken within {timeout} s: {', '.join(left)}")

    def deliver(self, events: Sequence[Event], order: Order, copies: int, seed: int) -> list[Delivery]:
        """Send these now, each `copies` times, in this order, and return every attempt. One that is not taken waits for
        its next attempt."""
        sequence = list(events) * copies
        if order == "shuffled":
            random.Random(seed).shuffle(sequence)
        else:
            places = {event.id: place for place, event in enumerate(events)}
            sequence.sort(key=lambda event: places[event.id], reverse=order == "reversed")
        chosen = {event.id for event in events}
        with self._changed:
            self._waiting = [one for one in self._waiting if one.event.id not in chosen]
            endpoints = list(self._endpoints)
        made = [
            self._post(event, endpoint, 1)
            for event in sequence
            for endpoint in endpoints
            if matches(event.type, endpoint.types)
        ]
        taken = {(one.event, one.url) for one in made if one.taken}
        with self._changed:
            for event in events:
                for endpoint in endpoints:
                    if matches(event.type, endpoint.types) and (event.id, endpoint.url) not in taken:
                        self._wait(event, endpoint, endpoint.retries[0] if endpoint.retries else 0, 2)
            self._changed.notify_all()
        return made

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (self._held or self._next() is None):
                    self._changed.wait(self._pause())
                if self._closed:
                    return
                one = self._next()
                assert one is not None
                self._waiting.remove(one)
                self._in_hand += 1
            made = self._post(one.event, one.endpoint, one.attempt)
            with self._changed:
                self._in_hand -= 1
                if not made.taken and one.attempt <= len(one.endpoint.retries):
                    self._wait(one.event, one.endpoint, one.endpoint.retries[one.attempt - 1], one.attempt + 1)
                self._changed.notify_all()

    def _next(self) -> _Waiting | None:
        now = time.monotonic()
        return min((one for one in self._waiting if one.due <= now), default=None, key=lambda one: one.place)

    def _pause(self) -> float | None:
        if self._held or not self._waiting:
            return None
        return max(0.01, min(one.due for one in self._waiting) - time.monotonic())

    def _post(self, event: Event, endpoint: Endpoint, attempt: int) -> Delivery:
        body = body_of(event, endpoint)
        headers = {
            "Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, endpoint.secrets, int(self.clock())),
        }  # fmt: skip
        status = None
        try:
            status = http.post(endpoint.url, data=body, headers=headers, timeout=_TIMEOUT_SECONDS).status_code
        except http.RequestException:
            status = None
        made = Delivery(event.id, event.type, endpoint.url, attempt, status)
        with self._changed:
            self.deliveries.append(made)
            if made.taken and (event.id, endpoint.url) not in self._taken:
                self._taken.add((event.id, endpoint.url))
                event.pending = max(0, event.pending - 1)
        return made
