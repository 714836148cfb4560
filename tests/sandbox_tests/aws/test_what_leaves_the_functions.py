"""Every outgoing request is recorded; drops stay drops; a process can be killed at its k-th call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, SandboxError
from tests.sandbox.egress import recordable_body
from tests.sandbox.faults import DropAfter, DropBefore
from tests.sandbox.http_server import HttpServer, Request, Response
from tests.sandbox_tests.aws.small_world import small_sandbox


class Echo(HttpServer):
    """Answers with the address it was called at."""

    def handle(self, request: Request) -> Response:
        text = f"{request.headers['host']} {request.headers['x-forwarded-host']} {request.target}"
        return Response(201, text.encode(), {"X-Stand-In": "echo"})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def sandbox(echo: Echo, record: Path) -> Iterator[Sandbox]:
    with small_sandbox(stripe_url=echo.url, record=record) as opened:
        yield opened


def _call(sandbox: Sandbox, times: int) -> list[list[object]]:
    return list(sandbox.invoke("NoteFunction", {"event": {"do": "call stripe", "times": times}}))


def test_requests_reach_the_given_server_and_the_record(sandbox: Sandbox, record: Path) -> None:
    answers = _call(sandbox, 2)
    address = str(sandbox.stack.parameters["StripeApiUrl"]).removeprefix("http://")
    assert answers == [[201, f"{address} {address} /v1/things?n={number}", "echo"] for number in range(2)]
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(row["service"], row["method"], row["path"], row["status"], row["function"]) for row in rows] == [
        ("stripe", "POST", "/v1/things?n=0", 201, "NoteFunction"),
        ("stripe", "POST", "/v1/things?n=1", 201, "NoteFunction"),
    ]
    assert rows[0]["body"].startswith("a=b&client_assertion=")
    assert "hush" not in record.read_text()


def test_calls_to_aws_are_recorded_too(sandbox: Sandbox) -> None:
    sandbox.invoke("NoteFunction", {"event": {"do": "note"}})
    (request,) = sandbox.requests
    assert (request.service, request.operation, request.status) == ("dynamodb", "PutItem", 200)
    assert json.loads(request.body)["Item"]["pk"] == {"S": "note"}


def test_a_drop_upstream_is_a_drop_for_the_function(sandbox: Sandbox, echo: Echo) -> None:
    echo.faults.add(action=DropBefore())
    echo.faults.add(action=DropAfter())
    kinds = [answer[0] for answer in _call(sandbox, 3)]
    assert kinds == ["RemoteDisconnected", "RemoteDisconnected", 201]
    assert [request.status for request in sandbox.requests] == [None, None, 201]


@pytest.mark.parametrize(("when", "arrived"), [("before", 1), ("after", 2)])
def test_a_process_dies_at_its_second_call(sandbox: Sandbox, echo: Echo, when: str, arrived: int) -> None:
    plan = sandbox.kill_at(2, when=when, services=["stripe"])  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="signal: killed"):
        _call(sandbox, 3)
    assert plan.done
    assert len(echo.calls) == arrived
    assert [answer[0] for answer in _call(sandbox, 3)] == [201, 201, 201]


@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 1)])
def test_a_process_dies_at_a_call_to_aws(sandbox: Sandbox, when: str, rows: int) -> None:
    sandbox.kill_at(1, when=when, function="NoteFunction")  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="signal: killed"):
        sandbox.invoke("NoteFunction", {"event": {"do": "note"}})
    assert len(sandbox.tables()["Notes"]) == rows


def test_credentials_are_never_written_down() -> None:
    form = recordable_body(b"grant_type=x&client_assertion=SECRET&scope=y", "application/x-www-form-urlencoded")
    assert form == "grant_type=x&client_assertion=%28not+recorded%29&scope=y"
    sealed = recordable_body(b'{"KeyId": "k", "Plaintext": "SECRET"}', "application/x-amz-json-1.1")
    assert json.loads(sealed) == {"KeyId": "k", "Plaintext": "(not recorded)"}
