"""A small threaded HTTP/1.1 server, the base of every stand-in in the sandbox.

A stand-in subclasses `HttpServer` and writes one method, `handle(request) -> response`. The base keeps
connections alive, records every call, and runs the scripted faults. It binds 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.sandbox.faults import Action, Faults
from tests.sandbox.http_messages import Request, Response

__all__ = ["Call", "Clock", "HttpServer", "Request", "Response"]

Clock = Callable[[], float]
"""Gives the time in epoch seconds."""


@dataclass(frozen=True)
class Call:
    """One request that arrived: `status` is None if the connection was closed without an answer.

    `time` is the server's clock at arrival, in epoch seconds. Calls are listed in the order they ended.
    """

    method: str
    path: str
    status: int | None
    time: float


class HttpServer(ABC):
    """A server on a free port of 127.0.0.1; `start()` it, use `url`, `close()` it (or use `with`)."""

    def __init__(self, clock: Clock = time.time, port: int = 0) -> None:
        self.clock = clock
        self.faults = Faults()
        self.errors: list[str] = []
        self._port = port
        self._calls: list[Call] = []
        self._calls_lock = threading.Lock()
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Answer one request. Called from many threads at once."""

    def perform(self, action: Action, request: Request) -> Response | None:
        """Run a scripted fault; a stand-in overrides this for actions of its own."""
        return action.perform(request, self.handle)

    def start(self) -> str:
        """Begin to listen and return the base URL, without a trailing slash."""
        if self._listener is not None:
            return self.url
        self._listener = _Listener(self, self._port)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self.url

    @property
    def url(self) -> str:
        """Base URL such as http://127.0.0.1:40123; RuntimeError if the server was not started."""
        if self._listener is None:
            raise RuntimeError(f"{type(self).__name__} is not started: call start() first")
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def close(self) -> None:
        """Stop listening and cut the connections that are still open. Harmless when repeated."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.shutdown()
        listener.server_close()
        listener.cut_connections()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def calls(self) -> list[Call]:
        """A copy of the calls so far."""
        with self._calls_lock:
            return list(self._calls)

    def forget_calls(self) -> None:
        """Empty the list of calls and of errors."""
        with self._calls_lock:
            self._calls.clear()
            self.errors.clear()

    def exchange(self, request: Request) -> Response | None:
        """Watchers, scripted fault or ordinary handling, and the record of the call.

        None means: close the connection without an answer. An exception in the stand-in is a defect of the
        stand-in: it answers 500 with a text that says so and keeps the traceback in `errors`.
        """
        arrived = self.clock()
        response: Response | None
        try:
            self.faults.notify(request)
            action = self.faults.due(request)
            response = self.handle(request) if action is None else self.perform(action, request)
        except Exception as error:  # noqa: BLE001 - any defect must reach the caller as an answer
            with self._calls_lock:
                self.errors.append(traceback.format_exc())
            text = f"defect in the sandbox's {type(self).__name__}: {type(error).__name__}: {error}"
            response = Response(500, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        call = Call(request.method, request.path, response.status if response else None, arrived)
        with self._calls_lock:
            self._calls.append(call)
        return response


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, owner: HttpServer, port: int) -> None:
        self.owner = owner
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def opened(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)

    def cut_connections(self) -> None:
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):  # the other side was quicker
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away mid-answer is ordinary here; nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    # Nagle's algorithm against delayed acknowledgements costs 40 ms a call.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed(self.connection)

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            self._send(Response(411, b"Content-Length required"))
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        response = self.server.owner.exchange(Request(self.command, path, query, headers, body))
        if response is None:
            self.close_connection = True
            self._cut()
            return
        self._send(response)

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks: list[bytes] = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return b"".join(chunks)
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(int(length)) if length.isdigit() else None

    def _send(self, response: Response) -> None:
        names = {name.lower() for name in response.headers}
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if "content-type" not in names and response.body:
            self.send_header("Content-Type", "application/octet-stream")
        if response.status != 204 and response.status != 304:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(response.body)
        self.wfile.flush()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):  # the other side was quicker
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Calls are recorded, not printed."""
