"""The settlement in the world of the histories: its functions' entry files, its deployed state machine, and a queue
that a test empties when it likes. Events are what Stripe's stand-in logs; who gets which and when is the test's.

What is not real here is what `tests.histories.world` leaves out, and the webhook's signature.
"""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError

from billing.adapters.aws.event_queue import EventQueue
from billing.domain.settlement.event_roots import doorbell
from tests.histories.machine import Execution, Machine, StateFailed
from tests.histories.promises import Settled
from tests.histories.world import (
    SETTLEMENT,
    Clock,
    HistoryWorld,
    _Mortal,
    _StepFunctions,
    _Time,
    definition,
    netsuite_of,
    stack_beside,
)
from tests.sandbox.netsuite import NetSuiteServer, World
from tests.sandbox.settlement import policies_for
from tests.sandbox.stripe import StripeServer

POLICIES = "settlement/policies.toml"
FUNCTIONS = (
    "RingTheBellsFunction",
    "ReadTheStripeObjectFunction",
    "FindTheCustomerFunction",
    "FindTheItemsFunction",
    "WriteTheInvoicesFunction",
    "WriteTheCreditsFunction",
    "WriteThePaymentsFunction",
    "WriteTheRefundsFunction",
    "WriteTheDepositFunction",
    "WriteBackToStripeFunction",
    "FinishThePassFunction",
    "HoldTheObjectFunction",
    "SweepForEventsFunction",
    "ProveTheBooksFunction",
    "TellOfTheProofFunction",
)
_MOST_RECEIVED = 5
_DEDUPED_SECONDS = 300


@dataclass
class _Message:
    body: str
    group: str
    received: int = 0


class _Queue:
    """SQS FIFO with its dead-letter queue, as the functions send to it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.waiting: deque[_Message] = deque()
        self.lost: list[_Message] = []
        self._seen: dict[str, float] = {}

    def send_message(self, **given: str) -> None:
        known = self._seen.get(given["MessageDeduplicationId"])
        if known is not None and self._clock() - known < _DEDUPED_SECONDS:
            return
        self._seen[given["MessageDeduplicationId"]] = self._clock()
        self.waiting.append(_Message(given["MessageBody"], given["MessageGroupId"]))


@dataclass
class SettlingWorld:
    """Open it with `settling_world`. It has the names of `tests.sandbox.Sandbox` where it can do the same."""

    world: HistoryWorld
    before_state: Callable[[str], None] = lambda _: None
    _begun: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _told: int = 0

    def __post_init__(self) -> None:
        self.queue = _Queue(self.world.clock)
        self.machine = Machine(
            definition("Settlements"),
            self._invoke,
            self.world.file_bytes,
            self.world.clock,
            self.world.clock.pause,
            "history-settlement",
        )

    @property
    def stripe(self) -> StripeServer:
        return self.world.stripe

    @property
    def netsuite(self) -> NetSuiteServer:
        return self.world.netsuite

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Whatever runs inside is this stack's."""
        with self.world.at_work(), ExitStack() as stack:
            from billing.runtime import netsuite as netsuite_runtime
            from billing.runtime import proof, record_writing, settlement
            from billing.runtime import stripe as stripe_runtime
            from billing.runtime.connections.netsuite import suiteql
            from billing.runtime.connections.stripe import stripe
            from billing.runtime.settings import Environment

            variables: dict[str, str] = {}
            for function in FUNCTIONS:
                for name, value in self.world.variables(function).items():
                    # The functions keep what they made of these in one process here: each name must mean one thing.
                    assert variables.setdefault(name, value) == value, name
            environment = Environment(variables)
            moving = _Time(self.world.clock)
            for target, name, value in (
                (boto3, "client", self.world.client),
                (settlement, "environment", lambda: environment),
                (settlement, "time", moving),
                (record_writing, "environment", lambda: environment),
                (record_writing, "now", self.world.clock.now),
                (record_writing, "time", moving),
                (proof, "environment", lambda: environment),
                (stripe_runtime, "connect", stripe(environment, stripe_runtime._SHARE)),
                (netsuite_runtime, "time", moving),
                (netsuite_runtime, "suiteql", suiteql(environment)),
            ):
                stack.enter_context(patch.object(target, name, value))
            _forget(settlement, stripe_runtime, netsuite_runtime)
            yield
            _forget(settlement, stripe_runtime, netsuite_runtime)

    # Stripe's events.

    def new_events(self) -> list[dict[str, Any]]:
        """What happened in Stripe since the last time; nobody is told yet."""
        found = self.stripe.events()
        fresh, self._told = found[self._told :], len(found)
        return fresh

    def tell(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Queue these events' doorbells. A copy within five minutes is deduplicated by the queue, as on AWS."""
        queue = EventQueue(self.queue, "queue")  # type: ignore[arg-type]
        for event in events:
            bell = doorbell(event)
            if bell is not None:
                queue.send(bell)

    def sweep(self, **asked: Any) -> dict[str, Any]:
        """Invoke the sweep, as its schedule or a person does."""
        return dict(self.world.invoke("SweepForEventsFunction", asked))

    def prove(self, day: str, **asked: Any) -> dict[str, Any]:
        """Invoke the nightly proof; its file."""
        answer = self.world.invoke("ProveTheBooksFunction", {"day": day, **asked})
        return dict(json.loads(self.world.file_bytes(answer["file"]["key"])))

    # Working.

    def settle(self) -> None:
        """Tell what happened in its order, and work until nothing is left to do."""
        self.tell(self.new_events())
        self.work()
        while fresh := self.new_events():  # what our own writing to Stripe rang
            self.tell(fresh)
            self.work()

    def work(self, executions: bool = True) -> None:
        """Take every message off the queue, and (unless told not to) run what it started."""
        while self.queue.waiting or (executions and self._begun):
            while self.queue.waiting:
                self._receive(self.queue.waiting.popleft())
            while executions and self._begun:
                self.machine.start(*self._begun.pop(0))

    def _receive(self, message: _Message) -> None:
        message.received += 1
        record = {"messageId": "m", "body": message.body, "attributes": {"MessageGroupId": message.group}}
        try:
            answer = self.world.invoke("RingTheBellsFunction", {"Records": [record]})
        except StateFailed:
            answer = {"batchItemFailures": ["m"]}  # it died: SQS shows the message again
        if not answer["batchItemFailures"]:
            return
        if message.received >= _MOST_RECEIVED:
            self.queue.lost.append(message)
        else:
            self.queue.waiting.append(message)

    def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        self.before_state(function)
        return self.world.invoke(function, event)

    def redrive(self, execution: Execution) -> None:
        self.machine.redrive(execution)

    def runs(self, root: str = "") -> list[Execution]:
        """The passes, oldest first; of one root if it is named."""
        return [one for one in self.machine.executions.values() if not root or one.given["root"] == root]

    # What our table says.

    def bells(self) -> dict[str, dict[str, Any]]:
        return self._rows("BELL#")

    def written(self) -> dict[str, dict[str, Any]]:
        return self._rows("SETTLED#")

    def held(self) -> dict[str, str]:
        """{root: name} of what waits for a person."""
        return {key: str(row.get("hold_name", "")) for key, row in self.bells().items() if row.get("list") == "held"}

    def parked(self) -> dict[str, str]:
        """{root: name} of what is tried again every night, and of what rings and nobody answers."""
        lists = ("parked", "failed", "ringing")
        return {key: str(row.get("hold_name", "")) for key, row in self.bells().items() if row.get("list") in lists}

    def _rows(self, prefix: str) -> dict[str, dict[str, Any]]:
        found = {}
        for row in self.world.aws.rows(SETTLEMENT):
            if row["pk"]["S"].startswith(prefix):
                found[row["pk"]["S"].removeprefix(prefix)] = {name: next(iter(of.values())) for name, of in row.items()}
        return found

    # What NetSuite's stand-in says.

    def records_of(self, root: str) -> dict[str, dict[str, Any]]:
        """NetSuite's transactions whose externalId one of our rows names for this root."""
        mine = {key for key, row in self.written().items() if row["root"] == root}
        return {one["externalId"]: one for one in self.transactions() if one["externalId"] in mine}

    def transactions(self) -> list[dict[str, Any]]:
        """Every transaction with an externalId, as GET shows it."""
        kinds = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
        return [
            {**one, "recordType": kind}
            for kind in kinds
            for one in self.netsuite.records(kind)
            if one.get("externalId")
        ]

    def settled(self) -> Settled:
        """For `promises.broken_promises`."""
        rings = {key for key, row in self.bells().items() if row.get("list")}
        return Settled(self.transactions(), frozenset(rings), frozenset(self.bells()))

    def delete_in_netsuite(self, record: str, record_id: str) -> None:
        """A person deletes a transaction there."""
        from billing.runtime import netsuite

        answer = netsuite.suiteql().transport.send(
            "DELETE", f"/services/rest/record/v1/{record}/{record_id}", None, {"Accept": "application/json"}
        )
        assert answer.status_code == 204, answer.text

    def create_in_netsuite(self, record: str, body: dict[str, Any]) -> str:
        """A person enters a record there; its internal id."""
        from billing.runtime import netsuite

        answer = netsuite.suiteql().transport.send(
            "POST", f"/services/rest/record/v1/{record}", body, {"Accept": "application/json"}
        )
        assert answer.status_code == 204, answer.text
        return str(answer.headers["Location"]).rpartition("/")[2]

    def balance(self, account: str, currency: str = "USD") -> Decimal:
        """Major units, debits positive."""
        return self.netsuite.ledger()[account][currency]


class _Executions:
    """Step Functions, as the settlement's functions call it: an execution begins when the handler that started it has
    ended."""

    def __init__(self, settling: SettlingWorld) -> None:
        self._settling = settling

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803 - AWS's names
        begun = {one for one, _ in self._settling._begun}
        known = {one.name for one in self._settling.machine.executions.values()}
        if name in begun | known:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")  # type: ignore[typeddict-item]
        assert stateMachineArn.endswith(":stateMachine:history-settlement")
        self._settling._begun.append((name, json.loads(input)))

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803 - AWS's own name
        name = executionArn.rpartition(":")[2]
        if any(one == name for one, _ in self._settling._begun):
            return {"status": "RUNNING"}
        found = self._settling.machine.executions.get(executionArn)
        if found is not None:
            return {"status": found.status}
        return _StepFunctions(self._settling.world).describe_execution(executionArn)

    def __getattr__(self, name: str) -> Any:
        return getattr(_StepFunctions(self._settling.world), name)


@contextmanager
def settling_world(
    netsuite: World,
    now: datetime,
    policies: Callable[[NetSuiteServer], str] = policies_for,
    **parameters: str,
) -> Iterator[SettlingWorld]:
    """An account of everything, the settlement on, at work. `policies` makes the policy file of NetSuite's stand-in."""
    clock = Clock(now)
    with (
        netsuite_of(netsuite, clock) as server,
        settling_beside(server, clock, policies, **parameters) as settling,
        settling.at_work(),
    ):
        yield settling


@contextmanager
def settling_beside(
    netsuite: NetSuiteServer,
    clock: Clock,
    policies: Callable[[NetSuiteServer], str] = policies_for,
    stack: str = "",
    **parameters: str,
) -> Iterator[SettlingWorld]:
    """A stack with the settlement on, beside a NetSuite that others may use as well (`stack_beside`)."""
    given = {
        "Settlement": "on",
        "SettlementPolicies": POLICIES,
        "StripeWebhookSecretArn": "secret",
        "StripeEventMode": "test",
        **parameters,
    }
    with stack_beside(netsuite, clock, stack, **given) as world:
        _create_table(world)
        world.aws.s3.put_object(Bucket=world.bucket, Key=POLICIES, Body=policies(netsuite).encode())
        settling = SettlingWorld(world)
        world._own["sqs"] = _Mortal(settling.queue, world)
        world._own["lambda"] = SimpleNamespace(invoke=_calling(world))
        world._own["stepfunctions"] = _Mortal(_Executions(settling), world)
        yield settling


def _calling(world: HistoryWorld) -> Callable[..., dict[str, Any]]:
    """Lambda's Invoke."""

    def invoke(FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's own names
        answer = world.invoke(FunctionName.removeprefix("history-"), json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    return invoke


def _forget(*modules: Any) -> None:
    """Forget what a process keeps: clients, connections, policies."""
    for module in modules:
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _create_table(world: HistoryWorld) -> None:
    world.aws.dynamodb.create_table(
        TableName=SETTLEMENT + world.aws.stack,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "list")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ByList",
                "KeySchema": [
                    {"AttributeName": "list", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
