"""Which function process holds a connection: the kernel's own table, so that nothing is added to requests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_LOCALHOST = "0100007F"


def process_of_port(port: int, process_ids: Iterable[int]) -> int | None:
    """The process among `process_ids` whose IPv4 socket on 127.0.0.1 has this local port.

    None if there is none, or if the system has no /proc.
    """
    inode = _inode_of_port(port)
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


def _inode_of_port(port: int) -> str | None:
    table = Path("/proc/net/tcp")
    if not table.exists():
        return None
    local = f"{_LOCALHOST}:{port:04X}"
    for line in table.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            return fields[9]
    return None
