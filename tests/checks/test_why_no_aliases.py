"""Decision 0029 stands on how SAM publishes versions. If a newer SAM does it otherwise, these fail: think again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Parameters": {"Approvers": {"Type": "String"}},
    "Resources": {
        "Layer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "s3://bucket/layer-1"}},
        "Function": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": "s3://bucket/function-1",
                "Handler": "app.handler",
                "Runtime": "python3.13",
                "Layers": [{"Ref": "Layer"}],
                "AutoPublishAlias": "live",
                "AutoPublishAliasAllProperties": True,
                "Environment": {"Variables": {"APPROVERS": {"Ref": "Approvers"}}},
            },
        },
    },
}


def _published(template: dict[str, Any], approvers: str) -> str:
    """The version that the alias points to, by the logical id under which CloudFormation publishes it: the same id, and
    nothing is published."""
    plain = Translator(None, Parser()).translate(
        copy.deepcopy(template), parameter_values={"Approvers": approvers}, get_managed_policy_map=dict
    )
    return str(plain["Resources"]["FunctionAliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0])


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_behind_an_alias_other_approvers_would_not_be_taken_and_nothing_would_say_so() -> None:
    assert _published(TEMPLATE, "ann@firm.example") == _published(TEMPLATE, "bob@firm.example")


def test_behind_an_alias_a_layer_that_changed_would_not_be_taken_either() -> None:
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["Layer"]["Properties"]["ContentUri"] = "s3://bucket/layer-2"
    assert _published(changed, "ann@firm.example") == _published(TEMPLATE, "ann@firm.example")
