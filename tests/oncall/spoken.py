"""A command typed as a person types it, and what came of it."""

from __future__ import annotations

import io
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from oncall.command_line import main


@dataclass(frozen=True)
class Spoken:
    """An exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)


def typed(line: str, *, answers: str = "") -> Spoken:
    """Type a command line (what comes after `oncall`) and these answers to its questions."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        patched.setattr("sys.stdin", io.StringIO(answers))
        code = main(shlex.split(line))
    spoken = Spoken(code, out.getvalue(), err.getvalue())
    assert "Traceback" not in spoken.out + spoken.err
    assert "has a bug" not in spoken.err, spoken.err
    return spoken
