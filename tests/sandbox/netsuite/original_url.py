"""The URL a request was first sent to, although a recording proxy stands in between."""

from __future__ import annotations

from tests.sandbox.http_messages import Request


def original_url(request: Request) -> str:
    """Scheme, host and path as the caller wrote them, without the query.

    From X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix if present, else from Host. A default port
    is left out and the host is lower case, as OAuth 1.0a wants (RFC 5849, section 3.4.1.2).
    """
    headers = request.headers
    scheme = _first(headers.get("x-forwarded-proto")) or "http"
    host = (_first(headers.get("x-forwarded-host")) or headers.get("host", "")).lower()
    default_port = ":443" if scheme == "https" else ":80"
    host = host.removesuffix(default_port)
    prefix = (_first(headers.get("x-forwarded-prefix")) or "").rstrip("/")
    return f"{scheme}://{host}{prefix}{request.path}"


def _first(value: str | None) -> str | None:
    """A chain of proxies lists the first one first."""
    return value.split(",")[0].strip() if value else None
