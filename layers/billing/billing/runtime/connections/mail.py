"""Mail by Amazon SES. A module of its own: writing MIME loads more than all other connections together."""

from __future__ import annotations

import boto3

from billing.adapters.aws.mailer import Mailer
from billing.runtime.connections.aws import CONFIG
from billing.runtime.settings import Environment


def mailer(env: Environment) -> Mailer:
    """Return the sender of mail."""
    return Mailer(boto3.client("sesv2", config=CONFIG), env.text("SENDER_EMAIL"), env.text("MAIL_CONFIGURATION_SET"))
