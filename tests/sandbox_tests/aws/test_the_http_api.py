"""The gateway speaks payload format 2.0."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.sandbox import Sandbox
from tests.sandbox.aws.gateway import Route
from tests.sandbox_tests.aws.small_world import small_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with small_sandbox() as opened:
        yield opened


def test_an_event_carries_path_query_headers_and_cookies(sandbox: Sandbox) -> None:
    answer = requests.get(
        f"{sandbox.aws.gateway.url}/a/a%20token?q=1&q=2&r=%C3%BC",
        headers={"X-Odd-Case": "Kept", "Cookie": "one=1; two=2"},
        timeout=30,
    )
    event = answer.json()
    assert answer.headers["X-Extra"] == "yes"
    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /a/{token}"
    assert event["rawPath"] == "/a/a token"
    assert event["rawQueryString"] == "q=1&q=2&r=%C3%BC"
    assert event["queryStringParameters"] == {"q": "1,2", "r": "ü"}
    assert event["pathParameters"] == {"token": "a token"}
    assert event["headers"]["x-odd-case"] == "Kept"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["one=1", "two=2"]
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["isBase64Encoded"] is False
    assert "body" not in event


def test_a_form_is_posted_and_two_cookies_come_back(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.aws.gateway.url}/a/x", data={"a": "1"}, timeout=30, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/a/done"
    assert answer.cookies.get_dict() == {"one": "1", "two": "2"}


def test_no_route_is_not_found(sandbox: Sandbox) -> None:
    for method, path in (("GET", "/"), ("GET", "/a"), ("GET", "/a/b/c"), ("PUT", "/a/x"), ("HEAD", "/a/x")):
        answer = requests.request(method, sandbox.aws.gateway.url + path, timeout=30)
        assert answer.status_code == 404, (method, path)


def test_a_crash_shows_nothing_but_internal_server_error(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.aws.gateway.url}/a/crash", timeout=30)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert sandbox.accesses[-1].function_error


def test_an_answer_above_six_megabytes_does_not_come_through(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.aws.gateway.url}/a/large", timeout=60)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert sandbox.accesses[-1].function_error


def test_the_more_specific_route_is_taken() -> None:
    greedy = Route("ANY", "/{proxy+}", "f")
    assert greedy.match("GET", "/a/b/c") == {"proxy": "a/b/c"}
    assert Route("GET", "/a/{x}", "f").match("GET", "/a/b%2Fc") == {"x": "b/c"}
    assert Route("GET", "/a/{x}", "f").match("POST", "/a/b") is None
    assert Route("ANY", "$default", "f").match("GET", "/whatever") == {}
