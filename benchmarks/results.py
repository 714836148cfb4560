"""What was measured last: benchmarks/results.json. "counts" are the same on every machine, "times" are not."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"


def read_results() -> dict[str, Any]:
    """Everything that was measured so far, by section."""
    if not RESULTS.is_file():
        return {"counts": {}, "times": {}}
    return dict(json.loads(RESULTS.read_text(encoding="utf-8")))


def keep(section: str, counts: Mapping[str, Any] | None, times: Mapping[str, Any] | None) -> None:
    """Replace one section; times are kept with the machine that took them."""
    found = read_results()
    if counts is not None:
        found["counts"][section] = counts
    if times is not None:
        found["times"][section] = {"machine": machine(), **times}
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def machine() -> str:
    """Cores and interpreter; never a name or a path."""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
