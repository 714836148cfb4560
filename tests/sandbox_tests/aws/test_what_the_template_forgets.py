"""Leaving one thing out of the template breaks what needs it, as it would on AWS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.sandbox import DeployError, Sandbox, SandboxError
from tests.sandbox.sandbox import REPOSITORY
from tests.sandbox_tests.aws.small_world import edited, play, small_sandbox


def test_a_layer_that_is_not_attached_cannot_be_imported(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {"      Layers: [!Ref OurLayer]\n": ""})) as sandbox:
        result = play(sandbox)
    assert result.error == "Runtime.ImportModuleError"
    assert "No module named 'lib'" in str(result.cause)


def test_an_environment_variable_that_is_not_given_is_not_there(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {"          GREETING: !Ref Greeting\n": ""})) as sandbox:
        result = play(sandbox)
    assert result.error == "KeyError"
    assert "GREETING" in str(result.cause)


def test_without_its_permission_the_state_machine_cannot_invoke(tmp_path: Path) -> None:
    template = edited(
        tmp_path,
        {'            - { Effect: Allow, Action: "lambda:InvokeFunction", Resource: !GetAtt NoteFunction.Arn }\n': ""},
    )
    with small_sandbox(template=template) as sandbox:
        result = play(sandbox)
    assert result.error == "Lambda.AWSLambdaException"
    assert "is not authorized to perform: lambda:InvokeFunction" in str(result.cause)


def test_a_distributed_map_needs_to_start_executions_and_to_read_its_items(tmp_path: Path) -> None:
    template = edited(
        tmp_path, {"              Action: states:StartExecution": "              Action: states:ListExecutions"}
    )
    with small_sandbox(template=template) as sandbox:
        assert _map(sandbox).error == "States.Permissions"
    template = edited(
        tmp_path,
        {'"s3:GetObject", Resource: !Sub "${Files.Arn}/*"': '"s3:GetObject", Resource: !Sub "${Files.Arn}/x/*"'},
    )
    with small_sandbox(template=template) as sandbox:
        assert _map(sandbox).error == "States.ItemReaderFailed"


def _map(sandbox: Sandbox) -> object:
    bucket = sandbox.stack.resources["Files"].ref
    sandbox.aws.client("s3").put_object(Bucket=bucket, Key="items.json", Body=b'[{"do": "note"}]')
    return sandbox.wait_for_end(sandbox.start({"what": "map", "key": "items.json"}), 60)


def test_a_timeout_that_is_too_short_kills_the_function(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {"    Timeout: 20": "    Timeout: 2"})) as sandbox:
        result = play(sandbox, do="sleep", seconds=30)
        assert result.error == "Sandbox.Timedout"
        assert "Task timed out after 2.00 seconds" in str(result.cause)
        assert play(sandbox).status == "SUCCEEDED"


def test_a_role_that_does_not_trust_lambda_cannot_be_a_functions_role(tmp_path: Path) -> None:
    role = """
  Odd:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: sts:AssumeRole }]
  PageFunction:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt Odd.Arn"""
    template = edited(tmp_path, {"\n  PageFunction:\n    Type: AWS::Serverless::Function\n    Properties:": role})
    with pytest.raises(DeployError, match=r"does not trust lambda\.amazonaws\.com"), small_sandbox(template=template):
        pass


def test_without_a_permission_the_api_cannot_reach_its_function(tmp_path: Path) -> None:
    with small_sandbox(template=edited(tmp_path, {})) as sandbox:
        permissions = sandbox.deployment.permissions
        permissions[:] = [item for item in permissions if "/GET/" not in str(item.source_arn)]
        assert requests.get(f"{sandbox.aws.gateway.url}/a/x", timeout=30).status_code == 500
        assert requests.post(f"{sandbox.aws.gateway.url}/a/x", timeout=30, allow_redirects=False).status_code == 500


def test_reserved_concurrency_is_a_limit(tmp_path: Path) -> None:
    template = edited(
        tmp_path,
        {"      CodeUri: functions/note\n": "      CodeUri: functions/note\n      ReservedConcurrentExecutions: 1\n"},
    )
    with small_sandbox(template=template) as sandbox:
        run = sandbox.start({"what": "note", "do": "sleep", "seconds": 3})
        deadline = time.monotonic() + 30
        while not sandbox.logs("NoteFunction") and time.monotonic() < deadline:
            time.sleep(0.02)
        second = play(sandbox)
        assert second.error == "Lambda.TooManyRequestsException"
        assert sandbox.wait_for_end(run, 60).status == "SUCCEEDED"


def test_only_one_sandbox_is_open_at_a_time_and_the_next_one_is_fresh() -> None:
    with small_sandbox() as sandbox:
        play(sandbox)
        assert sandbox.tables()["Notes"]
        with pytest.raises(SandboxError, match="another Sandbox is open"), small_sandbox():
            pass
        assert play(sandbox).status == "SUCCEEDED"
    with small_sandbox() as sandbox:
        assert sandbox.tables()["Notes"] == []


def test_closing_leaves_no_process_behind() -> None:
    with small_sandbox() as sandbox:
        play(sandbox)
        pids = [instance.pid for instance in sandbox.aws.functions.instances()]
        assert pids
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_function_processes_end_with_the_process_that_opened_the_sandbox(tmp_path: Path) -> None:
    script = tmp_path / "hold.py"
    script.write_text(
        "import sys, time\n"
        "from tests.sandbox_tests.aws.small_world import play, small_sandbox\n"
        "with small_sandbox() as sandbox:\n"
        "    play(sandbox)\n"
        "    print([instance.pid for instance in sandbox.aws.functions.instances()][0], flush=True)\n"
        "    time.sleep(120)\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'layers' / 'billing'}"}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment) as holder:
        assert holder.stdout is not None
        function = Path("/proc") / holder.stdout.readline().strip()
        assert function.exists()
        holder.kill()
    deadline = time.monotonic() + 20
    while function.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not function.exists()


def test_waits_of_retry_can_be_shortened() -> None:
    with small_sandbox(retry_delay_scale=0.0) as sandbox:
        run = sandbox.start({"what": "note", "do": "pass later"})
        assert sandbox.wait_for_end(run, 30).output == {"note": "the second time"}
        entered, failed, again = (
            next(event for event in sandbox.history(run) if event["type"] == kind)
            for kind in ("TaskStateEntered", "TaskFailed", "TaskSucceeded")
        )
        assert entered["id"] < failed["id"] < again["id"]


def test_a_throttled_function_is_unavailable_at_the_api(tmp_path: Path) -> None:
    template = edited(
        tmp_path,
        {"      CodeUri: functions/page\n": "      CodeUri: functions/page\n      ReservedConcurrentExecutions: 0\n"},
    )
    with small_sandbox(template=template) as sandbox:
        answer = requests.get(f"{sandbox.aws.gateway.url}/a/x", timeout=30)
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
