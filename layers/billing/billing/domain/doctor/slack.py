"""What Slack says of the bot, as lines."""

from __future__ import annotations

from typing import Final

from billing.domain.doctor.finding import Finding, fine, note, wrong

POST: Final = "chat:write"
HISTORY: Final = frozenset({"channels:history", "groups:history"})

_CHANNEL: Final = {
    "not_in_channel": "the bot is not in the channel: /invite it there.",
    "channel_not_found": "there is no such channel, or it is private and the bot is not in it: correct SlackChannel, "
    "or /invite the bot.",
    "is_archived": "the channel is archived: unarchive it, or name another in SlackChannel.",
    "missing_scope": "",
}


def token_finding(refused: str, team: str) -> Finding:
    """`refused` is Slack's error code, "" if it knows the token; `team` is the workspace's name."""
    check = "slack.token"
    if refused:
        return wrong(check, f"Slack refuses bot_token ({refused}): install the app again and write its bot token.")
    return fine(check, f"workspace {team}")


def scopes_finding(scopes: frozenset[str]) -> Finding:
    """`scopes` as auth.test's header x-oauth-scopes lists them; empty where Slack does not say."""
    check = "slack.scopes"
    if not scopes:
        return note(check, "Slack does not say which scopes the token has; chat:write is needed.")
    if POST not in scopes:
        return wrong(check, "the bot lacks chat:write: add it under OAuth & Permissions and install the app again.")
    if not scopes & HISTORY:
        return note(
            check, "chat:write; without channels:history an interrupted message is posted twice rather than not at all"
        )
    return fine(check, ", ".join(sorted(scopes & (HISTORY | {POST}))))


def channel_finding(channel: str, refused: str) -> Finding:
    """`refused` is Slack's error code to a look at the channel, "" if the bot sees it."""
    check = "slack.channel"
    if not refused:
        return fine(check, f"the bot is in {channel}")
    said = _CHANNEL.get(refused, f"Slack refuses to show it ({refused}).")
    if not said:
        return note(check, f"without channels:history nobody but a post can tell whether the bot is in {channel}.")
    return wrong(check, f"{channel}: {said}")
