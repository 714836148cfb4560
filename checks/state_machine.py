"""What a state machine of this repository must keep, checked without AWS.

Sources: the Amazon States Language specification (its JSON schema as cfn-lint ships it, which cfn-lint itself
uses only on definitions inside a template; its grammar as moto ships it), the AWS Step Functions Developer
Guide on error handling and task tokens, and the house rules (a state, its function's folder and its tests
bear one name).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from checks.template import Template, names_in, resources_of

LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
)
"""Faults of the Lambda service itself, which every Lambda task retries, in the order in which every Retry lists them:
those that the Step Functions Developer Guide's best practice for transient Lambda errors and AWS CDK's
retryOnServiceExceptions name, and those by which a process that was killed or ran out of time is reported."""

RETRIES = (("PassingError", *LAMBDA_FAULTS), LAMBDA_FAULTS)
"""The two lists of errors that a Retry of a Lambda task may have, the one source for all of them: with the error that
the functions raise for whatever can pass, or (where the state does something better with that error) without it."""

RETRY_PACE = {"IntervalSeconds": 1, "BackoffRate": 2, "JitterStrategy": "FULL"}
"""What every Retry has in common. How often and how long differs by state: a person waits for one, a month for
another."""

CATCH_ALL = frozenset({"States.ALL", "States.TaskFailed", "States.Timeout"})
"""Names that a Retry may not hold: they would repeat what needs a person, or what may have happened."""

_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_SENTENCE = re.compile(r"[A-Z][A-Za-z']*( [A-Za-z0-9']+)+")


@dataclass(frozen=True)
class State:
    """A state, and the name of the state machine or Map that holds it."""

    name: str
    body: Mapping[str, Any]
    level: str

    @property
    def resource(self) -> str:
        """The service integration that a Task calls; empty for other types."""
        return str(self.body.get("Resource", ""))

    @property
    def calls_lambda(self) -> bool:
        """Whether this is a Task that invokes a function."""
        return ":states:::lambda:invoke" in self.resource

    @property
    def waits_for_token(self) -> bool:
        """Whether this Task ends by a callback with its token."""
        return self.resource.endswith(".waitForTaskToken")

    @property
    def folder(self) -> str:
        """The name of the folder under functions/ that this state's function must have."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower().replace("'", "")).strip("_")


def states_of(definition: Mapping[str, Any], level: str = "the state machine") -> Iterator[State]:
    """Every state of a definition, those inside Map and Parallel states included."""
    for name, body in definition.get("States", {}).items():
        yield State(name, body, level)
        for inner in _inner_machines(body):
            yield from states_of(inner, f'"{name}"')


def _inner_machines(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    single = [body[key] for key in ("ItemProcessor", "Iterator") if key in body]
    return [*single, *body.get("Branches", [])]


def check_schema(definition: Mapping[str, Any]) -> list[str]:
    """Findings of the Amazon States Language's own schema."""
    source = files("cfnlint.data.schemas.other.step_functions") / "statemachine.json"
    validator = jsonschema.Draft7Validator(json.loads(source.read_text(encoding="utf-8")))
    return [
        f"{'/'.join(str(part) for part in error.absolute_path) or 'the top level'}: {error.message}."
        for error in validator.iter_errors(definition)
    ]


def check_grammar(definition: Mapping[str, Any]) -> list[str]:
    """Findings of moto's parser, stricter than the schema: it knows every field of the language by name.

    It is also what the local world runs the definition with, so that what it refuses cannot be tried.
    """
    from moto.stepfunctions.parser.asl.parse.asl_parser import (  # two seconds, for this one check
        AmazonStateLanguageParser,
        ASLParserException,
    )

    try:
        AmazonStateLanguageParser.parse(json.dumps(definition, indent=2))
    except ASLParserException as error:
        return [f"not in the States Language: {finding[:200]}" for finding in error.errors]
    return []


def check_names(definition: Mapping[str, Any]) -> list[str]:
    """Names are unique in the whole file, and short sentences."""
    findings = []
    seen: dict[str, str] = {}
    for state in states_of(definition):
        if state.name in seen:
            findings.append(f'"{state.name}" names a state in {seen[state.name]} and in {state.level}.')
        seen[state.name] = state.level
        if not _SENTENCE.fullmatch(state.name):
            findings.append(f'"{state.name}": a name is a short sentence, such as "Close the run".')
    return findings


def check_flow(definition: Mapping[str, Any], level: str = "the state machine") -> list[str]:
    """Every state can be reached from StartAt, every target exists, and something ends."""
    states: Mapping[str, Any] = definition.get("States", {})
    findings = []
    reached: set[str] = set()
    waiting = [str(definition.get("StartAt"))]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        if name not in states:
            findings.append(f'{level}: "{name}" is gone to, but there is no such state.')
            continue
        reached.add(name)
        waiting += _targets(states[name])
    findings += [
        f'"{name}" in {level} cannot be reached from "{definition.get("StartAt")}".'
        for name in states
        if name not in reached
    ]
    if not any(body.get("End") or body.get("Type") in ("Succeed", "Fail") for body in states.values()):
        findings.append(f"{level}: no state ends it.")
    for name, body in states.items():
        for inner in _inner_machines(body):
            findings += check_flow(inner, f'"{name}"')
    return findings


def _targets(body: Mapping[str, Any]) -> list[str]:
    rules = [*body.get("Choices", []), *body.get("Catch", [])]
    return [
        str(target)
        for target in (body.get("Next"), body.get("Default"), *(rule.get("Next") for rule in rules))
        if target
    ]


def check_tasks(definition: Mapping[str, Any]) -> list[str]:
    """Every Task has a time-out and a Retry that names what may pass, with back-off and jitter."""
    findings = []
    for state in states_of(definition):
        if state.body.get("Type") == "Task":
            findings += [f'"{state.name}": {finding}' for finding in _check_task(state)]
    return findings


def _check_task(state: State) -> Iterator[str]:
    if "TimeoutSeconds" not in state.body and "TimeoutSecondsPath" not in state.body:
        what = "waits for a callback" if state.waits_for_token else "is a Task"
        yield f"{what} and needs TimeoutSeconds or TimeoutSecondsPath; without one it may wait for a year."
    retries = state.body.get("Retry", [])
    if not retries:
        yield "is a Task and needs a Retry that names the errors that can pass."
    named = {name for rule in retries for name in rule.get("ErrorEquals", [])}
    for name in sorted(named & CATCH_ALL):
        yield f"its Retry holds {name}, which also repeats what needs a person; name what can pass."
    missing = set(LAMBDA_FAULTS) - named if state.calls_lambda and retries else set()
    if missing:
        yield f"its Retry leaves out {', '.join(sorted(missing))}, faults of Lambda itself that pass."
    elif (
        state.calls_lambda
        and retries
        and [tuple(rule.get("ErrorEquals", ())) for rule in retries] not in ([[errors] for errors in RETRIES])
    ):
        yield (
            "its Retry is none of the two in checks.state_machine.RETRIES: one rule, the same names in the same order."
        )
    for number, rule in enumerate(retries, start=1):
        for field in ("MaxAttempts", "MaxDelaySeconds", *RETRY_PACE):
            if field not in rule:
                yield f"Retry {number} has no {field}."
            elif field in RETRY_PACE and rule[field] != RETRY_PACE[field]:
                yield f"Retry {number} has {field} {rule[field]!r}; every Retry has {RETRY_PACE[field]!r}."


def substitutions_in(definition: object) -> set[str]:
    """Names of every ${X} in the definition."""
    return set(_SUBSTITUTION.findall(json.dumps(definition)))


def check_template(file: str, definition: Mapping[str, Any], template: Template, root: Path) -> list[str]:
    """Substitutions match both ways; a Lambda task's function lies in the folder with the state's name."""
    machines = {
        name: properties
        for name, properties in resources_of(template, "AWS::Serverless::StateMachine").items()
        if str(properties.get("DefinitionUri", "")).endswith(file)
    }
    if not machines:
        return [f"{file}: no AWS::Serverless::StateMachine of template.yaml has it as DefinitionUri."]
    findings = []
    for machine, properties in machines.items():
        given: Mapping[str, Any] = properties.get("DefinitionSubstitutions") or {}
        used = substitutions_in(definition)
        findings += [
            f"{file}: ${{{name}}} is not in {machine}'s DefinitionSubstitutions." for name in sorted(used - set(given))
        ]
        findings += [
            f"{file}: {machine}'s DefinitionSubstitutions has {name}, which no state uses."
            for name in sorted(set(given) - used)
        ]
        for state in states_of(definition):
            if state.calls_lambda:
                findings += [f'"{state.name}": {finding}' for finding in _check_function(state, given, template, root)]
    return findings


def _check_function(state: State, given: Mapping[str, Any], template: Template, root: Path) -> Iterator[str]:
    if not (root / "functions" / state.folder / "app.py").is_file():
        yield f"there is no functions/{state.folder}/app.py; a state's function bears the state's name."
    functions = resources_of(template, "AWS::Serverless::Function")
    wanted = substitutions_in(state.body.get("Parameters", {}).get("FunctionName"))
    ids = {name for substitution in wanted for name in names_in(given.get(substitution))} & set(functions)
    if len(ids) != 1:
        yield "its FunctionName must be one ${...} that template.yaml gives as one function."
        return
    (logical_id,) = ids
    function = functions[logical_id]
    code = str(function.get("CodeUri", "")).removeprefix("./").rstrip("/")
    if code != f"functions/{state.folder}":
        yield f"it calls {logical_id}, whose CodeUri is {code!r} and not 'functions/{state.folder}'."
    if state.waits_for_token:
        return  # its time-out is the person's time, not the function's
    patience, limit = state.body.get("TimeoutSeconds"), function.get("Timeout")
    if isinstance(patience, int) and isinstance(limit, int) and patience <= limit:
        yield (
            f"its TimeoutSeconds ({patience}) must be above {logical_id}'s Timeout ({limit}): "
            "else a retry begins while the function still runs."
        )


def check_definition(definition: Mapping[str, Any]) -> list[str]:
    """Everything about a definition that needs no template."""
    shape = check_schema(definition) or check_grammar(definition)
    if shape:
        return shape  # the other checks rely on it
    return [*check_names(definition), *check_flow(definition), *check_tasks(definition)]


def check_tree(root: Path, template: Template) -> list[str]:
    """Check every statemachine/*.asl.json below `root` against itself and against the template."""
    findings = []
    paths = sorted((root / "statemachine").glob("*.asl.json"))
    if not paths:
        findings.append("statemachine/: holds no *.asl.json.")
    for path in paths:
        try:
            definition = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            findings.append(f"{path.name}: not JSON: {error}.")
            continue
        findings += [f"{path.name}: {finding}" for finding in check_definition(definition)]
        findings += check_template(path.name, definition, template, root)
    return findings
