"""Idempotency keys of API v1: one answer per key for 24 hours, whatever the answer was.

Source: Stripe's docs on idempotent requests. The status and body of the first request are kept once the
endpoint began to execute, errors 500 included; validation failures and refusals before that are not kept. The
same key with other parameters or on another endpoint is refused, and so is one whose first request still
runs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tests.sandbox.http_messages import Response
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.form import Pairs

KEPT_SECONDS = 86_400
LONGEST_KEY = 255


@dataclass(frozen=True)
class _Entry:
    endpoint: str
    fields: tuple[tuple[str, str], ...]
    began: float
    request_id: str
    response: Response | None


class IdempotencyKeys:
    """The keys in use. Safe to call from many threads."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, endpoint: str, fields: Pairs, now: float, request_id: str) -> Response | None:
        """Claim the key, or return the kept answer to replay. `Refusal` if the key cannot be used so."""
        if len(key) > LONGEST_KEY:
            raise Refusal(f"Idempotency keys can be at most {LONGEST_KEY} characters long.")
        mine = tuple(sorted(fields))
        with self._lock:
            kept = self._entries.get(key)
            if kept is not None and now - kept.began >= KEPT_SECONDS and kept.response is not None:
                kept = None
            if kept is None:
                self._entries[key] = _Entry(endpoint, mine, now, request_id, None)
                return None
        if kept.endpoint != endpoint:
            raise Refusal(
                "Keys for idempotent requests can only be used for the same endpoint they were first "
                f"used for ('{kept.endpoint}' vs '{endpoint}'). Try using a key other than '{key}' if you meant to "
                "execute a different request.",
                kind="idempotency_error",
            )
        if kept.fields != mine:
            raise Refusal(
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        if kept.response is None:
            raise Refusal(
                "There is currently another in-progress request using this Idempotent Key (that probably "
                "means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again "
                f"later.",
                status=409,
                code="idempotency_key_in_use",
                kind="idempotency_error",
            )
        headers = {
            **kept.response.headers, "Idempotent-Replayed": "true", "Original-Request": kept.request_id,
        }  # fmt: skip
        return Response(kept.response.status, kept.response.body, headers)

    def keep(self, key: str, response: Response) -> None:
        """Store the answer of the request that claimed the key."""
        with self._lock:
            entry = self._entries[key]
            self._entries[key] = _Entry(entry.endpoint, entry.fields, entry.began, entry.request_id, response)

    def release(self, key: str) -> None:
        """Forget a claim whose request never began to execute."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
