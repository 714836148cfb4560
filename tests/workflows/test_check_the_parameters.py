"""CloudFormation hears of a mistake while the stack is deployed, and is never left waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from billing.domain.errors import InputInvalid
from billing.runtime.parameters import settlement
from billing.runtime.settings import Environment
from billing.workflows.operations.check_the_parameters import check_the_parameters

REQUEST = {
    "RequestType": "Update",
    "ResponseURL": "https://bucket.example/answer?signature=x",
    "StackId": "arn:stack",
    "RequestId": "request-1",
    "LogicalResourceId": "CheckedParameters",
    "PhysicalResourceId": "CheckedParameters",
    "ResourceProperties": {"APPROVERS": "ann@firm.example"},
}


def refuse(properties: Mapping[str, str]) -> None:
    raise InputInvalid(f"Approvers: {properties['APPROVERS']} is wrong. " + "x" * 5000)


def break_down(properties: Mapping[str, str]) -> None:
    raise RuntimeError("ann@firm.example")


def answered(check: Any, **changed: str) -> Mapping[str, Any]:
    said: list[tuple[str, Mapping[str, Any]]] = []
    logged: list[str] = []
    check_the_parameters({**REQUEST, **changed}, check, lambda url, answer: said.append((url, answer)), logged.append)
    ((url, answer),) = said
    assert logged == (["parameters could not be checked"] if check is break_down else [])
    assert url == REQUEST["ResponseURL"]
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[name] == REQUEST[name]
    assert answer["PhysicalResourceId"] == "CheckedParameters", "another name would have the resource replaced"
    return answer


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_mistake_fails_the_deployment_with_its_sentence(kind: str) -> None:
    answer = answered(refuse, RequestType=kind)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Approvers: ann@firm.example is wrong.")
    assert len(answer["Reason"]) <= 1000, "CloudFormation takes 4 KB for the whole answer"


def test_without_a_mistake_the_deployment_goes_on() -> None:
    assert answered(lambda properties: None)["Status"] == "SUCCESS"


def test_a_check_that_breaks_down_still_answers_and_quotes_nothing() -> None:
    answer = answered(break_down)
    assert answer["Status"] == "FAILED"
    assert "RuntimeError" in answer["Reason"]
    assert "ann@" not in answer["Reason"]


def test_a_stack_can_always_be_removed() -> None:
    assert answered(refuse, RequestType="Delete")["Status"] == "SUCCESS"


ON = {"SETTLEMENT": "on", "SETTLEMENT_POLICIES": "nordic", "STRIPE_WEBHOOK_SECRET_ARN": "arn:secret"}


@pytest.mark.parametrize(
    ("policy", "billed", "wrong"),
    [
        ('subsidiary = "2"', "2", ""),
        ('subsidiary = "2"', "", ""),
        ("", "2,5", ""),
        ('subsidiary = "2"', "5", "Subsidiaries is 5, and the policy file nordic settles subsidiary 2"),
        ('subsidiary = "2"', "2,5", "Subsidiaries is 2, 5, and"),
        ('subsidary = "2"', "2", "subsidary is not a policy"),
    ],
)
def test_the_settlements_subsidiary_is_the_one_that_the_stack_bills(
    monkeypatch: pytest.MonkeyPatch, policy: str, billed: str, wrong: str
) -> None:
    monkeypatch.setattr(settlement, "policy_file", lambda name: policy)
    env = Environment({**ON, "SUBSIDIARIES": billed})
    if not wrong:
        settlement.check_settlement(env)
        return
    with pytest.raises(InputInvalid, match=wrong):
        settlement.check_settlement(env)
    settlement.check_settlement(Environment({**ON, "SUBSIDIARIES": billed, "SETTLEMENT": "off"}))
