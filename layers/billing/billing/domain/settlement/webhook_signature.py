"""Stripe's signature of a webhook. Pure but for the time, which comes in.

Source: Stripe, "Verify webhook signatures manually": the header Stripe-Signature holds `t=` (epoch seconds) and one or
more `v1=`; the signed text is the time, a dot and the raw body; HMAC-SHA256 with the endpoint's secret, in hexadecimal.
While a secret is rolled there are several signatures, and several secrets count. Other schemes than v1 are ignored.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

TOLERANCE_SECONDS: Final = 300
"""Stripe's own libraries' default: an event that is older was recorded and is played back."""

_MOST_SIGNATURES: Final = 20


def is_signed(body: bytes, header: str, secrets: Iterable[str], now: int) -> bool:
    """Whether one of the secrets signed this very body within the last five minutes. In constant time for a given
    number of secrets and signatures."""
    at, signatures = _parts(header)
    if at is None or abs(now - at) > TOLERANCE_SECONDS:
        return False
    found = False
    for secret in secrets:
        wanted = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest().encode()
        for signature in signatures:
            found |= hmac.compare_digest(wanted, signature.encode())
    return found


def _parts(header: str) -> tuple[int | None, list[str]]:
    at: int | None = None
    signatures = []
    for part in header.split(",")[: _MOST_SIGNATURES + 5]:
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12:
            # Signed is the text that was sent: "0123" would be another one.
            at = int(value) if str(int(value)) == value else None
        elif name == "v1" and value.isascii():
            signatures.append(value)
    return at, signatures[:_MOST_SIGNATURES]
