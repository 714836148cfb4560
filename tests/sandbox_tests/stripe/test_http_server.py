from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.faults import Answer, AnswerAfter, Delay, DropAfter, DropBefore
from tests.sandbox.http_server import HttpServer, Request, Response


class Echo(HttpServer):
    """Counts what it handled and answers the body it got."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 100.5)
        self.handled: list[Request] = []

    def handle(self, request: Request) -> Response:
        if request.path == "/broken":
            raise ValueError("no such thing")
        self.handled.append(request)
        return Response(200, request.body, {"X-Target": request.target})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as running:
        yield running


def test_a_request_arrives_whole_and_the_connection_is_kept(echo: Echo) -> None:
    with requests.Session() as session:
        for _ in range(3):
            answer = session.post(f"{echo.url}/a/b?x=%20y", data=b"body", headers={"X-One": "1"}, timeout=5)
            assert (answer.content, answer.headers["X-Target"]) == (b"body", "/a/b?x=%20y")
        assert answer.raw.version == 11
        request = echo.handled[0]
        assert (request.method, request.path, request.query, request.headers["x-one"]) == (
            "POST", "/a/b", "x=%20y", "1",
        )  # fmt: skip
        chunked = session.post(f"{echo.url}/c", data=iter([b"in ", b"pieces"]), timeout=5)
        assert chunked.content == b"in pieces"
        assert session.head(f"{echo.url}/h", timeout=5).content == b""
        assert session.get(f"{echo.url}/after-head", timeout=5).status_code == 200


def test_every_call_is_recorded_with_its_outcome_and_time(echo: Echo) -> None:
    echo.faults.add(path="/drop", action=DropBefore())
    requests.get(f"{echo.url}/ok?q=1", timeout=5)
    with pytest.raises(requests.ConnectionError):
        requests.delete(f"{echo.url}/drop", timeout=5)
    assert [(call.method, call.path, call.status, call.time) for call in echo.calls] == [
        ("GET", "/ok", 200, 100.5),
        ("DELETE", "/drop", None, 100.5),
    ]


@pytest.mark.parametrize(
    ("action", "handled", "outcome"),
    [
        (Answer(503, b"busy", {"Retry-After": "2"}), 0, 503),
        (AnswerAfter(504), 1, 504),
        (DropBefore(), 0, None),
        (DropAfter(), 1, None),
        (Delay(0.01), 1, 200),
    ],
)
def test_each_fault_does_what_it_says_as_often_as_it_says(
    echo: Echo, action: Any, handled: int, outcome: int | None
) -> None:
    fault = echo.faults.add(method="post", path="^/x$", skip=1, times=2, action=action)
    outcomes: list[int | None] = []
    for _ in range(4):
        try:
            outcomes.append(requests.post(f"{echo.url}/x", data=b"1", timeout=5).status_code)
        except requests.ConnectionError:
            outcomes.append(None)
    assert outcomes == [200, outcome, outcome, 200]
    assert len(echo.handled) == 2 + 2 * handled
    assert fault.hits == 2
    assert requests.get(f"{echo.url}/x", timeout=5).status_code == 200, "another method is left alone"


def test_a_fault_can_pick_its_request_by_the_body(echo: Echo) -> None:
    echo.faults.add(body="order=SO-2", action=Answer(500), times=None)
    answers = [requests.post(echo.url, data=f"order=SO-{n}", timeout=5).status_code for n in (1, 2, 3, 2)]
    assert answers == [200, 500, 200, 500]
    echo.faults.clear()
    assert requests.post(echo.url, data="order=SO-2", timeout=5).status_code == 200


def test_a_watcher_sees_each_request_before_it_is_handled_until_it_stops(echo: Echo) -> None:
    seen: list[tuple[str, int]] = []
    stop = echo.faults.on_call(lambda request: seen.append((request.path, len(echo.handled))))
    for path in ("/1", "/2"):
        requests.get(echo.url + path, timeout=5)
    stop()
    requests.get(f"{echo.url}/3", timeout=5)
    assert seen == [("/1", 0), ("/2", 1)]


def test_a_defect_of_the_stand_in_is_told_and_kept(echo: Echo) -> None:
    answer = requests.get(f"{echo.url}/broken", timeout=5)
    assert (answer.status_code, "ValueError: no such thing" in answer.text) == (500, True)
    assert "ValueError" in echo.errors[0]


def test_calls_run_side_by_side(echo: Echo) -> None:
    both = threading.Barrier(2, timeout=5)
    echo.faults.on_call(lambda request: both.wait() and None)
    threads = [threading.Thread(target=requests.get, args=(echo.url,), kwargs={"timeout": 5}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(echo.handled) == 2
    assert echo.errors == []


def test_a_closed_server_refuses_and_may_be_closed_twice() -> None:
    echo = Echo()
    url = echo.start()
    assert echo.start() == url
    requests.get(url, timeout=5)
    for _ in range(2):
        echo.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    with pytest.raises(RuntimeError, match="not started"):
        _ = echo.url
