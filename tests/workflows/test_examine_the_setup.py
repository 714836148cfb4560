"""One check that fails never stops the others, and each mistake is named once."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from billing.domain.doctor.finding import fine, wrong
from billing.domain.errors import InputInvalid, OurFault, PassingError, PersonNeeded
from billing.workflows.operations.examine_the_setup import Check, examine_the_setup


def examined(*checks: Check, seconds: float = 300.0) -> Any:
    return examine_the_setup(checks, nullcontext, lambda: seconds)


def raising(error: Exception) -> Any:
    def run() -> Any:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PersonNeeded("Give it View."), "Give it View."),
        (InputInvalid("Approvers is wrong."), "Approvers is wrong."),
        (OurFault("Refused."), "Refused."),
        (PassingError("No answer."), "No answer. Run it again later"),
        (KeyError("ann@firm.example"), "it could not be examined (KeyError): tell the developers."),
    ],
)
def test_an_error_becomes_its_checks_line_and_the_others_go_on(error: Exception, text: str) -> None:
    answer = examined(Check("first", raising(error)), Check("second", lambda: fine("second", "there")))
    first, second = answer["findings"]
    assert (first["verdict"], first["text"].startswith(text)) == ("wrong", True)
    assert "ann@" not in str(answer)
    assert second == {"check": "second", "verdict": "fine", "text": "there"}
    assert not answer["ok"]


def test_what_needs_a_check_that_failed_is_not_tried() -> None:
    tried: list[str] = []

    def run(name: str) -> Any:
        tried.append(name)
        return fine(name, "")

    answer = examined(
        Check("login", lambda: wrong("login", "no")),
        Check("columns", lambda: run("columns"), ("login",)),
        Check("queries", lambda: run("queries"), ("columns",)),
        Check("slack", lambda: run("slack")),
    )
    assert tried == ["slack"]
    assert [one["verdict"] for one in answer["findings"]] == ["wrong", "unchecked", "unchecked", "fine"]
    assert answer["findings"][1]["text"] == "correct login first"
    assert answer["counts"] == {"fine": 1, "note": 0, "wrong": 1, "unchecked": 2}


def test_what_was_found_is_answered_when_the_time_runs_out() -> None:
    left = iter([300.0, 10.0, 10.0])
    answer = examine_the_setup(
        [Check("first", lambda: fine("first", "")), Check("second", lambda: fine("second", ""))],
        nullcontext,
        lambda: next(left),
    )
    assert [one["verdict"] for one in answer["findings"]] == ["fine", "unchecked"]  # type: ignore[index,union-attr]
    assert not answer["ok"]


def test_texts_from_outside_are_shown_without_addresses_and_keys() -> None:
    answer = examined(Check("first", lambda: wrong("first", "asked by ann@firm.example\nwith sk_live_12345678")))
    assert answer["findings"][0]["text"] == "asked by an***@firm.example with (hidden)"
