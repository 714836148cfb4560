"""A process that has imported Lambda's own packages and forks itself for every start of a function.

Started by the sandbox as `python -S nursery.py <settings as JSON>`, one for every order of layers: what it imports
is found on exactly the sys.path that its functions have, so a layer's own version of a package wins here as there,
and a missing layer is missed. Orders come over the socket that is its standard input, each with the descriptors of
the new process's standard streams and of a pipe on which its number and its exit code are told.
"""

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
from typing import Any

_MOST_BYTES = 200_000


def _serve(control: socket.socket) -> dict[str, Any]:
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
                _settle(streams)
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


def _settle(streams: list[int]) -> None:
    """Nothing of the nursery stays open, and the process leads a session of its own before its number is told."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.write(streams[3], b"%d\n" % os.getpid())
    for wanted, stream in enumerate(streams[:3]):
        os.dup2(stream, wanted)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def main() -> None:
    """Settings: path (layers and Lambda's own packages), pycache, modules (what is imported beforehand)."""
    settings = json.loads(sys.argv[1])
    bootstrap = importlib.import_module("bootstrap")
    del sys.modules["bootstrap"]
    standard_library = sys.path[1:]
    sys.path[:] = [*settings["path"], *standard_library]
    sys.pycache_prefix = settings["pycache"]
    for name in settings["modules"]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    order = _serve(socket.socket(fileno=os.dup(0)))
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    bootstrap.become(order["settings"], standard_library)


if __name__ == "__main__":
    main()
