"""Custom::*: a function of the stack that CloudFormation asks while it deploys.

Source: "Custom resource request and response reference" (CloudFormation user guide).
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import Deployment, Properties, creates, whole
from tests.sandbox.aws.errors import DeployError

_answers: dict[str, Mapping[str, Any]] = {}
"""What a function said, by everything that it is made of and was asked: a test session deploys the same stack often."""


@creates("Custom::*")
def create_custom_resource(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Ask the function behind ServiceToken, as CloudFormation does at a stack's creation."""
    return ask(deployment, logical_id, properties, {"RequestType": "Create"})


def ask(deployment: Deployment, logical_id: str, properties: Properties, request: Mapping[str, Any]) -> Physical:
    """Ask it with these fields of a request beside those that every request has."""
    function = properties.take("ServiceToken")
    whole(properties.take("ServiceTimeout", 3600), f"{logical_id}.ServiceTimeout")
    given = properties.take_all()
    settings = deployment.functions.settings(function)
    asked = json.dumps([logical_id, repr(settings), given, request], sort_keys=True)
    if asked not in _answers:
        _answers[asked] = _ask(deployment, function, logical_id, given, request)
    answer = _answers[asked]
    if answer.get("Status") != "SUCCESS":
        raise DeployError(f"{logical_id}: {answer.get('Reason')}")
    name = str(answer["PhysicalResourceId"])
    return Physical(name, {key: str(value) for key, value in (answer.get("Data") or {}).items()})


def _ask(
    deployment: Deployment, function: str, logical_id: str, given: Mapping[str, Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    with _mailbox() as (url, answers):
        request = {
            **fields,
            "ServiceToken": function,
            "ResponseURL": url,
            "StackId": deployment.arn("cloudformation", f"stack/{deployment.stack_name}/sandbox"),
            "RequestId": str(uuid.uuid4()),
            "LogicalResourceId": logical_id,
            "ResourceType": "Custom::CheckedParameters",
            "ResourceProperties": {"ServiceToken": function, **{key: str(value) for key, value in given.items()}},
        }
        outcome = deployment.functions.invoke(function, json.dumps(request).encode())
    if not answers:
        # CloudFormation would wait for its time-out and then fail.
        raise DeployError(f"{logical_id}: the function did not answer ({outcome.payload.decode(errors='replace')})")
    answer = answers[0]
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if answer.get(name) != request[name]:
            raise DeployError(f"{logical_id}: the answer's {name} is not the request's")
    return answer


@contextmanager
def _mailbox() -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The presigned address that CloudFormation gives, and what is PUT there."""
    answers: list[Mapping[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            # S3's signature covers no content type: another one is refused there.
            self.send_response(403 if self.headers.get("Content-Type") else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/answer?signature=x", answers
    finally:
        server.shutdown()
        server.server_close()
