"""Everything that leaves the functions: recorded, forwarded, and the place where a test kills a process.

AWS calls pass the sandbox's front door, calls to NetSuite, Stripe and Slack pass a `Forwarder`; both tell the
same `Outgoing`, which numbers them, writes the record and asks the kill script.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import HttpServer, _Listener

When = Literal["before", "after"]

_SECRET_FIELDS = {
    "client_assertion", "client_secret", "token", "refresh_token", "access_token", "taskToken",
    "Plaintext", "CiphertextBlob", "SecretString", "SecretBinary",
}  # fmt: skip
_HIDDEN = "(not recorded)"
_FORWARD_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class OutgoingRequest:
    """One request of a function. `path` carries the query; `body` is text without credentials; `status` is
    None if no answer came (the connection broke, or the process was killed first)."""

    service: str
    method: str
    path: str
    body: str
    status: int | None
    function: str | None
    operation: str | None = None


@dataclass(frozen=True)
class Origin:
    """Which process made a call: the function's logical id, and how to kill the process."""

    function: str | None
    kill: Callable[[], None]


class PlannedKill:
    """Kills the process that makes the k-th matching call; `done` says whether it did."""

    def __init__(self, k: int, when: When, function: str | None, services: frozenset[str] | None) -> None:
        self.k = k
        self.when = when
        self.function = function
        self.services = services
        self.seen = 0
        self.done = False
        self.killed: OutgoingRequest | None = None

    def matches(self, service: str, function: str | None) -> bool:
        """Whether the call counts."""
        return self.function in (None, function) and (self.services is None or service in self.services)


class Outgoing:
    """The list of outgoing requests, their record on disk, and the kill script. Safe for many threads."""

    def __init__(self, record: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._requests: list[OutgoingRequest] = []
        self._kills: list[PlannedKill] = []
        self._file = record.open("w", encoding="utf-8", buffering=1) if record else None

    @property
    def requests(self) -> list[OutgoingRequest]:
        """A copy of what was sent so far, in the order in which the answers came."""
        with self._lock:
            return list(self._requests)

    def plan_kill(
        self,
        k: int,
        when: When = "before",
        function: str | None = None,
        services: Iterable[str] | None = None,
    ) -> PlannedKill:
        """Kill the process at its k-th outgoing call from now (1 is the next): `before` it is forwarded, or
        `after` the answer came back and before the function sees it. `function` (logical id) and `services`
        narrow down which calls count."""
        if k < 1:
            raise ValueError("k counts from 1")
        plan = PlannedKill(k, when, function, frozenset(services) if services is not None else None)
        with self._lock:
            self._kills.append(plan)
        return plan

    def forget_kills(self) -> None:
        """Drop every planned kill that has not struck."""
        with self._lock:
            self._kills.clear()

    def begin(self, service: str, origin: Origin) -> list[PlannedKill]:
        """Count a call. The plans returned strike at this call."""
        struck = []
        with self._lock:
            for plan in self._kills:
                if not plan.done and plan.matches(service, origin.function):
                    plan.seen += 1
                    if plan.seen == plan.k:
                        plan.done = True
                        struck.append(plan)
        return struck

    def end(self, request: OutgoingRequest) -> None:
        """Keep and write down a call that ended."""
        with self._lock:
            self._requests.append(request)
            if self._file is not None:
                self._file.write(json.dumps(asdict(request), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the record."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def recordable_body(body: bytes, content_type: str) -> str:
    """The body as text, with the values of credentials replaced."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(body)} bytes)"
    if "form-urlencoded" in content_type:
        pairs = parse_qsl(text, keep_blank_values=True)
        if any(name in _SECRET_FIELDS for name, _ in pairs):
            return urlencode([(name, _HIDDEN if name in _SECRET_FIELDS else value) for name, value in pairs])
        return text
    if "json" in content_type or text[:1] in "{[":
        try:
            return json.dumps(_without_secrets(json.loads(text)), ensure_ascii=False)
        except ValueError:
            return text
    return text


def _without_secrets(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            key: _HIDDEN if key in _SECRET_FIELDS and isinstance(item, str) else _without_secrets(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


class _Peer(threading.local):
    """The ports of the connection that this thread serves, the caller's and the forwarder's own, and the process
    that holds it, once it is known: to look that up costs more than to forward a request."""

    port = 0
    own_port = 0
    origin: Origin | None = None


_peer = _Peer()


class _PeerListener(_Listener):
    def opened(self, connection: socket.socket) -> None:
        _peer.port = connection.getpeername()[1]
        _peer.own_port = connection.getsockname()[1]
        _peer.origin = None
        super().opened(connection)


class Forwarder(HttpServer):
    """Stands between the functions and one outside service.

    The request goes on as it came, Host header included for a stand-in on this machine, so that a server
    which verifies signatures over its own address sees the address that the client signed.
    X-Forwarded-Host, -Proto and -Prefix say it again for servers that look there.
    """

    def __init__(self, service: str, target: str, outgoing: Outgoing, origin_of: Callable[[int, int], Origin]) -> None:
        super().__init__()
        self.service = service
        self.target = target.rstrip("/")
        self._outgoing = outgoing
        self._origin_of = origin_of

    def start(self) -> str:
        """Begin to listen; like the base class, with a listener that knows who connects."""
        if self._listener is None:
            listener = self._listener = _PeerListener(self, self._port)
            self._thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            self._thread.start()
        return self.url

    def handle(self, request: Request) -> Response:
        """Never called: a forwarder may have no answer, so it works in `exchange`."""
        raise NotImplementedError

    def exchange(self, request: Request) -> Response | None:
        """Forward one request; a connection that breaks upstream breaks here as well (None)."""
        origin = _peer.origin or self._origin_of(_peer.port, _peer.own_port)
        if origin.function is not None:
            _peer.origin = origin
        struck = self._outgoing.begin(self.service, origin)
        response: Response | None = None
        cut_before = any(plan.when == "before" for plan in struck)
        if cut_before:
            origin.kill()
        else:
            response = self._forward(request)
            if struck:
                origin.kill()
        record = OutgoingRequest(
            service=self.service,
            method=request.method,
            path=_without_query_secrets(request.target),
            body=recordable_body(request.body, request.headers.get("content-type", "")),
            status=response.status if response and not cut_before else None,
            function=origin.function,
        )
        for plan in struck:
            plan.killed = record
        self._outgoing.end(record)
        return None if struck else response

    def _forward(self, request: Request) -> Response | None:
        parts = urlsplit(self.target)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_FORWARD_TIMEOUT_SECONDS)
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("connection", "transfer-encoding", "content-length", "accept-encoding", "expect")
        }
        headers["x-forwarded-host"] = request.headers.get("host", "")
        headers["x-forwarded-proto"] = "http"
        headers["x-forwarded-prefix"] = ""
        if not local:
            headers["host"] = parts.netloc
        try:
            connection.request(request.method, f"{parts.path}{request.target}", request.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        skipped = ("connection", "transfer-encoding", "content-length", "keep-alive", "date", "server")
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in skipped}
        return Response(answer.status, body, kept)


def _without_query_secrets(target: str) -> str:
    return re.sub(r"([?&](?:oauth_signature|token|access_token)=)[^&]*", rf"\1{_HIDDEN}", target)
