"""The drawings of the state machines are the state machines: every state and transition, and nothing else."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import pytest

from docs.making.__main__ import DRAWN, made
from docs.making.drawing import drawing
from docs.making.transitions import machine_of
from tests.docs.repository import ARCHITECTURE, DEFINITION, ROOT, fenced, section

_EDGE = re.compile(r"(\S+) --> (\S+)(?: : .+)?")
_STATE = re.compile(r'state "([^"]+)" as (\w+)( \{)?')
Edges = Counter[tuple[str, str, str]]


def drawn(machine: str = "monthly_billing") -> tuple[set[str], Edges]:
    """Names and (machine, from, to) of the Mermaid text, read line by line; "" is a start or an end."""
    diagrams = [text for text in fenced(ARCHITECTURE, "mermaid", "") if text.startswith("stateDiagram-v2")]
    text = diagrams[list(DRAWN).index(machine)]
    names: dict[str, str] = {"[*]": ""}
    level = [""]
    edges: list[tuple[str, str, str]] = []
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "stateDiagram-v2"
    for line in lines[1:]:
        if state := _STATE.fullmatch(line):
            names[state[2]] = state[1]
            if state[3]:
                level.append(state[1])
        elif edge := _EDGE.fullmatch(line):
            edges.append((level[-1], edge[1], edge[2]))
        else:
            assert line == "}", f"not understood: {line!r}"
            level.pop()
    return set(names.values()) - {""}, Counter((inside, names[a], names[b]) for inside, a, b in edges)


def written(definition: dict[str, Any], inside: str = "") -> tuple[set[str], Edges]:
    """The same from the state machine's file."""
    names: set[str] = set()
    edges: Edges = Counter([(inside, "", definition["StartAt"])])
    for name, body in definition["States"].items():
        names.add(name)
        targets = [body.get("Next"), body.get("Default")]
        targets += [rule["Next"] for rule in [*body.get("Choices", []), *body.get("Catch", [])]]
        edges.update((inside, name, target) for target in targets if target)
        if body.get("End") or body["Type"] in ("Succeed", "Fail"):
            edges[inside, name, ""] += 1
        if "ItemProcessor" in body:
            inner_names, inner_edges = written(body["ItemProcessor"], name)
            names |= inner_names
            edges += inner_edges
    return names, edges


def definition(machine: str = "monthly_billing") -> dict[str, Any]:
    return dict(json.loads((DEFINITION.parent / f"{machine}.asl.json").read_text(encoding="utf-8")))


def test_every_state_machine_is_drawn() -> None:
    assert {f"{name}.asl.json" for name in DRAWN} == {path.name for path in DEFINITION.parent.iterdir()}


@pytest.mark.parametrize("machine", DRAWN)
def test_the_mermaid_drawing_names_every_state_and_transition_and_nothing_else(machine: str) -> None:
    assert drawn(machine) == written(definition(machine))


def test_what_is_made_from_the_code_is_up_to_date() -> None:
    for path, text in made(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `.venv/bin/python -m docs.making`"


@pytest.mark.parametrize("machine", DRAWN)
def test_the_picture_has_a_box_for_every_state_and_a_line_for_every_way(machine: str) -> None:
    names, edges = written(definition(machine))
    picture = ElementTree.fromstring(drawing(machine_of(definition(machine)), "A title"))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [text.text for text in picture.iter(f"{space}text") if text.get("font-weight")]
    assert sorted(filter(None, boxes)) == sorted(names)
    lines = [path for path in picture.iter(f"{space}path") if path.get("marker-end")]
    ways = [(one, two) for (_, one, two), times in edges.items() for _ in range(times) if two]
    assert len(lines) == len(ways)


@pytest.mark.parametrize("broken", ["state", "transition"])
def test_a_changed_machine_is_noticed(broken: str) -> None:
    changed = copy.deepcopy(definition())
    if broken == "state":
        changed["States"]["Wait a day"] = {"Type": "Wait", "Seconds": 86400, "Next": "Close the run"}
    else:
        changed["States"]["Check for changes"]["Next"] = "Close the run"
    assert drawn() != written(changed)


def test_the_architecture_names_no_state_that_does_not_exist() -> None:
    names = set().union(*(written(definition(machine))[0] for machine in DRAWN))
    text = section(ARCHITECTURE, "How redrive works") + section(ARCHITECTURE, "Errors, Retry, Catch")
    settlement = section(ARCHITECTURE, "The settlement, where it is on")
    text += re.sub(r"```.*?```", "", settlement, flags=re.DOTALL)
    quoted = set(re.findall(r'"([A-Z][a-z]+(?: [a-z]+)+)"', text))
    assert quoted
    assert quoted <= names
