"""NetSuite's answers: bodies, content types and headers as its REST service writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.sandbox.faults import Answer
from tests.sandbox.http_messages import Response

_SECTIONS = {400: "15.5.1", 401: "15.5.2", 404: "15.5.5", 405: "15.5.6", 500: "15.6.1"}
_TITLES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
_RFC_2616 = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html"


def json_answer(
    status: int, body: Mapping[str, object], kind: str, headers: Mapping[str, str] | None = None
) -> Response:
    """`kind` is singular, collection or error, as NetSuite's content type says."""
    content_type = f"application/vnd.oracle.resource+json; type={kind}; charset=UTF-8"
    return Response(
        status,
        json.dumps(body, ensure_ascii=False).encode(),
        {"Content-Type": content_type, **(headers or {})},
    )


def error(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **where: str) -> Response:
    """One of NetSuite's error bodies. `where` is query_param, path, header or url."""
    names = {
        "query_param": "o:errorQueryParam",
        "path": "o:errorPath",
        "header": "o:errorHeader",
        "url": "o:errorUrl",
    }
    details = {"detail": detail, **{names[key]: value for key, value in where.items()}, "o:errorCode": code}
    return json_answer(
        status,
        {
            "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{_SECTIONS.get(status, '15.5.1')}",
            "title": _TITLES.get(status, "Internal Server Error"),
            "status": status,
            "o:errorDetails": [details],
        },
        "error",
        headers,
    )


def bad_query(detail: str) -> Response:
    """400 INVALID_PARAMETER about the query itself."""
    text = f"Invalid search query. Detailed unprocessed description follows. {detail}"
    return error(400, "INVALID_PARAMETER", text, query_param="q")


def no_permission() -> Response:
    """A missing permission is a 400 USER_ERROR, not a 403."""
    return error(
        400,
        "USER_ERROR",
        "Your current role does not have permission to perform this action. Please contact your account administrator.",
    )


def invalid_login(realm: str, scheme: str) -> Response:
    """401 as for token-based authentication (`scheme` OAuth) or a bearer token (`scheme` Bearer)."""
    reason = "token_rejected" if scheme == "OAuth" else "invalid_token"
    return error(
        401,
        "INVALID_LOGIN",
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
        "Setup > Users/Roles > User Management > View Login Audit Trail.",
        headers={
            "WWW-Authenticate": f'{scheme} realm="{realm}", error="{reason}", '
            'error_description="Invalid login attempt."'
        },
    )


def token_error(code: str, realm: str) -> Response:
    """The token endpoint's plain OAuth error: 401 for invalid_client, else 400."""
    headers = {"Content-Type": "application/json"}
    if code == "invalid_client":
        headers["WWW-Authenticate"] = f'Basic realm="{realm}"'
    status = 401 if code == "invalid_client" else 400
    return Response(status, json.dumps({"error": code}).encode(), headers)


def too_many_requests(retry_after: int | None = None) -> Response:
    """429 as Oracle's help prints it; Retry-After (seconds) only if asked for."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return json_answer(
        429,
        {
            "type": _RFC_2616,
            "title": "Bad Request",
            "status": 429,
            "o:errorCode": "USER_ERROR",
            "o:errorDetails": [
                {
                    "detail": "Concurrent request limit exceeded. Request blocked.",
                    "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED",
                }
            ],
        },
        "error",
        headers,
    )


def not_found() -> Response:
    return error(404, "NONEXISTENT_ID", "Record does not exist.")


def as_fault(response: Response) -> Answer:
    """The answer as an action for `server.faults.add(action=...)`."""
    return Answer(response.status, response.body, response.headers)


def concurrency_fault(retry_after: int | None = None) -> Answer:
    """Fault: the account's other integrations use up the concurrency limit."""
    return as_fault(too_many_requests(retry_after))


def unexpected_error_fault() -> Answer:
    """Fault: 500 UNEXPECTED_ERROR in JSON."""
    text = "An unexpected error occurred. Error ID: jrgbpyylphhishmmlxyt"
    return as_fault(error(500, "UNEXPECTED_ERROR", text))


def maintenance_fault(status: int = 503) -> Answer:
    """Fault: a page in HTML where JSON was expected."""
    page = b"<html><head><title>NetSuite</title></head><body><h1>Service Unavailable</h1></body></html>"
    return Answer(status, page, {"Content-Type": "text/html; charset=utf-8"})


def invalid_login_fault(account: str) -> Answer:
    """Fault: the login is refused although it is right (revoked, or a queue outlived the timestamp)."""
    return as_fault(invalid_login(account, "OAuth"))


def record_changed_fault() -> Answer:
    """Fault: somebody saved the record in between (optimistic concurrency); reading again and retrying helps."""
    return as_fault(error(400, "USER_ERROR", "RCRD_HAS_BEEN_CHANGED: Record has been changed."))


def workflow_lock_fault() -> Answer:
    """Fault: a workflow of the account locks the record."""
    return as_fault(error(400, "USER_ERROR", "This record has been locked by a user defined workflow."))


def permission_fault() -> Answer:
    """Fault: the role lost a permission."""
    return as_fault(no_permission())
