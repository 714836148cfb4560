"""API Gateway's HTTP API on 127.0.0.1: routes, payload format 2.0, access log.

Source: "Working with AWS Lambda proxy integrations for HTTP APIs" (API Gateway developer guide). One port serves
one API at its root; a template with several APIs gets the further ones under /_api/<id>.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import HttpServer

_SERVER_ERROR = b'{"message":"Internal Server Error"}'
_NOT_FOUND = b'{"message":"Not Found"}'
_UNAVAILABLE = b'{"message":"Service Unavailable"}'
_TEXT_TYPES = re.compile(r"^(text/|application/(json|javascript|xml|x-www-form-urlencoded))|\+(json|xml)")


@dataclass(frozen=True)
class Route:
    """A method (or ANY) and a path template such as /a/{token} or /{proxy+}, and the function behind it."""

    method: str
    path: str
    function_arn: str
    timeout_seconds: float = 30.0

    @property
    def key(self) -> str:
        """As API Gateway names it: "GET /a/{token}"."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path parameters if the request is for this route."""
        if self.method not in ("ANY", method):
            return None
        if self.path == "$default":
            return {}
        pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(self.path))
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
        found = re.fullmatch(pattern, path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@dataclass
class _Stage:
    name: str
    log_group: str | None
    log_format: str
    settings: Mapping[str, Any]


@dataclass
class _Api:
    api_id: str
    routes: list[Route]
    stages: dict[str, _Stage] = field(default_factory=dict)
    integrations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PublicAccess:
    """One request that reached the gateway from outside, and how it was answered. `target` is path and query."""

    method: str
    target: str
    route: str | None
    status: int
    function_error: bool
    time: float


class _Headers(Mapping[str, str]):
    """Answer headers of which a name (Set-Cookie) may occur more than once."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs:
            if key.lower() == name.lower():
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def items(self) -> Any:
        """Every pair, repeated names included."""
        return list(self._pairs)


class Gateway(HttpServer):
    """Serves the deployed HTTP APIs.

    `invoke(function ARN, payload)` gives (answer, failed), with None for an answer if it was throttled;
    `permitted(function ARN, source ARN)` says whether API Gateway may invoke the function."""

    def __init__(
        self,
        *,
        invoke: Callable[[str, bytes], tuple[bytes | None, bool]],
        permitted: Callable[[str, str], bool],
        write_log: Callable[[str, str], None],
        clock: Callable[[], float],
        region: str,
        account: str,
    ) -> None:
        super().__init__(clock=clock)
        self._invoke = invoke
        self._permitted = permitted
        self._write_log = write_log
        self._region = region
        self._account = account
        self._lock = threading.Lock()
        self._apis: dict[str, _Api] = {}
        self.accesses: list[PublicAccess] = []

    def add_api(self, api_id: str, routes: list[Route]) -> None:
        """Register an API, or give one that is there these routes instead of its own."""
        known = self._apis.get(api_id)
        if known is None:
            self._apis[api_id] = _Api(api_id, list(routes))
        else:
            known.routes = list(routes)

    def add_route(self, api_id: str, route: Route) -> None:
        """Add a route to an API."""
        self._apis[api_id].routes.append(route)

    def add_integration(self, api_id: str, integration_id: str, function_arn: str) -> None:
        """Name the function behind an integration."""
        self._apis[api_id].integrations[integration_id] = function_arn

    def integration(self, api_id: str, integration_id: str) -> str:
        """The function behind an integration."""
        return self._apis[api_id].integrations[integration_id]

    def add_stage(
        self, api_id: str, name: str, log_group: str | None, log_format: str, settings: Mapping[str, Any]
    ) -> None:
        """Deploy an API to a stage; throttling settings are kept, not enforced."""
        self._apis[api_id].stages[name] = _Stage(name, log_group, log_format, settings)

    def api_url(self, api_id: str) -> str:
        """The local address that stands for https://<id>.execute-api.<region>.amazonaws.com."""
        first = next(iter(self._apis))
        return self.url if api_id == first else f"{self.url}/_api/{api_id}"

    def localise(self, text: str) -> str:
        """Replace the public address of a deployed API by its local one, so that links work here."""
        for api_id in self._apis:
            text = text.replace(f"https://{api_id}.execute-api.{self._region}.amazonaws.com", self.api_url(api_id))
        return text

    def handle(self, request: Request) -> Response:
        """Serve one public request."""
        api, path = self._api_of(request.path)
        stage = self._stage_of(api, path) if api else None
        if api is None or stage is None:
            return self._finish(request, None, None, Response(404, _NOT_FOUND, _json()), False)
        if stage.name != "$default":
            path = path.removeprefix(f"/{stage.name}") or "/"
        route, parameters = self._route_of(api, request.method, path)
        if route is None:
            return self._finish(request, stage, None, Response(404, _NOT_FOUND, _json()), False)
        method = "*" if route.method == "ANY" else request.method
        place = "/$default" if route.path == "$default" else route.path
        source = f"arn:aws:execute-api:{self._region}:{self._account}:{api.api_id}/{stage.name}/{method}{place}"
        if not self._permitted(route.function_arn, source):
            return self._finish(request, stage, route, Response(500, _SERVER_ERROR, _json()), True)
        event = self._event(request, api, stage, route, parameters, path)
        answer, failed = self._invoke_in_time(route, json.dumps(event).encode())
        if answer is None:
            response = Response(503, _UNAVAILABLE, _json())
        else:
            response = Response(500, _SERVER_ERROR, _json()) if failed else _response(answer)
        return self._finish(request, stage, route, response, failed)

    def _invoke_in_time(self, route: Route, payload: bytes) -> tuple[bytes | None, bool]:
        """The function's answer and whether it failed; no answer (None) if it was throttled or took too long.
        API Gateway gives up after the integration's timeout, while the function runs on."""
        found: list[tuple[bytes | None, bool]] = []
        thread = threading.Thread(target=lambda: found.append(self._invoke(route.function_arn, payload)), daemon=True)
        thread.start()
        thread.join(route.timeout_seconds)
        return found[0] if found else (None, True)

    def _api_of(self, path: str) -> tuple[_Api | None, str]:
        if path.startswith("/_api/"):
            api_id, _, rest = path.removeprefix("/_api/").partition("/")
            return self._apis.get(api_id), f"/{rest}"
        return next(iter(self._apis.values()), None), path

    @staticmethod
    def _stage_of(api: _Api, path: str) -> _Stage | None:
        name = path.split("/")[1] if path.count("/") else ""
        return api.stages.get(name) or api.stages.get("$default")

    @staticmethod
    def _route_of(api: _Api, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The most specific route: exact before parameters before greedy before $default; method before ANY."""
        found: list[tuple[tuple[int, int, int], Route, dict[str, str]]] = []
        for route in api.routes:
            parameters = route.match(method, path)
            if parameters is not None:
                rank = (route.path == "$default") * 4 + ("+}" in route.path) * 2 + ("{" in route.path)
                found.append(((rank, -len(route.path), route.method == "ANY"), route, parameters))
        if not found:
            return None, {}
        _, route, parameters = min(found, key=lambda item: item[0])
        return route, parameters

    def _event(
        self, request: Request, api: _Api, stage: _Stage, route: Route, parameters: dict[str, str], path: str
    ) -> dict[str, Any]:
        headers = {name: value for name, value in request.headers.items() if name not in ("cookie", "connection")}
        host = request.headers.get("host", "")
        headers.setdefault("x-forwarded-for", "127.0.0.1")
        headers.setdefault("x-forwarded-proto", "http")
        headers.setdefault("x-forwarded-port", host.rpartition(":")[2])
        now = datetime.fromtimestamp(self.clock(), UTC)
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": unquote(path if stage.name == "$default" else f"/{stage.name}{path}"),
            "rawQueryString": request.query,
            "headers": headers,
            "requestContext": {
                "accountId": self._account,
                "apiId": api.api_id,
                "domainName": host,
                "domainPrefix": api.api_id,
                "http": {
                    "method": request.method,
                    "path": unquote(path),
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": request.headers.get("user-agent", ""),
                },
                "requestId": uuid.uuid4().hex[:16],
                "routeKey": route.key,
                "stage": stage.name,
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            "isBase64Encoded": False,
        }
        if "cookie" in request.headers:
            event["cookies"] = [part.strip() for part in request.headers["cookie"].split(";")]
        if request.query:
            joined: dict[str, list[str]] = {}
            for name, value in parse_qsl(request.query, keep_blank_values=True):
                joined.setdefault(name, []).append(value)
            event["queryStringParameters"] = {name: ",".join(values) for name, values in joined.items()}
        if parameters:
            event["pathParameters"] = parameters
        if request.body:
            # API Gateway hands on text types as text and everything else, forms included, as Base64.
            kind = request.headers.get("content-type", "")
            if _TEXT_TYPES.search(kind) and "form-urlencoded" not in kind:
                event["body"] = request.body.decode("utf-8", "replace")
            else:
                event["body"] = base64.b64encode(request.body).decode()
                event["isBase64Encoded"] = True
        return event

    def _finish(
        self, request: Request, stage: _Stage | None, route: Route | None, response: Response, failed: bool
    ) -> Response:
        access = PublicAccess(
            request.method, request.target, route.key if route else None, response.status, failed, self.clock()
        )
        with self._lock:
            self.accesses.append(access)
        if stage is not None and stage.log_group is not None:
            self._write_log(stage.log_group, self._log_line(stage, request, route, response))
        return response

    def _log_line(self, stage: _Stage, request: Request, route: Route | None, response: Response) -> str:
        values = {
            "requestId": uuid.uuid4().hex[:16],
            "requestTime": datetime.fromtimestamp(self.clock(), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "routeKey": route.key if route else "-",
            "status": str(response.status),
            "responseLatency": "0",
            "responseLength": str(len(response.body)),
            "httpMethod": request.method,
            "path": request.path,
            "identity.sourceIp": "127.0.0.1",
            "protocol": "HTTP/1.1",
            "stage": stage.name,
        }
        return re.sub(r"\$context\.([\w.]+)", lambda match: values.get(match.group(1), "-"), stage.log_format)


def _json() -> dict[str, str]:
    return {"Content-Type": "application/json"}


def _response(answer: bytes) -> Response:
    """What the function answered, in either of the forms that payload format 2.0 allows."""
    try:
        found = json.loads(answer)
    except ValueError:
        return Response(500, _SERVER_ERROR, _json())
    if not isinstance(found, dict) or "statusCode" not in found:
        return Response(200, json.dumps(found).encode(), _json())
    try:
        status = int(found["statusCode"])
        text = found.get("body") or ""
        body = base64.b64decode(text) if found.get("isBase64Encoded") else str(text).encode()
        pairs = [(str(name), str(value)) for name, value in (found.get("headers") or {}).items()]
        pairs += [("Set-Cookie", str(cookie)) for cookie in found.get("cookies") or []]
    except (ValueError, TypeError, AttributeError):
        return Response(500, _SERVER_ERROR, _json())
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "text/plain; charset=utf-8"))
    return Response(status, body, _Headers(pairs))
