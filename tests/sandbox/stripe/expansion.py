"""Stripe's `expand`: an id inside an answer is replaced by the object that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.stripe import shapes
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Store

MOST_LEVELS = 4
"""Stripe's docs on expanding responses."""


def expanded(store: Store, answer: Json, path: str) -> Json:
    """A copy of `answer` with what `path` names put in; `total_count` of a search is there already."""
    if path == "total_count":
        return answer
    looked_up: Json = _walk(answer, path.split("."), lambda identifier: find(store, identifier))
    return looked_up


def _walk(value: Any, names: list[str], look_up: Callable[[str], Json | None]) -> Any:
    if isinstance(value, list):
        return [_walk(one, names, look_up) for one in value]
    if not names:
        found = look_up(value) if isinstance(value, str) else None
        return value if found is None else found
    if not isinstance(value, dict) or names[0] not in value:
        return value
    return {**value, names[0]: _walk(value[names[0]], names[1:], look_up)}


def find(store: Store, identifier: str) -> Json | None:
    """Any object by its id; None for what the stand-in does not hold (a bank account, a subscription)."""
    if identifier in store.customers:
        return shapes.customer(store, identifier)
    if identifier in store.invoices:
        return shapes.invoice(store, store.invoices[identifier])
    for held in (store.tax_rates, store.products, store.prices, *store.objects.values()):
        if identifier in held:
            return held[identifier]
    return next((entry for entry in store.balance_transactions if entry["id"] == identifier), None)
