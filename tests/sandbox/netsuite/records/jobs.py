"""Asynchronous requests: 202 and a job, its task, and the task's result.

Oracle's help, subsect_164494900632: a second request with the same X-NetSuite-Idempotency-Key is refused with 400
IDEMPOTENCY_ERROR and points at the first job. The work is done at once; only its answer is fetched later.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.netsuite import answers

JOBS_PATH = "/services/rest/async/v1/job/"
_JOB = re.compile(rf"{JOBS_PATH}(?P<job>\d+)(?P<task>/task(/1(?P<result>/result)?)?)?/?")
_IN_JOB = (
    'A request with the same idempotency key is already submitted. See the "Location" header for a link to the '
    "previously submitted job"
)


class Jobs:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: dict[int, Response] = {}
        self._by_key: dict[str, int] = {}

    def serves(self, request: Request) -> bool:
        return request.path.startswith(JOBS_PATH)

    def submit(self, request: Request, base: str, work: Callable[[], Response]) -> Response:
        """Do the work unless its key was used before."""
        key = request.headers.get("x-netsuite-idempotency-key")
        with self._lock:
            used = self._by_key.get(key) if key else None
            job = len(self._results) + 1
            if used is None:
                # The place is taken before the work: a second request at the same time must see it.
                self._results[job] = Response(204)
                if key:
                    self._by_key[key] = job
        if used is not None:
            location = {"Location": f"{base}{JOBS_PATH}{used}"}
            return answers.error(400, "IDEMPOTENCY_ERROR", _IN_JOB, headers=location)
        self._results[job] = work()
        return Response(202, b"", {"Location": f"{base}{JOBS_PATH}{job}", "Preference-Applied": "respond-async"})

    def answer(self, request: Request, base: str) -> Response:
        found = _JOB.fullmatch(request.path)
        result = self._results.get(int(found["job"])) if found else None
        if found is None or result is None or request.method != "GET":
            return answers.not_found()
        here = f"{base}{JOBS_PATH}{found['job']}"
        if found["result"]:
            return result
        state = {"completed": True, "progress": "succeeded" if result.status < 400 else "failed"}
        if found["task"] == "/task":
            items = [{"links": [{"rel": "self", "href": f"{here}/task/1"}], "id": "1"}]
            listed = {"links": [], "count": 1, "hasMore": False, "items": items, "offset": 0, "totalResults": 1}
            return answers.json_answer(200, listed, "collection")
        links = [{"rel": "self", "href": here if not found["task"] else f"{here}/task/1"}]
        return answers.json_answer(200, {"links": links, "id": found["job"], **state}, "singular")
