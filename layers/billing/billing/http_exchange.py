"""HTTP API events, payload format 2.0, as requests and answers."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

_LONGEST_BODY = 16_384

_NEVER = re.compile(r"0(\.0*)?")

LARGEST_FILE = 4_400_000
"""Bytes. Lambda hands on at most 6 MB of an answer (AWS, "Lambda quotas"), and a file is a third longer as Base64."""


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


def accepts_gzip(event: Mapping[str, Any]) -> bool:
    """Whether the browser says that it unpacks gzip (RFC 9110, "Accept-Encoding")."""
    headers = event.get("headers") or {}
    asked = next((str(value) for name, value in headers.items() if name.lower() == "accept-encoding"), "")
    for part in asked.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding in ("gzip", "*"):
            return _NEVER.fullmatch(weight) is None
    return False


def file_of(headers: Mapping[str, str], content: bytes, gzipped: bool) -> dict[str, Any] | None:
    """A file to download, packed for who unpacks it; None if it is too large for one answer."""
    # Without the time of packing, so that the same file is the same bytes.
    body = gzip.compress(content, compresslevel=6, mtime=0) if gzipped else content
    if len(body) > LARGEST_FILE:
        return None
    return {
        "statusCode": 200,
        "headers": {**headers, "vary": "accept-encoding", **({"content-encoding": "gzip"} if gzipped else {})},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    if len(text) <= _LONGEST_BODY:
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            fields.setdefault(name, value)
    return fields
