"""Refusals of Stripe after which a workflow looks again, rather than fails."""

from __future__ import annotations


class ReplayedFailure(Exception):
    """Stripe replayed a failure that it keeps under the idempotency key: look what exists, then use a new key."""


class KeyUsedOtherwise(Exception):
    """The idempotency key was used with other parameters: look what exists, then use a new key."""


class CustomerMissing(Exception):
    """The Stripe customer does not exist (any more)."""


class ObjectMissing(Exception):
    """What was to be retrieved does not exist (any more)."""
