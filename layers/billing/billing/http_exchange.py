"""HTTP API events, payload format 2.0, as requests and answers."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from billing.domain.errors import OurFault

_FORM = "application/x-www-form-urlencoded"
_LONGEST_BODY = 16_384
LONGEST_ANSWER = 6 * 1024 * 1024 - 64 * 1024
"""Bytes of a body: Lambda's limit for a whole answer (source: "Lambda quotas"), less room for its headers."""


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


def file_of(event: Mapping[str, Any], headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """A file to download, packed by gzip for whoever takes it so, as every browser does, and for everybody if it would
    not fit into an answer otherwise. Raises OurFault if it does not fit even then."""
    body, headers = base64.b64encode(content).decode(), dict(headers)
    if "gzip" in _headers(event).get("accept-encoding", "").lower() or len(body) > LONGEST_ANSWER:
        body = base64.b64encode(gzip.compress(content, mtime=0)).decode()
        headers["content-encoding"] = "gzip"
    if len(body) > LONGEST_ANSWER:
        raise OurFault("The file is too long to be downloaded from the page: take it from the bucket.")
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _pairs(text: str) -> list[tuple[str, str]]:
    if len(text) > _LONGEST_BODY:
        return []
    return parse_qsl(text, keep_blank_values=True, errors="replace")
