"""The deployed functions: their settings from the template, their warm processes, and how they are invoked."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.sandbox.aws.deploy.template import LocalCode
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.iam.principals import Caller, Credentials, Roles
from tests.sandbox.aws.runtime.instance import Instance, Launch, Outcome
from tests.sandbox.aws.runtime.packages import (
    cache_directory,
    clock_path,
    find_interpreter,
    layer_path,
    runtime_path,
)
from tests.sandbox.clock import SandboxClock

ASYNC_RETRIES = 2
"""Lambda tries an asynchronous invocation three times unless the template says otherwise."""
_ASYNC_WAITS_SECONDS = (60.0, 120.0)
"""Between those attempts: "How Lambda handles errors and retries with asynchronous invocation" (Lambda guide)."""
_SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024
_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}
"""Names of levels as Lambda and as Python write them."""


@dataclass(frozen=True)
class FunctionSettings:
    """One AWS::Lambda::Function of the translated template. `layers` are in the template's order;
    `reserved` is ReservedConcurrentExecutions; `async_retries` is MaximumRetryAttempts,
    and `on_failure` takes the record of what failed every time; `log_level` is
    ApplicationLogLevel, which Lambda applies to JSON logs."""

    logical_id: str
    name: str
    arn: str
    handler: str
    role_arn: str
    code: Path
    layers: Sequence[LocalCode]
    environment: Mapping[str, str]
    memory_mb: int
    timeout_seconds: float
    log_group: str
    log_format: str = "Text"
    log_level: str = "INFO"
    reserved: int | None = None
    async_retries: int = ASYNC_RETRIES
    on_failure: Callable[[str], None] | None = None
    stack_name: str = ""


def _level_of(line: str) -> int:
    """Lambda reads the key "level" of a JSON line and takes a line without one for INFO: "Log-level filtering" (Lambda
    guide). [unsure] whether it does so for Python's stdout too, where the runtime filters by itself; the stricter way
    is taken here."""
    try:
        fields = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        fields = {}
    named = fields.get("level") if isinstance(fields, dict) else None
    return _LEVELS.get(str(named).upper(), _LEVELS["INFO"])


class Throttled(Exception):
    """Every permitted concurrent invocation of the function is under way."""


@dataclass
class _Pool:
    settings: FunctionSettings
    idle: list[Instance] = field(default_factory=list)
    busy: set[Instance] = field(default_factory=set)
    starting: int = 0
    retired: set[Instance] = field(default_factory=set)
    """Those at work with a configuration that is no longer the function's: they end after their invocation."""


class Functions:
    """All functions of the stack. Safe for many threads."""

    def __init__(
        self, roles: Roles, clock: SandboxClock, region: str, account: str, retry_delay_scale: float = 1.0
    ) -> None:
        self._roles = roles
        self._clock = clock
        self._region = region
        self._account = account
        self._retry_delay_scale = retry_delay_scale
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._pools: dict[str, _Pool] = {}
        self._keys: dict[str, Credentials] = {}
        self._logs: list[tuple[str, str, str]] = []
        self._closed = False
        self.endpoint_url = ""
        self.on_log: Callable[[str, str], None] | None = None
        clock.on_jump(self.restart)

    def add(self, settings: FunctionSettings) -> None:
        """Register a deployed function."""
        with self._lock:
            self._pools[settings.name] = _Pool(settings)

    def replace(self, settings: FunctionSettings) -> None:
        """Change a function's settings (asynchronous retries, for one); warm processes stay."""
        with self._lock:
            self._pools[settings.name].settings = settings

    def change(self, settings: FunctionSettings) -> None:
        """Give a function other code or another configuration: warm processes end, those at work after their
        invocation. How asynchronous invocations are repeated stays as it was."""
        with self._lock:
            pool = self._pools[settings.name]
            old = pool.settings
            pool.settings = replace(settings, async_retries=old.async_retries, on_failure=old.on_failure)
            pool.retired |= pool.busy
            idle, pool.idle = pool.idle, []
        for instance in idle:
            self._discard(instance)

    def settings(self, name: str) -> FunctionSettings:
        """By function name, ARN or partial ARN. SandboxError if there is none."""
        bare = name.split(":function:")[-1].split(":")[0]
        with self._lock:
            pool = self._pools.get(bare)
            if pool is None:
                pool = next((item for item in self._pools.values() if item.settings.logical_id == bare), None)
        if pool is None:
            raise SandboxError(f"there is no function {name!r}")
        return pool.settings

    def names(self) -> list[str]:
        """Names of all functions."""
        with self._lock:
            return sorted(self._pools)

    def logs(self, function: str | None = None, stack_name: str | None = None) -> list[tuple[str, str]]:
        """(logical id, line) of everything that functions (of one stack, if named) wrote to stdout and stderr."""
        with self._lock:
            return [
                (logical_id, line)
                for stack, logical_id, line in self._logs
                if function in (None, logical_id) and stack_name in (None, stack)
            ]

    def invoke(self, name: str, payload: bytes) -> Outcome:
        """A synchronous invocation. Throttled if the reserved concurrency is used up."""
        settings = self.settings(name)
        instance = self._take(settings)
        try:
            outcome = instance.invoke(str(uuid.uuid4()), payload)
        finally:
            self._give_back(settings.name, instance)
        if outcome.error is None and len(outcome.payload) > _SYNC_PAYLOAD_BYTES:
            text = f"Response payload size ({len(outcome.payload)} bytes) exceeded maximum allowed payload size"
            body = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}
            return Outcome(json.dumps(body).encode(), "Unhandled")
        return outcome

    def invoke_later(self, name: str, payload: bytes) -> None:
        """An asynchronous invocation: tried again after an error, as often and as late as Lambda does (the waits are
        scaled like those of Retry). What is left then goes to the destination for failures, in Lambda's form
        ("Capturing records of Lambda asynchronous invocations")."""
        settings = self.settings(name)

        def run() -> None:
            error: str | None = None
            for attempt in range(settings.async_retries + 1):
                if attempt and self._closing.wait(_ASYNC_WAITS_SECONDS[attempt - 1] * self._retry_delay_scale):
                    return
                try:
                    outcome = self.invoke(name, payload)
                except Throttled:
                    continue
                except SandboxError:
                    return  # closed meanwhile
                if outcome.error is None:
                    return
                error = outcome.error
            if settings.on_failure is not None:
                context = {"functionArn": settings.arn, "condition": "RetriesExhausted"}
                record = {"version": "1.0", "requestContext": context, "requestPayload": json.loads(payload)}
                settings.on_failure(json.dumps({**record, "responsePayload": error}))

        threading.Thread(target=run, daemon=True).start()

    def _take(self, settings: FunctionSettings) -> Instance:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            pool = self._pools[settings.name]
            while pool.idle:
                instance = pool.idle.pop()
                if instance.alive:
                    pool.busy.add(instance)
                    return instance
                self._discard(instance)
            if settings.reserved is not None and len(pool.busy) + pool.starting >= settings.reserved:
                raise Throttled(settings.name)
            pool.starting += 1
            latest = pool.settings
        # A start takes its time, and calls that come at once start at once.
        try:
            started, key = self._start(latest)
        except BaseException:
            with self._lock:
                pool.starting -= 1
            raise
        with self._lock:
            pool.starting -= 1
            self._keys[started.id] = key
            pool.busy.add(started)
            if pool.settings is not latest:
                pool.retired.add(started)
        if self._closing.is_set():
            self._discard(started)
            raise SandboxError("the sandbox is closed")
        return started

    def _give_back(self, name: str, instance: Instance) -> None:
        with self._lock:
            pool = self._pools[name]
            pool.busy.discard(instance)
            stale = instance.launch.clock_offset != self._clock.offset or instance in pool.retired
            pool.retired.discard(instance)
            if instance.alive and not stale and not self._closed:
                pool.idle.append(instance)
                return
        self._discard(instance)

    def _discard(self, instance: Instance) -> None:
        key = self._keys.pop(instance.id, None)
        if key is not None:
            self._roles.revoke(key.access_key_id)
        instance.close()

    def _logger(self, settings: FunctionSettings) -> Callable[[str], None]:
        logical_id = settings.logical_id

        def log(line: str) -> None:
            if settings.log_format == "JSON" and _level_of(line) < _LEVELS[settings.log_level]:
                return
            with self._lock:
                self._logs.append((settings.stack_name, logical_id, line))
            if self.on_log is not None:
                self.on_log(logical_id, line)

        return log

    def _start(self, settings: FunctionSettings) -> tuple[Instance, Credentials]:
        interpreter = find_interpreter()
        caller = Caller(settings.role_arn, settings.name, settings.logical_id, uuid.uuid4().hex)
        key = self._roles.issue(caller)
        layers = [path for layer in reversed(settings.layers) for path in layer_path(layer, interpreter)]
        launch = Launch(
            function_name=settings.name,
            function_arn=settings.arn,
            executable=interpreter.executable,
            handler=settings.handler,
            path=[str(settings.code), *layers, runtime_path(interpreter)],
            environment=self._environment(settings, key, interpreter.version),
            memory_mb=settings.memory_mb,
            timeout_seconds=settings.timeout_seconds,
            working_directory=settings.code,
            clock_offset=self._clock.offset,
            clock_path=clock_path(interpreter),
            pycache=str(cache_directory() / "pycache"),
        )
        return Instance(launch, self._logger(settings)), key

    def _environment(self, settings: FunctionSettings, key: Credentials, version: str) -> dict[str, str]:
        return {
            **settings.environment,
            "_HANDLER": settings.handler,
            "_X_AMZN_TRACE_ID": "",
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_SESSION_TOKEN": key.session_token,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_LAMBDA_FUNCTION_NAME": settings.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": settings.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"[$LATEST]{uuid.uuid4().hex}",
            "AWS_LAMBDA_LOG_FORMAT": settings.log_format,
            # Set by Lambda for JSON logs only.
            **({"AWS_LAMBDA_LOG_LEVEL": settings.log_level} if settings.log_format == "JSON" else {}),
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_TASK_ROOT": str(settings.code),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
        }

    def instances(self) -> list[Instance]:
        """Every process there is, idle or at work."""
        with self._lock:
            return [item for pool in self._pools.values() for item in (*pool.idle, *pool.busy)]

    def logical_id_of(self, instance: Instance) -> str:
        """The logical id of the function that the process belongs to."""
        return self.settings(instance.launch.function_name).logical_id

    def by_key(self, access_key_id: str) -> Instance | None:
        """The process that holds an access key."""
        for instance in self.instances():
            key = self._keys.get(instance.id)
            if key is not None and key.access_key_id == access_key_id:
                return instance
        return None

    def restart(self) -> None:
        """Let go of every idle process; busy ones end after their invocation."""
        with self._lock:
            idle = [instance for pool in self._pools.values() for instance in pool.idle]
            for pool in self._pools.values():
                pool.idle.clear()
        for instance in idle:
            self._discard(instance)

    def close(self) -> None:
        """Kill every process."""
        self._closing.set()
        with self._lock:
            self._closed = True
            everything = [item for pool in self._pools.values() for item in (*pool.idle, *pool.busy)]
            for pool in self._pools.values():
                pool.idle.clear()
        for instance in everything:
            self._discard(instance)
