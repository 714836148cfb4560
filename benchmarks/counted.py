"""Counts what leaves the functions in the world of the histories: calls to Stripe and NetSuite at the moment in which
they are made, requests to AWS with the units that are billed for them, and states entered.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.adapters.aws_world import BUCKET
from tests.histories.machine import Execution, Machine
from tests.histories.world import HistoryWorld

_WRITE_UNIT, _READ_UNIT = 1024, 4096
_HTTP = {"/v1/": "stripe", "/services/rest/": "netsuite", "/api/": "slack"}
_WRITES = {"PutItem": "Item", "UpdateItem": "ExpressionAttributeValues", "DeleteItem": "Key"}


@dataclass
class Tally:
    """What was counted since the last `taken`.

    `calls` are by function and kind: "stripe read", "stripe write", "netsuite", "slack", or AWS's own method name.
    """

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    invocations: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def of(self, kind: str, *functions: str) -> int:
        """Calls of a kind, of all functions or of those named."""
        return sum(
            count
            for (function, what), count in self.calls.items()
            if what == kind and (not functions or function in functions)
        )

    def record(self) -> dict[str, Any]:
        """JSON values."""
        by_kind: Counter[str] = Counter()
        by_function: dict[str, dict[str, int]] = {}
        for (function, kind), count in sorted(self.calls.items()):
            by_kind[kind] += count
            by_function.setdefault(function, {})[kind] = count
        return {
            "calls": dict(sorted(by_kind.items())),
            "calls by function": by_function,
            "invocations": dict(sorted(self.invocations.items())),
            "units": dict(sorted(self.units.items())),
        }


def kind_of(call: str) -> str:
    """ "POST /v1/invoices" is a "stripe write"; the name of a method of boto3 is its own kind."""
    method, _, path = call.partition(" ")
    service = next((name for begin, name in _HTTP.items() if path.startswith(begin)), "")
    if not service:
        return method
    return f"stripe {'read' if method == 'GET' else 'write'}" if service == "stripe" else service


class Counting:
    """Counts in `world` from now on; `taken` gives what was counted and begins again."""

    def __init__(self, world: HistoryWorld) -> None:
        self._world, self._tally = world, Tally()
        self._visited: dict[str, int] = {}
        real_outgoing, real_invoke = world.outgoing, world._invoke

        @contextmanager
        def outgoing(call: str) -> Iterator[None]:
            self._tally.calls[world.function, kind_of(call)] += 1
            with real_outgoing(call):
                yield

        def invoke(function: str, event: dict[str, Any]) -> Any:
            self._tally.invocations[function] += 1
            caller = world.function
            try:
                return real_invoke(function, event)
            finally:
                world.function = caller

        world.outgoing = outgoing  # type: ignore[method-assign, assignment]
        world._invoke = world.machine._invoke = invoke  # type: ignore[method-assign]
        # The client is the process's: whoever counts later must not find this one still counting.
        self._events = world.client("dynamodb").meta.events
        self._handlers = {"provide-client-params.dynamodb": self._requested, "after-call.dynamodb": self._answered}
        for event, handler in self._handlers.items():
            self._events.register(event, handler)

    def __enter__(self) -> Counting:
        return self

    def __exit__(self, *_: object) -> None:
        for event, handler in self._handlers.items():
            self._events.unregister(event, handler)

    def taken(self) -> Tally:
        """What was counted since the last time."""
        tally, self._tally = self._tally, Tally()
        return tally

    def transitions(self, *machines: Machine) -> int:
        """States entered since the last time, and one for the start of each execution, of each child of a Map and of
        each redrive (AWS bills retries as well: those are invocations beyond the states entered)."""
        count = 0
        for machine in machines:
            for execution in machine.executions.values():
                now = len(execution.visited) + 1 + execution.redrives + _children(execution)
                count += now - self._visited.get(execution.arn, 0)
                self._visited[execution.arn] = now
        return count

    def _requested(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        name, units = model.name, self._tally.units
        if name in _WRITES:
            units["dynamodb write"] += _write_units(params[_WRITES[name]])
        elif name == "TransactWriteItems":
            for one in params["TransactItems"]:
                units["dynamodb write"] += 2 * _write_units(next(iter(one.values())))
        elif name == "BatchWriteItem":
            for requests in params["RequestItems"].values():
                units["dynamodb write"] += sum(map(_write_units, requests))

    def _answered(self, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        if model.name in ("GetItem", "Query", "Scan", "BatchGetItem"):
            rows = parsed.get("Items") or [parsed.get("Item")]
            for found in parsed.get("Responses", {}).values():
                rows = [*rows, *found]
            single = model.name in ("GetItem", "BatchGetItem")
            # A row that is not there costs a unit too; a query is rounded up as a whole.
            each = [_size(row) for row in rows]
            sizes = each if single else [sum(each)]
            self._tally.units["dynamodb read"] += sum(max(1, -(-size // _READ_UNIT)) for size in sizes)


def _children(execution: Execution) -> int:
    return execution.visited.count("Draft the invoice")


def _size(row: Any) -> int:
    """Bytes of a row in DynamoDB's own notation, about: the notation makes it a little more than what is billed."""
    return len(json.dumps(row, default=str))


def _write_units(row: Any) -> int:
    return max(1, -(-_size(row) // _WRITE_UNIT))


def stored_bytes(world: HistoryWorld, *tables: str) -> dict[str, int]:
    """Bytes that lie in the bucket and in these tables."""
    pages = world.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    files = sum(one["Size"] for page in pages for one in page.get("Contents", ()))
    return {"bucket": files, "tables": sum(_size(row) for table in tables for row in world.aws.rows(table))}
