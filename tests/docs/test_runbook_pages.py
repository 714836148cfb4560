"""The runbook has one short page for each alarm of the template and each name that an error may have, and no other."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from billing.domain import errors
from tests.docs.repository import ROOT, RUNBOOK, RUNBOOK_FOLDER

TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
ALARMS = {
    name: one["Properties"] for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"
}
PAGES = sorted(path for folder in ("alarms", "errors") for path in (RUNBOOK_FOLDER / folder).iterdir())
PARTS = ["**What it means.**", "**What is safe.**", "**What to click.**"]


def caught(part: Any) -> Iterator[str]:
    """The names in every Catch, and of every Fail state."""
    if isinstance(part, dict):
        for one in part.get("Catch", []):
            yield from one["ErrorEquals"]
        if part.get("Type") == "Fail":
            yield part["Error"]
        for inner in part.values():
            yield from caught(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from caught(inner)


def names() -> set[str]:
    """Of errors.py and of the state machines. States.ALL is every error's and nobody's name."""
    ours = {name for name, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)}
    for machine in (ROOT / "statemachine").glob("*.asl.json"):
        ours |= set(caught(json.loads(machine.read_text(encoding="utf-8"))))
    return ours - {"States.ALL"}


def test_every_alarm_has_its_page_and_no_page_is_without_an_alarm() -> None:
    assert len(ALARMS) >= 28
    assert {path.name for path in PAGES if path.parent.name == "alarms"} == {f"{name}.md" for name in ALARMS}


def test_every_alarm_names_its_page_in_its_description() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["AlarmDescription"].endswith(f" Runbook: docs/runbook/alarms/{name}.md"), name
        assert len(alarm["AlarmDescription"]) <= 1024, "CloudWatch's limit"


def test_every_error_name_has_its_page_and_no_page_is_without_a_name() -> None:
    assert {"States.Timeout", "OurFault", "Superseded"} <= names()
    assert {path.name for path in PAGES if path.parent.name == "errors"} == {f"{name}.md" for name in names()}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_says_what_it_means_what_is_safe_and_what_to_click_and_is_short(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n\n")
    assert re.findall(r"^\*\*.+?\.\*\*", text, re.MULTILINE) == PARTS
    assert len(text.splitlines()) <= 30


def test_the_runbook_leads_to_every_page() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    assert [path.name for path in PAGES if f"({path.parent.name}/{path.name})" not in text] == []


def test_every_queue_of_what_was_lost_has_a_page_that_says_what_to_do_with_it() -> None:
    lost = [
        name
        for name, one in TEMPLATE["Resources"].items()
        if one["Type"] == "AWS::SQS::Queue" and name.startswith("Lost")
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert len(lost) >= 3
    assert [name for name in lost if f"`{name}`" not in text] == []
