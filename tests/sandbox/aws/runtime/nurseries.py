"""Function processes forked from ones that have Lambda's own packages imported: importing them costs half a start."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Protocol

_MODULES = ("boto3", "simplejson", "snapshot_restore_py")
"""Not awslambdaric: its extension reads where the Runtime API is as soon as it is loaded."""
_LOADED = (
    "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "simplejson", "six", "snapshot_restore_py", "urllib3",
)  # fmt: skip
"""What those bring into sys.modules from outside the standard library."""
_READ_AT_THE_START = ("LANG", "PATH", "TZ")
"""The variables that the interpreter reads when it starts: one nursery for each of their values."""
_TWINS = 2
"""Nurseries of a kind, which take turns: processes that follow each other do not share Python's hash seed."""


class Process(Protocol):
    """What the sandbox needs of a started process, as subprocess.Popen has it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def wait(self) -> int:
        """Its exit code, once it has ended; minus the signal that killed it."""
        ...


class _Forked:
    def __init__(self, pid: int, report: IO[bytes], streams: Sequence[int]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = os.fdopen(streams[0], "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(streams[1], "rb")
        self.stderr: IO[bytes] | None = os.fdopen(streams[2], "rb")
        self._report = report
        self._lock = threading.Lock()
        self._code: int | None = None

    def wait(self) -> int:
        with self._lock:
            if self._code is None:
                # Without a word, the nursery is gone, and whatever ends it has ended its functions.
                self._code = int(self._report.readline() or b"-9")
                self._report.close()
            return self._code


class _Nursery:
    def __init__(self, executable: str, path: Sequence[str], pycache: str, environment: Mapping[str, str]) -> None:
        settings = {"path": list(path), "pycache": pycache, "modules": _MODULES}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [executable, "-S", str(Path(__file__).with_name("nursery.py")), json.dumps(settings)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=True,
            )
        self._lock = threading.Lock()
        atexit.register(self.close)

    def fork(self, order: Mapping[str, Any]) -> _Forked | None:
        """A new process; None if the nursery is gone."""
        given, ours = zip(*(os.pipe() if end == 0 else os.pipe()[::-1] for end in range(4)), strict=True)
        try:
            with self._lock:
                socket.send_fds(self._control, [json.dumps(order).encode()], given)
        except OSError:
            for end in ours:
                os.close(end)
            return None
        finally:
            for end in given:
                os.close(end)
        report = os.fdopen(ours[3], "rb")
        told = report.readline()
        if not told:
            report.close()
            for end in ours[:3]:
                os.close(end)
            return None
        return _Forked(int(told), report, ours[:3])

    def close(self) -> None:
        """End it; it takes no orders then."""
        with contextlib.suppress(OSError):
            self._control.close()
        self._process.wait()


_lock = threading.Lock()
_nurseries: dict[tuple[Any, ...], list[_Nursery]] = {}


def fork(
    executable: str,
    path: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    settings: Mapping[str, Any],
) -> Process | None:
    """A process with exactly this environment, working directory and sys.path (the function's own code first), which
    goes on as `bootstrap.become(settings)`. None where it has to be started afresh: on a system other than
    Linux, for the first start of a kind, for variables that the interpreter itself reads, and for code that brings
    its own version of what Lambda has.
    """
    if sys.platform != "linux" or _brings_its_own(path[0]) or any(name.startswith("PYTHON") for name in environment):
        return None
    common = {name: environment[name] for name in _READ_AT_THE_START if name in environment}
    kind = (executable, *path[1:], settings["pycache"], *common.items())
    with _lock:
        known = _nurseries.get(kind)
        if known is None:
            _nurseries[kind] = []
            return None  # a nursery costs as much as a start: the first of a kind may stay the only one
        if len(known) < _TWINS:
            known.append(_Nursery(executable, path[1:], settings["pycache"], common))
        else:
            known.append(known.pop(0))
        nursery = known[-1]
    return nursery.fork({"directory": str(directory), "environment": dict(environment), "settings": settings})


@lru_cache(maxsize=256)
def _brings_its_own(folder: str) -> bool:
    return any((Path(folder) / name).exists() or (Path(folder) / f"{name}.py").exists() for name in _LOADED)
