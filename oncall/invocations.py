"""The functions of the stack that a person starts: invoked once, and their errors as sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ReadTimeoutError

from billing.domain.errors import InputInvalid
from oncall.exits import Failed, Refused
from oncall.stack import Stack


def invoke(stack: Stack, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a function, named by its logical id.

    Raises Refused with the function's own sentence where it raised InputInvalid, and Failed for whatever else it
    raised. Every function that is invoked here is safe to repeat.
    """
    try:
        given = stack.client("lambda").invoke(FunctionName=stack.resource(function), Payload=json.dumps(event).encode())
    except ReadTimeoutError:
        raise Failed(f"{function} has not answered in time; it may still be at work. It is safe to repeat.") from None
    answer = json.loads(given["Payload"].read() or b"null")
    if "FunctionError" not in given:
        return dict(answer or {})
    kind, message = str(answer.get("errorType", "an error")), str(answer.get("errorMessage", ""))
    if kind == InputInvalid.__name__:
        raise Refused(message)
    raise Failed(f"{function} failed with {kind}: {message}")
