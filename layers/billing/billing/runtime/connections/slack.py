"""The Slack channel of the team."""

from __future__ import annotations

from collections.abc import Callable

from billing.adapters.aws.secrets import field
from billing.adapters.slack import Slack, slack_client
from billing.runtime.settings import Environment


def slack_channel(env: Environment) -> Callable[[], Slack]:
    """Made when it is used: a token that cannot be read must not keep the mails from going out."""
    channel_id, slack_url = env.text("SLACK_CHANNEL"), env.optional("SLACK_API_URL")
    return lambda: Slack(slack_client(field(env.text("SLACK_SECRET_ARN"), "bot_token"), slack_url), channel_id)
