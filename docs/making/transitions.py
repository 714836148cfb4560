"""A state machine's states and transitions, read from its file, with a short label for each transition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START = "start"
END = "end"


@dataclass(frozen=True, slots=True)
class Transition:
    """From one state to another; `source` may be START, `target` END. `caught`: an error leads there."""

    source: str
    target: str
    label: str
    caught: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """States by name as the file gives them, in its order. `inner` holds the machine inside each Map, by its name."""

    states: Mapping[str, Mapping[str, Any]]
    transitions: tuple[Transition, ...]
    inner: Mapping[str, Machine]


def read_machine(path: Path) -> Machine:
    """Read an *.asl.json file."""
    return machine_of(json.loads(path.read_text(encoding="utf-8")))


def machine_of(definition: Mapping[str, Any]) -> Machine:
    """A definition in the Amazon States Language, or the ItemProcessor of a Map."""
    states = definition["States"]
    return Machine(
        states=states,
        transitions=(
            Transition(START, definition["StartAt"], ""),
            *(one for name, body in states.items() for one in _of_state(name, body)),
        ),
        inner={name: machine_of(body["ItemProcessor"]) for name, body in states.items() if "ItemProcessor" in body},
    )


def hub_of(machine: Machine) -> str | None:
    """The choice that calls every step by its name, where a machine has one: states lead back to it, and it to them."""
    for name, body in machine.states.items():
        rules = body.get("Choices", [])
        if rules and all(rule.get("StringEquals") == rule["Next"] for rule in rules):
            return name
    return None


def kind_of(body: Mapping[str, Any]) -> str:
    """A state's type, with the wait for a person told apart from other tasks."""
    return "Wait" if str(body.get("Resource", "")).endswith(".waitForTaskToken") else str(body["Type"])


def _of_state(name: str, body: Mapping[str, Any]) -> Iterator[Transition]:
    for rule in body.get("Choices", []):
        yield Transition(name, rule["Next"], _condition(rule))
    if "Default" in body:
        yield Transition(name, body["Default"], "otherwise")
    if "Next" in body:
        yield Transition(name, body["Next"], "")
    for rule in body.get("Catch", []):
        errors = ", ".join("any error" if error == "States.ALL" else error for error in rule["ErrorEquals"])
        yield Transition(name, rule["Next"], errors, caught=True)
    if body.get("End") or body["Type"] in ("Succeed", "Fail"):
        yield Transition(name, END, "")


def _condition(rule: Mapping[str, Any]) -> str:
    """A choice in few words: the variable's last name and what it must be."""
    if rule.get("StringEquals") == rule["Next"]:
        return ""  # A step that is called by its name.
    variable = str(rule["Variable"]).rpartition(".")[2]
    if rule.get("BooleanEquals") is True:
        return variable
    if "NumericGreaterThan" in rule:
        return f"{variable} > {rule['NumericGreaterThan']}"
    if "NumericEquals" in rule:
        return f"{variable} = {rule['NumericEquals']}"
    if "StringEquals" in rule:
        return f"{variable} = {rule['StringEquals'] or 'none'}"
    raise ValueError(f"no words yet for the choice {rule!r}: add them to _condition")
