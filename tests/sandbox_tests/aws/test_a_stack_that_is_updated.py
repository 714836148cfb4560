"""A template or parameters deployed onto a living stack change it as CloudFormation does, and nothing beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sandbox import DeployError
from tests.sandbox_tests.aws.small_world import begin, edited, play, small_sandbox


def test_functions_are_new_at_once_and_what_is_kept_stays(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {})) as sandbox:
        assert play(sandbox).output == {"note": {"greeting": "hello", "layer": "our layer"}}
        before = dict(sandbox.stack.resources)
        warm = play(sandbox, do="look around").output["note"]

        sandbox.update(parameters={"Greeting": "goodbye"})
        assert play(sandbox).output == {"note": {"greeting": "goodbye", "layer": "our layer"}}
        around = play(sandbox, do="look around").output["note"]
        assert around["pid"] != warm["pid"]
        assert around["arn"] == warm["arn"]

        edited(tmp_path, {'NAME = "our layer"': 'NAME = "newer"'}, "layer/lib/__init__.py")
        sandbox.update()
        assert play(sandbox).output == {"note": {"greeting": "goodbye", "layer": "newer"}}

        after = sandbox.stack.resources
        assert [sandbox.stack.types[name] for name in before if before[name] != after[name]] == [
            "AWS::Lambda::LayerVersion"
        ]
        assert [row["pk"] for row in sandbox.tables()["Notes"]] == ["note"]


def test_a_permission_that_is_taken_away_is_missed_and_one_that_is_given_is_there(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {})) as sandbox:
        assert "AccessDenied" in str(play(sandbox, do="read other table").cause)
        edited(tmp_path, {"Resource: !GetAtt Notes.Arn": "Resource: !GetAtt Other.Arn"})
        sandbox.update()
        assert play(sandbox, do="read other table").output == {"note": "allowed"}
        assert "AccessDenied" in str(play(sandbox).cause)


def test_an_execution_that_runs_keeps_its_definition_and_is_answered_by_todays(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {})) as sandbox:
        waiting = begin(sandbox, what="wait", seconds=60)
        while not sandbox.is_waiting(waiting):
            pass
        failed = begin(sandbox, what="note", do="fail")
        assert sandbox.wait_for_end(failed).status == "FAILED"
        edited(
            tmp_path,
            {
                '"StartAt": "Which way"': '"StartAt": "Gone"',
                '"States": {\n    "Which way"': '"States": {\n    "Gone": { "Type": "Fail" },\n    "Which way"',
            },
            "run.asl.json",
        )
        edited(tmp_path, {'raise Broken("as asked")': 'return "mended"'}, "functions/note/app.py")
        sandbox.update()

        token = next(row["token"] for row in sandbox.tables()["Notes"] if row["pk"] == "token")
        sandbox.aws.client("stepfunctions").send_task_success(taskToken=token, output=json.dumps("decided"))
        assert sandbox.wait_for_end(waiting).output == "decided"
        # The same state of the same definition, and the code that was mended.
        assert sandbox.wait_for_end(sandbox.redrive(failed)).output == {"note": "mended"}
        assert sandbox.wait_for_end(begin(sandbox, what="note")).status == "FAILED"


def test_what_is_gone_from_the_template_is_gone_and_what_is_new_is_there(tmp_path: Path) -> None:
    route = '        Decide: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: "/a/{token}", Method: POST } }\n'
    alarm = (
        "  Loud:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Namespace: n\n      MetricName: m\n"
        "      Statistic: Sum\n      Period: 60\n      EvaluationPeriods: 1\n      Threshold: 1\n"
        "      ComparisonOperator: GreaterThanThreshold\n"
    )
    with small_sandbox(template=edited(tmp_path, {})) as sandbox:
        assert "PageFunctionDecidePermission" in sandbox.stack.resources
        edited(tmp_path, {route: "", "  Files:\n": alarm + "  Files:\n"})
        sandbox.update()
        assert "PageFunctionDecidePermission" not in sandbox.stack.resources
        assert len(sandbox.deployment.permissions) == 1
        names = [one["AlarmName"] for one in sandbox.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]]
        assert names == [sandbox.stack.resources["Loud"].ref]
        edited(tmp_path, {alarm: ""})
        sandbox.update()
        assert sandbox.aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]\n      KeySchema: [{ AttributeName: pk,",
         "AttributeDefinitions: [{ AttributeName: key, AttributeType: S }]\n      KeySchema: [{ AttributeName: key,",
         "changes no"),
        ("  Other:\n    Type: AWS::DynamoDB::Table", "  Another:\n    Type: AWS::DynamoDB::Table", "Other"),
        ("  Files:\n    Type: AWS::S3::Bucket", "  Files:\n    Type: AWS::SNS::Topic", "refuses to make"),
    ],
)  # fmt: skip
def test_a_change_that_would_replace_or_lose_what_is_kept_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with small_sandbox(template=edited(tmp_path, {})) as sandbox:
        edited(tmp_path, {old: new, **({"!Ref Other": "!Ref Another"} if "Another" in new else {})})
        if said == "refuses to make":
            edited(tmp_path, {'"s3:GetObject", Resource: !Sub "${Files.Arn}/in/*"': '"s3:GetObject", Resource: "*"'})
        with pytest.raises(DeployError, match=said):
            sandbox.update()
