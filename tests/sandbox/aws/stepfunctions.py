"""Executions seen from outside: start, look, stop, redrive."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.sandbox.aws import map_runs, moto_patches
from tests.sandbox.aws.errors import SandboxError

REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")
"""Statuses of an execution that can be redriven."""


@dataclass(frozen=True)
class EnteredState:
    """A state that an execution entered. `time` is ISO 8601 text, `child` the index of the Map item whose
    child execution entered it (None: the execution itself)."""

    name: str
    time: str
    child: int | None = None


def find_execution(execution_arn: str, account: str, region: str) -> Any:
    """moto's object of an execution. SandboxError if there is none."""
    backend = stepfunctions_parser_backends[account][region]
    for machine in backend.state_machines:
        for execution in list(machine.executions):
            if execution.execution_arn == execution_arn:
                return execution
    raise SandboxError(f"there is no execution {execution_arn}")


def history(execution: Any) -> list[dict[str, Any]]:
    """The execution's history so far, across its redrives. The events are moto's own: read them only."""
    worker = execution.exec_worker
    if worker is None or worker.env is None:
        return []
    # moto's get_event_history copies every event deeply, which whoever waits for an event cannot afford.
    return list(worker.env.event_manager._history_event_list)


def last_event(execution: Any) -> dict[str, Any] | None:
    """The newest event of the history; None before the first."""
    worker = execution.exec_worker
    if worker is None or worker.env is None:
        return None
    events = worker.env.event_manager._history_event_list
    return dict(events[-1]) if events else None


def entered_states(execution: Any) -> list[EnteredState]:
    """The states entered so far, those of Map children included, in the order of their times."""
    found = [
        EnteredState(event["stateEnteredEventDetails"]["name"], str(event["timestamp"]))
        for event in history(execution)
        if "stateEnteredEventDetails" in event
    ]
    for child in map_runs.children_of(execution.execution_arn):
        found += [
            EnteredState(event["stateEnteredEventDetails"]["name"], str(event["timestamp"]), child.index)
            for event in child.events
            if "stateEnteredEventDetails" in event
        ]
    return sorted(found, key=lambda state: state.time)


def redrive(execution: Any) -> int:
    """Run a failed, timed out or aborted execution again from the state it stood in.

    As AWS does: same ARN, the definition and input it was started with, the failed state with the input it
    had; a failed Map Run continues with the children that did not succeed. Returns the redrive count.
    Raises SandboxError (AWS: ExecutionNotRedrivable) for any other status.
    """
    status = execution.exec_status.value if execution.exec_status else "STARTING"
    if status not in REDRIVABLE:
        raise SandboxError(f"ExecutionNotRedrivable: the execution is {status}; only {REDRIVABLE} can be redriven")
    past = execution.exec_worker.env
    execution.past_environments = [*getattr(execution, "past_environments", []), past]
    execution.redrive_count = getattr(execution, "redrive_count", 0) + 1
    execution.redrive_time = moto_patches.now_text()
    execution.aborted = False
    checkpoint = getattr(past, "checkpoint", None)
    if checkpoint is not None:
        map_runs.prepare_redrive(execution.execution_arn, checkpoint.state)
    first = execution._get_start_execution_worker()
    worker = _RedriveWorker(
        evaluation_details=first._evaluation_details,
        exec_comm=first._execution_communication,
        cloud_watch_logging_session=None,
        activity_store=first._activity_store,
    )
    worker.past = past
    execution.exec_worker = worker
    execution.exec_status = ExecutionStatus.RUNNING
    execution.stop_date = execution.error = execution.cause = execution.output = None
    worker.prepare(execution.redrive_count)
    worker.start()
    return int(execution.redrive_count)


class _RedriveWorker(ExecutionWorker):  # type: ignore[misc]
    """Runs a program from a checkpoint, appending to the history that is there."""

    past: Any = None

    def prepare(self, redrive_count: int) -> None:
        self.env = self._get_evaluation_environment()
        # A history of its own that goes on where the past one ended: threads of an aborted run still know that one.
        manager = EventManager()
        manager._history_event_list.extend(self.past.event_manager.get_event_history())
        last = len(manager._history_event_list)
        manager._event_id_gen._next_id = last + 1
        self.past.event_manager.closed = True
        self.env.event_manager = manager
        self.env.event_history_context = EventHistoryContext(previous_event_id=last)
        manager.add_event(
            context=self.env.event_history_context,
            event_type=HistoryEventType.ExecutionRedriven,
            event_details=EventDetails(executionRedrivenEventDetails={"redriveCount": redrive_count}),
        )

    def _execution_logic(self) -> None:
        program = self._get_evaluation_entrypoint()
        env = self.env
        checkpoint = getattr(self.past, "checkpoint", None)
        if checkpoint is None:
            program.eval(env)
        else:
            env.checkpoint = checkpoint
            env.next_state_name = checkpoint.state
            env.states.reset(copy.deepcopy(checkpoint.input))
            env.variable_store._inner_scope.update(copy.deepcopy(dict(checkpoint.variables)))
            timeout = program.timeout_seconds.timeout_seconds if program.timeout_seconds else None
            thread = threading.Thread(target=EvalComponent.eval, args=(program, env), daemon=True)
            thread.start()
            thread.join(timeout=timeout)
            if thread.is_alive():
                env.set_timed_out()
        self._execution_communication.terminated()


def output_of(execution: Any) -> Any:
    """The execution's output, decoded; None unless it succeeded."""
    return copy.deepcopy(execution.output)
