"""The answer to a custom resource's request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

_SECONDS = 10


def respond(url: str, answer: Mapping[str, Any]) -> None:
    """PUT the answer to the presigned address that CloudFormation gave. It is signed without a content type."""
    request = Request(url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urlopen(request, timeout=_SECONDS):  # noqa: S310 - the address is CloudFormation's own
        pass
