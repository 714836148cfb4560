"""The webhook's door: checks the signature of the raw body, and queues ids.

What is answered is what Stripe does next: 2xx ends an event, anything else is sent again for up to three days. So an
event is accepted only when the queue has it, and a type that rings nothing is accepted and forgotten. Of the body only
ids leave this function.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from billing.domain.settlement.event_roots import Doorbell, doorbell
from billing.domain.settlement.webhook_signature import is_signed

LARGEST_BODY: Final = 1_100_000
"""Events with a hundred lines are some 300 KB; a body above this is not Stripe's."""

PARTNER_SOURCE: Final = "aws.partner/stripe.com"


class Reception(StrEnum):
    """What became of an event, as it is counted."""

    QUEUED = "EventsQueued"
    LEFT_OUT = "EventsLeftOut"  # a type that rings nothing
    FORGED = "EventsForged"  # no valid signature
    FOREIGN = "EventsForeign"  # another mode, or another account
    UNREADABLE = "EventsUnreadable"


@dataclass(frozen=True, slots=True)
class Door:
    """`secrets` gives the endpoint's signing secrets; `live` says which mode this stack settles; `account` is the
    account's id, "" for the one that the endpoint belongs to (its events then name no account)."""

    secrets: Callable[[], Sequence[str]]
    live: bool
    account: str
    send: Callable[[Doorbell], None]
    now: Callable[[], float]

    def by_http(self, request: Mapping[str, Any]) -> tuple[int, Reception]:
        """A request of API Gateway (payload 2.0): the status to answer, and what to count. Raises what the queue
        raises: Stripe sends the event again then."""
        body = _raw_body(request)
        if body is None or len(body) > LARGEST_BODY:
            return 400, Reception.UNREADABLE
        headers = {str(name).lower(): str(value) for name, value in (request.get("headers") or {}).items()}
        if not is_signed(body, headers.get("stripe-signature", ""), self.secrets(), int(self.now())):
            return 400, Reception.FORGED
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):  # brackets nested deeper than Python reads are no event either
            event = None
        return self._received(event)

    def by_event_bus(self, event: Mapping[str, Any]) -> Reception:
        """An event of the partner bus, which only AWS and Stripe can put there. Raises what the queue raises, and
        ValueError for one that another source sent."""
        if not str(event.get("source", "")).startswith(PARTNER_SOURCE):
            raise ValueError("The event is not of Stripe's partner source.")
        return self._received(event.get("detail"))[1]

    def _received(self, event: Any) -> tuple[int, Reception]:
        if not isinstance(event, dict):
            return 400, Reception.UNREADABLE
        try:
            bell = doorbell(event)
        except ValueError:
            return 400, Reception.UNREADABLE
        if bool(event.get("livemode")) is not self.live or str(event.get("account") or "") not in ("", self.account):
            return 400, Reception.FOREIGN
        if bell is None:
            return 200, Reception.LEFT_OUT
        self.send(bell)
        return 200, Reception.QUEUED


def _raw_body(request: Mapping[str, Any]) -> bytes | None:
    """The bytes that were signed: API Gateway encodes what it takes for binary. None for what no bytes make."""
    body = str(request.get("body") or "")
    try:
        return base64.b64decode(body, validate=True) if request.get("isBase64Encoded") else body.encode()
    except (binascii.Error, ValueError):
        return None
