"""The signing secrets of Stripe's webhook endpoint, several while one is rolled."""

from __future__ import annotations

from collections.abc import Sequence

from billing.adapters.aws.secrets import secret, secret_version
from billing.domain.errors import PersonNeeded
from billing.runtime.settings import Environment


def signing_secrets(env: Environment, version_id: str = "") -> Sequence[str]:
    """{"signing_secrets": ["whsec_...", ...]}, read again every five minutes, or of one version of the secret.
    PersonNeeded if there is none."""
    arn = env.text("STRIPE_WEBHOOK_SECRET_ARN")
    found = (secret_version(arn, version_id) if version_id else secret(arn)).get("signing_secrets")
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise PersonNeeded(
            'The secret of Stripe\'s webhook has no field "signing_secrets" with a list of at least one secret. The '
            "README shows its fields."
        )
    return found
