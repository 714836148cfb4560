"""Makes a world of any size. The same arguments give the same world, to the byte."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal

from tests.sandbox.netsuite.world import World
from tests.sandbox.netsuite.world_loader import load_world

_FIRST_NAMES = (
    "Aster",
    "Borealis",
    "Cobalt",
    "Delphi",
    "Ember",
    "Fjord",
    "Granite",
    "Harbour",
    "Iris",
    "Juniper",
)
_SECOND_NAMES = (
    "Logistics",
    "Partners",
    "Systems",
    "Foods",
    "Legal",
    "Energy",
    "Studios",
    "Clinics",
    "Supply",
)
_WORK = (
    "Discovery workshop",
    "Integration work",
    "Support",
    "Data migration",
    "Code review",
    "Training",
    "Travel",
)
_CURRENCIES = (
    ("USD", "US Dollar", "1"),
    ("EUR", "Euro", "1.0843"),
    ("GBP", "British Pound", "1.2710"),
    ("JPY", "Japanese Yen", "0.0066"),
    ("KWD", "Kuwaiti Dinar", "3.2552"),
)
_STEPS = {"JPY": Decimal(1), "KWD": Decimal("0.001")}
_TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))


def generate_json(orders: int, lines_per_order: int = 3, clients: int = 100, seed: int = 1) -> dict[str, object]:
    """A world file with that many orders, all in status F in the month before the clock's.

    ValueError unless orders >= 0, lines_per_order >= 1 and clients >= 1.
    """
    if orders < 0 or lines_per_order < 1 or clients < 1:
        raise ValueError("orders must be at least 0, lines_per_order and clients at least 1")
    chance = random.Random(seed)
    customers = [
        {
            "number": f"C-{place + 1:05d}",
            "name": f"{chance.choice(_FIRST_NAMES)} {chance.choice(_SECOND_NAMES)} {place + 1}",
            "email": f"billing@client{place + 1}.example",
        }
        for place in range(clients)
    ]
    return {
        "account": "1234567_SB1",
        "timeZone": "America/New_York",
        "currencies": [{"symbol": symbol, "name": name, "exchangeRate": rate} for symbol, name, rate in _CURRENCIES],
        "terms": [{"name": name, "daysUntilNetDue": days} for name, days in _TERMS],
        "customers": customers,
        "items": [{"name": work, "type": "Service"} for work in _WORK],
        "taxCodes": [],
        "orders": [
            _order(place, lines_per_order, customers[place % clients]["number"], chance) for place in range(orders)
        ],
    }


def generate_world(orders: int, lines_per_order: int = 3, clients: int = 100, seed: int = 1) -> World:
    """`generate_json`, loaded."""
    return load_world(generate_json(orders, lines_per_order, clients, seed))


def _order(place: int, lines: int, customer: str, chance: random.Random) -> dict[str, object]:
    # One currency per client, as Stripe wants it and as most firms have it.
    symbol = _CURRENCIES[int(customer[2:]) % len(_CURRENCIES)][0]
    return {
        "number": f"SO-{100_001 + place}",
        "status": "F",
        "date": {"month": -1, "day": chance.randint(1, 28)},
        "customer": customer,
        "currency": symbol,
        "terms": chance.choice(_TERMS)[0],
        "poNumber": f"PO-{chance.randint(1000, 9999)}" if chance.random() < 0.5 else None,
        "lines": [_line(symbol, chance) for _ in range(lines)],
    }


def _line(symbol: str, chance: random.Random) -> dict[str, object]:
    step = _STEPS.get(symbol, Decimal("0.01"))
    hours = Decimal(chance.randint(1, 160)) / 4
    rate = (Decimal(chance.randint(8000, 32000)) / 100).quantize(step)
    amount = (hours * rate).quantize(step, rounding=ROUND_HALF_UP)
    work = chance.choice(_WORK)
    return {
        "item": work,
        "description": f"{work}, week {chance.randint(1, 4)}",
        "quantity": str(hours),
        "rate": str(rate),
        "amount": str(amount),
    }
