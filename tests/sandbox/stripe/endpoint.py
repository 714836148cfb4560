"""What a route's handler is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Store


@dataclass(frozen=True)
class Exchange:
    """One request as a handler sees it: the store, the ids in the path, the typed parameters."""

    store: Store
    ids: tuple[str, ...]
    params: dict[str, Any]
    search_moment: float
    """The moment up to which search has caught up, in epoch seconds."""


Handler = Callable[[Exchange], Json]
