"""The keys that sign links and votes."""

from __future__ import annotations

from billing.adapters.aws.secrets import secret
from billing.adapters.signatures import Signatures
from billing.runtime.settings import Environment
from billing.workflows.approval.approval_links import ApproverLinks


def signatures(env: Environment) -> Signatures:
    """Made for each event: a key that was added meanwhile verifies and signs."""
    return Signatures(secret(env.text("SIGNING_SECRET_ARN")))


def approver_links(env: Environment, signed: Signatures) -> ApproverLinks:
    """Return what writes the links that an approver is mailed."""
    return ApproverLinks(env.text("PUBLIC_URL"), signed.sign_link, signed.sign_inbox)
