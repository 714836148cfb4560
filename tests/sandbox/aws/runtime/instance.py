"""One function process and the Runtime API it talks to.

Source: "Using the Lambda runtime API for custom runtimes" (Lambda developer guide). The process asks for the
next invocation over HTTP, answers or reports an error, and waits again; the sandbox holds the other end.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

from tests.sandbox.aws.runtime.nurseries import Process, fork

_API = "/2018-06-01/runtime"
_INIT_SECONDS = 60.0
"""Lambda gives an init ten seconds; a laptop whose two cores start twenty processes at once needs longer."""
_MEMORY_CHECK_SECONDS = 0.1


@dataclass(frozen=True)
class Launch:
    """How a process of a function is started. `path` is sys.path before the standard library; `environment`
    is complete; `memory_mb` and `timeout_seconds` are the template's."""

    function_name: str
    function_arn: str
    executable: str
    handler: str
    path: Sequence[str]
    environment: Mapping[str, str]
    memory_mb: int
    timeout_seconds: float
    working_directory: Path
    clock_offset: float
    clock_path: str
    pycache: str


@dataclass(frozen=True)
class Outcome:
    """What an invocation gave: the handler's answer as JSON, or (error set) Lambda's error object as JSON."""

    payload: bytes
    error: str | None = None


class Instance:
    """A warm process. `invoke` one event at a time; `kill` it whenever you like."""

    def __init__(self, launch: Launch, log: Callable[[str], None]) -> None:
        self.id = uuid.uuid4().hex
        self.launch = launch
        self._log = log
        self._invocations: queue.Queue[tuple[str, bytes, float] | None] = queue.Queue()
        self._news = threading.Condition()
        self._ready = False
        self._ended = False
        self._outcome: Outcome | None = None
        self._init_error: Outcome | None = None
        self._killed_for_memory = False
        self._closed = False
        self._server = _RuntimeServer(self)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True).start()
        self._process = self._start()
        for stream in (self._process.stdout, self._process.stderr):
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()
        threading.Thread(target=self._await_the_end, daemon=True).start()
        self._memory = _ResidentMemory(self._process.pid)

    def _start(self) -> Process:
        launch = self.launch
        settings = {
            "path": list(launch.path),
            "clock_offset": launch.clock_offset,
            "clock_path": launch.clock_path,
            "pycache": launch.pycache,
            "handler": launch.handler,
        }
        bootstrap = Path(__file__).with_name("bootstrap.py")
        port = self._server.server_address[1]
        environment = {**launch.environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"}
        forked = fork(launch.executable, launch.path, launch.working_directory, environment, settings)
        return forked or subprocess.Popen(
            [launch.executable, "-S", str(bootstrap), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=launch.working_directory,
            env=environment,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The operating system's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True until the process has ended."""
        return not self._ended

    def invoke(self, request_id: str, payload: bytes) -> Outcome:
        """Run the handler on one event. Kills the process when the function's timeout is over."""
        self._outcome = None
        if not self._wait_for(lambda: self._ready, _INIT_SECONDS):
            return self._init_failure(request_id)
        limit = self.launch.timeout_seconds
        self._invocations.put((request_id, payload, time.time() + self.launch.clock_offset + limit))
        if self._wait_for(lambda: self._outcome is not None, limit):
            return self._answer(request_id)
        if not self.alive:
            return self._exit_failure(request_id)
        self.kill()
        text = f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
        self._log(f"{request_id} Task timed out after {limit:.2f} seconds")
        return _error("Sandbox.Timedout", text)

    def _answer(self, request_id: str) -> Outcome:
        return self._exit_failure(request_id) if self._outcome is None else self._outcome

    def _wait_for(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Wait until it has happened, the process has ended or the time is over, and watch the memory meanwhile:
        an idle process is frozen in Lambda, so its memory is watched only here."""
        deadline = time.monotonic() + seconds
        limit = self.launch.memory_mb * 1024 * 1024
        with self._news:
            while not (happened() or not self.alive) and time.monotonic() < deadline:
                left = deadline - time.monotonic()
                self._news.wait_for(lambda: happened() or not self.alive, min(left, _MEMORY_CHECK_SECONDS))
                if self._memory.bytes() > limit:
                    self._killed_for_memory = True
                    break
        if self._killed_for_memory:
            self.kill()
            return False
        return happened()

    def _init_failure(self, request_id: str) -> Outcome:
        if self._init_error is not None:
            return self._init_error
        if self.alive:
            self.kill()
            return _error("Sandbox.Timedout", f"RequestId: {request_id} Error: init took over {_INIT_SECONDS} s")
        return self._exit_failure(request_id)

    def _exit_failure(self, request_id: str) -> Outcome:
        code = self._process.wait()
        if self._killed_for_memory:
            text = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
            self._log(f"{request_id} out of memory: over {self.launch.memory_mb} MB")
            return _error("Runtime.ExitError", text)
        how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        if code == -signal.SIGKILL:
            how = "signal: killed"
        return _error("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._note_the_end()

    def close(self) -> None:
        """Kill the process and stop its Runtime API."""
        if self._closed:
            return
        self._closed = True
        self._invocations.put(None)
        self.kill()
        self._memory.close()
        threading.Thread(target=self._server.stop, daemon=True).start()
        if self._process.stdin:
            self._process.stdin.close()

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        with stream:
            for line in stream:
                self._log(line.decode("utf-8", "replace").rstrip("\n"))

    def _await_the_end(self) -> None:
        self._process.wait()
        self._note_the_end()

    def _note_the_end(self) -> None:
        with self._news:
            self._ended = True
            self._news.notify_all()

    # Called by the Runtime API's threads.

    def next_invocation(self) -> tuple[str, bytes, float] | None:
        """Block until there is an event (None: the instance is closing)."""
        with self._news:
            self._ready = True
            self._news.notify_all()
        return self._invocations.get()

    def finish(self, outcome: Outcome) -> None:
        """The handler answered or failed."""
        with self._news:
            self._outcome = outcome
            self._news.notify_all()

    def fail_init(self, outcome: Outcome) -> None:
        """The module could not be imported or the handler not found."""
        self._init_error = outcome


class _ResidentMemory:
    """How much memory a process holds (0 without /proc, or once it has ended)."""

    def __init__(self, pid: int) -> None:
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)

    def bytes(self) -> int:
        file = self._file
        if file is None:
            return 0
        try:
            return int(os.pread(file, 200, 0).split()[1]) * self._page
        except (OSError, IndexError):
            return 0

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _error(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


class _RuntimeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The process was killed while it waited: nothing to say."""


class _RuntimeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _RuntimeServer

    def do_GET(self) -> None:
        if self.path != f"{_API}/invocation/next":
            self._answer(404, b"{}")
            return
        instance = self.server.instance
        found = instance.next_invocation()
        if found is None:
            self.close_connection = True
            return
        request_id, payload, deadline = found
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": instance.launch.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        self._answer(200, payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        instance = self.server.instance
        if self.path == f"{_API}/init/error":
            instance.fail_init(Outcome(body, "Unhandled"))
        elif self.path.endswith("/response"):
            instance.finish(Outcome(body))
        elif self.path.endswith("/error"):
            instance.finish(Outcome(body, "Unhandled"))
        else:
            self._answer(404, b"{}")
            return
        self._answer(202, b'{"status":"OK"}')

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks: list[bytes] = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""
