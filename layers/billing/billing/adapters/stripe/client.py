"""Stripe's SDK, with its failures given the names that Retry and Catch know, and its rate limits kept.

The key, the server and the HTTP client are the only settings. Sources: stripe-python 16 (API 2026-10-28.endive),
Stripe's pages "Idempotent requests", "Rate limits" and "Error codes".
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import stripe

from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.stripe_failures import CustomerMissing, KeyUsedOtherwise, ObjectMissing, ReplayedFailure

T = TypeVar("T")

_RATE_LIMIT_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
# Stripe allows 25 requests a second for one endpoint, and for an account 100 in live mode, 25 in a sandbox and in test
# mode ("Rate limits", 2026). A fiftieth is left free; whoever else calls in the same moment makes us wait by a 429
# (decision 0037).
ENDPOINT_REQUESTS_PER_SECOND = 24.5
LIVE_REQUESTS_PER_SECOND = 98.0
TEST_REQUESTS_PER_SECOND = 24.5
_BURST_SECONDS = 1


def stripe_client(api_key: str, base_url: str) -> stripe.StripeClient:
    """A client with a time-out shorter than the function's and two retries of its own (connection, 409, 5xx), which
    carry the same idempotency key."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        api_key,
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=(5, 25)),
        base_addresses={"api": base_url.rstrip("/")} if base_url else {},
    )


@dataclass(slots=True)
class Caller:
    """Calls Stripe no faster than its limits allow, and names what goes wrong.

    `share` is how many processes call at the same time: each takes its part of an endpoint's limit and of the
    account's, which is `per_second` for all endpoints together.
    """

    sleep: Callable[[float], None]
    now: Callable[[], float]
    share: int = 1
    per_second: float = LIVE_REQUESTS_PER_SECOND
    jitter: Callable[[], float] = random.random
    _next: dict[str, float] = field(default_factory=dict)
    _account: float = -math.inf
    _begun: bool = False

    def __call__(self, endpoint: str, call: Callable[[], T]) -> T:
        """Do one call. `endpoint` names it for the pace and the errors, for instance "create invoice".

        Raises PassingError, PersonNeeded, OurFault, ReplayedFailure, KeyUsedOtherwise, CustomerMissing.
        """
        for pause in (*_RATE_LIMIT_PAUSES, None):
            self._pace(endpoint)
            try:
                return call()
            except stripe.RateLimitError as error:
                if _replayed(error):
                    raise ReplayedFailure(endpoint) from None
                if pause is None:
                    raise PassingError(f"Stripe limits the rate of '{endpoint}'.") from None
                # A call that was refused has used nothing up: it comes again after the pause, and from then on this
                # process has its turn at another moment than those with which it met.
                self._next.pop(endpoint, None)
                self.sleep(pause * (0.5 + self.jitter() / 2))
            except stripe.StripeError as error:
                named = _named(endpoint, error)
                # Notes reach the ledger's reason, never a log or the execution history.
                named.add_note(str(error.user_message or ""))
                raise named from None
        raise PassingError(f"Stripe limits the rate of '{endpoint}'.")

    def _pace(self, endpoint: str) -> None:
        if not self._begun and self.share > 1:
            # A Map starts its functions together. Each begins at a moment of its own, and keeps to it.
            self.sleep(self.jitter() * self.share / ENDPOINT_REQUESTS_PER_SECOND)
        self._begun = True
        now = self.now()
        # What was not used of the account's limit in the last second may be used at once: a few calls in a row, as an
        # invoice takes them, wait only where this process has gone on like that for a while.
        account = max(self._account, now - _BURST_SECONDS)
        start = max(now, self._next.get(endpoint, now), account)
        self._account = account + self.share / self.per_second
        self._next[endpoint] = start + self.share / ENDPOINT_REQUESTS_PER_SECOND
        if start > now:
            self.sleep(start - now)


def requests_per_second(api_key: str) -> float:
    """What an account may be asked, by the mode that its key names ("sk_test_...", "rk_live_...")."""
    return TEST_REQUESTS_PER_SECOND if "_test_" in api_key else LIVE_REQUESTS_PER_SECOND


def _named(endpoint: str, error: stripe.StripeError) -> Exception:
    """Stripe's own texts can quote an e-mail address or an amount: only codes and the request's id are passed on."""
    where = f"'{endpoint}'" + (f", request {error.request_id}" if error.request_id else "")
    body = getattr(error, "error", None)
    code = getattr(body, "code", None) or getattr(error, "code", None) or type(error).__name__
    param = getattr(body, "param", None) or getattr(error, "param", None)
    if isinstance(error, stripe.IdempotencyError):
        if code == "idempotency_key_in_use" or error.http_status == 409:
            return PassingError(f"Stripe is still working on the same request ({where}).")
        return KeyUsedOtherwise(endpoint)
    if _replayed(error):
        # Whatever it was, its cause may be gone: a person has added the address that was missing an hour ago.
        return ReplayedFailure(endpoint)
    if isinstance(error, stripe.APIConnectionError):
        return PassingError(f"Stripe gave no answer to {where}.")
    if error.http_status == 409:
        return PassingError(f"Stripe is still working on the same object ({where}).")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return PersonNeeded(
            f"Stripe refuses the key for {where}: check the secret and the restricted key's permissions."
        )
    if error.http_status is not None and error.http_status >= 500:
        return PassingError(f"Stripe had a fault in {where}.")
    if code == "resource_missing":
        return CustomerMissing(endpoint) if param == "customer" else ObjectMissing(endpoint)
    if isinstance(error, stripe.InvalidRequestError):
        return PersonNeeded(f"Stripe refused {where}: {code}{f', parameter {param}' if param else ''}.")
    return OurFault(f"Stripe gave an unexpected {type(error).__name__} to {where}.")


def _replayed(error: stripe.StripeError) -> bool:
    headers = error.headers or {}
    return any(name.lower() == "idempotent-replayed" and value == "true" for name, value in headers.items())
