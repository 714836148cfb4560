"""Slack: one message a run, found again by its metadata if it is not known whether it was posted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from billing.domain.errors import PassingError, PersonNeeded

EVENT_TYPE = "month_end_billing"
_PASSING = (
    "ratelimited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
)


def slack_client(token: str, base_url: str) -> WebClient:
    """A client that itself waits out rate limits, for a refused message was certainly not posted. After a lost
    connection or a 5xx nobody knows: the state's Retry looks first whether the message is there."""
    return WebClient(
        token=token,
        base_url=base_url.rstrip("/") + "/" if base_url else WebClient.BASE_URL,
        timeout=15,
        # Given explicitly: the SDK's own default would send again after a lost connection.
        retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)],
    )


@dataclass(frozen=True, slots=True)
class Slack:
    """One channel."""

    client: WebClient
    channel: str

    def post(self, message_id: str, text: str, blocks: Sequence[dict[str, Any]]) -> None:
        """Post a message that carries `message_id` in its metadata.

        Raises PassingError (limits, faults, no connection) or PersonNeeded (token, channel).
        """
        try:
            self.client.chat_postMessage(
                channel=self.channel,
                text=text,
                blocks=list(blocks),
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"message_id": message_id}},
            )
        except (SlackApiError, SlackRequestError, SlackClientError, OSError) as error:
            raise _named(error) from None

    def has(self, message_id: str, oldest: float) -> bool:
        """Whether the channel shows the message, posted at or after `oldest` (epoch seconds).

        A bot without the scope channels:history cannot know: then the answer is no, and a second post is risked rather
        than none.
        """
        cursor = ""
        try:
            for _ in range(10):
                page = self.client.conversations_history(
                    channel=self.channel,
                    oldest=f"{oldest:.0f}",
                    include_all_metadata=True,
                    limit=200,
                    cursor=cursor or None,
                )
                for message in page.get("messages") or []:
                    payload = (message.get("metadata") or {}).get("event_payload") or {}
                    if payload.get("message_id") == message_id:
                        return True
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return False
        except SlackApiError as error:
            if error.response.get("error") in ("missing_scope", "not_in_channel", "not_allowed_token_type"):
                return False
            raise _named(error) from None
        except (SlackRequestError, SlackClientError, OSError) as error:
            raise _named(error) from None
        return False

    def identity(self) -> SlackIdentity:
        """Who the token is. Raises PassingError."""
        try:
            answer = self.client.auth_test()
        except SlackApiError as error:
            named = _named(error)
            if isinstance(named, PassingError):
                raise named from None
            return SlackIdentity(str(error.response.get("error")), "", frozenset())
        except (SlackRequestError, SlackClientError, OSError) as error:
            raise _named(error) from None
        headers = {str(name).lower(): value for name, value in (answer.headers or {}).items()}
        scopes = headers.get("x-oauth-scopes", "")
        listed = scopes if isinstance(scopes, str) else ",".join(scopes)
        named_scopes = frozenset(one.strip() for one in listed.split(",") if one.strip())
        return SlackIdentity("", str(answer.get("team", "")), named_scopes)

    def why_hidden(self) -> str:
        """Slack's error code if the bot may not see the channel, "" if it may. Raises PassingError."""
        try:
            self.client.conversations_history(channel=self.channel, limit=1)
        except SlackApiError as error:
            named = _named(error)
            if isinstance(named, PassingError):
                raise named from None
            return str(error.response.get("error"))
        except (SlackRequestError, SlackClientError, OSError) as error:
            raise _named(error) from None
        return ""


@dataclass(frozen=True, slots=True)
class SlackIdentity:
    """`refused` is Slack's error code, "" if it knows the token; `scopes` are empty where Slack does not say."""

    refused: str
    team: str
    scopes: frozenset[str]


def _named(error: Exception) -> Exception:
    if isinstance(error, SlackApiError):
        code = str(error.response.get("error") or "unknown")
        if not re.fullmatch("[a-z_]{1,60}", code):
            # A page in HTML where JSON was expected; the SDK puts the page itself here.
            return PassingError("Slack gave an answer that is not its own.")
        status = getattr(error.response, "status_code", 200)
        if code in _PASSING or status == 429 or status >= 500:
            return PassingError(f"Slack refuses the message for now ({code}).")
        return PersonNeeded(f"Slack refuses the message ({code}): check the bot's token, its scopes, and the channel.")
    return PassingError(f"Slack gave no answer ({type(error).__name__}).")
