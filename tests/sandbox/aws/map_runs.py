"""Distributed Maps as AWS runs them, in place of moto's loop.

moto ignores tolerated failures, gives every child the parent's context object, recurses once per item, and
writes a manifest without results. Here: children have names, ARNs and variables of their own; the Map Run
fails once more than the tolerated share has failed (at once, the others are stopped); the ResultWriter writes
what AWS writes; and a redrive runs only the children that did not succeed.
"""

from __future__ import annotations

import copy
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (
    resource_eval_s3 as reader,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    distributed_iteration_component as distributed,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer import result_writer_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
    resource_eval_s3 as writer,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramError, ProgramStopped, ProgramTimedOut
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

from tests.sandbox.aws import moto_patches
from tests.sandbox.aws.iam.evaluate import Access

_UNLIMITED = 40
"""Children at a time where the definition sets no MaxConcurrency (AWS: 10,000; this machine: fewer)."""


@dataclass
class Child:
    """One child execution of a Map Run. `status` as AWS names it; PENDING until it starts."""

    index: int
    name: str
    arn: str
    status: str = "PENDING"
    input: Any = None
    output: Any = None
    error: str | None = None
    cause: str | None = None
    started: str | None = None
    stopped: str | None = None
    redrives: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class MapMemory:
    """The items and children of a Map Run: what a redrive of a failed one continues."""

    items: list[Any]
    children: list[Child]
    map_run_arn: str


_failed: dict[tuple[str, str], MapMemory] = {}
_resume: dict[tuple[str, str], MapMemory] = {}
_runs: dict[str, list[MapMemory]] = {}
_lock = threading.Lock()


def children_of(execution_arn: str) -> list[Child]:
    """The children of every Map Run of the execution, in the order of the runs and of their items."""
    with _lock:
        return [child for memory in _runs.get(execution_arn, []) for child in memory.children]


def prepare_redrive(execution_arn: str, state: str) -> None:
    """Let the Map state that failed continue its Map Run when it is entered next."""
    with _lock:
        memory = _failed.pop((execution_arn, state), None)
        if memory is not None:
            _resume[(execution_arn, state)] = memory


def forget() -> None:
    """Drop everything remembered, as when a sandbox closes."""
    with _lock:
        for store in (_failed, _resume, _runs):
            store.clear()


def install() -> None:
    """Replace moto's loop, reader and writer."""
    distributed.DistributedIterationComponent._map_run = _map_run
    reader.ResourceEvalS3._handle_get_object = staticmethod(_read_items)
    writer.ResourceEvalS3._handle_put_object = staticmethod(_write_results)
    result_writer_decl.ResultWriter._eval_body = _evaluate_writer


def _failure(env: Any, kind: StatesErrorNameType, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=kind)
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails={"error": name.error_name, "cause": cause}),
        )
    )


def _read_items(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
    client = moto_patches.hooks().client("s3", state_credentials.role_arn)
    parameters = env.stack.pop()
    try:
        body = client.get_object(**parameters)["Body"].read()
    except ClientError as error:
        raise _failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error
    env.stack.append(body.decode("utf-8"))


def _evaluate_writer(self: Any, env: Any) -> None:
    """The writer's Parameters read the Map state's input, where moto gives them the list of results."""
    env.stack.pop()
    env.stack.append(copy.deepcopy(env.stack[-1]))
    self.parargs.eval(env=env)
    self.resource_eval.eval_resource(env=env)


def _write_results(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
    parameters = env.stack.pop()
    env.stack.pop()
    record = env.map_run_record_pool_manager.get_all()[-1]
    with _lock:
        memories = [item for run in _runs.values() for item in run if item.map_run_arn == record.map_run_arn]
    children = memories[-1].children
    folder = parameters.get("Prefix") or ""
    folder = f"{folder.rstrip('/')}/" if folder else ""
    folder += record.map_run_arn.rpartition(":")[2]
    bucket = parameters["Bucket"]
    client = moto_patches.hooks().client("s3", state_credentials.role_arn)

    def put(name: str, content: Any) -> int:
        body = json.dumps(content, default=str).encode()
        client.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=body)
        return len(body)

    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for status, listed in files.items():
            rows = [_result_row(child, record) for child in children if child.status == status]
            if rows:
                name = f"{status}_0.json"
                listed.append({"Key": f"{folder}/{name}", "Size": put(name, rows)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": record.map_run_arn, "ResultFiles": files}
        put("manifest.json", manifest)
    except ClientError as error:
        raise _failure(env, StatesErrorNameType.StatesResultWriterFailed, str(error)) from error
    details = {"Bucket": bucket, "Key": f"{folder}/manifest.json"}
    env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": details})


def _result_row(child: Child, record: Any) -> dict[str, Any]:
    row = {
        "ExecutionArn": child.arn,
        "Input": json.dumps(child.input, default=str),
        "InputDetails": {"Included": True},
        "Name": child.name,
        "RedriveCount": child.redrives,
        "StartDate": child.started,
        "StateMachineArn": record.map_state_machine_arn,
        "Status": child.status,
        "StopDate": child.stopped,
    }
    if child.status == "SUCCEEDED":
        row |= {"Output": json.dumps(child.output, default=str), "OutputDetails": {"Included": True}}
    else:
        row |= {"Error": child.error, "Cause": child.cause}
    return row


def _map_run(self: Any, env: Any, eval_input: Any) -> None:
    items = env.stack.pop()
    execution = env.states.context_object.context_object_data["Execution"]
    machine_arn = env.states.context_object.context_object_data["StateMachine"]["Id"]
    record = eval_input.map_run_record
    _require(env, "states:StartExecution", machine_arn)
    memory = _memory_for(execution["Id"], eval_input.state_name, items, record, machine_arn)
    if memory.map_run_arn != record.map_run_arn:
        _require(env, "states:RedriveExecution", memory.children[0].arn if memory.children else machine_arn)
        memory.map_run_arn = record.map_run_arn
    if memory.children:
        _require(env, "states:DescribeExecution", memory.children[0].arn)
    run = _Run(self, env, eval_input, memory)
    run.work()
    if run.exceeded:
        with _lock:
            _failed[(execution["Id"], eval_input.state_name)] = memory
        if run.stopped:
            _require(env, "states:StopExecution", memory.children[0].arn)
        raise _failure(
            env,
            StatesErrorNameType.StatesExceedToleratedFailureThreshold,
            "The specified tolerated failure threshold was exceeded",
        )
    env.stack.append([child.output for child in memory.children])


def _require(env: Any, action: str, resource: str) -> None:
    refusal = moto_patches.hooks().allows(env.aws_execution_details.role_arn, Access(action, resource))
    if refusal is not None:
        raise _failure(env, StatesErrorNameType.StatesPermissions, refusal)


def _memory_for(execution_arn: str, state: str, items: list[Any], record: Any, machine_arn: str) -> MapMemory:
    with _lock:
        resumed = _resume.pop((execution_arn, state), None)
        if resumed is not None:
            return resumed
        label = record.map_state_machine_arn.rpartition("/")[2]
        prefix = f"{machine_arn.replace(':stateMachine:', ':execution:')}/{label}:"
        names = [str(uuid.uuid4()) for _ in items]
        children = [Child(index, name, prefix + name) for index, name in enumerate(names)]
        memory = MapMemory(list(items), children, record.map_run_arn)
        _runs.setdefault(execution_arn, []).append(memory)
        return memory


class _Run:
    """The workers of one Map Run."""

    def __init__(self, component: Any, env: Any, eval_input: Any, memory: MapMemory) -> None:
        self.env = env
        self.memory = memory
        self.record = eval_input.map_run_record
        self.program = component._get_iteration_program()
        # Only for moto's evaluation of ItemSelector, which lives in its worker.
        self.worker = component._create_worker(
            env=env, eval_input=eval_input, job_pool=JobPool(job_program=self.program, job_inputs=[])
        )
        self.lock = threading.Lock()
        self.todo = [child for child in memory.children if child.status != "SUCCEEDED"]
        self.todo.reverse()
        self.running: dict[int, Any] = {}
        self.exceeded = False
        self.stopped = False

    def work(self) -> None:
        """Run every child that is not done."""
        limit = int(self.record.max_concurrency) or _UNLIMITED
        threads = [threading.Thread(target=self._loop, daemon=True) for _ in range(min(limit, max(1, len(self.todo))))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _loop(self) -> None:
        while True:
            with self.lock:
                if not self.todo or self.exceeded or not self.env.is_running():
                    return
                child = self.todo.pop()
            self._run_child(child)
            with self.lock:
                if self._too_many_failed():
                    self.exceeded = True
                    for frame in self.running.values():
                        self.stopped = True
                        frame.set_stop(stop_date=None, cause=None, error=None)
                        for endpoint in list(frame.callback_pool_manager._pool.values()):
                            endpoint.interrupt_all()

    def _too_many_failed(self) -> bool:
        failed = sum(child.status in ("FAILED", "TIMED_OUT") for child in self.memory.children)
        if failed == 0:
            return False
        total = len(self.memory.children)
        count = self.record.tolerated_failure_count or 0
        percentage = self.record.tolerated_failure_percentage or 0.0
        if not count and not percentage:
            return True
        return bool((count and failed > count) or (percentage and failed * 100 > percentage * total))

    def _frame(self, child: Child) -> Any:
        frame = Environment.as_inner_frame_of(
            env=self.env,
            # A child execution of a Distributed Map does not see the variables of its parent.
            variable_store=VariableStore(),
            event_history_frame_cache=EventHistoryContext.of_program_start(),
        )
        frame.event_manager = EventManager()
        with self.env._state_mutex:
            self.env._frames.append(frame)
        item = self.memory.items[child.index]
        frame.states.context_object.context_object_data["Map"] = {"Item": {"Index": child.index, "Value": item}}
        frame.states.reset(item)
        frame.stack.append(frame.states.get_input())
        with self.lock:
            self.worker._eval_input(env_frame=frame)
        child.input = frame.states.get_input()
        data = frame.states.context_object.context_object_data
        data["Execution"] = {
            **data["Execution"],
            "Id": child.arn,
            "Name": child.name,
            "Input": child.input,
            "StartTime": child.started,
            "RedriveCount": child.redrives,
        }
        return frame

    def _run_child(self, child: Child) -> None:
        counters = (self.record.item_counter, self.record.execution_counter)
        child.redrives += child.status in ("FAILED", "TIMED_OUT", "ABORTED")
        child.started = moto_patches.now_text()
        child.status, child.error, child.cause = "RUNNING", None, None
        for counter in counters:
            counter.total.count()
            counter.running.count()
        frame = None
        try:
            frame = self._frame(child)
            with self.lock:
                self.running[child.index] = frame
            self.program.eval(frame)
            self._read_end(child, frame)
        except FailureEventException as failure:
            child.status = "FAILED"
            child.error, child.cause = failure.extract_error_cause_pair() or (None, None)
        except Exception as error:  # noqa: BLE001 - whatever breaks in a child is the child's failure
            child.status, child.error, child.cause = "FAILED", "States.Runtime", str(error)
        finally:
            with self.lock:
                self.running.pop(child.index, None)
            if frame is not None:
                child.events = frame.event_manager.get_event_history()
                self.env.delete_frame(frame)
            child.stopped = moto_patches.now_text()
            for counter in counters:
                counter.running.offset(-1)
                if child.status == "SUCCEEDED":
                    counter.succeeded.count()
                    counter.results_written.count()
                else:
                    counter.failed.count()

    def _read_end(self, child: Child, frame: Any) -> None:
        end = frame.program_state()
        if isinstance(end, ProgramError):
            child.status = "FAILED"
            child.error = (end.error or {}).get("error")
            child.cause = (end.error or {}).get("cause")
        elif isinstance(end, ProgramTimedOut):
            child.status, child.error = "TIMED_OUT", "States.Timeout"
        elif isinstance(end, ProgramStopped):
            child.status = "ABORTED"
        else:
            child.status, child.output = "SUCCEEDED", frame.states.get_input()
