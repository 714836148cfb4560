"""How Stripe merges metadata on an update."""

from __future__ import annotations

from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.kinds import METADATA_KEYS


def merged(old: dict[str, str], change: dict[str, str] | None, param: str = "metadata") -> dict[str, str]:
    """Keys are added or replaced, an empty value removes its key, and None removes all."""
    if change is None:
        return {}
    new = {key: value for key, value in {**old, **change}.items() if value != ""}
    if len(new) > METADATA_KEYS:
        raise Refusal(
            f"You can only have up to {METADATA_KEYS} metadata keys, but this would make {len(new)}.",
            param=param,
        )
    return new
