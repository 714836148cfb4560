"""The lock of a billing period: one run at a time, and which run it is."""

from __future__ import annotations

from dataclasses import dataclass


def lock_key(cycle: str, period: str) -> str:
    """The period's partition key."""
    return f"PERIOD#{cycle}#{period}"


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that a lock names. `held` is False once it has closed. `finished_by` is the last run that finished the
    whole period, "" if none has."""

    run_id: str
    execution_arn: str
    held: bool
    finished_by: str = ""
