"""Sizes of what `sam build` made, as a Markdown table; exit code 1 when a part is over Lambda's limit."""

from __future__ import annotations

import sys
from pathlib import Path

LIMIT = 250 * 1024 * 1024
"""Bytes, unpacked, of a function with its layers (AWS Lambda quotas); no single part may come near."""


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def table(build: Path) -> str:
    """A row per built function and layer, largest first, in KiB unpacked."""
    rows = sorted(((size_of(path), path.name) for path in build.iterdir() if path.is_dir()), reverse=True)
    lines = ["| built part | KiB, unpacked |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {name} | {size / 1024:,.1f} |" for size, name in rows)])


def main(build: Path) -> int:
    """Print the table and return the process's exit code."""
    if not build.is_dir():
        print(f"{build}: nothing was built; run `make build`.", file=sys.stderr)
        return 1
    print(table(build))
    over = [path.name for path in build.iterdir() if path.is_dir() and size_of(path) > LIMIT]
    for name in over:
        print(f"{name}: over Lambda's {LIMIT // 1024**2} MiB.", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
