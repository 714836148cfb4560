"""The Slack stand-in: `auth.test`, `chat.postMessage` and `conversations.history` of Slack's Web API.

Stricter than Slack in one point: an argument that the method does not know is refused as invalid_arguments,
where Slack would ignore it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import Clock, HttpServer
from tests.sandbox.slack import blocks as block_kit
from tests.sandbox.slack.refusals import SlackError

LONGEST_TEXT = 40_000
LONGEST_MARKDOWN = 12_000
LARGEST_METADATA = 8_000
"""Bytes of JSON. Slack documents the error metadata_too_large without a number; this one is ours."""

_POST = frozenset(
    "channel text blocks metadata thread_ts reply_broadcast mrkdwn markdown_text unfurl_links unfurl_media "
    "parse "
    "link_names username icon_emoji icon_url token".split()
)
_HISTORY = frozenset("channel cursor inclusive include_all_metadata latest limit oldest token".split())


@dataclass(frozen=True)
class Channel:
    """A channel of the workspace; the bot can post where it is a member."""

    id: str
    name: str
    member: bool = True
    archived: bool = False


@dataclass(frozen=True)
class Post:
    """A message that was posted. `ts` is Slack's id of it, `time` the server's clock in epoch seconds."""

    channel: str
    channel_name: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    thread_ts: str | None
    time: float


DEFAULT_CHANNELS = (
    Channel("C0BILLING1", "billing"),
    Channel("C0PRIVATE1", "not-invited", member=False),
    Channel("C0ARCHIVE1", "archived", archived=True),
)

DEFAULT_SCOPES = ("chat:write", "channels:history")


class SlackServer(HttpServer):
    """A workspace with a bot. Give a client `f"{server.url}/api/"` as its base URL.

    `scopes` are the token's; every answer names them, as Slack's do.
    `tokens` names the tokens that are accepted; without it every `xoxb-` token is. With `rate_limited` a
    second message to a channel within a second of real time is answered 429 with Retry-After.
    """

    def __init__(
        self,
        clock: Clock = time.time,
        *,
        port: int = 0,
        channels: Sequence[Channel] = DEFAULT_CHANNELS,
        tokens: Collection[str] | None = None,
        rate_limited: bool = False,
        scopes: Sequence[str] = DEFAULT_SCOPES,
    ) -> None:
        super().__init__(clock, port)
        self.channels = tuple(channels)
        self.tokens = tokens
        self.rate_limited = rate_limited
        self.scopes = tuple(scopes)
        self._posts: list[Post] = []
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def posts(self) -> list[Post]:
        """The messages so far, oldest first."""
        with self._lock:
            return list(self._posts)

    def reset(self) -> None:
        """No messages, no calls, no scripted faults."""
        with self._lock:
            self._posts.clear()
            self._last.clear()
        self.faults.clear()
        self.forget_calls()

    def dump(self) -> bytes:
        """All messages as canonical JSON, to compare byte for byte."""
        return json.dumps([asdict(post) for post in self.posts], sort_keys=True).encode()

    def handle(self, request: Request) -> Response:
        try:
            method = request.path.removeprefix("/api/")
            if method == request.path or request.method not in ("GET", "POST"):
                raise SlackError("unknown_method", status=404)
            arguments = _arguments(request)
            if method not in ("auth.test", "chat.postMessage", "conversations.history"):
                raise SlackError("unknown_method")
            self._authenticate(request, arguments)
            answer = (
                self._auth_test()
                if method == "auth.test"
                else self._post(arguments)
                if method == "chat.postMessage"
                else self._history(arguments)
            )
            response = Response(200, json.dumps(answer).encode())
        except SlackError as error:
            response = error.response()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-OAuth-Scopes": ",".join(self.scopes),
            **response.headers,
        }
        return Response(response.status, response.body, headers)

    def _authenticate(self, request: Request, arguments: dict[str, Any]) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        token = token or str(arguments.get("token", ""))
        if not token:
            raise SlackError("not_authed")
        known = token in self.tokens if self.tokens is not None else token.startswith("xoxb-")
        if not known:
            raise SlackError("invalid_auth")

    @staticmethod
    def _auth_test() -> dict[str, Any]:
        return {
            "ok": True,
            "url": "https://sandbox.slack.example/",
            "team": "Sandbox",
            "user": "billing",
            "team_id": "T0SANDBOX1",
            "user_id": "U0BILLING1",
            "bot_id": "B0BILLING1",
            "is_enterprise_install": False,
        }

    def _channel(self, wanted: object, by_name: bool) -> Channel:
        name = str(wanted).removeprefix("#") if by_name else None
        for channel in self.channels:
            if channel.id == wanted or channel.name == name:
                return channel
        raise SlackError("channel_not_found")

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        _known(arguments, _POST)
        if "chat:write" not in self.scopes:
            raise SlackError("missing_scope")
        channel = self._channel(_required(arguments, "channel"), by_name=True)
        if not channel.member:
            raise SlackError("not_in_channel")
        if channel.archived:
            raise SlackError("is_archived")
        text = _said(arguments)
        blocks = _json(arguments.get("blocks", []), "invalid_blocks_format")
        block_kit.check(blocks)
        metadata = _metadata(arguments.get("metadata"))
        self._limit(channel)
        now = self.clock()
        with self._lock:
            thread = arguments.get("thread_ts")
            ts = f"{int(now)}.{len(self._posts) + 1:06d}"
            post = Post(channel.id, channel.name, ts, text, blocks, metadata, thread, now)
            self._posts.append(post)
        return {"ok": True, "channel": channel.id, "ts": ts, "message": _message(post, with_metadata=True)}

    def _limit(self, channel: Channel) -> None:
        """One message a second and channel (Slack's docs on rate limits), in real time."""
        if not self.rate_limited:
            return
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(channel.id, now - 1) < 1:
                raise SlackError("ratelimited", status=429, headers={"Retry-After": "1"})
            self._last[channel.id] = now

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Newest first; bounds are exclusive unless `inclusive`; metadata only on demand."""
        _known(arguments, _HISTORY)
        if not {"channels:history", "groups:history"} & set(self.scopes):
            raise SlackError("missing_scope")
        channel = self._channel(_required(arguments, "channel"), by_name=False)
        if not channel.member:
            raise SlackError("not_in_channel")
        inclusive = _flag(arguments, "inclusive")
        oldest, latest = _moment(arguments, "oldest", "0"), _moment(arguments, "latest", "9" * 12)
        limit = int(_moment(arguments, "limit", "100"))
        if not 1 <= limit <= 999:
            raise SlackError("invalid_limit")
        found = [
            post
            for post in reversed(self.posts)
            if post.channel == channel.id
            and (post.thread_ts is None or post.thread_ts == post.ts)
            and (oldest < Decimal(post.ts) < latest or (inclusive and Decimal(post.ts) in (oldest, latest)))
        ]
        start = _cursor(arguments.get("cursor"))
        chosen = found[start : start + limit]
        more = len(found) > start + limit
        with_metadata = _flag(arguments, "include_all_metadata")
        return {
            "ok": True,
            "messages": [_message(post, with_metadata) for post in chosen],
            "has_more": more,
            "pin_count": 0,
            "response_metadata": {"next_cursor": f"next:{start + limit}" if more else ""},
        }


def _arguments(request: Request) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True))
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if not request.body:
        return arguments
    if kind == "application/json":
        try:
            body = json.loads(request.body)
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return {**arguments, **body}
    if kind == "application/x-www-form-urlencoded":
        return {**arguments, **dict(parse_qsl(request.body.decode(), keep_blank_values=True))}
    raise SlackError("invalid_post_type")


def _known(arguments: dict[str, Any], names: frozenset[str]) -> None:
    unknown = sorted(set(arguments) - names)
    if unknown:
        raise SlackError("invalid_arguments", [f"unknown argument: {name}" for name in unknown])


def _required(arguments: dict[str, Any], name: str) -> Any:
    if not arguments.get(name):
        raise SlackError("invalid_arguments", [f"missing required field: {name}"])
    return arguments[name]


def _said(arguments: dict[str, Any]) -> str:
    """The message's text; required unless there are blocks or markdown."""
    text, markdown = arguments.get("text", ""), arguments.get("markdown_text", "")
    if markdown and (text or arguments.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if not isinstance(text, str) or not isinstance(markdown, str):
        raise SlackError("invalid_arguments", ["text must be a string"])
    if not text and not markdown and not arguments.get("blocks"):
        raise SlackError("no_text")
    if len(text) > LONGEST_TEXT or len(markdown) > LONGEST_MARKDOWN:
        raise SlackError("msg_too_long")
    return text or markdown


def _json(value: Any, error: str) -> Any:
    """A nested argument: JSON text in a form, the value itself in a JSON body."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None


def _metadata(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    metadata = _json(value, "invalid_metadata_format")
    if (
        not isinstance(metadata, dict)
        or set(metadata) != {"event_type", "event_payload"}
        or not isinstance(metadata["event_type"], str)
        or not metadata["event_type"]
        or not isinstance(metadata["event_payload"], dict)
    ):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > LARGEST_METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def _flag(arguments: dict[str, Any], name: str) -> bool:
    return str(arguments.get(name, "")).lower() in ("1", "true")


def _moment(arguments: dict[str, Any], name: str, default: str) -> Decimal:
    try:
        return Decimal(str(arguments.get(name) or default))
    except InvalidOperation:
        raise SlackError("invalid_ts_" + name if name != "limit" else "invalid_limit") from None


def _cursor(value: Any) -> int:
    if not value:
        return 0
    word, _, number = str(value).partition(":")
    if word != "next" or not number.isdigit():
        raise SlackError("invalid_cursor")
    return int(number)


def _message(post: Post, with_metadata: bool) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": "message",
        "user": "U0BILLING1",
        "bot_id": "B0BILLING1",
        "app_id": "A0BILLING1",
        "team": "T0SANDBOX1",
        "ts": post.ts,
        "text": post.text,
    }
    if post.blocks:
        message["blocks"] = post.blocks
    if post.thread_ts:
        message["thread_ts"] = post.thread_ts
    if with_metadata and post.metadata is not None:
        message["metadata"] = post.metadata
    return message
