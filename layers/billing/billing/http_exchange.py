"""HTTP API events, payload format 2.0, as requests and answers."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

_FORM = "application/x-www-form-urlencoded"
_LONGEST_BODY = 16_384
_NEVER = re.compile(r"0(\.0*)?")

LARGEST_FILE = 4_400_000
"""Bytes. Lambda hands on at most 6 MB of an answer (AWS, "Lambda quotas"), and a file is a third longer as Base64."""


def form_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a form as a browser sends it. Anything else is an empty form: another content type (none at all is
    taken for a form), a body that is too long or cannot be read, a field that is given twice."""
    if _headers(event).get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
        return {}
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode()
        except ValueError:
            return {}
    pairs = _pairs(body)
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}


def query_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The query's fields; of a field given twice the first."""
    return dict(reversed(_pairs(event.get("rawQueryString") or "")))


def answer_of(status: int, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """A text answer."""
    return {"statusCode": status, "headers": dict(headers), "body": body}


def accepts_gzip(event: Mapping[str, Any]) -> bool:
    """Whether the browser says that it unpacks gzip (RFC 9110, "Accept-Encoding")."""
    for part in _headers(event).get("accept-encoding", "").lower().split(","):
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


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _pairs(text: str) -> list[tuple[str, str]]:
    if len(text) > _LONGEST_BODY:
        return []
    return parse_qsl(text, keep_blank_values=True, errors="replace")
