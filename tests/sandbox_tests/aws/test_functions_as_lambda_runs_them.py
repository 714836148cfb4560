"""Functions run with exactly what the template gives them, and fail as Lambda lets them fail."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator

import pytest

from tests.sandbox import Sandbox, SandboxError
from tests.sandbox_tests.aws.small_world import play, small_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with small_sandbox(parameters={"Greeting": "ahoy"}) as opened:
        yield opened


def _cause(text: str | None) -> dict[str, str]:
    assert text is not None
    return dict(json.loads(text))


def test_the_environment_is_the_templates_and_lambdas_and_nothing_else(sandbox: Sandbox) -> None:
    os.environ["LEAKED_FROM_THE_TESTS"] = "yes"
    try:
        seen = sandbox.invoke("NoteFunction", {"event": {"do": "look around"}})
    finally:
        del os.environ["LEAKED_FROM_THE_TESTS"]
    environment = seen["environment"]
    assert environment["GREETING"] == "ahoy"
    assert environment["NOTES_TABLE"] == sandbox.stack.resources["Notes"].ref
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == sandbox.stack.resources["NoteFunction"].ref
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["_HANDLER"] == "app.handler"
    assert environment["AWS_ENDPOINT_URL"] == sandbox.aws.url
    assert "LEAKED_FROM_THE_TESTS" not in environment
    assert "VIRTUAL_ENV" not in environment
    assert seen["directory"] == environment["LAMBDA_TASK_ROOT"]
    assert seen["arn"] == sandbox.stack.resources["NoteFunction"].attributes["Arn"]
    assert 0 < seen["remaining"] <= 20_000


def test_a_function_sees_its_layers_and_not_the_tests_packages(sandbox: Sandbox) -> None:
    assert sandbox.invoke("NoteFunction", {"event": {"do": "import", "module": "lib"}}) == "lib"
    with pytest.raises(SandboxError, match="No module named 'moto'"):
        sandbox.invoke("NoteFunction", {"event": {"do": "import", "module": "moto"}})


def test_the_roles_permission_is_for_one_table_only(sandbox: Sandbox) -> None:
    result = play(sandbox, do="read other table")
    assert result.status == "FAILED"
    said = _cause(result.cause)["errorMessage"]
    assert "AccessDeniedException" in said
    assert "dynamodb:GetItem on resource: " + sandbox.stack.resources["Other"].attributes["Arn"] in said
    assert sandbox.denials[-1].action == "dynamodb:GetItem"


def test_an_action_that_the_sandbox_does_not_know_is_refused(sandbox: Sandbox) -> None:
    assert "the sandbox does not know the action dynamodb:ListTables" in str(play(sandbox, do="unknown action").cause)


def test_a_missing_object_is_forbidden_to_whom_may_not_list_the_bucket(sandbox: Sandbox) -> None:
    bucket = sandbox.stack.resources["Files"].ref
    sandbox.aws.client("s3").put_object(Bucket=bucket, Key="in/a.txt", Body=b"found")
    assert sandbox.invoke("NoteFunction", {"event": {"do": "read file", "key": "in/a.txt"}}) == "found"
    with pytest.raises(SandboxError, match="AccessDenied"):
        sandbox.invoke("NoteFunction", {"event": {"do": "read file", "key": "in/none.txt"}})
    with pytest.raises(SandboxError, match="s3:GetObject"):
        sandbox.invoke("NoteFunction", {"event": {"do": "read file", "key": "out/a.txt"}})


def test_an_exception_reaches_the_state_machine_with_type_and_text(sandbox: Sandbox) -> None:
    result = play(sandbox, do="fail")
    assert (result.status, result.error) == ("FAILED", "Broken")
    assert _cause(result.cause)["errorMessage"] == "as asked"


def test_a_named_error_is_tried_again(sandbox: Sandbox) -> None:
    assert play(sandbox, do="pass later").output == {"note": "the second time"}


def test_a_process_that_ends_itself_is_lambdas_exit_error(sandbox: Sandbox) -> None:
    result = play(sandbox, do="exit")
    assert result.error == "Runtime.ExitError"
    assert "Runtime exited with error: exit status 3" in str(result.cause)
    assert play(sandbox, do="note").status == "SUCCEEDED"


def test_more_memory_than_the_template_gives_kills_the_process(sandbox: Sandbox) -> None:
    result = play(sandbox, do="eat memory")
    assert result.error == "Runtime.ExitError"
    assert "signal: killed" in str(result.cause)
    assert any("out of memory: over 256 MB" in line for _, line in sandbox.logs("NoteFunction"))


def test_a_warm_process_serves_the_next_call(sandbox: Sandbox) -> None:
    first = sandbox.invoke("NoteFunction", {"event": {"do": "look around"}})["pid"]
    assert sandbox.invoke("NoteFunction", {"event": {"do": "look around"}})["pid"] == first


def test_calls_at_once_run_in_processes_of_their_own(sandbox: Sandbox) -> None:
    threads = [
        threading.Thread(target=sandbox.invoke, args=("NoteFunction", {"event": {"do": "sleep", "seconds": 1.5}}))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    busy: set[int] = set()
    while len(busy) < 3 and time.monotonic() < deadline:
        busy |= {instance.pid for instance in sandbox.aws.functions.instances()}
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert len(busy) >= 3


def test_what_a_function_prints_is_kept_under_its_name(sandbox: Sandbox) -> None:
    sandbox.invoke("NoteFunction", {"event": {"do": "look around"}})
    assert any('"doing": "look around"' in line for _, line in sandbox.logs("NoteFunction"))
    assert sandbox.logs("PageFunction") == []
