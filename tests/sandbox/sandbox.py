"""The local world as one object: `with Sandbox(world="services_firm") as sandbox: ...`; see README.md."""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, TypeVar

import requests as http
from boto3.dynamodb.types import TypeDeserializer

from tests.sandbox.aws import map_runs, scheduler, stepfunctions
from tests.sandbox.aws.deploy.registry import Deployment
from tests.sandbox.aws.deploy.stack import Stack
from tests.sandbox.aws.deploy.template import read_template
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.frontdoor import Denial
from tests.sandbox.aws.gateway import PublicAccess
from tests.sandbox.aws.iam.evaluate import Access, unused_grants
from tests.sandbox.aws.mail import Mail, parse_mail
from tests.sandbox.aws.map_runs import Child
from tests.sandbox.aws.runtime import nurseries
from tests.sandbox.aws.ses import Ses
from tests.sandbox.aws.stepfunctions import EnteredState
from tests.sandbox.aws.world import ACCOUNT, STACK_NAME, EmbeddedAws
from tests.sandbox.clock import SandboxClock
from tests.sandbox.egress import Forwarder, Outgoing, OutgoingRequest, PlannedKill, When
from tests.sandbox.netsuite import NetSuiteServer, World, load_world
from tests.sandbox.person import Page, Person
from tests.sandbox.settlement import POLICIES_KEY, SettlementWorld, equations_of
from tests.sandbox.slack import SlackServer
from tests.sandbox.stripe import StripeServer

REPOSITORY = Path(__file__).resolve().parents[2]
Decision = Literal["approve", "reject"]
Server = TypeVar("Server")

_POLL_SECONDS = 0.03
_APPROVERS = "ann.approver@firm.example, bob.controller@firm.example"
_DEFAULT_PARAMETERS = {
    "Approvers": _APPROVERS,
    "SenderEmail": "billing@firm.example",
    "OwnerEmails": "owner@firm.example",
    "SlackChannel": "C0BILLING1",
    "DraftConcurrency": "4",
}


@dataclass(frozen=True)
class Run:
    """A started execution. `mails_before` counts the mails sent before it started."""

    execution_arn: str
    name: str
    mails_before: int


@dataclass(frozen=True)
class RunResult:
    """How an execution ended. `output` is decoded JSON, None unless it succeeded."""

    status: str
    error: str | None
    cause: str | None
    output: Any


class Sandbox:
    """The product deployed on this machine, with stand-ins for everything outside.

    world: path of a world file, the name of a shipped one, or a loaded `World`. parameters: template parameters
    over the sandbox's defaults. clock_offset: seconds by which everything runs ahead (or `now`: a zone-aware
    datetime to start at). stripe_url, slack_url, netsuite_url: base URL of another server instead of the
    stand-in. record: file that receives every outgoing request of the functions as JSON lines (overwritten).
    template: path relative to the repository. netsuite_auth: "oauth2" or "tba". netsuite_secret, stripe_secret,
    slack_secret: what the secrets hold instead of the sandbox's own. stripe_options: keyword arguments of the
    Stripe stand-in. retry_delay_scale: factor on the waits of the state machine's Retry (0.05 makes 60 s three),
    those of Lambda before it repeats an asynchronous invocation, and on a queue's visibility timeout. With the
    parameter Settlement "on": settlement_policies is the text of the policy file (made from NetSuite's stand-in if it
    is not given), webhook_secrets are the signing secrets of the webhook. stack_name names the stack. beside: another
    open sandbox, into whose AWS account this one's stack is deployed too, with stand-ins of its own; it has that one's
    clock, and shares `requests`, `denials`, `accesses` and planned kills with it. Close it first. account: makes what
    is in the account before the stack (a key, a hosted zone) and gives the parameters that name it.
    """

    at_the_end: ClassVar[Callable[[Any], None] | None] = None
    """Called with every sandbox before it closes, unless an exception closes it."""

    def __init__(
        self,
        world: str | Path | World | Mapping[str, object] = "services_firm",
        parameters: Mapping[str, Any] | None = None,
        clock_offset: float = 0.0,
        stripe_url: str | None = None,
        slack_url: str | None = None,
        netsuite_url: str | None = None,
        record: str | Path | None = None,
        template: str | Path = "template.yaml",
        *,
        now: datetime | None = None,
        netsuite_auth: Literal["oauth2", "tba"] = "oauth2",
        netsuite_secret: Mapping[str, str] | None = None,
        stripe_secret: Mapping[str, str] | None = None,
        slack_secret: Mapping[str, str] | None = None,
        stripe_options: Mapping[str, Any] | None = None,
        retry_delay_scale: float = 1.0,
        settlement_policies: str | None = None,
        webhook_secrets: Sequence[str] | None = None,
        stack_name: str = STACK_NAME,
        beside: Sandbox | None = None,
        account: Callable[[EmbeddedAws], Mapping[str, Any]] = lambda aws: {},
    ) -> None:
        self._world = world
        self._given = dict(parameters or {})
        self._beside = beside
        self._account = account
        self.clock: SandboxClock
        if beside is not None:
            self.clock = beside.clock
        else:
            self.clock = SandboxClock.starting_at(now) if now is not None else SandboxClock(clock_offset)
        self._urls = {"stripe": stripe_url, "slack": slack_url, "netsuite": netsuite_url}
        self._record = Path(record) if record else None
        self._template = Path(template) if Path(template).is_absolute() else REPOSITORY / template
        self._netsuite_auth: Literal["oauth2", "tba"] = netsuite_auth
        self._secret_values = {"netsuite": netsuite_secret, "stripe": stripe_secret, "slack": slack_secret}
        self._stripe_options = dict(stripe_options or {})
        self._retry_delay_scale = retry_delay_scale
        self._settlement_policies = settlement_policies
        self._stack_name = stack_name
        self.webhook_secrets = list(webhook_secrets or [f"whsec_{secrets.token_hex(16)}"])
        self._servers: list[Any] = []
        self._people: list[Person] = []
        self._aws: EmbeddedAws | None = None
        self._stack: Stack | None = None
        self._netsuite: NetSuiteServer | None = None
        self._stripe: StripeServer | None = None
        self._slack: SlackServer | None = None
        self._outgoing: Outgoing | None = None
        self._api_keys: dict[str, str] = {}
        self._mails: list[Mail] = []
        self._mails_read = 0
        self._parameters: dict[str, Any] = {}
        self._mails_lock = threading.Lock()
        self.breaks: dict[str, str] = {}

    # --- opening and closing -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and Sandbox.at_the_end is not None:
                Sandbox.at_the_end(self)
        finally:
            self.close()

    def _open(self) -> None:
        if self._beside is not None:
            self._outgoing, self._aws = self._beside._outgoing, self._beside.aws
        else:
            self._outgoing = Outgoing(self._record)
            self._aws = EmbeddedAws(self.clock, self._outgoing, retry_delay_scale=self._retry_delay_scale)
        declared = set(read_template(self._template).get("Parameters") or {})
        parameters = {name: value for name, value in _DEFAULT_PARAMETERS.items() if name in declared}
        self._start_stand_ins()
        for service, parameter in (
            ("netsuite", "NetSuiteApiUrl"),
            ("stripe", "StripeApiUrl"),
            ("slack", "SlackApiUrl"),
        ):
            if parameter in declared and parameter not in self._given:
                parameters[parameter] = self._forward(service)
        for service, parameter in (
            ("netsuite", "NetSuiteSecretArn"),
            ("stripe", "StripeSecretArn"),
            ("slack", "SlackSecretArn"),
        ):
            if parameter in declared and parameter not in self._given:
                parameters[parameter] = self._keep_secret(service)
        parameters.update({**self._account(self.aws), **self._given})
        settles = parameters.get("Settlement") == "on"
        if settles:
            parameters = {**self._settlement_parameters(), **parameters}
        if parameters.get("SenderEmail"):
            self.aws.client("sesv2").create_email_identity(EmailIdentity=parameters["SenderEmail"])
            self.aws.lookup.identities.add(parameters["SenderEmail"])
        self._parameters = parameters
        self._stack = self.aws.deploy(self._template, parameters, self._stack_name)
        if settles:
            self.settlement.begin(self._settlement_policies)

    def update(self, template: str | Path | None = None, parameters: Mapping[str, Any] | None = None) -> None:
        """Deploy another template (with the code that lies beside it) or other parameters onto the living stack, as
        `sam deploy` does: executions that run keep their definition, functions are today's from now on. Parameters that
        the template no longer has are left out. DeployError if CloudFormation would refuse, or for a change of a
        resource that the sandbox does not know."""
        if template is not None:
            self._template = Path(template) if Path(template).is_absolute() else REPOSITORY / template
        declared = set(read_template(self._template).get("Parameters") or {})
        self._parameters = {**self._parameters, **(parameters or {})}
        given = {name: value for name, value in self._parameters.items() if name in declared}
        nurseries.forget()
        self._stack = self.aws.update(self._template, given, self._stack_name)

    def _settlement_parameters(self) -> dict[str, Any]:
        """What a stack that settles needs beside the monthly run's parameters."""
        return {
            "StripeWebhookSecretArn": self._store_secret("webhook", {"signing_secrets": self.webhook_secrets}),
            "StripeEventMode": "test",
            "SettlementPolicies": POLICIES_KEY,
        }

    def _start_stand_ins(self) -> None:
        if self._urls["netsuite"] is None:
            world = self._world if isinstance(self._world, World) else load_world(self._world)
            given = self._secret_values["netsuite"]
            begins = datetime.fromtimestamp(self.clock(), UTC)
            secret = given or NetSuiteServer.new_credentials(self._netsuite_auth, account=world.account, begins=begins)
            self._secret_values["netsuite"] = secret
            self._netsuite = NetSuiteServer(world, self.clock, secret)
        if self._urls["stripe"] is None:
            self._stripe = StripeServer(self.clock, **self._stripe_options)
        if self._urls["slack"] is None:
            self._slack = SlackServer(self.clock)
        for server in (self._netsuite, self._stripe, self._slack):
            if server is not None:
                server.start()
                self._servers.append(server)

    def _forward(self, service: str) -> str:
        own = {"netsuite": self._netsuite, "stripe": self._stripe, "slack": self._slack}[service]
        target = self._urls[service] or (own.url if own else "")
        # The parameter for Slack ends in /api, as the public address does; a given URL may or may not.
        target = target.rstrip("/").removesuffix("/api" if service == "slack" else "/v1")
        assert self._outgoing is not None
        forwarder = Forwarder(service, target, self._outgoing, self.aws.origin_of_connection)
        self._servers.append(forwarder)
        return forwarder.start() + ("/api" if service == "slack" else "")

    def _keep_secret(self, service: str) -> str:
        made: Mapping[str, str]
        if service == "netsuite":
            made = NetSuiteServer.new_credentials(self._netsuite_auth)
        elif service == "stripe":
            made = {"api_key": f"rk_test_{secrets.token_hex(24)}"}
        else:
            made = {"bot_token": f"xoxb-{secrets.token_hex(12)}"}
        value = self._secret_values[service] or made
        self._api_keys[service] = value.get("api_key", "")
        return self._store_secret(service, value)

    def _store_secret(self, label: str, value: Mapping[str, Any]) -> str:
        name = f"sandbox/{label}" if self._beside is None else f"sandbox/{self._stack_name}/{label}"
        created = self.aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
        self.aws.lookup.secret_arns[name] = created["ARN"]
        return str(created["ARN"])

    def close(self) -> None:
        """Kill every process and stop every server. Harmless when repeated."""
        for person in self._people:
            person.close()
        self._people.clear()
        if self._aws is not None and self._beside is None:
            self._aws.close()
        for server in reversed(self._servers):
            server.close()
        self._servers.clear()
        if self._outgoing is not None and self._beside is None:
            self._outgoing.close()

    # --- the parts ---------------------------------------------------------------------------------------

    @property
    def aws(self) -> EmbeddedAws:
        """The embedded AWS; `sandbox.aws.client("dynamodb")` is a boto3 client that may do everything."""
        if self._aws is None:
            raise SandboxError("the sandbox is not open: use `with Sandbox(...) as sandbox`")
        return self._aws

    @property
    def stack(self) -> Stack:
        """What was deployed: parameters, resources, outputs."""
        if self._stack is None:
            raise SandboxError("the sandbox is not open: use `with Sandbox(...) as sandbox`")
        return self._stack

    @property
    def deployment(self) -> Deployment:
        """How it was deployed: state machines, schedules, permissions to invoke, rules."""
        return self.aws.deployed(self._stack_name)

    @property
    def netsuite(self) -> NetSuiteServer:
        """The NetSuite stand-in; SandboxError if `netsuite_url` was given."""
        return _present(self._netsuite, "netsuite_url")

    @property
    def stripe(self) -> StripeServer:
        """The Stripe stand-in; SandboxError if `stripe_url` was given."""
        return _present(self._stripe, "stripe_url")

    @property
    def slack(self) -> SlackServer:
        """The Slack stand-in; SandboxError if `slack_url` was given."""
        return _present(self._slack, "slack_url")

    @property
    def ses(self) -> Ses:
        """Which addresses fail, and what SES reports about mails."""
        return self.aws.ses

    @property
    def settlement(self) -> SettlementWorld:
        """The settlement's queue, bells and passes."""
        return SettlementWorld(self)

    def prove(self, day: str | None = None, **asked: Any) -> dict[str, dict[str, str]]:
        """Run the nightly proof: {"USD": {"receivables": "0.00", ...}}, the difference of each of the six equations.
        `day` is ISO (the day before today without it); the whole file is `settlement.prove(day)`."""
        return equations_of(self.settlement.prove(day, **asked))

    def settle(self, timeout: float = 120) -> None:
        """Wait until no bell rings; SandboxError after `timeout` real seconds."""
        self.settlement.settle(timeout)

    @property
    def requests(self) -> list[OutgoingRequest]:
        """Every outgoing request of the functions so far."""
        return self._outgoing.requests if self._outgoing else []

    @property
    def accesses(self) -> list[PublicAccess]:
        """Every request that reached the HTTP API."""
        return list(self.aws.gateway.accesses)

    @property
    def denials(self) -> list[Denial]:
        """Every request that IAM refused."""
        return list(self.aws.door.denials)

    def unused_permissions(self) -> list[tuple[str, str, str, str]]:
        """(role's logical id, Sid, action, resource) of whatever a role may do and nothing has done so far, but for
        logs, traces and network interfaces (what SAM attaches). After runs that take every way through the product,
        what is left here is too much."""
        allowed = set(self.aws.door.allowed)
        found = []
        for logical_id, role in self.stack.of_type("AWS::IAM::Role").items():
            arn = role.attributes["Arn"]
            used = [access for role_arn, access in allowed if role_arn == arn]
            found += [
                (logical_id, *grant)
                for grant in unused_grants(self.aws.roles.statements(arn), used)
                if not grant[1].startswith(("logs:", "xray:", "ec2:"))
            ]
        return found

    def logs(self, function: str | None = None) -> list[tuple[str, str]]:
        """(function's logical id, line) of what the functions wrote; of one function if named."""
        return self.aws.functions.logs(function, self._stack_name)

    def kill_at(
        self,
        k: int,
        when: When = "before",
        function: str | None = None,
        services: Iterable[str] | None = None,
    ) -> PlannedKill:
        """Kill the function process that makes the k-th outgoing call from now; see `Outgoing.plan_kill`."""
        assert self._outgoing is not None
        return self._outgoing.plan_kill(k, when, function, services)

    def invoke(self, function: str, event: Any) -> Any:
        """Invoke a function (logical id or name) directly. SandboxError with Lambda's error object if it fails."""
        own = self.stack.of_type("AWS::Lambda::Function").get(function)
        outcome = self.aws.functions.invoke(own.ref if own else function, json.dumps(event).encode())
        answer = json.loads(outcome.payload)
        if outcome.error is not None:
            raise SandboxError(f"{function}: {json.dumps(answer)}")
        return answer

    # --- runs --------------------------------------------------------------------------------------------

    @property
    def state_machine_arn(self) -> str:
        """The template's state machine; of several, the one that a schedule starts."""
        machines = list(self.deployment.machines)
        if len(machines) == 1:
            return machines[0]
        return str(self._schedule_target(self._schedule(None))["Arn"])

    def start(self, input: Mapping[str, Any] | str | None = None, name: str | None = None) -> Run:
        """Start an execution by hand, as the console's "New execution" does."""
        text = input if isinstance(input, str) else json.dumps(input or {})
        return self._start(self.state_machine_arn, text, name or str(uuid.uuid4()))

    def _start(self, machine: str, text: str, name: str) -> Run:
        mails = len(self.mails())
        started = self.aws.client("stepfunctions").start_execution(stateMachineArn=machine, input=text, name=name)
        return Run(started["executionArn"], name, mails)

    def fire_schedule(self, name: str | None = None, at: datetime | None = None) -> Run:
        """Fire a schedule as EventBridge Scheduler does: `at` is the scheduled time (default: the last
        occurrence of its expression before the sandbox's now). SandboxError if it is disabled or its role may
        not start the state machine; then the dead-letter queue has the event, if the role may send there."""
        group, schedule_name = self._schedule(name)
        schedule = self.aws.client("scheduler").get_schedule(GroupName=group, Name=schedule_name)
        if schedule["State"] != "ENABLED":
            raise SandboxError(f"the schedule {schedule_name} is {schedule['State']}")
        target = schedule["Target"]
        scheduled = at or scheduler.occurrence(
            schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"], self.clock.now(), upcoming=False
        )
        text, execution_id = scheduler.fill_input(target.get("Input", "{}"), schedule["Arn"], scheduled)
        refusal = self.aws.door.allows(target["RoleArn"], Access("states:StartExecution", target["Arn"]))
        if refusal is not None:
            self._dead_letter(target, text, refusal)
            raise SandboxError(f"the schedule {schedule_name} could not start its target: {refusal}")
        return self._start(target["Arn"], scheduler.as_json(text), execution_id)

    def next_occurrence(self, name: str | None = None) -> datetime:
        """When the schedule fires next (UTC)."""
        group, schedule_name = self._schedule(name)
        schedule = self.aws.client("scheduler").get_schedule(GroupName=group, Name=schedule_name)
        return scheduler.occurrence(
            schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"], self.clock.now(), upcoming=True
        )

    def _schedule(self, name: str | None) -> tuple[str, str]:
        """By name; without one, the only schedule that starts a state machine."""
        known = self.deployment.schedules
        found = [
            entry
            for entry in known
            if (name is None and ":stateMachine:" in str(self._schedule_target(entry)["Arn"])) or name == entry[1]
        ]
        if len(found) != 1:
            raise SandboxError(f"name one of the schedules: {[entry[1] for entry in known]}")
        return found[0]

    def _schedule_target(self, schedule: tuple[str, str]) -> dict[str, Any]:
        group, name = schedule
        return dict(self.aws.client("scheduler").get_schedule(GroupName=group, Name=name)["Target"])

    def _dead_letter(self, target: Mapping[str, Any], text: str, refusal: str) -> None:
        arn = target.get("DeadLetterConfig", {}).get("Arn")
        if arn is None or self.aws.door.allows(target["RoleArn"], Access("sqs:SendMessage", arn)) is not None:
            return
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        attributes = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": refusal}}
        sqs.send_message(QueueUrl=url, MessageBody=text or "{}", MessageAttributes=attributes)

    def _execution(self, run: Run) -> Any:
        return stepfunctions.find_execution(run.execution_arn, ACCOUNT, self.aws.region)

    def result(self, run: Run) -> RunResult:
        """The execution's status now."""
        found = self._execution(run)
        status = found.exec_status.value if found.exec_status else "RUNNING"
        output = stepfunctions.output_of(found) if status == "SUCCEEDED" else None
        return RunResult(status, found.error, found.cause, output)

    def wait_for_end(self, run: Run, timeout: float = 600) -> RunResult:
        """Wait until the execution has ended. SandboxError after `timeout` real seconds."""
        deadline = time.monotonic() + timeout
        while True:
            result = self.result(run)
            if result.status != "RUNNING":
                return result
            if time.monotonic() > deadline:
                raise SandboxError(f"the run still runs after {timeout} s, in {self._last_state(run)!r}")
            time.sleep(_POLL_SECONDS)

    def wait_for_approval(self, run: Run, timeout: float = 120) -> list[Mail]:
        """Wait until the run waits for a person, and return the mails it sent with links to what is asked.
        SandboxError if it ends first, or after `timeout` real seconds."""
        deadline = time.monotonic() + timeout
        while True:
            if self.is_waiting(run):
                mails = [mail for mail in self.mails()[run.mails_before :] if self.asking_links(mail)]
                if mails:
                    return mails
            result = self.result(run)
            if result.status != "RUNNING":
                raise SandboxError(f"the run ended without asking anybody: {result}")
            if time.monotonic() > deadline:
                raise SandboxError(f"nobody was asked within {timeout} s; the run is in {self._last_state(run)!r}")
            time.sleep(_POLL_SECONDS)

    def is_waiting(self, run: Run) -> bool:
        """Whether the execution waits for a task token's callback."""
        last = stepfunctions.last_event(self._execution(run))
        return last is not None and last["type"] == "TaskSubmitted"

    def _last_state(self, run: Run) -> str | None:
        states = self.states(run)
        return states[-1].name if states else None

    def states(self, run: Run) -> list[EnteredState]:
        """The states entered so far, those of Map items included."""
        return stepfunctions.entered_states(self._execution(run))

    def history(self, run: Run) -> list[dict[str, Any]]:
        """The execution's own history events."""
        return stepfunctions.history(self._execution(run))

    def children(self, run: Run) -> list[Child]:
        """The child executions of the run's Distributed Maps."""
        return map_runs.children_of(run.execution_arn)

    def stop(self, run: Run, error: str = "", cause: str = "") -> None:
        """Abort the execution, as a person does in the console."""
        self.aws.client("stepfunctions").stop_execution(executionArn=run.execution_arn, error=error, cause=cause)

    def redrive(self, run: Run) -> Run:
        """Redrive a failed, timed out or aborted execution from the state it stood in."""
        mails = len(self.mails())
        stepfunctions.redrive(self._execution(run))
        return Run(run.execution_arn, run.name, mails)

    # --- people ------------------------------------------------------------------------------------------

    def mails(self) -> list[Mail]:
        """Every mail of this stack's functions that SES accepted, oldest first."""
        with self._mails_lock:
            unread = list(self.aws.door.mails)[self._mails_read :]
            self._mails_read += len(unread)
            own = {function.ref for function in self.stack.of_type("AWS::Lambda::Function").values()}
            self._mails += [parse_mail(sent) for sent in unread if sent.caller in own]
            return list(self._mails)

    def page_links(self, mail: Mail) -> list[str]:
        """The mail's links that lead to the deployed HTTP API."""
        apis = self.stack.of_type("AWS::ApiGatewayV2::Api").values()
        return [link for link in mail.links if link.startswith(tuple(api.attributes["ApiEndpoint"] for api in apis))]

    def asking_links(self, mail: Mail) -> list[str]:
        """Those that lead to one request. Notices have only the way to a person's inbox."""
        return [link for link in self.page_links(mail) if "/inbox/" not in link]

    def person(self) -> Person:
        """A person with a fresh browser."""
        person = Person()
        self._people.append(person)
        return person

    def answer(self, where: str | Mail, decision: Decision, reason: str = "Not this month, please.") -> Page:
        """Answer as a person does: open the link (or the mail's first one), type what the page asks for, press
        the button. Returns the page that comes after."""
        link = where if isinstance(where, str) else next(iter(self.page_links(where)), None)
        if link is None:
            raise SandboxError("the mail has no link to the HTTP API")
        return self.person().decide(link, decision, reason)

    # --- reading back ------------------------------------------------------------------------------------

    def closed(self, run: Run) -> dict[str, Any] | None:
        """What the run's last state that closes it left under `closed` in its output; None before that."""
        for event in reversed(self.history(run)):
            text = event.get("stateExitedEventDetails", {}).get("output")
            found = json.loads(text).get("closed") if text and text.startswith("{") else None
            if found:
                return dict(found)
        return None

    def report(self, run: Run) -> dict[str, Any]:
        """The run's report.json. SandboxError if there is none yet."""
        closed = self.closed(run)
        if closed is None:
            raise SandboxError("the run has written no report yet")
        return dict(json.loads(self.objects()[closed["reportKey"]]))

    def drafts(self) -> list[dict[str, Any]]:
        """Every draft invoice that Stripe holds, with all its lines (from `stripe_url` by HTTP, lines as listed)."""
        if self._stripe is not None:
            return [dict(invoice) for invoice in self._stripe.invoices() if invoice["status"] == "draft"]
        found: list[dict[str, Any]] = []
        base = str(self._urls["stripe"]).rstrip("/").removesuffix("/v1")
        after: dict[str, str] = {}
        while True:
            answer = http.get(
                f"{base}/v1/invoices",
                params={"limit": "100", "status": "draft", **after},
                headers={"Authorization": f"Bearer {self._api_keys['stripe']}"},
                timeout=30,
            ).json()
            found += answer["data"]
            if not answer.get("has_more"):
                return found
            after = {"starting_after": answer["data"][-1]["id"]}

    def posts(self) -> list[dict[str, Any]]:
        """Every Slack message as {"channel", "text", "blocks"}; with `slack_url`, as the functions sent them."""
        if self._slack is not None:
            return [{"channel": post.channel, "text": post.text, "blocks": post.blocks} for post in self._slack.posts]
        sent = [
            request
            for request in self.requests
            if request.service == "slack" and "chat.postMessage" in request.path and request.status == 200
        ]
        bodies = [json.loads(request.body) for request in sent if request.body.startswith("{")]
        return [{key: body.get(key) for key in ("channel", "text", "blocks")} for body in bodies]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of every DynamoDB table, by the table's logical id."""
        client = self.aws.client("dynamodb")
        found: dict[str, list[dict[str, Any]]] = {}
        read = TypeDeserializer().deserialize
        for logical_id, table in self.stack.of_type("AWS::DynamoDB::Table").items():
            rows: list[dict[str, Any]] = []
            after: dict[str, Any] = {}
            while True:
                page = client.scan(TableName=table.ref, **after)
                rows += [{key: read(value) for key, value in item.items()} for item in page["Items"]]
                if "LastEvaluatedKey" not in page:
                    break
                after = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
            found[logical_id] = rows
        return found

    def objects(self) -> dict[str, bytes]:
        """The objects of every S3 bucket, by key."""
        client = self.aws.client("s3")
        found: dict[str, bytes] = {}
        for bucket in self.stack.of_type("AWS::S3::Bucket").values():
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket.ref):
                for item in page.get("Contents", []):
                    found[item["Key"]] = client.get_object(Bucket=bucket.ref, Key=item["Key"])["Body"].read()
        return found

    def dump(self) -> bytes:
        """Every store as canonical bytes (tables, objects, mails, Stripe, Slack), to compare before and after."""
        tables = {
            name: sorted(json.dumps(row, sort_keys=True, default=repr) for row in rows)
            for name, rows in self.tables().items()
        }
        parts = [
            json.dumps(tables, sort_keys=True).encode(),
            *(key.encode() + b"=" + body for key, body in sorted(self.objects().items())),
            *(repr(mail).encode() for mail in self.mails()),
            self._stripe.dump() if self._stripe is not None else b"",
            self._slack.dump() if self._slack is not None else b"",
        ]
        return b"\n".join(parts)

    def now(self) -> datetime:
        """The sandbox's time, in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)


def _present(server: Server | None, parameter: str) -> Server:
    if server is None:
        raise SandboxError(f"there is no stand-in: another server was given by {parameter}, or the sandbox is closed")
    return server
