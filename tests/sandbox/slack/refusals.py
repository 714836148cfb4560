"""Slack's way to say no: HTTP 200 with `{"ok": false, "error": "..."}`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.sandbox.faults import Handle
from tests.sandbox.http_messages import Request, Response


class SlackError(Exception):
    """A refused call; `error` is Slack's short word, `messages` say where."""

    def __init__(
        self,
        error: str,
        messages: Sequence[str] = (),
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = list(messages)
        self.status = status
        self.headers = dict(headers or {})

    def response(self) -> Response:
        answer: dict[str, object] = {"ok": False, "error": self.error}
        if self.messages:
            answer["response_metadata"] = {"messages": [f"[ERROR] {text}" for text in self.messages]}
        return Response(self.status, json.dumps(answer).encode(), self.headers)


@dataclass(frozen=True)
class Refuse:
    """A scripted fault: refuse the call with this error, such as `fatal_error` or `channel_not_found`."""

    error: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def perform(self, request: Request, handle: Handle) -> Response | None:
        answer = SlackError(self.error, status=self.status).response()
        return Response(answer.status, answer.body, {"Content-Type": "application/json", **self.headers})
