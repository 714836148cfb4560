"""`make doctor`: what it prints and how it exits, of a stack and of the sandbox."""

from __future__ import annotations

import io
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from oncall import doctor

WELL = {
    "ok": True,
    "counts": {"fine": 1, "note": 0, "wrong": 0, "unchecked": 0},
    "findings": [],
    "lines": ["fine      parameters             read as a run reads them"],
}
ILL = {**WELL, "ok": False, "counts": {"fine": 0, "note": 0, "wrong": 1, "unchecked": 0}, "lines": ["wrong     x y"]}


class Account:
    """Stands in for a session and its clients of CloudFormation and Lambda."""

    region_name = "eu-central-1"

    def __init__(self, answer: Any, error: str = "") -> None:
        self.answer, self.error, self.asked = answer, error, list[dict[str, Any]]()

    def __call__(self, **options: Any) -> Account:
        return self

    def client(self, service: str, **options: Any) -> Account:
        self.asked.append({"service": service, **options})
        return self

    def describe_stacks(self, **given: str) -> dict[str, Any]:
        if given["StackName"] != "month-end-billing":
            message = f"Stack with id {given['StackName']} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        return {"Stacks": [{}]}

    def get_paginator(self, name: str) -> Account:
        assert name == "list_stack_resources"
        return self

    def paginate(self, **given: str) -> list[dict[str, Any]]:
        one = {"LogicalResourceId": "ExamineTheSetupFunction", "PhysicalResourceId": "month-end-billing-Examine-1"}
        return [{"StackResourceSummaries": [one]}]

    def invoke(self, **given: Any) -> dict[str, Any]:
        assert given == {"FunctionName": "month-end-billing-Examine-1", "Payload": b"{}"}
        failed = {"FunctionError": self.error} if self.error else {}
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


@pytest.mark.parametrize(
    ("answer", "code", "last"), [(WELL, 0, "all well: 1 fine"), (ILL, 1, "something is to be done: 1 wrong")]
)
def test_a_stack_is_asked_by_its_own_function(
    answer: Any, code: int, last: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(answer)
    monkeypatch.setattr(boto3, "Session", account)
    assert doctor.main([], {"STACK": "month-end-billing"}) == code
    assert capsys.readouterr().out.splitlines() == [*answer["lines"], last]
    config = account.asked[-1]["config"]
    assert config.read_timeout > 300, "the function may run for five minutes"
    assert config.retries["total_max_attempts"] == 1


def test_machines_are_given_the_whole_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "Session", Account(ILL))
    assert doctor.main(["--json", "--stack", "month-end-billing"], {}) == 1
    assert json.loads(capsys.readouterr().out) == ILL


@pytest.mark.parametrize(
    ("stack", "account", "words"),
    [
        ("no-such-stack", Account(WELL), "There is no stack no-such-stack"),
        ("month-end-billing", Account({"errorMessage": "Task timed out"}, "Unhandled"), "Task timed out"),
        ("month-end-billing", Account(None), "see its log"),
    ],
)
def test_an_examination_that_could_not_be_run_is_told_apart(
    stack: str, account: Account, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "Session", account)
    assert doctor.main([], {"STACK": stack}) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


def test_without_a_stack_the_sandbox_is_examined(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main([], {"WORLD": "tiny"}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("all well: ")
    assert [line for line in lines[:-1] if not line.startswith(("fine ", "note "))] == []
    assert not any(line.split()[1].startswith(("settlement", "stripe.webhook")) for line in lines[:-1])


def test_a_world_that_is_not_there_could_not_be_examined(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--world", "no-such-world"], {}) == 2
    assert "no-such-world" in capsys.readouterr().err
