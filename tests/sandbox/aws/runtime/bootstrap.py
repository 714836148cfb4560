"""First file of a function process: lays out sys.path as Lambda does and hands over to awslambdaric.

Started by the sandbox as `python -S bootstrap.py <settings as JSON>`, or forked from a nursery; imports the standard
library only, so that nothing of the tests' environment is there for the function to lean on.
"""

import datetime
import importlib
import json
import os
import sys
import threading
from typing import Any


def _end_with_the_parent() -> None:
    """Standard input is a pipe whose other end the sandbox holds: end of file means that it is gone."""
    watched = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def watch() -> None:
        os.read(watched, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def load_the_clock(place: str) -> Any:
    """The module time_machine, which the function's own sys.path does not lead to."""
    sys.path.insert(0, place)
    time_machine = importlib.import_module("time_machine")
    sys.path.remove(place)
    return time_machine


def _shift_the_clock(offset: float, place: str) -> None:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=offset)
    load_the_clock(place).travel(now, tick=True).start()


def become(settings: dict[str, Any], standard_library: list[str]) -> None:
    """Make this process the function's. Settings: path (list of directories before the standard library),
    clock_offset (seconds), clock_path (where time_machine lies), pycache (where byte code goes), handler."""
    sys.path[:] = [*settings["path"], *standard_library]
    sys.pycache_prefix = settings["pycache"]
    _end_with_the_parent()
    if settings["clock_offset"]:
        _shift_the_clock(settings["clock_offset"], settings["clock_path"])
    sys.argv = ["bootstrap.py", settings["handler"]]
    from awslambdaric.__main__ import main as run

    run(sys.argv)


if __name__ == "__main__":
    become(json.loads(sys.argv[1]), sys.path[1:])
