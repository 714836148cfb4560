"""What the stack says of its set-up: for `oncall doctor`, `make doctor` and whoever stores a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from oncall.exits import Failed
from oncall.invocations import invoke
from oncall.stack import Stack

FUNCTION: Final = "ExamineTheSetupFunction"


def examined(stack: Stack, asked: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The function's answer: "ok", "counts", "findings" and "lines". `asked` names one version of one secret. Raises
    what invoking raises, and Failed for an answer that is none."""
    answer = invoke(stack, FUNCTION, asked or {})
    if "lines" not in answer:
        raise Failed(f"{FUNCTION} gave no lines: see its log.")
    return answer


def summary(answer: Mapping[str, Any]) -> str:
    """The last line for people."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in answer["counts"].items() if count)
    return f"{'all well' if answer['ok'] else 'something is to be done'}: {counts}"
