"""A month's drafts against Stripe's real limits: the functions' own entries, as many at once as the template says, and
the deployed Map with its Retry and Catch; and beside it what a low-code workflow does, one order after the other.

Time is the clock's (virtual_time): each call takes as long as prices.json assumes, so the numbers are the same on every
machine. Not in it: how long Lambda takes to start a function, and Step Functions to begin a Map Run and a child.
"""

from __future__ import annotations

import io
import json
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any
from unittest.mock import patch

import stripe

from benchmarks.cost import prices
from benchmarks.counted import kind_of
from benchmarks.firm import firm
from benchmarks.virtual_time import Turns
from tests.histories.machine import Execution, StateFailed, _at, _filled
from tests.histories.small_firm import START, approve
from tests.histories.world import _CONTEXT, HistoryWorld, history_world
from tests.sandbox.netsuite import World
from tests.sandbox.stripe import RateLimits, rate_limits

ORDERS = 1000
LIMITS = RateLimits()
LOW_CODE = "one order after the other"

Measured = dict[str, Any]


def drafted(
    orders: int = ORDERS, *, known: bool, limits: RateLimits = LIMITS, api_key: str = "sk_live_bench", **parameters: str
) -> Measured:
    """Draft a month. `known`: Stripe has a customer for each client already. Answers seconds from the Map's first item
    to its last, how often Stripe answered 429, how many invoices were drafted and failed, calls, and the floor: what
    Stripe's limits alone allow."""
    world_of = firm(orders)
    with history_world(world_of, START, **parameters) as world, ExitStack() as stack:
        turns = _with_virtual_time(world, stack, limits)
        world.aws.secret("stripe", {"api_key": api_key})
        world.stripe.api_keys = {api_key}
        if known:
            _make_known(world, world_of)
        world.clock.pause(60)  # search knows them, and no window of a limit remembers
        run = world.start("run-1", {"scheduledAt": "2026-06-01T13:00:00Z"})
        measured = _side_by_side(world, turns)
        if not run.waits:
            raise RuntimeError(f"{run.status} {run.error}: nothing to approve")
        approve(world, run)
        counts = (world.report(run) or {})["counts"]
        floor = _floor(orders, measured.calls - measured.refused, limits)
        return {
            "orders": orders,
            "at once": measured.at_once,
            "seconds": round(measured.seconds, 1),
            "floor": round(floor, 1),
            "answers 429": measured.refused,
            "drafted": counts["drafted"],
            "failed": counts["failed"],
            "calls": measured.calls - measured.refused,
        }


def low_code(orders: int = ORDERS, *, known: bool = True, limits: RateLimits = LIMITS) -> Measured:
    """The calls of a low-code workflow: find the customer by its address, create it if there is none, an item for each
    line, a draft that takes them. One call after the other."""
    world_of = firm(orders)
    with history_world(world_of, START) as world, ExitStack() as stack:
        _with_virtual_time(world, stack, limits)
        if known:
            _make_known(world, world_of)
        client = stripe.StripeClient("sk_test_bench", base_addresses={"api": world.stripe.url})
        begun, calls = world.clock.seconds, 0

        def called(call: Callable[[], Any]) -> Any:
            nonlocal calls
            calls += 1
            return call()

        customers = {one.number: one for one in world_of.customers}
        for order in world_of.orders:
            customer = customers[str(order.customer)]
            found = called(lambda c=customer: client.v1.customers.list({"email": c.email, "limit": 1})).data
            made = found[0] if found else called(
                lambda c=customer: client.v1.customers.create({"name": c.name, "email": c.email})
            )  # fmt: skip
            for line in order.lines:
                called(
                    lambda m=made, one=line: client.v1.invoice_items.create(
                        {"customer": m.id, "amount": 100, "currency": "usd", "description": str(one.description)}
                    )
                )
            called(
                lambda m=made: client.v1.invoices.create(
                    {
                        "customer": m.id,
                        "collection_method": "send_invoice",
                        "days_until_due": 30,
                        "pending_invoice_items_behavior": "include",
                        "currency": "usd",
                    }
                )
            )
        return {"orders": orders, "at once": 1, "seconds": round(world.clock.seconds - begun, 1), "calls": calls}


class _Measured:
    """What a Map's drafting came to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at_once = 0
        self.refused = 0
        self.calls = 0


def _side_by_side(world: HistoryWorld, turns: Turns) -> _Measured:
    """From now on the items of a Map run as many at once as the definition says, each worker a process of its own."""
    machine, measured, mine = world.machine, _Measured(), threading.local()
    real_invoke, real_outgoing = machine._invoke, world.outgoing

    def invoke(function: str, event: dict[str, Any]) -> Any:
        handlers = getattr(mine, "handlers", None)
        if handlers is None:
            return real_invoke(function, event)
        if function not in handlers:
            world._handlers.pop(function, None)
            handlers[function] = world._load(function)
        try:
            return json.loads(json.dumps(handlers[function](json.loads(json.dumps(event)), _CONTEXT)))
        except Exception as error:
            if type(error).__module__.startswith("billing."):
                raise StateFailed(type(error).__name__, str(error)) from error
            raise

    @contextmanager
    def outgoing(call: str) -> Iterator[None]:
        if getattr(mine, "handlers", None) is not None and kind_of(call).startswith("stripe"):
            measured.calls += 1
        with real_outgoing(call):
            yield

    def side_by_side(execution: Execution, _: str, state: Mapping[str, Any], seen: Any, context: Any) -> None:
        items = json.loads(machine._read(_filled(state["ItemReader"]["Parameters"], seen, context, seen)["Key"]))
        waiting = deque(enumerate(items))
        measured.at_once = _at(seen, state["MaxConcurrencyPath"], context)
        refused_before = _refused(world)

        def worker() -> None:
            mine.handlers = {}
            while waiting:
                number, item = waiting.popleft()
                within = {**context, "Map": {"Item": {"Value": item, "Index": number}}}
                machine._child(
                    execution, state["ItemProcessor"], _filled(state["ItemSelector"], seen, within, seen), within
                )

        begun = world.clock.seconds
        with redirect_stdout(io.StringIO()):
            turns.run([worker] * min(measured.at_once, len(items)))
        measured.seconds = world.clock.seconds - begun
        measured.refused = _refused(world) - refused_before

    machine._invoke = invoke  # type: ignore[method-assign]
    machine._map = side_by_side  # type: ignore[method-assign]
    machine._pause = turns.sleep
    world.outgoing = outgoing  # type: ignore[method-assign, assignment]
    return measured


def _with_virtual_time(world: HistoryWorld, stack: ExitStack, limits: RateLimits) -> Turns:
    """Every call takes its time on the world's clock, and Stripe's windows are of that clock."""
    from billing.runtime.connections import stripe as stripe_connection

    turns = Turns(world.clock)
    stripe_connection.random = random.Random(1)  # type: ignore[assignment]
    stripe_connection.time.sleep = turns.sleep  # type: ignore[assignment]
    world.stripe._limiter.limits = limits
    stack.enter_context(patch.object(rate_limits, "time", stripe_connection.time))
    real = world.outgoing

    @contextmanager
    def outgoing(call: str) -> Iterator[None]:
        with real(call):
            yield
        turns.sleep(_latency(kind_of(call).partition(" ")[0]))

    world.outgoing = outgoing  # type: ignore[method-assign, assignment]
    return turns


def _latency(service: str) -> float:
    assumed = prices()["assumed"]["milliseconds of a call"]
    return float(assumed.get(service, assumed["aws"])) / 1000


def _make_known(world: HistoryWorld, world_of: World) -> None:
    for customer in world_of.customers:
        world.stripe.create_customer(
            name=customer.name, email=customer.email, metadata={"netsuite_customer_id": str(customer.id)}
        )


def _refused(world: HistoryWorld) -> int:
    return sum(1 for call in world.stripe.calls if call.status == 429)


def _floor(orders: int, calls: int, limits: RateLimits) -> float:
    """Seconds that the limits alone take: one draft an order at its endpoint, and all calls at the account's."""
    each = orders / limits.per_endpoint if limits.per_endpoint else 0.0
    return max(each, calls / limits.per_account if limits.per_account else 0.0)
