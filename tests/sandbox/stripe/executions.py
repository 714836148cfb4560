"""Scripted faults that strike while Stripe executes a request: they are kept under its idempotency key.

Pass one as `action=` to `server.faults.add`. A plain `Answer(500)` from `tests.sandbox.faults` never reaches
the endpoint and is not kept; these do and are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.sandbox.faults import Handle
from tests.sandbox.http_messages import Request, Response


@dataclass(frozen=True)
class DuringExecution:
    """Base of the faults that only the Stripe stand-in understands."""

    def perform(self, request: Request, handle: Handle) -> Response | None:
        raise TypeError(f"{type(self).__name__} strikes inside an execution: only StripeServer can perform it")


@dataclass(frozen=True)
class StoredError(DuringExecution):
    """The endpoint began and failed: this answer is kept under the key and replayed for 24 hours.

    With `commit` the write happened although the answer says otherwise.
    """

    status: int = 500
    kind: str = "api_error"
    code: str | None = None
    message: str = "An unknown error occurred"
    commit: bool = False
    should_retry: str = "false"
    """The header Stripe-Should-Retry: false with a 500, because the key would only replay it (Stripe's SDK)."""

    def response(self) -> Response:
        error = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error["code"] = self.code
        body = json.dumps({"error": error}, indent=2).encode() + b"\n"
        return Response(self.status, body, {"Stripe-Should-Retry": self.should_retry})


@dataclass(frozen=True)
class LockTimeout(StoredError):
    """Another request held the object too long: 429, without a rate-limit reason, kept under the key."""

    status: int = 429
    kind: str = "invalid_request_error"
    code: str | None = "lock_timeout"
    message: str = (
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request."
    )
    should_retry: str = "true"


@dataclass(frozen=True)
class SlowExecution(DuringExecution):
    """Execution takes this many real seconds, with the key in flight and the invoice locked."""

    seconds: float = 1.0
