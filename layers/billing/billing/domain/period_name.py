"""A period as people write it."""

from __future__ import annotations

_MONTHS = "January February March April May June July August September October November December".split()


def period_name(period: str) -> str:
    """ "2026-05" -> "May 2026"."""
    year, month = period.split("-")
    return f"{_MONTHS[int(month) - 1]} {year}"
