"""What the template forgets, the sandbox lacks; what it gets wrong, the deployment refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import DeployError
from tests.sandbox.aws.deploy.intrinsics import NO_VALUE, Physical, Scope
from tests.sandbox.aws.deploy.parameters import resolve_parameters
from tests.sandbox_tests.aws.small_world import edited, small_sandbox

_PARAMETER = '  Greeting: { Type: String, Default: hello, AllowedPattern: "[a-z]+" }'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    Type: AWS::S3::Bucket", "    Type: AWS::EC2::Instance", "AWS::EC2::Instance is not known"),
        (
            "    Type: AWS::S3::Bucket",
            "    Type: AWS::S3::Bucket\n    Properties: { AccelerateConfiguration: { AccelerationStatus: Enabled } }",
            "does not handle ['AccelerateConfiguration']",
        ),
        (
            "          GREETING: !Ref Greeting",
            "          GREETING: !Ref Gretting",
            "'Gretting' is neither a parameter nor a resource",
        ),
        ("NOTES_TABLE: !Ref Notes", "NOTES_TABLE: !GetAtt Notes.Name", "Notes has no attribute 'Name'"),
        (
            "NoteFunction: !GetAtt NoteFunction.Arn\n        Files: !Ref Files",
            "NoteFunction: !GetAtt NoteFunction.Arn",
            "${Files}, which nothing substitutes",
        ),
        (
            "        Files: !Ref Files\n      Policies",
            "        Files: !Ref Files\n        Extra: x\n      Policies",
            "['Extra'] are not used",
        ),
        ("GREETING: !Ref Greeting", "AWS_REGION: here", "AWS_REGION is reserved"),
        ("CodeUri: functions/note", "CodeUri: functions/nott", "does not exist"),
        (
            "Type: AWS::S3::Bucket",
            "Type: AWS::S3::Bucket\n    DependsOn: Run",
            "Circular dependency",
        ),
        ("KeyType: HASH", "KeyType: HASHED", "HASHED"),
        ("    Type: AWS::S3::Bucket", "    Type: AWS::S3::Bucket\n    Retain: yes", "does not handle ['Retain']"),
    ],
)
def test_a_mistake_in_the_template_stops_the_deployment_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    template = edited(tmp_path, {old: new})
    with pytest.raises(DeployError) as refused, small_sandbox(template=template):
        pass
    assert said in str(refused.value)


def test_a_resource_behind_a_false_condition_is_not_there_to_be_referred_to(tmp_path: Path) -> None:
    template = edited(
        tmp_path,
        {
            "\nGlobals:": '\nConditions: { Never: !Equals ["a", "b"] }\nGlobals:',
            "    Type: AWS::S3::Bucket": "    Type: AWS::S3::Bucket\n    Condition: Never",
        },
    )
    with pytest.raises(DeployError, match="Files is not created"), small_sandbox(template=template):
        pass


def test_an_api_address_of_a_mail_or_an_output_works_on_this_machine() -> None:
    with small_sandbox() as sandbox:
        assert sandbox.stack.outputs["Url"] == sandbox.aws.gateway.url
        assert sandbox.stack.outputs["Links"] == f"{sandbox.aws.gateway.url}/a/x"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Greting": "x"}, "['Greting'] do not exist"),
        ({"Greeting": "Hello"}, "does not match"),
        ({"WaitSeconds": "0"}, "less than 1"),
        ({"WaitSeconds": "soon"}, "not a number"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(given: dict[str, str], said: str) -> None:
    with pytest.raises(DeployError) as refused, small_sandbox(parameters=given):
        pass
    assert said in str(refused.value)


def test_parameters_take_defaults_values_and_lists() -> None:
    declared: dict[str, Any] = {
        "One": {"Type": "Number", "Default": 5, "MaxValue": 9},
        "Mode": {"Type": "String", "AllowedValues": ["a", "b"]},
        "Names": {"Type": "CommaDelimitedList", "Default": "x, y"},
    }
    assert resolve_parameters(declared, {"Mode": "b"}) == {"One": "5", "Mode": "b", "Names": ["x", "y"]}
    for wrong in ({}, {"Mode": "c"}, {"Mode": "a", "One": "10"}):
        with pytest.raises(DeployError):
            resolve_parameters(declared, wrong)


def _scope(**resources: Physical) -> Scope:
    return Scope(
        parameters={"Name": "n", "List": ["a", "b"]},
        pseudo={"AWS::Region": "us-east-1"},
        mappings={"Sizes": {"small": {"memory": 128}}},
        conditions={"Yes": {"Fn::Equals": [{"Ref": "Name"}, "n"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
        resources=dict(resources),
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Fn::Sub": "${Name}-${!Name}-${Thing.Arn}-${AWS::Region}"}, "n-${Name}-arn:thing-us-east-1"),
        ({"Fn::Sub": ["${a}${Name}", {"a": {"Ref": "Thing"}}]}, "thingn"),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, "a-b"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}, "y"),
        ({"Fn::FindInMap": ["Sizes", "small", "memory"]}, 128),
        ({"Fn::If": ["No", "yes", {"Fn::Sub": "no ${Name}"}]}, "no n"),
        ({"a": {"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, 1]}, "b": [{"Ref": "AWS::NoValue"}, 2]}, {"b": [2]}),
        ({"Fn::GetAtt": ["Thing", "Arn"]}, "arn:thing"),
    ],
)
def test_intrinsics_give_what_cloudformation_gives(expression: Any, value: Any) -> None:
    assert _scope(Thing=Physical("thing", {"Arn": "arn:thing"})).resolve(expression, "here") == value


def test_no_value_is_not_a_value() -> None:
    assert _scope().resolve({"Ref": "AWS::NoValue"}, "here") is NO_VALUE


@pytest.mark.parametrize("expression", [{"Fn::ImportValue": "x"}, {"Fn::Transform": {}}, {"Fn::Sub": "${Nope}"}])
def test_what_cannot_be_resolved_is_an_error_with_its_place(expression: Any) -> None:
    with pytest.raises(DeployError, match="here"):
        _scope().resolve(expression, "here")
