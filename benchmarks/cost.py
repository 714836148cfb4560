"""Dollars of what was counted, at the list prices of prices.json. What Stripe and NetSuite ask for is not in it, nor
what a stack costs while nothing runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from checks.template import read_template, resources_of

ROOT = Path(__file__).parents[1]
PARTS = ("transitions", "functions", "tables", "files", "other requests", "logs", "storage")
_GB = 1024**3
_EVENT_BELL = "RingTheBellsFunction"
_QUEUE_REQUESTS = 3  # sent, received, deleted


@cache
def prices() -> Mapping[str, Any]:
    """The file, as it is."""
    return dict(json.loads((ROOT / "benchmarks" / "prices.json").read_text(encoding="utf-8")))


@cache
def _memory() -> Mapping[str, int]:
    """Megabytes by function, as the template gives them."""
    template = read_template(ROOT / "template.yaml")
    default = template["Globals"]["Function"]["MemorySize"]
    functions = resources_of(template, "AWS::Serverless::Function")
    return {name: int(function.get("MemorySize", default)) for name, function in functions.items()}


def dollars(counts: Mapping[str, Any], kept: Mapping[str, int] | None = None) -> dict[str, float]:
    """Dollars by part of PARTS. `counts` has transitions, invocations, calls by function, units; `kept` has the bytes
    that lie in "bucket" and "tables" afterwards, for as long as files are kept."""
    each, assumed, calls = prices()["dollars"], prices()["assumed"], counts["calls"]
    invocations: Mapping[str, int] = counts["invocations"]
    number = sum(invocations.values())
    # A bell that rings came in as an event: one more invocation behind the HTTP API, and a message in the queue.
    events = invocations.get(_EVENT_BELL, 0)
    other = {
        "send_email": calls.get("send_email", 0),
        "kms request": calls.get("encrypt", 0) + calls.get("decrypt", 0),
        "secret read": calls.get("get_secret_value", 0),
        "queue request": events * _QUEUE_REQUESTS,
        "http request": events + invocations.get("ApprovalPageFunction", 0),
    }
    found = {
        "transitions": counts["transitions"] * each["transition"],
        "functions": (number + events) * each["invocation"] + gb_seconds(counts) * each["gb second"],
        "tables": sum(counts["units"].get(unit, 0) * each[unit] for unit in ("dynamodb write", "dynamodb read")),
        "files": sum(calls.get(call, 0) * each[call] for call in ("put_object", "get_object")),
        "other requests": sum(count * each[what] for what, count in other.items()),
        "logs": (number + events) * assumed["bytes logged by an invocation"] / _GB * each["log gb"],
        "storage": 0.0,
    }
    if kept is not None:
        months = assumed["months that files are kept"]
        found["storage"] = months * (
            kept["bucket"] / _GB * each["bucket gb month"] + kept["tables"] / _GB * each["table gb month"]
        )
    return {part: found[part] for part in PARTS}


def gb_seconds(counts: Mapping[str, Any]) -> float:
    """Gigabytes times seconds that Lambda bills: the calls that were counted, each as long as assumed, and the own
    work."""
    assumed, memory = prices()["assumed"], _memory()
    waits, own = assumed["milliseconds of a call"], assumed["milliseconds of own work in an invocation"]
    total = 0.0
    for function, number in counts["invocations"].items():
        waited = sum(
            count * waits[kind.partition(" ")[0] if kind.partition(" ")[0] in waits else "aws"]
            for kind, count in counts["calls by function"].get(function, {}).items()
        )
        total += memory[function] / 1024 * (waited + number * own) / 1000
    return total


def grown(small: Mapping[str, Any], large: Mapping[str, Any], times: float) -> dict[str, float]:
    """Dollars by part at another size, on the straight line through two that were counted: `times` is how many times
    the distance between them lies beyond the small one."""
    return {part: small[part] + (large[part] - small[part]) * times for part in PARTS}
