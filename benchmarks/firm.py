"""A firm of any size whose every order can be billed. The same size gives the same firm."""

from __future__ import annotations

from typing import Any

from tests.histories.settled_firm import WORLD
from tests.sandbox.netsuite import World, load_world

ORDERS_PER_CLIENT = 4
_CURRENCIES = ("USD", "EUR", "JPY")


def firm(orders: int, lines: int = 3, orders_per_client: int = ORDERS_PER_CLIENT) -> World:
    """`orders` open orders of May 2026 with `lines` lines of work each; a client has some of them, in one currency."""
    clients = -(-orders // orders_per_client)
    given: dict[str, Any] = {
        **WORLD,
        "customers": [
            {"number": f"C-{place}", "name": f"Client {place} LLC", "email": f"ap@client{place}.example"}
            for place in range(1, clients + 1)
        ],
        "orders": [_order(place, lines, 1 + place % clients) for place in range(1, orders + 1)],
    }
    return load_world(given)


def _order(place: int, lines: int, client: int) -> dict[str, Any]:
    return {
        "number": f"SO-{place}",
        "status": "F",
        "date": f"2026-05-{1 + place % 28:02d}",
        "customer": f"C-{client}",
        "currency": _CURRENCIES[client % 3],
        "terms": "Net 30",
        "lines": [
            {
                "item": "Consulting",
                "description": f"work {line}",
                "quantity": 1 + (place + line) % 40,
                "rate": "100.00",
            }
            for line in range(1, lines + 1)
        ],
    }
