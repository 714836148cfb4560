"""A stateful, strict stand-in for Stripe's API; see README.md in this folder."""

from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.executions import LockTimeout, SlowExecution, StoredError
from tests.sandbox.stripe.rate_limits import RateLimits
from tests.sandbox.stripe.server import API_VERSION, StripeServer

__all__ = [
    "API_VERSION",
    "LockTimeout",
    "RateLimits",
    "Refusal",
    "SlowExecution",
    "StoredError",
    "StripeServer",
]
