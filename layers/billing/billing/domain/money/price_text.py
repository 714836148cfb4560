"""A price as people write it."""

from __future__ import annotations

from decimal import Decimal

from billing.domain.money.money import rule_of


def plain(value: Decimal) -> str:
    """Without exponent and without trailing zeros: "7.25", "10"."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(price: Decimal, currency: str) -> str:
    """In major units with at least the currency's decimals: "187.50", "0.125", "1200" (JPY)."""
    text = plain(price)
    decimals = rule_of(currency).decimals
    missing = decimals - decimal_places(text)
    if missing <= 0:
        return text
    return (text if "." in text else text + ".") + "0" * missing


def decimal_places(text: str) -> int:
    """Digits after the point: "187.50" has two."""
    return len(text.partition(".")[2])
