"""docs/replay.md says what a replay does in every state, and each sentence is played by a test that exists."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.docs.repository import DEFINITION, ROOT, section, table_rows
from tests.histories.machine import Machine

REPLAY = ROOT / "docs" / "replay.md"
SETTLEMENT = ROOT / "statemachine" / "settlement.asl.json"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def states(definition: Mapping[str, Any]) -> Iterator[str]:
    """Every state's name, those inside a Map included."""
    for name, body in definition["States"].items():
        yield name
        if "ItemProcessor" in body:
            yield from states(body["ItemProcessor"])


@pytest.mark.parametrize(
    ("heading", "file"),
    [("The monthly run", DEFINITION), ("The settlement", SETTLEMENT)],
    ids=["monthly", "settlement"],
)
def test_every_state_has_its_row_with_what_a_redrive_and_a_new_execution_do(heading: str, file: Any) -> None:
    rows = table_rows(section(REPLAY, heading))
    assert [row[0] for row in rows] == list(states(json.loads(file.read_text(encoding="utf-8"))))
    for state, redriven, new, played in rows:
        assert redriven, state
        assert new, state
        assert _TEST.search(played), state


def test_every_test_that_is_named_exists() -> None:
    named = _TEST.findall(REPLAY.read_text(encoding="utf-8"))
    assert len(named) > 40
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{test}"


def test_a_step_that_a_definition_does_not_know_fails_whenever_it_is_redriven_and_passes_by_todays() -> None:
    """A pass that waits in its retries while functions are deployed that know one step more."""
    today = json.loads(SETTLEMENT.read_text(encoding="utf-8"))
    older = copy.deepcopy(today)
    choices = older["States"]["What is next"]["Choices"]
    older["States"]["What is next"]["Choices"] = [one for one in choices if one["StringEquals"] != "Nothing to write"]
    answer = {"root": "in_1", "kind": "invoice", "wanted": 1, "plan": "", "todo": [], "counts": {}}

    def machine(definition: dict[str, Any]) -> Machine:
        return Machine(
            definition,
            lambda function, event: {**answer, "next": "Nothing to write"},
            lambda key: b"",
            lambda: 0.0,
            lambda seconds: None,
        )

    stopped = machine(older).start("in_1-1", {"root": "in_1"})
    for _ in range(2):
        assert (stopped.status, stopped.error, stopped.at) == ("FAILED", "OurFault", "The next step is unknown")
        assert "Start a new execution" in stopped.cause
        machine(older).redrive(stopped)
    assert machine(today).start("in_1-2", {"root": "in_1"}).status == "SUCCEEDED"
