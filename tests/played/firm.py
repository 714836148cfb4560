"""Small worlds of which a test knows every number: one client and, as a rule, one order each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)
"""Half a minute past the schedule: 09:00 on the first of June in New York. The month billed is May."""

PERIOD = "2026-05"
ANN, BOB = "ann.approver@firm.example", "bob.controller@firm.example"
OWNER = "owner@firm.example"


def client(place: int, **more: Any) -> dict[str, Any]:
    """The client with the number C-<place>."""
    return {
        "number": f"C-{place}",
        "name": f"Zephyrine Works {place} Ltd",
        "email": f"payables{place}@zephyrine.example",
        **more,
    }


def order(place: int, *lines: dict[str, Any], customer: int | None = None, **more: Any) -> dict[str, Any]:
    """The order SO-<place> of client C-<place> (or `customer`), dated in May; without lines, one of 2 x 150.00."""
    return {
        "number": f"SO-{place}",
        "status": "F",
        "date": "2026-05-12",
        "customer": f"C-{customer or place}",
        "currency": "USD",
        "terms": "Net 30",
        "lines": list(lines) or [work("2", "150.00")],
        **more,
    }


def work(quantity: str, rate: str, description: str = "Consulting, as agreed", **more: Any) -> dict[str, Any]:
    """A line of work."""
    return {"item": "Consulting", "description": description, "quantity": quantity, "rate": rate, **more}


def firm(orders: Iterable[dict[str, Any]], clients: Iterable[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A world with these orders; a client that `clients` does not name is made up."""
    listed = list(orders)
    named = {one["number"]: one for one in clients}
    for one in listed:
        if one["customer"] is not None:
            named.setdefault(one["customer"], client(int(one["customer"][2:])))
    return {
        "account": "1234567_SB1",
        "timeZone": "America/New_York",
        "currencies": [{"symbol": "USD", "name": "US Dollar"}, {"symbol": "EUR", "name": "Euro"}],
        "terms": [{"name": "Net 30", "daysUntilNetDue": 30}, {"name": "Net 15", "daysUntilNetDue": 15}],
        "taxCodes": [],
        "items": [{"name": "Consulting", "type": "Service"}],
        "customers": list(named.values()),
        "orders": listed,
        **more,
    }


def only(*places: int, **more: Any) -> dict[str, Any]:
    """The input of a run by hand over May and these orders alone."""
    return {"period": PERIOD, "filter": {"orderNumbers": [f"SO-{place}" for place in places]}, **more}
