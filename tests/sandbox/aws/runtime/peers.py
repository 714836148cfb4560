"""Which function process holds a connection: the kernel's own table, so that nothing is added to requests."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_LOCALHOST = "0100007F"
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.005


def process_of_connection(port: int, to_port: int, process_ids: Iterable[int]) -> int | None:
    """The process among `process_ids` with an IPv4 connection on 127.0.0.1 from `port` to `to_port`. (Both ports:
    a local port alone may serve several connections, and closed ones linger.)

    None if there is none, or if the system has no /proc. The kernel's table is not read in one piece, so a
    line can be missed while other connections come and go: it is read again a few times.
    """
    if not _TABLE.exists():
        return None
    known = list(process_ids)
    for _ in range(_ATTEMPTS):
        found = _look(port, to_port, known)
        if found is not None:
            return found
        time.sleep(_PAUSE_SECONDS)
    return None


def _look(port: int, to_port: int, process_ids: Iterable[int]) -> int | None:
    inode = _inode_of_connection(port, to_port)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    for process_id in process_ids:
        folder = Path(f"/proc/{process_id}/fd")
        try:
            for descriptor in folder.iterdir():
                try:
                    if str(descriptor.readlink()) == wanted:
                        return process_id
                except OSError:
                    continue
        except OSError:
            continue
    return None


def _inode_of_connection(port: int, to_port: int) -> str | None:
    ends = [f"{_LOCALHOST}:{port:04X}", f"{_LOCALHOST}:{to_port:04X}"]
    for line in _TABLE.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == ends and fields[9] != "0":
            return fields[9]
    return None
