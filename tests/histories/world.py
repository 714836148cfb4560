"""The whole product in one process, quick enough for hundreds of months: the functions' own entry files, wired by the
product's own connections with the environment that template.yaml gives them, against moto, the stand-ins for NetSuite,
Stripe and Slack, and the deployed definition of the state machine.

What is not real here: IAM, cold starts, and concurrency (one thing happens after the other). All time is the clock's,
which stands still until something moves it. `tests.sandbox` is the world in which nothing of this is left out.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import time as real_time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from tests.adapters.aws_world import (
    APPROVALS,
    BUCKET,
    CUSTOMERS,
    LEDGER,
    REGION,
    RUNS,
    SENDER,
    AwsWorld,
    aws_world,
    client,
)
from tests.entries import load_entry
from tests.histories.machine import Execution, Killed, Machine, StateFailed
from tests.sandbox.aws.deploy.template import read_template
from tests.sandbox.netsuite import NetSuiteServer, World
from tests.sandbox.sandbox import REPOSITORY
from tests.sandbox.slack import SlackServer
from tests.sandbox.stripe import RateLimits, StripeServer
from tests.sandbox.stripe.store import ACCOUNT

ANN, BOB = "ann@firm.example", "bob@firm.example"
PAGES = "https://approve.example"
SETTLEMENT = "settlement"
_TABLES = {
    "LedgerTable": LEDGER,
    "RunsTable": RUNS,
    "ApprovalsTable": APPROVALS,
    "CustomersTable": CUSTOMERS,
    "SettlementTable": SETTLEMENT,
}
_CONTEXT = SimpleNamespace(
    aws_request_id="history",
    function_name="history",
    memory_limit_in_mb=512,
    invoked_function_arn=f"arn:aws:lambda:{REGION}:123456789012:function:history",
)


class Clock:
    """Epoch seconds that stand still until somebody moves them."""

    def __init__(self, now: datetime) -> None:
        self.seconds = now.timestamp()

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def pause(self, seconds: float) -> None:
        self.seconds += seconds

    def move_to(self, moment: datetime) -> None:
        """Forward only."""
        self.seconds = max(self.seconds, moment.timestamp())


@dataclass
class Mail:
    """One mail that was sent."""

    to: str
    subject: str
    text: str


@dataclass
class Kill:
    """Kill at the k-th call that leaves a function (to AWS, NetSuite, Stripe or Slack), before it is made or after it
    was answered. `whole_run` takes the execution away with it, as a person's stop does; else the state's Retry sees a
    process that died, as after a time-out of Lambda."""

    at: int
    after: bool
    whole_run: bool
    calls: int = 0
    struck: bool = False

    def sending(self, call: str) -> None:
        """An HTTP request is about to be sent: "POST /v1/invoices"."""

    @contextmanager
    def around(self) -> Iterator[None]:
        self.calls += 1
        due = self.calls == self.at and not self.struck
        if due and not self.after:
            self.struck = True
            raise Killed
        yield
        if due:
            self.struck = True
            raise Killed


class _Mortal:
    """An AWS client whose calls count, and during one of which the process may die."""

    def __init__(self, real: Any, world: HistoryWorld) -> None:
        self._real, self._world = real, world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            with self._world.outgoing(name):
                return found(*arguments, **named)

        return call


class _StepFunctions:
    """Step Functions, as the functions call it."""

    def __init__(self, world: HistoryWorld) -> None:
        self._world = world

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803 - AWS's own name
        execution = self._world.machine.executions.get(executionArn)
        if execution is None:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")  # type: ignore[typeddict-item]
        return {"status": execution.status}

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - AWS's own name
        if not self._world.machine.answer_token(taskToken, output):
            raise ClientError({"Error": {"Code": "TaskTimedOut"}}, "SendTaskSuccess")  # type: ignore[typeddict-item]


class _Mailbox:
    """SES, which accepts everything."""

    def __init__(self, world: HistoryWorld) -> None:
        self._world = world

    def send_email(self, **given: Any) -> dict[str, str]:
        message = message_from_bytes(given["Content"]["Raw"]["Data"], policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None, "a mail without text"
        (to,) = given["Destination"]["ToAddresses"]
        self._world.mails.append(Mail(to, str(message["Subject"]), body.get_content()))
        return {"MessageId": f"mail-{len(self._world.mails)}"}


@cache
def _credentials() -> dict[str, str]:
    """Making a key costs more than a run."""
    return NetSuiteServer.new_credentials("oauth2")


@cache
def _template() -> dict[str, Any]:
    return read_template(REPOSITORY / "template.yaml")


@cache
def definition(state_machine: str) -> dict[str, Any]:
    """The definition that template.yaml deploys under this logical id."""
    path = REPOSITORY / _template()["Resources"][state_machine]["Properties"]["DefinitionUri"]
    return dict(json.loads(path.read_text(encoding="utf-8")))


@dataclass
class HistoryWorld:
    """Open it with `history_world`. `parameters` are the template's; whoever changes them has deployed again, which
    `deploy` does."""

    aws: AwsWorld
    clock: Clock
    netsuite: NetSuiteServer
    stripe: StripeServer
    slack: SlackServer
    parameters: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    kill: Kill | None = None
    calls: int = 0
    function: str = ""
    calling: str = ""
    heard: Callable[[str, str], None] = lambda function, call: None
    between: Callable[[], None] = lambda: None
    """Called before each call that leaves a function: what people do at that very moment."""

    def __post_init__(self) -> None:
        self.machine = Machine(definition("MonthlyBilling"), self._invoke, self._object, self.clock, self.clock.pause)
        self._own = {
            "stepfunctions": _Mortal(_StepFunctions(self), self),
            "sesv2": _Mortal(_Mailbox(self), self),
        }
        self._clients: dict[str, Any] = {}
        self._handlers: dict[str, Callable[[dict[str, Any], Any], Any]] = {}
        self._secrets = {
            "NetSuiteSecretArn": self.aws.secret("netsuite", _credentials()),
            "StripeSecretArn": self.aws.secret("stripe", {"api_key": "sk_test_history"}),
            "SlackSecretArn": self.aws.secret("slack", {"bot_token": "xoxb-history"}),
            "SigningSecret": self.aws.secret("signing", {"keys": [], "first": "k" * 64}),
        }

    # Deploying and invoking.

    def deploy(self, **parameters: str) -> None:
        """Change parameters of the stack; the functions start afresh."""
        self.parameters.update(parameters)
        self._handlers.clear()

    def client(self, service: str, *_: Any, **__: Any) -> Any:
        """What `boto3.client` answers in the functions."""
        if service in self._own:
            return self._own[service]
        return self._clients.setdefault(service, _Mortal(client(service), self))

    @contextmanager
    def outgoing(self, call: str) -> Iterator[None]:
        """Around every call that leaves a function: an AWS client's method, or "POST /record/path"."""
        self.calls += 1
        self.calling = call
        if " " not in call:
            self.between()
        self.heard(self.function, call)
        if self.kill is None:
            yield
            return
        with self.kill.around():
            yield

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function by its logical id, as a person does by hand. Raises StateFailed."""
        return self._invoke(function, dict(event))

    def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        self.function = function
        try:
            # Metrics are printed, as CloudWatch wants them.
            with redirect_stdout(io.StringIO()):
                handler = self._handlers.get(function) or self._load(function)
                answer = handler(json.loads(json.dumps(event)), _CONTEXT)
            return json.loads(json.dumps(answer))
        except Killed:
            # The process is gone, and what it had in memory.
            self._handlers.pop(function, None)
            if self.kill is not None and self.kill.whole_run:
                raise
            raise StateFailed("Runtime.ExitError", "RequestId: history Error: Runtime exited") from None
        except Exception as error:
            # As Lambda reports it: by the name of its class. What the product did not raise is a mistake of the tests.
            if type(error).__module__.startswith("billing."):
                raise StateFailed(type(error).__name__, str(error)) from error
            raise

    def _load(self, function: str) -> Callable[[dict[str, Any], Any], Any]:
        from billing.runtime.connections import aws
        from billing.runtime.settings import Environment

        variables = self.variables(function)
        with patch.object(aws, "environment", lambda: Environment(variables)):
            entry = load_entry(_template()["Resources"][function]["Properties"]["CodeUri"].rpartition("/")[2])
        self._handlers[function] = entry.handler
        return self._handlers[function]

    def variables(self, function: str) -> dict[str, str]:
        """The environment variables that the template gives a function."""
        properties = _template()["Resources"][function]["Properties"]
        given = properties.get("Environment", {}).get("Variables", {})
        return {key: self._value(value) for key, value in given.items()}

    def _value(self, value: Any) -> str:
        """A value of the template: text, Ref, GetAtt, or Sub of these."""
        if not isinstance(value, dict):
            return str(value)
        ((kind, of),) = value.items()
        if kind == "Ref":
            return self._ref(of)
        if kind == "Fn::GetAtt" and (of if isinstance(of, list) else of.split("."))[0] == "ApprovalApi":
            return PAGES
        if kind == "Fn::Sub" and isinstance(of, str):
            return re.sub(r"\$\{([\w:.]+)\}", lambda found: self._ref(found[1]), of)
        if kind == "Fn::If":
            condition, then, otherwise = of
            return self._value(then if self._holds(_template()["Conditions"][condition]) else otherwise)
        raise AssertionError(f"a variable with {kind} {of}: teach this world")

    def _holds(self, condition: dict[str, Any]) -> bool:
        """A condition of the template: Equals, And, Or, Not, or another condition's name."""
        ((kind, of),) = condition.items()
        if kind == "Condition":
            return self._holds(_template()["Conditions"][of])
        if kind == "Fn::Equals":
            one, other = of
            return self._value(one) == self._value(other)
        if kind in ("Fn::And", "Fn::Or", "Fn::Not"):
            parts = [self._holds(part) for part in of]
            return {"Fn::And": all(parts), "Fn::Or": any(parts), "Fn::Not": not parts[0]}[kind]
        raise AssertionError(f"a condition with {kind}: teach this world")

    def _ref(self, name: str) -> str:
        template = _template()
        if name in self.parameters:
            return self.parameters[name]
        if name in template["Parameters"]:
            if name in self._secrets:
                return self._secrets[name]
            return str(template["Parameters"][name]["Default"])
        if name in _TABLES:
            return _TABLES[name] + self.aws.stack
        pseudo = {"AWS::StackName": "history", "AWS::Region": REGION, "AWS::AccountId": "123456789012"}
        own = {
            **self._secrets,
            **pseudo,
            "AWS::Partition": "aws",
            "RunsBucket": self.bucket,
            "TaskTokenKey": self.aws.key_id,
        }
        # Other resources are names that nothing here looks up.
        return own.get(name, f"history-{name}")

    @property
    def bucket(self) -> str:
        """The bucket of the runs' files."""
        return BUCKET + self.aws.stack

    def _object(self, key: str) -> bytes:
        return bytes(self.aws.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    # Runs, and the people in them.

    def start(self, name: str, given: Mapping[str, Any]) -> Execution:
        return self.machine.start(name, given)

    def link(self, person: str) -> str:
        """The newest link to a request that this person was mailed."""
        for mail in reversed(self.mails):
            found = re.search(rf"{PAGES}/approvals/(?!inbox/)(\S+)", mail.text)
            if mail.to == person and found:
                return found[1]
        raise AssertionError(f"{person} was never asked")

    def page(self, link: str) -> str:
        """What a person sees."""
        return str(self._call(link, "GET", None)["body"])

    def post(self, person: str, **form: str) -> int:
        """Open the newest page and send a form of it with what is hidden in it. Answers the HTTP status."""
        link = self.link(person)
        shown = self._call(link, "GET", None)
        if shown["statusCode"] >= 500:
            return int(shown["statusCode"])
        found = re.search(r'<input type="hidden" name="content" value="(\w+)">', shown["body"])
        hidden = {"content": found[1]} if found else {}
        return int(self._call(link, "POST", urlencode({**hidden, **form}))["statusCode"])

    def _call(self, link: str, method: str, body: str | None) -> dict[str, Any]:
        event = {
            "version": "2.0",
            "rawPath": f"/approvals/{link}",
            "pathParameters": {"link": link},
            "rawQueryString": "",
            "headers": {},
            "requestContext": {"requestId": "history", "http": {"method": method}},
            **({"body": body, "isBase64Encoded": False} if body is not None else {}),
        }
        try:
            return dict(self._invoke("ApprovalPageFunction", event))
        except (Killed, StateFailed):
            # API Gateway's answer when the function is gone.
            return {"statusCode": 502, "body": ""}

    # Reading back.

    def report(self, execution: Execution) -> dict[str, Any] | None:
        """The run's report, if it wrote one."""
        run = (execution.data or {}).get("run") if isinstance(execution.data, dict) else None
        if not run:
            return None
        try:
            return dict(json.loads(self._object(f"{run['prefix']}report.json")))
        except ClientError:
            return None

    def file_bytes(self, key: str) -> bytes:
        """An object of the bucket."""
        return self._object(key)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Whatever runs inside is this stack's. Of two stacks in one world one is at work at a time."""
        from stripe._http_client import HTTPClient

        from billing.adapters.aws import secrets
        from billing.runtime import clock as product_clock
        from billing.runtime.connections import aws as aws_connections
        from billing.runtime.connections import mail as mail_connection
        from billing.runtime.connections import netsuite as netsuite_connection
        from billing.runtime.connections import stripe as stripe_connection

        boto3 = SimpleNamespace(client=self.client)
        with ExitStack() as stack:
            for target, name, value in (
                (aws_connections, "boto3", boto3),
                (mail_connection, "boto3", boto3),
                (secrets, "boto3", boto3),
                (product_clock, "now", self.clock.now),
                (netsuite_connection, "time", _Time(self.clock)),
                (stripe_connection, "time", _Time(self.clock)),
                (HTTPClient, "_sleep_time_seconds", lambda *_: 0),
                (http.client.HTTPConnection, "getresponse", _counted(self)),
                (http.client.HTTPConnection, "putrequest", _noted(self)),
            ):
                stack.enter_context(patch.object(target, name, value))
            secrets._read.cache_clear()
            yield


class _Time:
    """The module `time`, as the connections see it."""

    def __init__(self, clock: Clock) -> None:
        self.time = self.monotonic = clock
        self.sleep = clock.pause


@contextmanager
def history_world(netsuite: World, now: datetime, **parameters: str) -> Iterator[HistoryWorld]:
    """An account of everything, at work. `parameters` lie over the template's defaults."""
    clock = Clock(now)
    with netsuite_of(netsuite, clock) as server, stack_beside(server, clock, **parameters) as world, world.at_work():
        yield world


@contextmanager
def netsuite_of(netsuite: World, clock: Clock) -> Iterator[NetSuiteServer]:
    """NetSuite's stand-in with this world in it."""
    with NetSuiteServer(netsuite, clock, {**_credentials(), "account": netsuite.account}) as server:
        yield server
        assert server.errors == [], "a stand-in itself failed"


@contextmanager
def stack_beside(netsuite: NetSuiteServer, clock: Clock, stack: str = "", **parameters: str) -> Iterator[HistoryWorld]:
    """A stack of its own, with a Stripe account and a Slack workspace of its own, beside a NetSuite that others may use
    as well. `stack` ("-2") ends the names of its resources. Nothing of it runs before it is `at_work`."""
    os.environ.setdefault("AWS_REGION", REGION)
    # Read when billing.runtime.telemetry is imported, as in Lambda.
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "billing-test")
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "billing-test")
    os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    with (
        aws_world(stack) as aws,
        StripeServer(clock, rate_limits=RateLimits.off(), account=f"{ACCOUNT}{stack[1:]}") as stripe,
        SlackServer(clock) as slack,
    ):
        world = HistoryWorld(aws, clock, netsuite, stripe, slack)
        world.parameters.update(
            {
                "NetSuiteApiUrl": netsuite.url,
                "StripeApiUrl": stripe.url,
                "SlackApiUrl": f"{slack.url}/api",
                "Approvers": f"Finance: {ANN}, {BOB}",
                "SenderEmail": SENDER,
                "OwnerEmails": "owner@firm.example",
                "SlackChannel": "C0BILLING1",
                **parameters,
            }
        )
        yield world
        for server in (stripe, slack):
            assert server.errors == [], "a stand-in itself failed"


def _counted(world: HistoryWorld) -> Callable[..., Any]:
    """An HTTP call counts where its answer is read: "before" there means that it was sent and that nobody heard."""
    real = http.client.HTTPConnection.getresponse

    def getresponse(connection: http.client.HTTPConnection, *arguments: Any, **named: Any) -> Any:
        with world.outgoing(getattr(connection, "_asked_for", "HTTP")):
            return real(connection, *arguments, **named)

    return getresponse


def _noted(world: HistoryWorld) -> Callable[..., Any]:
    """A connection remembers what it was asked for: "POST /services/rest/record/v1/invoice"."""
    real = http.client.HTTPConnection.putrequest

    def putrequest(connection: Any, method: str, url: str, *arguments: Any, **named: Any) -> Any:
        connection._asked_for = f"{method} {url}"
        # Not where the answer is read: the stand-in would be at work at the same time.
        world.between()
        if world.kill is not None:
            world.kill.sending(connection._asked_for)
        return real(connection, method, url, *arguments, **named)

    return putrequest


def seconds() -> float:
    """Real time, for those who measure."""
    return real_time.monotonic()
