"""Stripe, by the secret that template.yaml names."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from billing.adapters.aws.secrets import field
from billing.adapters.stripe.client import Caller, requests_per_second, stripe_client
from billing.runtime.settings import Environment

if TYPE_CHECKING:
    from stripe import StripeClient


def stripe(env: Environment, share: int) -> Callable[[], tuple[StripeClient, Caller]]:
    """One client a process, made at the first call, and another within five minutes of a key's rotation. `share`: how
    many functions call Stripe at the same time."""

    @lru_cache(maxsize=1)
    def made(api_key: str) -> tuple[StripeClient, Caller]:
        server = env.optional("STRIPE_API_URL")
        # Stripe's limit of an account is no other server's: a stand-in's is not known.
        per_second = math.inf if server else requests_per_second(api_key)
        return stripe_client(api_key, server), Caller(time.sleep, time.monotonic, share, per_second, random.random)

    return lambda: made(field(env.text("STRIPE_SECRET_ARN"), "api_key"))
