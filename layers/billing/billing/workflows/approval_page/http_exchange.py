"""HTTP API events, payload format 2.0, as requests and answers."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from billing.domain.approval.origin import Origin
from billing.domain.text import clean

_FORM = "application/x-www-form-urlencoded"
_LONGEST_BODY = 16_384
LONGEST_ANSWER = 6 * 1024 * 1024 - 64 * 1024
"""Bytes of a body: Lambda's limit for a whole answer (source: "Lambda quotas"), less room for its headers."""

LONGEST_FILE = LONGEST_ANSWER // 4 * 3
"""Bytes of a file that fits into one: Base64 makes it a third longer."""
_LONGEST_ADDRESS = 45  # An IPv6 address with an IPv4 one in it.
_LONGEST_AGENT = 300
_NEVER = re.compile(r"0(\.0*)?")


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


def origin_of(event: Mapping[str, Any]) -> Origin:
    """From where the request came, as API Gateway saw it. Not from a header that the caller writes."""
    http = event.get("requestContext", {}).get("http", {})
    agent = clean(str(http.get("userAgent", ""))[:_LONGEST_AGENT])
    return Origin(str(http.get("sourceIp", ""))[:_LONGEST_ADDRESS], agent)


def query_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The query's fields; of a field given twice the first."""
    return dict(reversed(_pairs(event.get("rawQueryString") or "")))


def answer_of(status: int, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """A text answer."""
    return {"statusCode": status, "headers": dict(headers), "body": body}


def file_of(event: Mapping[str, Any], headers: Mapping[str, str], content: bytes) -> dict[str, Any] | None:
    """A file to download, packed by gzip for whoever takes it so, as every browser does. None if it is too long for one
    answer."""
    headers = {**headers, "vary": "accept-encoding"}
    if accepts_gzip(event):
        headers["content-encoding"] = "gzip"
        # Without the time of packing, so that the same file is the same bytes.
        content = gzip.compress(content, compresslevel=6, mtime=0)
    body = base64.b64encode(content).decode()
    if len(body) > LONGEST_ANSWER:
        return None
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


def accepts_gzip(event: Mapping[str, Any]) -> bool:
    """Whether the browser says that it unpacks gzip (RFC 9110, "Accept-Encoding")."""
    for part in _headers(event).get("accept-encoding", "").lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding in ("gzip", "*"):
            return _NEVER.fullmatch(weight) is None
    return False


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _pairs(text: str) -> list[tuple[str, str]]:
    if len(text) > _LONGEST_BODY:
        return []
    return parse_qsl(text, keep_blank_values=True, errors="replace")
