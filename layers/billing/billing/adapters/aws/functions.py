"""Another function of the stack, called and waited for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing.domain.errors import ENDS, OurFault

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class OtherFunction:
    """One function by its name."""

    client: LambdaClient
    name: str

    def call(self, event: Mapping[str, Any]) -> Any:
        """Its answer. An error of its own comes out under the same name: PassingError, PersonNeeded, or OurFault for
        what has no name of ours (source: Lambda's Invoke, FunctionError)."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read() or b"null")
        if not answer.get("FunctionError"):
            return payload
        kind, text = str(payload.get("errorType", "")), str(payload.get("errorMessage", ""))
        raise ENDS.get(kind, OurFault)(text if kind in ENDS else f"A function that was called failed ({kind}).")
