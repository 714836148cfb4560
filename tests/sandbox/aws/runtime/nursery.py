"""A process that has imported what its functions import and forks itself for every start of one.

Started by the sandbox as `python -S nursery.py <settings as JSON>`, one for every order of layers: what it imports
is found on exactly the sys.path that its functions have, so a layer's own version of a package wins here as there,
and a missing layer is missed. What a module reads of the environment while it is imported is noted, and the first
thing that the nursery says: a function for which those variables have other values is none of its children. Orders
come over the socket that is its standard input, each with the descriptors of the new process's standard streams and
of a pipe on which its number and its exit code are told.
"""

import ast
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

_MOST_BYTES = 200_000


def _serve(control: socket.socket, kept: frozenset[int]) -> dict[str, Any]:
    """Take orders until the sandbox is gone. Returns in the forked processes only, each with its order."""
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    reports: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 512)
        if control.fileno() in ready:
            message, streams, _, _ = socket.recv_fds(control, _MOST_BYTES, 4)
            if not message:
                os._exit(0)
            child = os.fork()
            if child == 0:
                control.detach()
                _settle(streams, kept)
                return dict(json.loads(message))
            reports[child] = streams.pop()
            for stream in streams:
                os.close(stream)
        while reports:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            report = reports.pop(ended)
            with contextlib.suppress(BrokenPipeError):  # the sandbox has let go of it
                os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(report)


def _settle(streams: list[int], kept: frozenset[int]) -> None:
    """Nothing of the nursery stays open but what an imported module opened for itself (X-Ray's SDK a socket), and the
    process leads a session of its own before its number is told."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.write(streams[3], b"%d\n" % os.getpid())
    for wanted, stream in enumerate(streams[:3]):
        os.dup2(stream, wanted)
    start = 3
    for one in sorted(kept):
        os.closerange(start, one)
        start = one + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))


def _open_descriptors() -> frozenset[int]:
    listed = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return frozenset(one for one in listed if one > 2 and _is_open(one))


def _is_open(descriptor: int) -> bool:
    """False for the one that the listing itself was read through."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _modules_of(folder: str, afresh: str) -> Iterator[str]:
    """Every module of the packages in a folder, by name, and what the modules of a package called `afresh` import from
    elsewhere in their stead: they themselves set up a process, and each process does that for itself."""
    for file in sorted(Path(folder).glob("*/**/*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        if afresh in parts:
            yield from _imported_by(file, parts[0])
        else:
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported_by(file: Path, own: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        yield from (name for name in names if name.partition(".")[0] != own)


def _import_beforehand(settings: dict[str, Any]) -> dict[str, str | None]:
    """Import Lambda's own packages and every module of the layers in `folders` that can be imported: not what wants
    a layer or a variable that these functions lack. Returns the variables that were read, with what they held (None
    where there was none). A module that lists them all is read as one that read each."""
    read: dict[str, str | None] = {}
    environment = type(os.environ)
    plain, listed = environment.__getitem__, environment.__iter__

    def noted(self: Any, key: str) -> str:
        try:
            found = plain(self, key)
        except KeyError:
            read[key] = None
            raise
        read[key] = found
        return found

    def each_noted(self: Any) -> Iterator[str]:
        read.update({key: plain(self, key) for key in listed(self)})
        return listed(self)

    os.environ.update(settings["environment"])
    environment.__getitem__, environment.__iter__ = noted, each_noted  # type: ignore[method-assign]
    try:
        for name in settings["modules"]:
            importlib.import_module(name)
        for name in chain(settings["if_there"], *(_modules_of(one, settings["afresh"]) for one in settings["folders"])):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    finally:
        environment.__getitem__, environment.__iter__ = plain, listed  # type: ignore[method-assign]
    return read


def _remember_what_botocore_reads(clients: list[str]) -> None:
    """botocore parses a service's description for every client; its files do not change while a process lives."""
    import boto3
    import botocore.loaders

    files: Any = botocore.loaders.JSONFileLoader
    plain = files._load_file
    remembered: dict[tuple[str, Any], Any] = {}

    def load(self: Any, path: str, opener: Any) -> Any:
        if (path, opener) not in remembered:
            remembered[path, opener] = plain(self, path, opener)
        return remembered[path, opener]

    files._load_file = load
    session: Any = boto3.session.Session(
        aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1"
    )
    for name in clients:
        session.client(name)


def main() -> None:
    """Settings: path (layers and Lambda's own packages), pycache, modules (what is imported beforehand), if_there (what
    is if a layer has it), folders (of which every module is, but for the packages called `afresh`), environment (of
    the first function that it is for), clients (services of boto3), clock_path (where time_machine lies)."""
    settings = json.loads(sys.argv[1])
    bootstrap = importlib.import_module("bootstrap")
    del sys.modules["bootstrap"]
    standard_library = sys.path[1:]
    sys.path[:] = [*settings["path"], *standard_library]
    sys.pycache_prefix = settings["pycache"]
    before = _open_descriptors()
    bootstrap.load_the_clock(settings["clock_path"])
    read = _import_beforehand(settings)
    _remember_what_botocore_reads(settings["clients"])
    kept = _open_descriptors() - before
    gc.collect()
    gc.freeze()
    os.write(1, json.dumps(read).encode() + b"\n")
    order = _serve(socket.socket(fileno=os.dup(0)), kept)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    bootstrap.become(order["settings"], standard_library)


if __name__ == "__main__":
    main()
