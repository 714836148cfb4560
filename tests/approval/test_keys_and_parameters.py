"""Keys that are rotated while finance is asked, and parameters that were changed to something unreadable."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from billing.adapters.aws import secrets
from billing.adapters.signatures import Signatures
from billing.domain.approval.approval_entries import Entry, EntryKind, holds, request_hash
from billing.domain.errors import PassingError
from billing.domain.records import to_record
from tests.adapters.aws_world import REGION, AwsWorld
from tests.entries import load_entry
from tests.workflows.approval_world import ANN, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

EVE = "eve@firm.example"
OLD, NEW = {"id": "1", "key": "k" * 40}, {"id": "2", "key": "n" * 40}
EVENT: dict[str, Any] = {
    "version": "2.0",
    "rawPath": "/approvals/x",
    "pathParameters": {"link": "x"},
    "rawQueryString": "",
    "requestContext": {"requestId": "ref-1", "http": {"method": "GET"}},
}


def _answer() -> dict[str, Any]:
    """What the deployed entry answers, started with the environment of now."""
    context = SimpleNamespace(
        function_name="page", memory_limit_in_mb=512, invoked_function_arn="arn:page", aws_request_id="1"
    )
    return load_entry("approval_page").handler(EVENT, context)


def test_what_a_process_with_old_keys_cannot_read_it_does_not_build_on(aws: AwsWorld, clock: MovingClock) -> None:
    """Else it would fix other content than everybody else sees, and no answer could count any more."""
    world = ApprovalWorld(aws, clock, deputies=(EVE,))
    world.ask()
    link, old, new = world.link(ANN), world.signatures, Signatures({"keys": [NEW, OLD]})
    hold = Entry(EntryKind.HOLD, ANN, "t", reason="Wrong rate", order="SO-1001", plans=("order-500",))
    content = request_hash(world.matched["sha256"], holds((hold,)))
    assert world.requests.append("run-1.1", 0, new.sign_entry("run-1.1", 1, to_record(hold)), content)
    before = aws.dump()
    with pytest.raises(PassingError, match="signed with a key"):
        world.escalate()
    assert world.post(link, answer="hold", order="SO-1002", reason="Wrong rate")["statusCode"] == 500
    assert aws.dump() == before
    world.signatures = new
    assert world.escalate() == 1
    world.signatures = old
    assert world.post(link, answer="approve", invoices="3")["statusCode"] == 422, "it sees other content"
    world.signatures = new
    assert world.post(link, answer="approve", invoices="2")["statusCode"] == 200


def test_a_key_that_was_added_is_known_within_minutes(aws: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_780_000_000.0]
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(secrets.time, "time", lambda: now[0])
    arn = aws.secret("rotating", {"keys": [OLD]})
    assert secrets.secret(arn) == {"keys": [OLD]}
    aws.secret("rotating", {"keys": [OLD, NEW]})
    now[0] += secrets.KEPT_SECONDS
    assert secrets.secret(arn) == {"keys": [OLD, NEW]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APPROVERS", "no address"),
        ("DEPUTIES", "no address"),
        ("DELEGATE_DOMAINS", "no domain"),
        ("CONTROLLERS", "no address"),
        ("SECOND_FACTOR", "by pigeon"),
        ("LEAST_SECONDS_TO_DECIDE", "a while"),
        ("SIGNING_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone"),
    ],
)
def test_whatever_parameter_cannot_be_read_a_page_answers(
    aws: AwsWorld, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    good = {
        "APPROVERS": f"Lead: {ANN}",
        "DEPUTIES": "",
        "DELEGATE_DOMAINS": "",
        "CONTROLLERS": "",
        "SECOND_FACTOR": "off",
        "LEAST_SECONDS_TO_DECIDE": "0",
        "OWNER_EMAILS": "",
        "AUTO_ADVANCE": "false",
        "LEDGER_TABLE": "ledger",
        "APPROVALS_TABLE": "approvals",
        "RUNS_BUCKET": "runs",
        "SIGNING_SECRET_ARN": aws.secret("signing", {"keys": [OLD]}),
    }
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for variable, text in {**good, name: value}.items():
        monkeypatch.setenv(variable, text)
    answer = _answer()
    assert answer["statusCode"] == 500
    assert "ref-1" in answer["body"]
    assert value not in json.dumps(answer)
    assert answer["headers"]["cache-control"] == "no-store"
    monkeypatch.setenv(name, good[name])
    assert _answer()["statusCode"] == 404
