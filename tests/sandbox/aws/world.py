"""The embedded AWS as a whole: moto's server with the front door, the functions, the gateway, the interpreter."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import traceback
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.config import default_user_config
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug.serving import BaseWSGIServer, make_server

from tests.sandbox.aws import map_runs, moto_patches, stack_calls
from tests.sandbox.aws.deploy.registry import Deployment
from tests.sandbox.aws.deploy.stack import Stack, deploy, update
from tests.sandbox.aws.deploy.template import load_template
from tests.sandbox.aws.errors import DeployError, SandboxError
from tests.sandbox.aws.frontdoor import ADMIN_KEY, FrontDoor, ask
from tests.sandbox.aws.gateway import Gateway
from tests.sandbox.aws.iam.evaluate import matches
from tests.sandbox.aws.iam.principals import Caller, Credentials, Roles
from tests.sandbox.aws.iam.requests import Lookup
from tests.sandbox.aws.queues import Pollers
from tests.sandbox.aws.runtime.functions import Functions, Throttled
from tests.sandbox.aws.runtime.peers import process_of_connection
from tests.sandbox.aws.ses import Ses
from tests.sandbox.aws.ses_events import Place
from tests.sandbox.clock import SandboxClock
from tests.sandbox.egress import Origin, Outgoing

ACCOUNT = DEFAULT_ACCOUNT_ID
STACK_NAME = "month-end"
_open: EmbeddedAws | None = None
_open_lock = threading.Lock()


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc]
    # On a connection that stays open, headers and a body sent apart wait 40 ms for each other's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests are recorded, not printed."""

    def handle_expect_100(self) -> bool:
        """boto3 asks before it sends a body to S3, and waits a second for the answer."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return bool(going_on)

    def run_wsgi(self) -> None:
        """As werkzeug's, but the connection stays open: werkzeug closes each, for an application may leave a part of
        the body unread, and waits ten milliseconds for such a rest. The front door reads a body whole, and a
        connection and a thread for each call cost more than many a call does."""
        self.environ = environ = self.make_environ()
        try:
            status, headers, body = ask(self.server.app, environ)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the reason
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            status, headers, body = "500 Internal Server Error", [], b""
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        if environ["REQUEST_METHOD"] == "HEAD":
            # The length that a GET would have, which is not that of this body.
            told = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
            self.send_header("Content-Length", told)
            body = b""
        elif code not in ("204", "304"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


class EmbeddedAws:
    """One AWS account in this process. Only one at a time, for moto's state is the process's."""

    def __init__(
        self,
        clock: SandboxClock,
        outgoing: Outgoing,
        region: str = "us-east-1",
        retry_delay_scale: float = 1.0,
    ) -> None:
        global _open
        with _open_lock:
            if _open is not None:
                raise SandboxError("another Sandbox is open in this process: close it first (use `with`)")
            _open = self
        self.clock = clock
        self.outgoing = outgoing
        self.region = region
        self.roles = Roles()
        self.lookup = Lookup()
        self.functions = Functions(self.roles, clock, region, ACCOUNT, retry_delay_scale)
        self._clients: dict[tuple[str, str], Any] = {}
        self._role_keys: dict[str, Credentials] = {}
        self._client_lock = threading.Lock()
        self._session = _session(region)
        self._previous_environment = {name: os.environ.get(name) for name in ("MOTO_PORT", "AWS_DEFAULT_REGION")}
        self._closed = False
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        _reset_moto()
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        self.door = FrontDoor(
            DomainDispatcherApplication(_backend_app),
            roles=self.roles,
            functions=self.functions,
            outgoing=outgoing,
            lookup=self.lookup,
            clock=clock,
            region=region,
            account=ACCOUNT,
        )
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, self.door, threaded=True, request_handler=_QuietHandler
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.functions.endpoint_url = self.url
        os.environ["MOTO_PORT"] = str(self._server.server_port)
        os.environ["AWS_DEFAULT_REGION"] = region
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        moto_patches.install()
        moto_patches.activate(
            moto_patches.Hooks(
                client=self.client_as,
                allows=self.door.allows,
                clock=clock,
                retry_delay_scale=retry_delay_scale,
            )
        )
        self.deployments: dict[str, Deployment] = {}
        self.stacks: dict[str, Stack] = {}
        self.pollers = Pollers(self.functions, self.client, ACCOUNT, region, retry_delay_scale)
        self.ses = Ses(self.door, clock, Place(region, ACCOUNT), self._owner_of_configuration_set)
        self.gateway = Gateway(
            invoke=self._invoke_for_gateway,
            permitted=self._gateway_may_invoke,
            write_log=self._write_log,
            clock=clock,
            region=region,
            account=ACCOUNT,
        )
        self.gateway.start()

    def client(self, service: str) -> Any:
        """A boto3 client with the tests' own credentials, which no policy limits."""
        return self._client(service, "", Credentials(ADMIN_KEY, "secret", ""))

    def environment(self) -> dict[str, str]:
        """Variables by which any AWS SDK or the AWS CLI reaches this account, with the tests' own credentials."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ADMIN_KEY,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def client_as(self, service: str, role_arn: str) -> Any:
        """A boto3 client that acts as a role, with that role's permissions and no more."""
        with self._client_lock:
            key = self._role_keys.get(role_arn)
            if key is None:
                key = self.roles.issue(Caller(role_arn, "sandbox"))
                self._role_keys[role_arn] = key
        return self._client(service, role_arn, key)

    def _client(self, service: str, owner: str, key: Credentials) -> Any:
        with self._client_lock:
            found = self._clients.get((service, owner))
            if found is None:
                found = self._session.client(  # type: ignore[call-overload]
                    service,
                    endpoint_url=self.url,
                    aws_access_key_id=key.access_key_id,
                    aws_secret_access_key=key.secret_access_key,
                    aws_session_token=key.session_token or None,
                    config=Config(
                        retries={"max_attempts": 0, "total_max_attempts": 1},
                        read_timeout=1000,
                        max_pool_connections=100,
                    ),
                )
                self._clients[(service, owner)] = found
            return found

    def deploy(self, template: Path, parameters: Mapping[str, Any], stack_name: str = STACK_NAME) -> Stack:
        """Deploy a SAM template as a stack of its own. Raises DeployError."""
        loaded = load_template(template, parameters)
        deployment = Deployment(
            stack_name=stack_name,
            region=self.region,
            account=ACCOUNT,
            clients=self.client,
            roles=self.roles,
            functions=self.functions,
            lookup=self.lookup,
            door=self.door,
            gateway=self.gateway,
            code=loaded.code,
        )
        self.deployments[stack_name] = deployment
        stack = deploy(loaded.plain, parameters, deployment)
        self.stacks[stack_name] = stack
        self.door.stack_calls = lambda body: stack_calls.answer(body, self.stacks)
        for mapping in deployment.source_mappings:
            self.pollers.add(mapping)
        return stack

    def update(self, template: Path, parameters: Mapping[str, Any], stack_name: str = STACK_NAME) -> Stack:
        """Deploy a changed template, or changed parameters, onto the living stack. Raises DeployError."""
        deployment, before = self.deployed(stack_name), self.stacks[stack_name]
        loaded = load_template(template, parameters)
        deployment.code = loaded.code
        polled = len(deployment.source_mappings)
        stack = update(loaded.plain, parameters, deployment, before)
        self.stacks[stack_name] = stack
        for mapping in deployment.source_mappings[polled:]:
            self.pollers.add(mapping)
        return stack

    def deployed(self, stack_name: str | None = None) -> Deployment:
        """The deployment of a stack, without a name of the first; DeployError before `deploy`."""
        found = self.deployments.get(stack_name) if stack_name else next(iter(self.deployments.values()), None)
        if found is None:
            raise DeployError(f"the stack {stack_name!r} is not deployed" if stack_name else "nothing is deployed yet")
        return found

    def _owner_of_configuration_set(self, name: str) -> Deployment:
        """The stack to which a configuration set of SES belongs; the first for what belongs to none."""
        return next(
            (
                deployment
                for deployment in self.deployments.values()
                if any(owner == name for owner, _, _ in deployment.event_destinations)
            ),
            self.deployed(),
        )

    def origin_of_connection(self, port: int, to_port: int) -> Origin:
        """Which function process connected from a port of this machine to another one of it."""
        instances = {instance.pid: instance for instance in self.functions.instances()}
        found = process_of_connection(port, to_port, instances)
        if found is None:
            return Origin(None, lambda: None)
        instance = instances[found]
        return Origin(self.functions.logical_id_of(instance), instance.kill)

    def _invoke_for_gateway(self, function_arn: str, payload: bytes) -> tuple[bytes | None, bool]:
        try:
            outcome = self.functions.invoke(function_arn, payload)
        except (Throttled, SandboxError):
            return None, True
        return outcome.payload, outcome.error is not None

    def _gateway_may_invoke(self, function_arn: str, source_arn: str) -> bool:
        return any(
            permission.function_arn == function_arn
            and permission.principal == "apigateway.amazonaws.com"
            and (permission.source_arn is None or _source_matches(permission.source_arn, source_arn))
            for deployment in self.deployments.values()
            for permission in deployment.permissions
        )

    def _write_log(self, group: str, line: str) -> None:
        client = self.client("logs")
        stream = "sandbox-gateway"
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        # moto refuses events that lie far from the machine's own time, so this one time is real.
        client.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": int(time.time() * 1000), "message": line}],
        )

    def close(self) -> None:
        """End every process and thread. Harmless when repeated."""
        global _open
        if self._closed:
            return
        self._closed = True
        self.pollers.close()
        self.functions.close()
        self.gateway.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
        _stop_executions()
        moto_patches.activate(None)
        map_runs.forget()
        _reset_moto()
        for name, value in self._previous_environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        with _open_lock:
            _open = None


def _source_matches(pattern: str, source: str) -> bool:
    return matches(pattern, source)


def _stop_executions() -> None:
    """Let the interpreter's threads of unfinished executions end instead of waiting on."""
    for account in list(stepfunctions_parser_backends.values()):
        for backend in list(account.values()):
            for machine in backend.state_machines:
                for execution in list(machine.executions):
                    if execution.exec_status is not None and execution.exec_status.value == "RUNNING":
                        execution.stop(None, None, "the sandbox was closed")


@lru_cache(maxsize=4)
def _session(region: str) -> boto3.Session:
    """One session for every sandbox of the process: it keeps the service models that it has read, and no keys."""
    return boto3.Session(region_name=region)


@lru_cache(maxsize=64)
def _backend_app(service: Any) -> Any:
    """moto's routes of a service, which hold nothing of an account: made once in a process."""
    return create_backend_app(service)


def _reset_moto() -> None:
    moto_api_backend.reset()
