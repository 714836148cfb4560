"""What moto 5.2.5's interpreter of the Amazon States Language lacks, each patch with its reason.

`install` patches moto once per process; the patches act through the `Hooks` of the sandbox that is open.
"""

from __future__ import annotations

import copy
import datetime as real_datetime
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonpath_ng.ext.parser import parse as parse_json_path
from moto import backends as moto_backends
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3 import models as s3_models
from moto.scheduler import models as scheduler_models
from moto.secretsmanager.models import SecretsManagerBackend
from moto.stepfunctions.parser import models as sfn_models
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.eval.callback import callback as callbacks
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client, json_path
from moto.stepfunctions.parser.backend import execution as execution_module
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.utils import TMP_THREADS
from moto.stepfunctions.responses import StepFunctionResponse

from tests.sandbox.aws import moto_dynamodb
from tests.sandbox.aws.iam.evaluate import Access


class TaskTimedOut(AWSError):  # type: ignore[misc]
    """AWS's answer to a callback that comes too late."""

    TYPE = "TaskTimedOut"
    STATUS = 400


class InvalidToken(AWSError):  # type: ignore[misc]
    """AWS's answer to a token that it never issued."""

    TYPE = "InvalidToken"
    STATUS = 400


@dataclass(frozen=True)
class Checkpoint:
    """The state that an execution entered last: where a redrive begins."""

    state: str
    input: Any
    variables: Mapping[str, Any]


@dataclass
class Hooks:
    """What the patches need of the sandbox that is open."""

    client: Callable[[str, str], Any]
    """(service, role ARN) -> a boto3 client that signs as that role."""
    allows: Callable[[str, Access], str | None]
    """None if the role may do it, else AWS's sentence for the refusal."""
    clock: Callable[[], float]
    retry_delay_scale: float = 1.0
    """Factor on the waits of Retry, for tests that cannot wait as long as a production run may."""


_hooks: Hooks | None = None
_installed = False
_token_lock = threading.Lock()
_LOOKS_AGAIN_SECONDS = 0.1


def hooks() -> Hooks:
    """The hooks of the open sandbox."""
    if _hooks is None:
        raise RuntimeError("no sandbox is open")
    return _hooks


def activate(current: Hooks | None) -> None:
    """Make these the hooks that the patches act through (None: no sandbox is open)."""
    global _hooks
    _hooks = current
    if current is None:
        TMP_THREADS.clear()


def now_text() -> str:
    """The sandbox's time as the context object shows it, such as 2026-06-01T09:00:00.000Z."""
    moment = real_datetime.datetime.fromtimestamp(_now(), real_datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _now() -> float:
    # A thread of an execution may outlive its sandbox by a moment; it must not trip over the clock.
    return _hooks.clock() if _hooks is not None else time.time()


def install() -> None:
    """Patch moto. Harmless when repeated."""
    global _installed
    if _installed:
        return
    _installed = True
    from tests.sandbox.aws import execution_calls, map_runs

    _sign_as_the_state_machine()
    _parse_once()
    _move_with_the_clock()
    scheduler_models.unix_time = lambda: hooks().clock()
    _read_the_version_that_is_current()
    _show_redrives_in_the_context()
    _remember_where_it_stands()
    _name_lambda_errors_as_aws()
    _answer_late_callbacks_as_aws()
    _stop_at_once()
    _leave_bucket_policies_to_the_front_door()
    _describe_the_definition_that_an_execution_began_with()
    moto_dynamodb.install()
    _scale_the_waits_of_retry()
    _time_out_by_the_clock()
    map_runs.install()
    execution_calls.install()
    # Every failed task is logged as an error of moto's; the execution history says it all.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def _sign_as_the_state_machine() -> None:
    """moto calls services with invented credentials; AWS uses the state machine's role."""

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        role = getattr(state_credentials, "role_arn", "")
        return hooks().client(service, role)

    original = boto_client.boto_client_for
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        if name.startswith("moto.stepfunctions.") and getattr(module, "boto_client_for", None) is original:
            module.boto_client_for = client_for  # type: ignore[attr-defined]


def _parse_once() -> None:
    """The parsers (ANTLR for definitions, PLY for JSON paths) take longer than the states; both results are
    read only, so each text is parsed once. And moto lists its own folder for every request."""
    original = AmazonStateLanguageParser.parse
    AmazonStateLanguageParser.parse = staticmethod(lru_cache(maxsize=16)(original))
    json_path.parse = lru_cache(maxsize=4096)(parse_json_path)
    modules = tuple(moto_backends.list_of_moto_modules())
    moto_backends.list_of_moto_modules = lambda: modules


def _move_with_the_clock() -> None:
    """Times in histories and in the context object are the sandbox's, not the machine's."""

    class Moved(real_datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real_datetime.datetime.fromtimestamp(_now(), tz)

    class Shim:
        datetime = Moved
        timezone = real_datetime.timezone

        def __getattr__(self, name: str) -> Any:
            return getattr(real_datetime, name)

    for module in (state_module, sfn_models, execution_module):
        module.datetime = Shim()
    EventManager._get_current_timestamp = staticmethod(lambda: Moved.now(real_datetime.UTC))


def _read_the_version_that_is_current() -> None:
    """A label that is moved moves what GetSecretValue gives, which without a version is AWSCURRENT (API reference)."""
    original = SecretsManagerBackend.update_secret_version_stage

    def update_secret_version_stage(self: Any, secret_id: str, *given: Any, **named: Any) -> Any:
        answer = original(self, secret_id, *given, **named)
        secret = self.secrets[secret_id]
        current = [name for name, one in secret.versions.items() if "AWSCURRENT" in one["version_stages"]]
        secret.default_version_id = current[0] if current else secret.default_version_id
        return answer

    SecretsManagerBackend.update_secret_version_stage = update_secret_version_stage


def _show_redrives_in_the_context() -> None:
    """`$$.Execution.RedriveCount` and RedriveTime are missing, and StartTime is no string."""
    original = ExecutionWorker._get_evaluation_environment

    def environment(self: Any) -> Any:
        env = original(self)
        execution = self._execution_communication.execution
        data = env.states.context_object.context_object_data["Execution"]
        data["RedriveCount"] = getattr(execution, "redrive_count", 0)
        if getattr(execution, "redrive_time", None):
            data["RedriveTime"] = execution.redrive_time
        start = data["StartTime"]
        if isinstance(start, real_datetime.datetime):
            data["StartTime"] = start.strftime("%Y-%m-%dT%H:%M:%S.") + f"{start.microsecond // 1000:03d}Z"
        return env

    ExecutionWorker._get_evaluation_environment = environment
    reflect = execution_module.BaseExecutionWorkerCommunication.terminated

    def terminated(self: Any) -> None:
        # The thread of an aborted run may end after the redrive has begun: it is not the one to say how it ended.
        current = self.execution.exec_worker._execution_communication is self
        if current and not getattr(self.execution, "aborted", False):
            reflect(self)

    execution_module.BaseExecutionWorkerCommunication.terminated = terminated


def _remember_where_it_stands() -> None:
    """Redrive is missing: it needs the last state entered, its input, and the variables at that moment."""
    original = state_module.CommonStateField._eval_body

    def eval_body(self: Any, env: Any) -> None:
        if not env.is_frame():
            env.checkpoint = Checkpoint(
                self.name, env.states.get_input(), copy.deepcopy(env.variable_store._inner_scope)
            )
        original(self, env)

    state_module.CommonStateField._eval_body = eval_body


_MODELLED = {
    "ServiceException", "TooManyRequestsException", "ResourceNotFoundException",
    "InvalidParameterValueException", "RequestTooLargeException",
}  # fmt: skip


def _name_lambda_errors_as_aws() -> None:
    """moto names every refusal of Lambda's API after its code. Step Functions knows the exceptions of Lambda's
    model; anything else, a missing permission for one, is Lambda.AWSLambdaException."""
    original = StateTaskServiceLambda._error_cause_from_client_error

    def error_cause(client_error: Any) -> tuple[str, str]:
        error, cause = original(client_error)
        if error.removeprefix("Lambda.") not in _MODELLED:
            error = "Lambda.AWSLambdaException"
        return error, cause

    StateTaskServiceLambda._error_cause_from_client_error = staticmethod(error_cause)


def _environments(execution: Any) -> list[Any]:
    worker = execution.exec_worker
    current = [worker.env] if worker is not None and worker.env is not None else []
    return [*getattr(execution, "past_environments", []), *current]


def _answer_late_callbacks_as_aws() -> None:
    """moto takes a second answer for the same token, answers InvalidToken for an ended execution, and trips
    over one that is just starting. AWS: the first answer counts, a later one gets TaskTimedOut."""

    def endpoint_of(backend: Any, token: str) -> Any:
        for machine in backend.state_machines:
            for execution in list(machine.executions):
                for env in _environments(execution):
                    found = env.callback_pool_manager.get(token)
                    if found is not None:
                        open_ = execution.exec_status is not None and execution.exec_status.value == "RUNNING"
                        current = execution.exec_worker.env is env
                        return found if open_ and current else None
        raise InvalidToken("Invalid Token: 'Invalid token'")

    def notify(backend: Any, token: str, outcome: Any) -> None:
        late = "Task Timed Out: 'Provided task does not exist anymore'"
        with _token_lock:
            endpoint = endpoint_of(backend, token)
            if endpoint is None or endpoint._notify_event.is_set() or endpoint.consumer_error is not None:
                raise TaskTimedOut(late)
            endpoint.notify(outcome=outcome)

    def send_task_success(self: Any, task_token: str, outcome: str) -> None:
        notify(self, task_token, callbacks.CallbackOutcomeSuccess(callback_id=task_token, output=outcome))

    def send_task_failure(self: Any, task_token: str, error: Any = None, cause: Any = None) -> None:
        notify(
            self,
            task_token,
            callbacks.CallbackOutcomeFailure(callback_id=task_token, error=error, cause=cause),
        )

    def send_task_heartbeat(self: Any, task_token: str) -> None:
        endpoint = endpoint_of(self, task_token)
        if endpoint is None or not endpoint.notify_heartbeat():
            raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")

    backend = sfn_models.StepFunctionsParserBackend
    backend.send_task_success = send_task_success
    backend.send_task_failure = send_task_failure
    backend.send_task_heartbeat = send_task_heartbeat
    start = backend.start_execution

    def start_execution(
        self: Any,
        state_machine_arn: str,
        name: Any = None,
        execution_input: Any = None,
        trace_header: Any = None,
    ) -> Any:
        # Without a name AWS invents one; moto would call every such execution "None".
        return start(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header)

    backend.start_execution = start_execution


def _stop_at_once() -> None:
    """moto's StopExecution only marks the interpreter; an execution that waits for a callback stays RUNNING
    until its time-out. AWS aborts it at once."""
    original = execution_module.Execution.stop

    def stop(self: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
        if self.exec_status is None or self.exec_status.value != "RUNNING":
            return
        self.aborted = True
        self.exec_status = execution_module.ExecutionStatus.ABORTED
        self.stop_date = execution_module.datetime.datetime.now(tz=real_datetime.UTC)
        self.error, self.cause = error or None, cause or None
        original(self, stop_date, error, cause)
        env = self.exec_worker.env
        env.event_manager.add_event(
            context=env.event_history_context,
            event_type=execution_module_event("ExecutionAborted"),
            event_details={"executionAbortedEventDetails": {"error": error or "", "cause": cause or ""}},
        )
        env.event_manager.closed = True
        for endpoint in list(env.callback_pool_manager._pool.values()):
            endpoint.interrupt_all()

    execution_module.Execution.stop = stop

    def stop_execution(self: Any) -> Any:
        # moto drops the caller's error and cause.
        arn = self._get_param("executionArn")
        execution = self.stepfunction_backend.describe_execution(arn)
        execution.stop(None, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    StepFunctionResponse.stop_execution = stop_execution
    add_event = EventManager.add_event

    def add_event_unless_closed(self: Any, *args: Any, **kwargs: Any) -> int:
        if getattr(self, "closed", False):
            return 0
        return int(add_event(self, *args, **kwargs))

    EventManager.add_event = add_event_unless_closed


def _leave_bucket_policies_to_the_front_door() -> None:
    """moto applies a bucket policy's Deny without its Condition, so "only over TLS" would lock everybody out.
    The front door evaluates bucket policies, conditions included."""
    s3_models.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL


def _describe_the_definition_that_an_execution_began_with() -> None:
    """An update of a state machine is none of its running executions', and moto keeps theirs ("Updating a state
    machine"), but describes today's."""

    def describe_its_own(self: Any) -> ActionResult:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        own = execution.state_machine
        described = {"stateMachineArn": own.arn, "name": own.name, "definition": own.definition}
        return ActionResult({**described, "roleArn": execution.role_arn, "updateDate": own.creation_date})

    StepFunctionResponse.describe_state_machine_for_execution = describe_its_own


def _scale_the_waits_of_retry() -> None:
    """A storm of retries may take minutes; a test can ask for the same number of attempts in less time."""

    class Shim:
        @staticmethod
        def sleep(seconds: float) -> None:
            time.sleep(seconds * (_hooks.retry_delay_scale if _hooks is not None else 1.0))

        def __getattr__(self, name: str) -> Any:
            return getattr(time, name)

    retrier_decl.time = Shim()


class _PatientEvent(threading.Event):
    """An event whose wait ends by the sandbox's clock: days pass when a test moves it."""

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        end = _now() + timeout
        while (left := end - _now()) > 0:
            if super().wait(min(left, _LOOKS_AGAIN_SECONDS)):
                return True
        return self.is_set()


def _time_out_by_the_clock() -> None:
    """A Task's TimeoutSeconds is measured by moto in the machine's time; a wait of a week could not be played."""

    class Shim:
        Event = _PatientEvent

        def __getattr__(self, name: str) -> Any:
            return getattr(threading, name)

    execute_state.threading = Shim()


def execution_module_event(name: str) -> Any:
    """A history event type by name."""
    from moto.stepfunctions.parser.api import HistoryEventType

    return HistoryEventType[name]
