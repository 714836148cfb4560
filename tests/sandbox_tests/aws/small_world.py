"""The small template of these tests, whole or with something changed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.sandbox import Run, RunResult, Sandbox

FIXTURE = Path(__file__).parent / "fixtures" / "small"


def small_sandbox(**arguments: Any) -> Sandbox:
    """A sandbox of the small template; `template` in the arguments names an edited copy."""
    arguments.setdefault("template", FIXTURE / "template.yaml")
    return Sandbox(world="tiny", **arguments)


def edited(folder: Path, changes: Mapping[str, str], file: str = "template.yaml") -> Path:
    """A copy of the fixture with texts replaced in one of its files; each must occur. The template's path."""
    copy = folder / "small"
    if not copy.exists():
        shutil.copytree(FIXTURE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / file).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{old!r} does not occur in {file}"
        text = text.replace(old, new)
    (copy / file).write_text(text, encoding="utf-8")
    return copy / "template.yaml"


def play(sandbox: Sandbox, **event: Any) -> RunResult:
    """Start a run whose function does what `do` says, and wait for its end."""
    return sandbox.wait_for_end(sandbox.start({"what": "note", **event}), timeout=90)


def begin(sandbox: Sandbox, **event: Any) -> Run:
    """Start a run and return at once."""
    return sandbox.start(event)
