"""Runs as a test needs them: the execution's state says what matters, and the rest is like any other run's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.domain.run import Run, RunState, read_run_state, read_state

STATE: Mapping[str, Any] = {
    "id": "run-1", "executionArn": "arn:run-1", "cycle": "main", "zone": "UTC", "period": "2026-05",
    "listedFrom": "2026-05-01", "listedBefore": "2026-06-01", "invoiceDate": "2026-06-01", "dryRun": False,
    "filter": {}, "prefix": "runs/2026-05/run-1/", "lockKey": "LOCK",
    "settings": {"approvalTimeoutSeconds": 604_800},
}  # fmt: skip


def a_run(state: Mapping[str, Any] | None = None, **more: Any) -> Run:
    """The run of a state's "run"."""
    return read_state(Run, {**STATE, **(state or {}), **more})


def run_state(run: Mapping[str, Any], **answers: Any) -> RunState:
    """A run on its way, with whichever answers its states have given."""
    return read_run_state({"run": {**STATE, **run}, **answers})
