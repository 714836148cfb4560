"""The deployed definition of the state machine, interpreted in this process and in one thread.

It reads statemachine/monthly_billing.asl.json itself, so there is no second description of the order of states. What
the definition says and this does not know is an error, never ignored. Retries take the clock forward instead of
waiting; the items of a Map run one after the other.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Invoke = Callable[[str, dict[str, Any]], Any]
"""(function, event) -> answer. Raises what the function raised; `Killed` if its process died."""

_KNOWN = {
    "Task": {"Resource", "Parameters", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds"},
    "Choice": {"Choices", "Default"},
    "Pass": {"Parameters", "Result"},
    "Map": {
        "Label", "ItemReader", "ItemSelector", "MaxConcurrency", "MaxConcurrencyPath", "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath", "ItemProcessor", "ResultWriter",
    },
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
}  # fmt: skip
_EVERYWHERE = {
    "Type", "Comment", "Next", "End", "InputPath", "OutputPath", "ResultPath", "ResultSelector", "Retry", "Catch",
}  # fmt: skip
_LARGEST_STATE = 262_144
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)")


class NotUnderstood(AssertionError):
    """The definition says something that this interpreter does not know: teach it, do not guess."""


class Killed(BaseException):
    """The process of a function dies: nothing of the product may catch this."""


class StateFailed(Exception):
    """An error by the name that Retry and Catch match."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name, cause


class _Waits(Exception):
    """The task's token is out; the execution stands until somebody answers."""


@dataclass
class Execution:
    """One execution: where it stands, with what, and how it ended. `status` is Step Functions' own word.

    `visited` are the states entered so far, those of Map items included. `due` is the epoch second at which a waiting
    task times out.
    """

    name: str
    arn: str
    given: dict[str, Any]
    status: str = "RUNNING"
    redrives: int = 0
    error: str = ""
    cause: str = ""
    at: str = ""
    data: Any = None
    token: str = ""
    due: float = 0.0
    visited: list[str] = field(default_factory=list)
    children: dict[str, dict[int, bool | None]] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return self.status == "RUNNING" and bool(self.token)


class Machine:
    """A state machine and its executions.

    `functions` maps the definition's ${...} to what `invoke` is called with. `read` gives an object of a bucket.
    `after_each_state` is called with (execution, state's name): a test may stop or kill there.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        invoke: Invoke,
        read: Callable[[str], bytes],
        now: Callable[[], float],
        pause: Callable[[float], None],
        name: str = "monthly-billing",
    ) -> None:
        self._definition, self._name = definition, name
        self._invoke, self._read, self._now, self._pause = invoke, read, now, pause
        self.executions: dict[str, Execution] = {}
        self._tokens: dict[str, Execution] = {}
        self._count = 0

    # What people and AWS do with executions.

    def start(self, name: str, given: Mapping[str, Any]) -> Execution:
        """Begin an execution and run it until it ends or waits. A second start of a name is refused, as on AWS."""
        arn = f"arn:aws:states:eu-central-1:123456789012:execution:{self._name}:{name}"
        if arn in self.executions:
            raise NotUnderstood(f"an execution named {name} is there already")
        execution = Execution(name, arn, dict(given), at=self._definition["StartAt"], data=dict(given))
        self.executions[arn] = execution
        self._run(execution)
        return execution

    def answer_token(self, token: str, output: str) -> bool:
        """SendTaskSuccess. False if nobody waits with this token any more."""
        execution = self._tokens.pop(token, None)
        if execution is None or execution.token != token or execution.status != "RUNNING":
            return False
        execution.token = ""
        execution.data = {"__answered__": json.loads(output), "__state__": execution.data}
        return True

    def go_on(self, execution: Execution) -> None:
        """Run on after the token was answered."""
        if execution.status == "RUNNING" and not execution.token:
            self._run(execution)

    def time_out(self, execution: Execution) -> None:
        """The wait is over without an answer; the clock must have reached `due` before."""
        if not execution.waits or self._now() < execution.due:
            raise NotUnderstood("the execution does not wait, or its wait is not over")
        self._tokens.pop(execution.token, None)
        execution.token = ""
        state = self._definition["States"][execution.at]
        error = StateFailed("States.Timeout", "")
        caught = self._caught(state, execution.data, error)
        if caught is None:
            self._fail(execution, error)
            return
        execution.at, execution.data = caught
        self._run(execution)

    def stop(self, execution: Execution) -> None:
        """Abort, as a person does in the console."""
        self._tokens.pop(execution.token, None)
        execution.token, execution.status = "", "ABORTED"

    def redrive(self, execution: Execution) -> None:
        """Go on at the state that failed or was aborted, with the input that it had."""
        if execution.status not in ("FAILED", "ABORTED", "TIMED_OUT"):
            raise NotUnderstood(f"an execution that is {execution.status} cannot be redriven")
        execution.status, execution.redrives = "RUNNING", execution.redrives + 1
        execution.error = execution.cause = ""
        self._run(execution)

    # Running.

    def _run(self, execution: Execution) -> None:
        while True:
            state = self._definition["States"][execution.at]
            try:
                answered = self._answered(execution)
                if answered is None:
                    execution.visited.append(execution.at)
                    found = self._state(execution, execution.at, state, execution.data, self._context(execution))
                else:
                    found = self._after_task(state, execution.data, answered, self._context(execution))
            except _Waits:
                return
            except Killed:
                # The whole execution is taken away in the middle of a state: a person stops it, then redrives.
                execution.status = "ABORTED"
                return
            except StateFailed as error:
                caught = self._caught(state, execution.data, error)
                if caught is None:
                    self._fail(execution, error)
                    return
                execution.at, execution.data = caught
                continue
            execution.data, following = found
            if len(json.dumps(execution.data)) > _LARGEST_STATE:
                self._fail(execution, StateFailed("States.DataLimitExceeded", execution.at))
                return
            if following is None:
                execution.status = "SUCCEEDED"
                return
            execution.at = following

    @staticmethod
    def _answered(execution: Execution) -> Any:
        if isinstance(execution.data, dict) and "__answered__" in execution.data:
            answer, execution.data = execution.data["__answered__"], execution.data["__state__"]
            return answer
        return None

    @staticmethod
    def _fail(execution: Execution, error: StateFailed) -> None:
        execution.status, execution.error, execution.cause = "FAILED", error.name, error.cause

    @staticmethod
    def _context(execution: Execution) -> dict[str, Any]:
        return {
            "Execution": {
                "Id": execution.arn,
                "Name": execution.name,
                "Input": execution.given,
                "RedriveCount": execution.redrives,
            }
        }

    def _state(
        self, execution: Execution, name: str, state: Mapping[str, Any], data: Any, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        kind = state["Type"]
        if kind not in _KNOWN or (strange := set(state) - _EVERYWHERE - _KNOWN[kind]):
            raise NotUnderstood(f"state {name}: {kind} with {sorted(strange) if kind in _KNOWN else 'its fields'}")
        if "OutputPath" in state:
            raise NotUnderstood(f"state {name}: OutputPath")
        seen = _at(data, state["InputPath"], context) if state.get("InputPath") else data
        if kind == "Choice":
            return data, self._chosen(state, seen, context)
        if kind == "Succeed":
            return seen, None
        if kind == "Fail":
            raise StateFailed(str(state.get("Error", "")), str(state.get("Cause", "")))
        if kind == "Pass":
            result = state["Result"] if "Result" in state else _filled(state.get("Parameters"), seen, context, seen)
            return self._after_task(state, data, result, context)
        if kind == "Map":
            self._map(execution, name, state, seen, context)
            return self._after_task(state, data, {}, context)
        return self._task(execution, state, data, seen, context)

    def _task(
        self, execution: Execution, state: Mapping[str, Any], data: Any, seen: Any, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        waits = state["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
        if not waits and state["Resource"] != "arn:aws:states:::lambda:invoke":
            raise NotUnderstood(f"the resource {state['Resource']}")
        token = ""
        if waits:
            self._count += 1
            token = f"token-{self._count}"
            context = {**context, "Task": {"Token": token}}
            # Answered from inside the function: the token is good from the moment it is handed out.
            execution.token, self._tokens[token] = token, execution
            execution.due = self._now() + _at(data, state["TimeoutSecondsPath"], context)
        asked = _filled(state["Parameters"], seen, context, seen)
        function = re.fullmatch(r"\$\{(\w+)\}", asked["FunctionName"])
        if function is None or set(asked) != {"FunctionName", "Payload"}:
            raise NotUnderstood(f"the parameters {sorted(asked)}")
        try:
            answer = self._retried(state.get("Retry", []), function[1], asked["Payload"])
        except BaseException:
            self._tokens.pop(token, None)
            execution.token = ""
            raise
        if not waits:
            return self._after_task(state, data, {"Payload": answer}, context)
        early = self._answered_early(execution, data)
        if early is None:
            raise _Waits
        return self._after_task(state, data, early, context)

    @staticmethod
    def _answered_early(execution: Execution, data: Any) -> Any:
        if execution.token:
            return None
        answered = execution.data["__answered__"]
        execution.data = data
        return answered

    def _retried(self, rules: list[Mapping[str, Any]], function: str, payload: Any) -> Any:
        taken = [0] * len(rules)
        while True:
            try:
                return self._invoke(function, payload)
            except StateFailed as error:
                matching = [
                    number for number, rule in enumerate(rules) if {error.name, "States.ALL"} & set(rule["ErrorEquals"])
                ]
                if not matching:
                    raise
                number, rule = matching[0], rules[matching[0]]
                if taken[number] >= rule.get("MaxAttempts", 3):
                    raise
                wait = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2) ** taken[number]
                self._pause(min(wait, rule.get("MaxDelaySeconds", wait)))
                taken[number] += 1

    def _map(
        self, execution: Execution, name: str, state: Mapping[str, Any], seen: Any, context: dict[str, Any]
    ) -> None:
        reader = state["ItemReader"]
        if reader["Resource"] != "arn:aws:states:::s3:getObject":
            raise NotUnderstood(f"the Map {name}")
        path = state.get("ToleratedFailurePercentagePath")
        tolerated = _at(seen, path, context) if path else state["ToleratedFailurePercentage"]
        items = json.loads(self._read(_filled(reader["Parameters"], seen, context, seen)["Key"]))
        inner = state["ItemProcessor"]
        # A redrive of a Map Run goes on with the items that did not succeed; one that ended in a Fail state (None) is
        # redriven there and fails again at once.
        done = execution.children.setdefault(name, {})
        for number, item in enumerate(items):
            if number in done and done[number] is not False:
                continue
            within = {**context, "Map": {"Item": {"Value": item, "Index": number}}}
            data = _filled(state["ItemSelector"], seen, within, seen)
            done[number] = self._child(execution, inner, data, within)
            if sum(not ended for ended in done.values()) * 100 > tolerated * len(items):
                execution.children.pop(name)
                raise StateFailed(
                    "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
                )
        execution.children.pop(name)

    def _child(self, execution: Execution, inner: Mapping[str, Any], data: Any, context: dict[str, Any]) -> bool | None:
        """Whether it succeeded; None if it ended in a Fail state."""
        at: str | None = inner["StartAt"]
        while at is not None:
            state = inner["States"][at]
            execution.visited.append(at)
            try:
                data, at = self._state(execution, at, state, data, context)
            except StateFailed as error:
                caught = self._caught(state, data, error)
                if caught is None:
                    return None if state["Type"] == "Fail" else False
                at, data = caught
        return True

    def _chosen(self, state: Mapping[str, Any], seen: Any, context: dict[str, Any]) -> str:
        for choice in state["Choices"]:
            if _holds({key: value for key, value in choice.items() if key not in ("Next", "Comment")}, seen, context):
                return str(choice["Next"])
        if "Default" not in state:
            raise StateFailed("States.NoChoiceMatched", "")
        return str(state["Default"])

    @staticmethod
    def _after_task(
        state: Mapping[str, Any], data: Any, result: Any, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        chosen = _filled(state.get("ResultSelector"), result, context, result)
        following = None if state.get("End") else str(state["Next"])
        return _put(data, state.get("ResultPath", "$"), chosen), following

    @staticmethod
    def _caught(state: Mapping[str, Any], data: Any, error: StateFailed) -> tuple[str, Any] | None:
        for rule in state.get("Catch", []):
            if error.name in rule["ErrorEquals"] or (
                "States.ALL" in rule["ErrorEquals"] and error.name not in ("States.Runtime", "States.DataLimitExceeded")
            ):
                named = {"Error": error.name, "Cause": error.cause}
                return str(rule["Next"]), _put(data, rule.get("ResultPath", "$"), named)
        return None


def _holds(test: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> bool:
    if set(test) == {"And"}:
        return all(_holds(one, data, context) for one in test["And"])
    if set(test) == {"Or"}:
        return any(_holds(one, data, context) for one in test["Or"])
    if set(test) == {"Not"}:
        return not _holds(test["Not"], data, context)
    operators = set(test) - {"Variable"}
    if len(operators) != 1:
        raise NotUnderstood(f"the choice {sorted(test)}")
    operator = operators.pop()
    wanted = test[operator]
    if operator == "IsPresent":
        try:
            _at(data, test["Variable"], context)
        except StateFailed:
            return not wanted
        return bool(wanted)
    value = _at(data, test["Variable"], context)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if operator == "StringEquals":
        return isinstance(value, str) and value == wanted
    if operator == "BooleanEquals":
        return isinstance(value, bool) and value == wanted
    if operator == "NumericEquals":
        return number and value == wanted
    if operator == "NumericGreaterThan":
        return number and value > wanted
    if operator == "NumericLessThan":
        return number and value < wanted
    if operator == "IsNull":
        return (value is None) == wanted
    raise NotUnderstood(f"the operator {operator}")


def _at(data: Any, path: str, context: Mapping[str, Any]) -> Any:
    root: Any = data
    rest = path
    if path.startswith("$$"):
        root, rest = context, path[1:]
    if not re.fullmatch(r"\$(?:\.[A-Za-z_][A-Za-z0-9_]*)*", rest):
        raise NotUnderstood(f"the path {path}")
    for name in _STEP.findall(rest):
        if not isinstance(root, dict) or name not in root:
            raise StateFailed("States.Runtime", f"The path {path} finds nothing.")
        root = root[name]
    return copy.deepcopy(root)


def _filled(template: Any, data: Any, context: Mapping[str, Any], without: Any) -> Any:
    """A payload template; `without` if there is none."""
    if template is None:
        return without
    if isinstance(template, dict):
        filled = {}
        for name, value in template.items():
            if name.endswith(".$"):
                if str(value).startswith("States."):
                    raise NotUnderstood(f"the intrinsic {value}")
                filled[name[:-2]] = _at(data, value, context)
            else:
                filled[name] = _filled(value, data, context, value)
        return filled
    return copy.deepcopy(template)


def _put(data: Any, path: str | None, value: Any) -> Any:
    if path is None:
        return data
    if path == "$":
        return value
    found = re.fullmatch(r"\$\.([A-Za-z_][A-Za-z0-9_]*)", path)
    if found is None or not isinstance(data, dict):
        raise NotUnderstood(f"the result path {path}")
    return {**data, found[1]: value}
