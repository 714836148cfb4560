"""Writes a generated world: `python -m tests.sandbox.netsuite.generate --orders 5000 > world.json`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.sandbox.netsuite.generated_world import generate_json


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--lines-per-order", type=int, default=3)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="file to write; standard output without it")
    given = parser.parse_args(arguments)
    text = json.dumps(
        generate_json(given.orders, given.lines_per_order, given.clients, given.seed),
        indent=1,
        ensure_ascii=False,
    )
    if given.out:
        Path(given.out).write_text(text + "\n", encoding="utf-8")
    else:
        sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
