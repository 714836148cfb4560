"""Refusals in Stripe's error shape: `{"error": {"type", "code", "message", "param"}}`.

Texts: those quoted in Stripe's docs or recorded from the real API by others stand as they are;
where no source was found the text says the same in plain words: rely on `type` and `code`, not on texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.sandbox.http_messages import Response


@dataclass(eq=False)
class Refusal(Exception):
    """Stripe says no. `status` is the HTTP status, `kind` the wire's error.type."""

    message: str
    status: int = 400
    code: str | None = None
    param: str | None = None
    kind: str = "invalid_request_error"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code or self.kind}: {self.message} (param {self.param})"

    def response(self) -> Response:
        error: dict[str, str] = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return Response(self.status, json.dumps({"error": error}, indent=2).encode() + b"\n", self.headers)


class Invalid(Refusal):
    """Parameters that fail before the endpoint begins: not kept under the idempotency key (Stripe's docs)."""


def unknown_parameters(names: list[str]) -> Invalid:
    plural = "s" if len(names) > 1 else ""
    return Invalid(f"Received unknown parameter{plural}: {', '.join(names)}", code="parameter_unknown", param=names[0])


def missing_parameter(param: str) -> Invalid:
    return Invalid(f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_such(noun: str, identifier: str, param: str, status: int = 400) -> Refusal:
    """An id that names nothing: 404 for the object of the URL, 400 for one named in a parameter."""
    return Refusal(f"No such {noun}: '{identifier}'", status=status, code="resource_missing", param=param)


def unrecognized_url(method: str, path: str) -> Refusal:
    return Refusal(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        status=404,
    )


def one_of(names: list[str]) -> str:
    """The list of choices as Stripe writes it: `a`, `a or b`, `a, b, or c`."""
    if len(names) == 1:
        return names[0]
    if len(names) == 2:
        return " or ".join(names)
    return f"{', '.join(names[:-1])}, or {names[-1]}"
