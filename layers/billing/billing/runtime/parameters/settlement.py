"""The settlement's parameters, as far as they can be read while a stack is deployed."""

from __future__ import annotations

from importlib.resources import files as resource_files

from billing.domain.errors import InputInvalid
from billing.domain.settlement.policies import parse_policies
from billing.runtime.settings import Environment


def check_settlement(env: Environment) -> None:
    """InputInvalid for a policy file of the layer that cannot be followed, or that settles another subsidiary than the
    stack bills, and for a webhook without a secret. A file in the bucket is read when it is used: at the first
    deployment there is no bucket yet."""
    if env.text("SETTLEMENT") == "off":
        return
    if not env.optional("STRIPE_WEBHOOK_SECRET_ARN"):
        raise InputInvalid("StripeWebhookSecretArn is empty: the settlement verifies every event with it.")
    name = env.text("SETTLEMENT_POLICIES")
    if "/" in name:
        return
    settled, billed = parse_policies(policy_file(name)).subsidiary, env.texts("SUBSIDIARIES")
    if settled and billed and billed != (settled,):
        raise InputInvalid(
            f"Subsidiaries is {', '.join(billed)}, and the policy file {name} settles subsidiary {settled}: one Stripe "
            "account is one subsidiary. A second one is a second stack."
        )


def policy_file(name: str) -> str:
    """The text of a policy file of this package. InputInvalid if there is none of that name."""
    found = resource_files("billing.settlement_policies").joinpath(f"{name}.toml")
    if not name.replace("-", "").replace("_", "").isalnum() or not found.is_file():
        raise InputInvalid(
            f"SettlementPolicies is {name!r}: there is no settlement_policies/{name}.toml in the layer. Name one that "
            "is there, or the key of one in the bucket (settlement/policies.toml)."
        )
    return found.read_text(encoding="utf-8")
