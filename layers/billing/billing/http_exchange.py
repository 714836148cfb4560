"""HTTP API events, payload format 2.0, as requests and answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

_LONGEST_BODY = 16_384


def form_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a urlencoded body; of a field given twice the first. Anything unreadable is an empty form."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode()
        except ValueError:
            return {}
    return _fields(body)


def query_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The query's fields; of a field given twice the first."""
    return _fields(event.get("rawQueryString") or "")


def answer_of(status: int, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """A text answer."""
    return {"statusCode": status, "headers": dict(headers), "body": body}


def file_of(headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """A file to download."""
    return {
        "statusCode": 200,
        "headers": dict(headers),
        "body": base64.b64encode(content).decode(),
        "isBase64Encoded": True,
    }


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    if len(text) <= _LONGEST_BODY:
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            fields.setdefault(name, value)
    return fields
