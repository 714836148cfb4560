"""Events as the API and the webhooks show them: the object as it was when it happened.

Source: Stripe's API reference (Event). The API keeps them 30 days and filters by at most 20 types; a type may end in
`*`.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal, no_such
from tests.sandbox.stripe.kinds import within
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Event

API_VERSION = "2026-10-28.endive"
KEPT_SECONDS = 30 * 86_400


def shape(event: Event) -> Json:
    """An event as `GET /v1/events` shows it."""
    return {
        "id": event.id, "object": "event", "api_version": API_VERSION, "created": event.created,
        "data": json.loads(event.data), "livemode": False, "pending_webhooks": event.pending,
        "request": {"id": None, "idempotency_key": None}, "type": event.type,
    }  # fmt: skip


def matches(kind: str, names: Collection[str]) -> bool:
    """Whether an event of this type is meant by one of the names, of which each may end in `*`."""
    return any(kind == name or (name.endswith("*") and kind.startswith(name[:-1])) for name in names)


def list_all(call: Exchange) -> Json:
    params, store = call.params, call.store
    if "type" in params and "types" in params:
        raise Refusal("You may only specify one of these parameters: type, types.", param="types")
    names = params.get("types") or ([params["type"]] if params.get("type") else ["*"])
    delivered = params.get("delivery_success")
    found = [
        event
        for event in reversed(store.events)
        if event.created > store.now - KEPT_SECONDS
        and matches(event.type, names)
        and within(event.created, params.get("created", {}))
        and (delivered is None or delivered == (event.pending == 0))
    ]
    every = {event.id for event in store.events}
    return page(found, params, "/v1/events", "event", lambda event: event.id, shape, every.__contains__)


def retrieve(call: Exchange) -> Json:
    for event in call.store.events:
        if event.id == call.ids[0]:
            return shape(event)
    raise no_such("event", call.ids[0], "id", 404)
