"""A function's entry file, loaded as Lambda loads it: afresh, with the environment of that moment."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

FUNCTIONS = Path(__file__).parents[1] / "functions"


def load_entry(function: str) -> ModuleType:
    """Run functions/<function>/app.py and return it; its connections are made from the environment of now."""
    spec = importlib.util.spec_from_file_location(f"entry_{function}", FUNCTIONS / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    entry = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entry)
    return entry
