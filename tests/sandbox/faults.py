"""Scripted faults for the sandbox's servers: what goes wrong, at which call, how often.

A server asks its `Faults` at every request; the first scripted fault that matches and is due decides what
happens instead of (or around) the ordinary handling. Nothing is random: a test says which call fails.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tests.sandbox.http_messages import Request, Response

Handle = Callable[[Request], Response]


class Action(Protocol):
    """What happens to a request that a fault matched."""

    def perform(self, request: Request, handle: Handle) -> Response | None:
        """Answer the request; None closes the connection without an answer."""
        ...


@dataclass(frozen=True)
class Answer:
    """Answer with this and do nothing: the request is never handled."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def perform(self, request: Request, handle: Handle) -> Response | None:
        return Response(self.status, self.body, self.headers)


@dataclass(frozen=True)
class AnswerAfter:
    """Handle the request (what it writes is kept), then answer with this instead of the real answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def perform(self, request: Request, handle: Handle) -> Response | None:
        handle(request)
        return Response(self.status, self.body, self.headers)


@dataclass(frozen=True)
class DropBefore:
    """Close the connection; the request is never handled."""

    def perform(self, request: Request, handle: Handle) -> Response | None:
        return None


@dataclass(frozen=True)
class DropAfter:
    """Handle the request (what it writes is kept), then close the connection without an answer."""

    def perform(self, request: Request, handle: Handle) -> Response | None:
        handle(request)
        return None


@dataclass(frozen=True)
class Delay:
    """Wait this many real seconds, then handle and answer as usual (even if the caller has gone)."""

    seconds: float

    def perform(self, request: Request, handle: Handle) -> Response | None:
        time.sleep(self.seconds)
        return handle(request)


@dataclass(frozen=True)
class DelayAfter:
    """Handle at once (what it writes is kept), and answer only after this many real seconds.

    The caller's time-out strikes although the server succeeded.
    """

    seconds: float

    def perform(self, request: Request, handle: Handle) -> Response | None:
        response = handle(request)
        time.sleep(self.seconds)
        return response


class CommitLater:
    """Close the connection without an answer and handle the request later: the caller looks and finds nothing,
    and then the write commits.

    Handled when the test calls `commit()`, or by itself after so many real seconds. `answers` are what the caller
    would have been told.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._waiting: list[tuple[Request, Handle]] = []
        self._lock = threading.Lock()
        self.answers: list[Response] = []

    def perform(self, request: Request, handle: Handle) -> Response | None:
        with self._lock:
            self._waiting.append((request, handle))
        if self._seconds is not None:
            timer = threading.Timer(self._seconds, self.commit)
            timer.daemon = True
            timer.start()
        return None

    def commit(self) -> int:
        """Handle what waits, in the order of arrival; returns how many requests that were."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for request, handle in waiting:
            self.answers.append(handle(request))
        return len(waiting)


class Fault:
    """One scripted fault: let `skip` matching requests pass, then act on the next `times` (None: on all)."""

    def __init__(
        self, method: str | None, path: str, body: str | None, skip: int, times: int | None, action: Action
    ) -> None:
        self.method = method.upper() if method else None
        self.path = re.compile(path)
        self.body = re.compile(body.encode()) if body is not None else None
        self.action = action
        self.hits = 0
        self._skip = skip
        self._times = times

    def matches(self, request: Request) -> bool:
        return (
            (self.method is None or self.method == request.method)
            and self.path.search(request.path) is not None
            and (self.body is None or self.body.search(request.body) is not None)
        )

    def take(self) -> bool:
        """Count a matching request; True if it is this fault's turn to act."""
        if self._skip > 0:
            self._skip -= 1
            return False
        if self._times is not None and self.hits >= self._times:
            return False
        self.hits += 1
        return True


class Faults:
    """The script of one server. Safe to change while the server runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._watchers: list[Callable[[Request], None]] = []

    def add(
        self,
        *,
        action: Action,
        method: str | None = None,
        path: str = "",
        body: str | None = None,
        skip: int = 0,
        times: int | None = 1,
    ) -> Fault:
        """Script a fault.

        `path` and `body` are regular expressions searched for in the path (without query) and in the raw body
        (form fields are percent-encoded there); `method` None means any. The returned fault's `hits` says how
        often it acted. Faults are tried in the order they were added and one request triggers at most one;
        every matching fault before it still counts the request towards its `skip`.
        """
        if skip < 0 or (times is not None and times < 1):
            raise ValueError("a fault needs skip >= 0 and times >= 1 (or None for always)")
        fault = Fault(method, path, body, skip, times, action)
        with self._lock:
            self._faults.append(fault)
        return fault

    def on_call(self, watcher: Callable[[Request], None]) -> Callable[[], None]:
        """Let `watcher` see every request before it is handled or faulted; returns what ends the watching.

        The request waits for the watcher, so a watcher may kill the calling process first. A watcher's
        exception becomes a 500 answer and is kept in the server's `errors`.
        """
        with self._lock:
            self._watchers.append(watcher)

        def stop() -> None:
            with self._lock:
                if watcher in self._watchers:
                    self._watchers.remove(watcher)

        return stop

    def clear(self) -> None:
        """Forget every scripted fault; watchers stay."""
        with self._lock:
            self._faults.clear()

    def notify(self, request: Request) -> None:
        """Show the request to the watchers (the server calls this)."""
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher(request)

    def due(self, request: Request) -> Action | None:
        """The action for this request, if a fault is due (the server calls this once per request)."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(request) and fault.take():
                    return fault.action
        return None
