"""The page's answers as API Gateway gets them: headers on every one, nothing raw, nothing that does not fit."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from billing.domain.errors import OurFault, PersonNeeded
from billing.pages.approval.batch_csv import batch_csv
from billing.workflows.approval_page.approval_exchange import ApprovalExchange, approval_exchange
from billing.workflows.approval_page.http_exchange import LONGEST_ANSWER, file_of, form_of
from tests.adapters.aws_world import AwsWorld, Refusing
from tests.pages import samples
from tests.workflows.approval_world import ANN, TELEMETRY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

PRIVATE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}
POLICY = ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'")


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    asked = ApprovalWorld(aws, clock)
    asked.ask()
    return asked


def private(answer: Mapping[str, Any]) -> None:
    headers = answer["headers"]
    assert {name: headers[name] for name in PRIVATE} == PRIVATE
    assert all(part in headers["content-security-policy"] for part in POLICY)
    assert "location" not in headers
    assert "set-cookie" not in headers


def handler(world: ApprovalWorld) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda event: approval_exchange(event, lambda: world.exchange, TELEMETRY)


def beside(method: str, path: str) -> dict[str, Any]:
    """What the route that catches the rest hands on: no path parameters."""
    return {"rawPath": path, "requestContext": {"requestId": "ref-1", "http": {"method": method}}}


def test_every_status_has_the_headers(world: ApprovalWorld) -> None:
    link = world.link(ANN)
    found = [
        (200, world.get(link)),
        (200, world.get(link, "HEAD")),
        (200, world.get(link, query="format=csv")),
        (200, world.look_into(world.inbox(ANN))),
        (404, world.get("nonsense")),
        (404, handler(world)(beside("GET", "/approvals/"))),
        (405, handler(world)(beside("PUT", f"/approvals/{link}"))),
        (422, world.post(link)),
        (422, world.post(link, answer="approve", invoices="3", reason="x" * 20_000)),
        (200, world.post(link, answer="approve", invoices="3")),
        (200, world.post(link, answer="approve", invoices="3")),
    ]
    for status, answer in found:
        assert answer["statusCode"] == status
        private(answer)


@pytest.mark.parametrize("path", ["", "/", "/approvals", "/approvals/", "/approvals/inbox", "/approvals/a/b", "/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
def test_what_is_no_link_at_all_gets_the_page_of_a_link_that_is_none(
    world: ApprovalWorld, method: str, path: str
) -> None:
    answer = handler(world)(beside(method, path))
    assert answer == world.get("nonsense") or (path == "/approvals/inbox", answer["statusCode"]) == (True, 404)


def test_a_wrong_method_gets_the_same_bytes_whatever_the_link(world: ApprovalWorld) -> None:
    handle = handler(world)
    before = world.aws.dump()
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"):
        answers = [handle(beside(method, f"/approvals/{link}")) for link in (world.link(ANN), "nonsense")]
        assert answers[0] == answers[1]
        assert (answers[0]["statusCode"], answers[0]["headers"]["allow"]) == (405, "GET, HEAD, POST")
    inbox = handle(beside("POST", f"/approvals/inbox/{world.inbox(ANN)}"))
    assert (inbox["statusCode"], inbox["headers"]["allow"]) == (405, "GET, HEAD")
    assert world.aws.dump() == before


SECRET = "Nordwind GmbH owes 12,345.67: arn:aws:secretsmanager:eu-central-1:1:secret:signing"


@pytest.mark.parametrize("error", [PersonNeeded(SECRET), OurFault(SECRET), KeyError(SECRET), RecursionError(SECRET)])
def test_an_exception_anywhere_is_a_page_that_tells_its_reference_and_nothing_else(error: Exception) -> None:
    def broken() -> ApprovalExchange:
        raise error

    answer = approval_exchange({**beside("GET", "/approvals/x"), "pathParameters": {"link": "x"}}, broken, TELEMETRY)
    assert answer["statusCode"] == 500
    private(answer)
    assert "Something went wrong on our side" in answer["body"]
    assert "ref-1" in answer["body"]
    for told in ("Nordwind", "12,345", "arn:aws", type(error).__name__, "Traceback"):
        assert told not in answer["body"]


def test_an_event_that_is_none_is_a_page_too() -> None:
    def broken() -> ApprovalExchange:
        raise OurFault("never reached")

    for event in ({}, {"requestContext": {}}, {"requestContext": {"requestId": "<script>"}}):
        answer = approval_exchange(event, broken, TELEMETRY)
        assert answer["statusCode"] == 500
        assert "<script>" not in answer["body"]


def test_a_page_that_could_not_be_made_at_first_is_made_at_the_next_request(world: ApprovalWorld) -> None:
    broken = [PersonNeeded("the secret cannot be read")]

    def connect() -> ApprovalExchange:
        if broken:
            raise broken.pop()
        return world.exchange

    event = {**beside("GET", f"/approvals/{world.link(ANN)}"), "pathParameters": {"link": world.link(ANN)}}
    assert [approval_exchange(event, connect, TELEMETRY)["statusCode"] for _ in range(2)] == [500, 200]


def test_a_store_that_fails_in_the_middle_of_an_answer_is_a_page(world: ApprovalWorld) -> None:
    link = world.link(ANN)
    good = world.requests
    for operation in ("query", "transact_write_items"):
        world.requests = replace(good, dynamodb=Refusing(world.aws.dynamodb, operation, "AccessDeniedException"))
        answer = world.post(link, answer="approve", invoices="3")
        assert answer["statusCode"] == 500
        private(answer)
        assert "AccessDenied" not in answer["body"]
    world.requests = good
    assert world.post(link, answer="approve", invoices="3")["statusCode"] == 200


# Files ---------------------------------------------------------------------------------------------------


def content(answer: Mapping[str, Any]) -> bytes:
    body = base64.b64decode(answer["body"])
    return gzip.decompress(body) if answer["headers"].get("content-encoding") == "gzip" else body


def test_the_csv_of_five_thousand_orders_fits_into_an_answer() -> None:
    """Unpacked it is 8 MB in Base64, and Lambda answers with 6 MB at the most: the page would have been a raw error."""
    data = batch_csv(samples.month(5_000))
    assert len(base64.b64encode(data)) > LONGEST_ANSWER
    for accepted in ("gzip, deflate, br", "GZIP"):
        answer = file_of({"headers": {"Accept-Encoding": accepted}}, {"x": "y"}, data)
        assert answer is not None
        assert len(answer["body"]) < LONGEST_ANSWER / 4
        assert content(answer) == data


def test_a_short_file_is_packed_only_for_whoever_takes_it_so() -> None:
    plain = file_of({}, {}, b"a,b\r\n")
    packed = file_of({"headers": {"accept-encoding": "gzip"}}, {}, b"a,b\r\n")
    assert plain is not None
    assert packed is not None
    assert "content-encoding" not in plain["headers"]
    assert (packed["headers"]["content-encoding"], content(packed)) == ("gzip", b"a,b\r\n")


def test_a_file_that_fits_in_no_way_is_not_sent() -> None:
    import random

    data = random.Random(1).randbytes(LONGEST_ANSWER)
    assert file_of({}, {}, data) is None
    assert file_of({"headers": {"accept-encoding": "gzip"}}, {}, data) is None


# Forms ---------------------------------------------------------------------------------------------------

RIGHT = {"answer": "approve", "invoices": "3"}


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("application/x-www-form-urlencoded", True),
        ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", True),
        ("application/json", False),
        ("multipart/form-data; boundary=x", False),
        ("text/plain", False),
        ("", False),
        ("application/x-www-form-urlencodedx", False),
    ],
)
def test_only_what_a_form_sends_is_read(kind: str, read: bool) -> None:
    event = {"headers": {"content-type": kind}, "body": urlencode(RIGHT)}
    assert form_of(event) == (RIGHT if read else {})
    encoded = base64.b64encode(urlencode(RIGHT).encode()).decode()
    assert form_of({**event, "body": encoded, "isBase64Encoded": True}) == (RIGHT if read else {})


@pytest.mark.parametrize("body", ["answer=approve&invoices=3&invoices=4", "answer=approve&answer=reject", "a=1&a=1"])
def test_a_field_given_twice_makes_the_form_unreadable(body: str) -> None:
    assert form_of({"body": body}) == {}
