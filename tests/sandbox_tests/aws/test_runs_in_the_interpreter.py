"""Executions behave as on AWS where moto's interpreter alone does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox import Run, Sandbox, SandboxError
from tests.sandbox_tests.aws.small_world import play, small_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with small_sandbox() as opened:
        yield opened


def _wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def _waiting(sandbox: Sandbox, seconds: int = 60) -> tuple[Run, str]:
    run = sandbox.start({"what": "wait", "seconds": seconds})
    _wait(lambda: sandbox.is_waiting(run))
    (row,) = [row for row in sandbox.tables()["Notes"] if row["pk"] == "token"]
    return run, str(row["token"])


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_a_run_waits_until_its_token_is_answered_and_the_first_answer_counts(sandbox: Sandbox) -> None:
    client = sandbox.aws.client("stepfunctions")
    run, token = _waiting(sandbox)
    assert sandbox.result(run).status == "RUNNING"
    client.send_task_success(taskToken=token, output='{"answer": 1}')
    late = _code(lambda: client.send_task_success(taskToken=token, output='{"answer": 2}'))
    assert late == "TaskTimedOut"
    assert sandbox.wait_for_end(run, 30).output == {"answer": 1}
    assert _code(lambda: client.send_task_failure(taskToken=token, error="x")) == "TaskTimedOut"
    assert _code(lambda: client.send_task_success(taskToken="made-up", output="{}")) == "InvalidToken"


def test_a_wait_ends_at_its_timeout(sandbox: Sandbox) -> None:
    run, _ = _waiting(sandbox, seconds=1)
    result = sandbox.wait_for_end(run, 30)
    assert (result.status, result.error) == ("FAILED", "States.Timeout")


def test_a_waiting_run_that_is_stopped_is_aborted_at_once(sandbox: Sandbox) -> None:
    run, token = _waiting(sandbox)
    sandbox.stop(run, error="ByHand", cause="a person stopped it")
    result = sandbox.result(run)
    assert (result.status, result.error) == ("ABORTED", "ByHand")
    assert sandbox.history(run)[-1]["type"] == "ExecutionAborted"
    client = sandbox.aws.client("stepfunctions")
    assert _code(lambda: client.send_task_success(taskToken=token, output="{}")) == "TaskTimedOut"
    time.sleep(0.3)
    assert sandbox.result(run).status == "ABORTED"


def test_an_aborted_wait_can_be_redriven_and_gets_a_new_token(sandbox: Sandbox) -> None:
    run, old = _waiting(sandbox)
    sandbox.stop(run)
    sandbox.redrive(run)
    _wait(lambda: sandbox.is_waiting(run))
    (row,) = [row for row in sandbox.tables()["Notes"] if row["pk"] == "token"]
    assert row["token"] != old
    client = sandbox.aws.client("stepfunctions")
    assert _code(lambda: client.send_task_success(taskToken=old, output="{}")) == "TaskTimedOut"
    client.send_task_success(taskToken=row["token"], output='"done"')
    assert sandbox.wait_for_end(run, 30).output == "done"


def test_a_redrive_begins_at_the_failed_state_of_the_same_execution(sandbox: Sandbox) -> None:
    run = sandbox.start({"what": "note", "do": "fail until redriven"})
    assert sandbox.wait_for_end(run, 30).status == "FAILED"
    sandbox.redrive(run)
    result = sandbox.wait_for_end(run, 30)
    assert result.output == {"note": {"redriveCount": 1, "id": run.execution_arn}}
    assert [state.name for state in sandbox.states(run)] == ["Which way", "Write a note", "Write a note"]
    kinds = [event["type"] for event in sandbox.history(run)]
    assert kinds.count("ExecutionRedriven") == 1
    assert [event["id"] for event in sandbox.history(run)] == list(range(1, len(kinds) + 1))
    with pytest.raises(SandboxError, match="ExecutionNotRedrivable"):
        sandbox.redrive(run)


def _map(sandbox: Sandbox, items: list[dict[str, Any]]) -> Run:
    bucket = sandbox.stack.resources["Files"].ref
    sandbox.aws.client("s3").put_object(Bucket=bucket, Key="items.json", Body=json.dumps(items).encode())
    return sandbox.start({"what": "map", "key": "items.json"})


def test_a_distributed_map_reads_s3_and_writes_its_results_there(sandbox: Sandbox) -> None:
    run = _map(sandbox, [{"do": "note", "i": index} for index in range(12)])
    result = sandbox.wait_for_end(run, 60)
    assert result.status == "SUCCEEDED"
    objects = sandbox.objects()
    manifest = json.loads(objects[result.output["ResultWriterDetails"]["Key"]])
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    rows = json.loads(objects[file["Key"]])
    assert [json.loads(row["Input"])["item"]["i"] for row in rows] == list(range(12))
    assert len({row["ExecutionArn"] for row in rows}) == 12
    assert all(row["ExecutionArn"].split(":execution:")[1].startswith("month-end-Run") for row in rows)
    assert manifest["ResultFiles"]["FAILED"] == []


def test_failures_within_the_tolerated_share_do_not_fail_the_map(sandbox: Sandbox) -> None:
    run = _map(sandbox, [{"do": "fail"}, *[{"do": "note"} for _ in range(11)]])
    result = sandbox.wait_for_end(run, 60)
    assert result.status == "SUCCEEDED"
    manifest = json.loads(sandbox.objects()[result.output["ResultWriterDetails"]["Key"]])
    (failed,) = json.loads(sandbox.objects()[manifest["ResultFiles"]["FAILED"][0]["Key"]])
    assert (failed["Status"], failed["Error"]) == ("FAILED", "Broken")


def test_a_redriven_map_runs_only_the_children_that_did_not_succeed(sandbox: Sandbox) -> None:
    run = _map(sandbox, [{"do": "note"}, {"do": "fail once", "name": "one"}, {"do": "note"}])
    result = sandbox.wait_for_end(run, 60)
    assert (result.status, result.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    succeeded = [child.arn for child in sandbox.children(run) if child.status == "SUCCEEDED"]
    calls = len(sandbox.logs("NoteFunction"))
    sandbox.redrive(run)
    result = sandbox.wait_for_end(run, 60)
    assert result.status == "SUCCEEDED"
    children = sandbox.children(run)
    assert [child.status for child in children] == ["SUCCEEDED"] * 3
    again = [child for child in children if child.arn not in succeeded]
    assert len(sandbox.logs("NoteFunction")) - calls == len(again)
    assert children[1].output["note"] == {"name": "one", "id": children[1].arn, "redriveCount": 1}


def test_a_name_that_is_used_up_is_refused_and_a_start_without_a_name_gets_one(sandbox: Sandbox) -> None:
    client = sandbox.aws.client("stepfunctions")
    text = json.dumps({"what": "note"})
    run = sandbox.start(text, name="once")
    sandbox.wait_for_end(run, 30)
    assert _code(lambda: sandbox.start(text, name="once")) == "ExecutionAlreadyExists"
    arns = {
        client.start_execution(stateMachineArn=sandbox.state_machine_arn, input=text)["executionArn"] for _ in range(2)
    }
    assert len(arns) == 2


def test_the_schedule_starts_the_run_with_its_scheduled_time(sandbox: Sandbox) -> None:
    run = sandbox.fire_schedule()
    assert sandbox.wait_for_end(run, 30).status == "SUCCEEDED"
    (note,) = [row for row in sandbox.tables()["Notes"] if row["pk"] == "note"]
    scheduled = json.loads(note["event"])["event"]["scheduledAt"]
    assert scheduled.endswith(":00:00Z")
    assert scheduled[11:13] in ("22", "23")  # 09:00 in Sydney, summer or winter


def test_a_failed_state_names_its_error(sandbox: Sandbox) -> None:
    assert play(sandbox, do="fail").error == "Broken"
