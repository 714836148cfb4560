"""Stripe's SDK, with its failures given the names that Retry and Catch know, and its rate limits kept.

The key, the server and the HTTP client are the only settings. Sources: stripe-python 16 (API 2026-10-28.endive),
Stripe's pages "Idempotent requests", "Rate limits" and "Error codes".
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import stripe

from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.stripe_failures import CustomerMissing, KeyUsedOtherwise, ObjectMissing, ReplayedFailure

T = TypeVar("T")

_RATE_LIMIT_PAUSES = (0.5, 1.0, 2.0, 4.0)
# Stripe allows 25 requests a second for one endpoint; a fifth is left to others who use the account.
ENDPOINT_REQUESTS_PER_SECOND = 20


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

    `share` is how many processes call at the same time: each takes its part of an endpoint's limit.
    """

    sleep: Callable[[float], None]
    now: Callable[[], float]
    share: int = 1
    jitter: Callable[[], float] = random.random
    _next: dict[str, float] = field(default_factory=dict)

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
                self.sleep(pause * (0.5 + self.jitter() / 2))
            except stripe.StripeError as error:
                named = _named(endpoint, error)
                # Notes reach the ledger's reason, never a log or the execution history.
                named.add_note(str(error.user_message or ""))
                raise named from None
        raise PassingError(f"Stripe limits the rate of '{endpoint}'.")

    def _pace(self, endpoint: str) -> None:
        now = self.now()
        start = max(now, self._next.get(endpoint, now))
        self._next[endpoint] = start + self.share / ENDPOINT_REQUESTS_PER_SECOND
        if start > now:
            self.sleep(start - now)


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
