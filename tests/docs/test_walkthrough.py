"""The walkthrough leads to files that exist, and a state's name leads to its code and its test in two hops."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from checks.template import read_template, resources_of
from tests.docs.repository import DEFINITION, ROOT

PAGE = (ROOT / "docs" / "walkthrough.md").read_text(encoding="utf-8")
PACKAGE = "layers/billing/"
PATHS = sorted(
    set(re.findall(r"`((?:billing|functions|tests|statemachine|layers)/[\w./]*|[\w]+\.yaml)`", PAGE)),
)
TESTED = dict(re.findall(r"^\| ([A-Z][a-z ]+) \| `(tests/[\w/.]+)` \|$", PAGE, re.MULTILINE))


def tasks(machine: Mapping[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name
        if "ItemProcessor" in state:
            yield from tasks(state["ItemProcessor"])


def machine(file: Path) -> Mapping[str, Any]:
    """The definition with its substitutions, some of which stand for numbers, filled by a one."""
    text = re.sub(r'"\$\{\w+\}"|\$\{\w+\}', lambda found: '"x"' if found[0].startswith('"') else "1", file.read_text())
    return json.loads(text)  # type: ignore[no-any-return]


MONTHLY = sorted(tasks(machine(DEFINITION)))
EVERY = sorted({*MONTHLY, *tasks(machine(ROOT / "statemachine" / "settlement.asl.json"))})


def snake(state: str) -> str:
    return state.lower().replace(" ", "_")


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_walkthrough_exists(path: str) -> None:
    assert (ROOT / (PACKAGE + path if path.startswith("billing/") else path)).exists()


def test_the_walkthrough_is_long_enough_to_lead_anywhere() -> None:
    assert len(PATHS) > 50


def test_the_walkthrough_names_a_test_for_every_state_and_for_no_other() -> None:
    assert sorted(TESTED) == MONTHLY


@pytest.mark.parametrize("state", MONTHLY)
def test_the_test_that_the_walkthrough_names_plays_that_state(state: str) -> None:
    source = (ROOT / TESTED[state]).read_text(encoding="utf-8")
    assert state in source or snake(state) in source


@pytest.mark.parametrize("state", MONTHLY)
def test_a_states_name_leads_to_its_module_by_way_of_its_function(state: str) -> None:
    name = snake(state)
    assert (ROOT / PACKAGE / "billing" / "workflows" / "monthly_billing" / f"{name}.py").is_file()
    entry = (ROOT / "functions" / name / "app.py").read_text(encoding="utf-8")
    assert f"from billing.workflows.monthly_billing.{name} import" in entry


@pytest.mark.parametrize("state", EVERY)
def test_a_states_name_leads_to_its_resource(state: str) -> None:
    resource = resources_of(read_template(ROOT / "template.yaml"), "AWS::Serverless::Function")
    wanted = "".join(word[0].upper() + word[1:] for word in state.split()) + "Function"
    assert resource[wanted]["CodeUri"].rstrip("/") == f"functions/{snake(state)}"
