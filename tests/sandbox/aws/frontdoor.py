"""In front of moto: who calls, may they, and what of it goes elsewhere (Lambda's Invoke) or is kept (mails).

A WSGI application around moto's. Requests with the tests' credentials pass unchecked; a function's, a state
machine's or a schedule's pass only if the policies of its role allow the real action on the real resource.
"""

from __future__ import annotations

import io
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.iam.evaluate import (
    Access,
    PolicyError,
    Statement,
    decide,
    decide_for_principal,
)
from tests.sandbox.aws.iam.principals import Caller, Roles
from tests.sandbox.aws.iam.requests import ApiCall, Lookup, UnknownRequest, WireRequest, read_request
from tests.sandbox.aws.runtime.functions import Functions, Throttled
from tests.sandbox.egress import Origin, Outgoing, OutgoingRequest, PlannedKill, recordable_body

ADMIN_KEY = "AKIASANDBOXADMIN0000"
"""Access key of the tests and of the deployment; nothing limits it."""

StartResponse = Callable[..., Any]
Environ = dict[str, Any]
Reply = tuple[str, list[tuple[str, str]], bytes]


@dataclass(frozen=True)
class Denial:
    """A refused request, for tests that ask why."""

    caller: str
    action: str
    resource: str
    reason: str


@dataclass(frozen=True, eq=False)
class SentMail:
    """The parameters of a SES SendEmail call that was accepted; moto itself keeps only one of two bodies. `message_id`
    is SES's, `caller` the session that sent it. Each is itself: two mails with the same words are two."""

    time: float
    parameters: Mapping[str, Any]
    message_id: str
    caller: str


class FrontDoor:
    """The WSGI application. `resource_policies` maps a bucket, key, queue or topic ARN to its statements."""

    def __init__(
        self,
        moto: Callable[[Environ, StartResponse], Iterable[bytes]],
        *,
        roles: Roles,
        functions: Functions,
        outgoing: Outgoing,
        lookup: Lookup,
        clock: Callable[[], float],
        region: str,
        account: str,
    ) -> None:
        self._moto = moto
        self._roles = roles
        self._functions = functions
        self._outgoing = outgoing
        self._lookup = lookup
        self._clock = clock
        self._region = region
        self._account = account
        self._lock = threading.Lock()
        self._tables = threading.Lock()
        self.resource_policies: dict[str, list[Statement]] = {}
        self.denials: list[Denial] = []
        self.allowed: set[tuple[str, Access]] = set()
        """(role ARN, access without its context) of everything that a role's policies let through."""
        self.mails: list[SentMail] = []
        self.refuse_mail: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda parameters: None
        """(error code, message) if SES does not accept a SendEmail with these parameters."""
        self.ses_reads: Callable[[ApiCall], tuple[int, Mapping[str, Any]] | None] = lambda call: None
        """Status and body of a read of SES that moto does not answer as SES does."""
        self.on_mail: Callable[[SentMail], None] = lambda sent: None
        """Called with every mail that SES accepted."""
        self.stack_calls: Callable[[bytes], tuple[int, bytes]] | None = None
        """(status, XML) of a request to CloudFormation, which the tests' credentials alone may send."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        body = _read_body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        access_key, signing_name, region = _credential(environ)
        if access_key == ADMIN_KEY:
            invoked = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", unquote(_path(environ)))
            if invoked and signing_name == "lambda":
                return _send(self._invoke(invoked.group(1), environ, body), start_response)
            if signing_name == "cloudformation" and self.stack_calls is not None:
                status, xml = self.stack_calls(body)
                return _send((f"{status} Answered", [("Content-Type", "text/xml")], xml), start_response)
            return self._moto(environ, start_response)
        caller = self._roles.caller(access_key) if access_key else None
        if caller is None:
            text = "The security token included in the request is invalid."
            return _send(_refusal("json", "UnrecognizedClientException", text, 403), start_response)
        request = WireRequest(
            method=environ["REQUEST_METHOD"],
            path=_path(environ),
            query=parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
            headers=_headers(environ),
            body=body,
            signing_name=signing_name,
            region=region or self._region,
            account=self._account,
        )
        return _send(self._serve(caller, access_key, request, environ), start_response)

    def _serve(self, caller: Caller, access_key: str, request: WireRequest, environ: Environ) -> Reply:
        origin, struck = self._count(caller, access_key, request)
        if any(plan.when == "before" for plan in struck):
            origin.kill()
            self._note(request, None, None, origin, caller)
            return "500 Killed", [], b""
        call: ApiCall | None = None
        try:
            call = read_request(request, self._lookup)
            reply = self._refuse(caller, call) or self._perform(caller, call, request, environ)
        except UnknownRequest as unknown:
            reply = self._deny(caller, "rest-json" if "x-amz-target" not in request.headers else "json",
                               Access("(unknown)", "(unknown)"), f"because {unknown}")  # fmt: skip
        except PolicyError as broken:
            reply = self._deny(caller, "json", Access("(unknown)", "(unknown)"), f"because {broken}")
        if struck:
            origin.kill()
        self._note(request, call, None if struck else int(reply[0].split()[0]), origin, caller)
        return reply

    def _count(self, caller: Caller, access_key: str, request: WireRequest) -> tuple[Origin, list[PlannedKill]]:
        def kill() -> None:
            instance = self._functions.by_key(access_key)
            if instance is not None:
                instance.kill()

        origin = Origin(caller.function, kill)
        if caller.function is None:
            return origin, []
        return origin, self._outgoing.begin(_service_label(request), origin)

    def _note(
        self, request: WireRequest, call: ApiCall | None, status: int | None, origin: Origin, caller: Caller
    ) -> None:
        if caller.function is None:
            return
        query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
        body = recordable_body(request.body, request.headers.get("content-type", "json"))
        if call is not None and call.service == "sesv2":
            body = _mail_summary(call.parameters)
        self._outgoing.end(
            OutgoingRequest(
                service=_service_label(request),
                method=request.method,
                path=request.path + (f"?{query}" if query else ""),
                body=body,
                status=status,
                function=origin.function,
                operation=call.operation if call else request.headers.get("x-amz-target"),
            )
        )

    def _perform(self, caller: Caller, call: ApiCall, request: WireRequest, environ: Environ) -> Reply:
        if call.service == "lambda" and call.operation == "Invoke":
            return self._invoke(str(call.parameters["FunctionName"]), environ, request.body)
        if call.service == "sesv2" and call.operation == "SendEmail":
            named = call.parameters.get("ConfigurationSetName")
            if named and named not in self._lookup.configuration_sets:
                # moto does not look, SES does.
                return _refusal("rest-json", "NotFoundException", f"Configuration set <{named}> does not exist.", 404)
            refused = self.refuse_mail(call.parameters)
            if refused is not None:
                return _refusal("rest-json", *refused, 400)
        if call.service == "sesv2" and (answer := self.ses_reads(call)) is not None:
            status, found = answer
            if status != 200:
                return _refusal("rest-json", str(found["code"]), str(found["message"]), status)
            return "200 OK", [("Content-Type", "application/json")], json.dumps(found).encode()
        # DynamoDB takes each call as a whole; moto lets two conditions hold at once.
        with self._tables if call.service == "dynamodb" else nullcontext():
            reply = ask(self._moto, environ)
        if call.service == "s3" and reply[0].startswith("404") and call.operation in ("GetObject", "HeadObject"):
            hidden = self._hide_missing_object(caller, call)
            if hidden is not None:
                return hidden
        if call.service == "sesv2" and call.operation == "SendEmail" and reply[0].startswith("200"):
            sent = SentMail(self._clock(), call.parameters, str(json.loads(reply[2])["MessageId"]), caller.session)
            with self._lock:
                self.mails.append(sent)
            self.on_mail(sent)
        return reply

    def _hide_missing_object(self, caller: Caller, call: ApiCall) -> Reply | None:
        """Without s3:ListBucket, S3 answers 403 and not 404 for an object that is not there."""
        bucket = call.accesses[0].resource.partition("/")[0]
        access = Access("s3:ListBucket", bucket)
        if decide(self._roles.statements(caller.role_arn or ""), access).allowed:
            return None
        return self._deny(caller, "rest-xml", access, "because no identity-based policy allows it")

    def allows(self, role_arn: str, access: Access) -> str | None:
        """None if the role may do this; otherwise why not, in AWS's words. For services that act for a role
        without an HTTP request of their own (a Map Run, a schedule)."""
        caller = Caller(role_arn, "sandbox")
        try:
            reason = self._reason_against(caller, access)
        except PolicyError as broken:
            reason = f"because {broken}"
        if reason is None:
            return None
        return self._sentence(caller, access, reason)

    def _refuse(self, caller: Caller, call: ApiCall) -> Reply | None:
        for access in call.accesses:
            reason = self._reason_against(caller, access)
            if reason is not None:
                return self._deny(caller, call.protocol, access, reason)
        return None

    def _reason_against(self, caller: Caller, access: Access) -> str | None:
        reason = self._evaluate(caller, access)
        if reason is None:
            with self._lock:
                self.allowed.add((caller.role_arn or "", Access(access.action, access.resource)))
        return reason

    def _evaluate(self, caller: Caller, access: Access) -> str | None:
        context = {
            **access.context,
            # The sandbox speaks plain HTTP on this machine where AWS speaks TLS.
            "aws:securetransport": ["true"],
            "aws:principalarn": [caller.role_arn or ""],
            "aws:principalaccount": [self._account],
            "aws:sourceaccount": [self._account],
            "aws:requestedregion": [self._region],
        }
        if caller.function is not None:
            name = caller.session
            context["lambda:sourcefunctionarn"] = [f"arn:aws:lambda:{self._region}:{self._account}:function:{name}"]
        access = Access(access.action, access.resource, context)
        boundary = self._roles.boundary(caller.role_arn or "")
        if boundary is not None:
            bounded = decide(boundary, access, kind="permissions boundary")
            if not bounded.allowed:
                return bounded.reason
        decision = decide(self._roles.statements(caller.role_arn or ""), access)
        policy = self._policy_for(access)
        if policy is not None:
            root = f"arn:aws:iam::{self._account}:root"
            denied, _ = decide_for_principal(policy, access, [caller.role_arn or "", root])
            if denied:
                return "with an explicit deny in a resource-based policy"
            _, direct = decide_for_principal(policy, access, [caller.role_arn or ""])
            if direct and not decision.reason.startswith("with an explicit deny"):
                return None
            if access.action.startswith("kms:"):
                _, delegated = decide_for_principal(policy, access, [root])
                if not delegated:
                    return f"because the key policy does not allow the {access.action} action"
        return None if decision.allowed else decision.reason

    def _policy_for(self, access: Access) -> list[Statement] | None:
        resource = access.resource
        if resource.startswith("arn:aws:s3:::"):
            resource = resource.partition("/")[0]
        return self.resource_policies.get(resource)

    def _deny(self, caller: Caller, protocol: str, access: Access, reason: str) -> Reply:
        with self._lock:
            self.denials.append(Denial(caller.arn, access.action, access.resource, reason))
        return _refusal(protocol, "AccessDeniedException", self._sentence(caller, access, reason), 403)

    @staticmethod
    def _sentence(caller: Caller, access: Access, reason: str) -> str:
        return (
            f"User: {caller.arn} is not authorized to perform: {access.action} on resource: {access.resource} {reason}"
        )

    def _invoke(self, name: str, environ: Environ, body: bytes) -> Reply:
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        try:
            self._functions.settings(unquote(name))
        except SandboxError:
            text = f"Function not found: {unquote(name)}"
            return _refusal("rest-json", "ResourceNotFoundException", text, 404)
        request_id = ("x-amzn-RequestId", str(uuid.uuid4()))
        if kind == "Event":
            self._functions.invoke_later(unquote(name), body or b"{}")
            return "202 Accepted", [request_id], b""
        try:
            outcome = self._functions.invoke(unquote(name), body or b"{}")
        except Throttled:
            return _refusal("rest-json", "TooManyRequestsException", "Rate Exceeded.", 429)
        headers = [request_id, ("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
        if outcome.error is not None:
            headers.append(("X-Amz-Function-Error", outcome.error))
        return "200 OK", headers, outcome.payload


def ask(application: Callable[[Environ, StartResponse], Iterable[bytes]], environ: Environ) -> Reply:
    """The whole answer of a WSGI application: status, headers, body."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return lambda _: None

    answer = application(environ, start)
    try:
        body = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
    status, headers = started[-1]
    return status, headers, body


def _read_body(environ: Environ) -> bytes:
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        return bytes(environ["wsgi.input"].read())
    length = environ.get("CONTENT_LENGTH")
    return bytes(environ["wsgi.input"].read(int(length))) if length else b""


def _path(environ: Environ) -> str:
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return raw.partition("?")[0] if raw.startswith("/") else str(environ.get("PATH_INFO", ""))


def _headers(environ: Environ) -> dict[str, str]:
    found = {
        name[5:].lower().replace("_", "-"): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["content-type"] = environ["CONTENT_TYPE"]
    return found


def _credential(environ: Environ) -> tuple[str, str, str]:
    """(access key, signing name, region) of a SigV4 request, by header or presigned."""
    match = re.search(r"Credential=([^/,]+)/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    if match:
        return match.group(1), match.group(3).lower(), match.group(2)
    query = parse_qs(environ.get("QUERY_STRING", ""))
    parts = query.get("X-Amz-Credential", [""])[0].split("/")
    return (parts[0], parts[3].lower(), parts[2]) if len(parts) == 5 else ("", "", "")


def _service_label(request: WireRequest) -> str:
    if request.signing_name == "ses":
        return "sesv2" if request.path.startswith("/v2/") else "ses"
    return request.signing_name


def _mail_summary(parameters: Mapping[str, Any]) -> str:
    """Approval links are as good as a signature, so the text of mails stays out of the record."""
    content = parameters.get("Content", {})
    return json.dumps({**parameters, "Content": dict.fromkeys(content, _HIDDEN_MAIL)}, ensure_ascii=False)


_HIDDEN_MAIL = "(the mail itself is not recorded; see Sandbox.mails())"


def _send(reply: Reply, start_response: StartResponse) -> Sequence[bytes]:
    status, headers, body = reply
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*kept, ("Content-Length", str(len(body)))])
    return [body]


def _refusal(protocol: str, code: str, message: str, status: int) -> Reply:
    request_id = str(uuid.uuid4())
    if protocol in ("query", "rest-xml"):
        name = "AccessDenied" if code == "AccessDeniedException" else code
        inner = f"<Code>{name}</Code><Message>{escape(message)}</Message>"
        if protocol == "query":
            error = f"<Error><Type>Sender</Type>{inner}</Error>"
            text = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
        else:
            text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
        return f"{status} Refused", headers, text.encode()
    body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-RequestId", request_id),
        ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())),
    ]
    shown = 400 if protocol == "json" and status == 403 else status
    return f"{shown} Refused", headers, body
