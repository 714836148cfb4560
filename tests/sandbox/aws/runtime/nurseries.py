"""Function processes forked from ones that have their layers and Lambda's own packages imported: importing them is
three quarters of what a start costs."""

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
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Protocol

_MODULES = ("boto3", "simplejson", "snapshot_restore_py")
"""Not awslambdaric: its extension reads where the Runtime API is as soon as it is loaded."""
_IF_THERE = ("aws_xray_sdk.core",)
"""Powertools imports it when a Tracer is made."""
_AFRESH = "runtime"
"""Our package that sets up a process when it is imported (its loggers, for one), after Lambda's client has."""
_CLIENTS = ("dynamodb", "kms", "lambda", "s3", "secretsmanager", "sesv2", "sqs", "stepfunctions")
"""The services whose descriptions boto3 has parsed beforehand. One that is missing here is only slower."""
_BY_PRESENCE = frozenset({"LAMBDA_TASK_ROOT"})
"""Asked only whether it is set (by X-Ray's SDK, to know that it runs in Lambda); it differs for every function."""
_READ_AT_THE_START = ("LANG", "PATH", "TZ")
"""The variables that the interpreter reads when it starts: one nursery for each of their values."""
_TWINS = 2
"""Nurseries of a kind, which take turns: processes that follow each other do not share Python's hash seed."""
STARTS_FIRST = 1
"""A nursery costs as much as two starts: a kind that is started once does without."""
STARTS_BEFORE_A_TWIN = 4
"""So many starts more, and the second nursery has earned its cost, too."""


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
    def __init__(self, executable: str, settings: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [executable, "-S", str(Path(__file__).with_name("nursery.py")), json.dumps(settings)],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=True,
            )
        self._lock = threading.Lock()
        self._read: dict[str, str | None] | None = None
        atexit.register(self.close)

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Would what it has imported have read the same there? False, too, if the nursery is gone."""
        with self._lock:
            if self._read is None:
                out = self._process.stdout
                line = out.readline() if out else b""
                self._read = json.loads(line) if line else {"": ""}
        return all(
            (key in environment) == (held is not None) if key in _BY_PRESENCE else environment.get(key) == held
            for key, held in self._read.items()
        )

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


@dataclass
class _Kind:
    starts: int = 0
    nurseries: list[_Nursery] = field(default_factory=list)


_lock = threading.Lock()
_kinds: dict[tuple[Any, ...], _Kind] = {}


def forget() -> None:
    """Code that is deployed may have changed where it lies: who has imported the former gives no more starts."""
    with _lock:
        _kinds.clear()


def fork(
    executable: str,
    path: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    settings: Mapping[str, Any],
) -> Process | None:
    """A process with exactly this environment, working directory and sys.path (the function's own code first), which
    goes on as `bootstrap.become(settings)`. None where it has to be started afresh: on a system other than
    Linux, for the first starts of a kind, for variables that the interpreter itself reads, for code that brings its
    own version of what a layer or Lambda has, and where a module that was imported beforehand has read a variable
    that differs here.
    """
    if sys.platform != "linux" or _brings_its_own(*path) or any(name.startswith("PYTHON") for name in environment):
        return None
    common = {name: environment[name] for name in _READ_AT_THE_START if name in environment}
    with _lock:
        kind = _kinds.setdefault((executable, *path[1:], settings["pycache"], *common.items()), _Kind())
        kind.starts += 1
        if kind.starts <= STARTS_FIRST:
            return None
        if len(kind.nurseries) < (1 if kind.starts <= STARTS_FIRST + STARTS_BEFORE_A_TWIN else _TWINS):
            what = {
                "path": path[1:],
                "pycache": settings["pycache"],
                "modules": _MODULES,
                "if_there": _IF_THERE,
                "afresh": _AFRESH,
                "folders": [folder for folder in path[1:-1] if not _is_installed(folder)],
                "environment": dict(environment),
                "clients": _CLIENTS,
                "clock_path": settings["clock_path"],
            }
            kind.nurseries.append(_Nursery(executable, what, common))
        else:
            kind.nurseries.append(kind.nurseries.pop(0))
        nursery = kind.nurseries[-1]
    if not nursery.suits(environment):
        return None
    return nursery.fork({"directory": str(directory), "environment": dict(environment), "settings": settings})


@lru_cache(maxsize=256)
def _is_installed(folder: str) -> bool:
    """A directory of packages from elsewhere: only what of them our own modules import is worth importing."""
    return any(Path(folder).glob("*.dist-info"))


@lru_cache(maxsize=256)
def _brings_its_own(code: str, *others: str) -> bool:
    own = _names_in(code) - {"__pycache__"}
    return any(own & _names_in(folder) for folder in others)


@lru_cache(maxsize=256)
def _names_in(folder: str) -> frozenset[str]:
    """Names under which modules and packages in a folder are imported."""
    place = Path(folder)
    found = [*place.iterdir()] if place.is_dir() else []
    return frozenset(one.name.partition(".")[0] for one in found if one.is_dir() or one.suffix in (".py", ".so"))
