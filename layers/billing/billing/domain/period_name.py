"""A period as people write it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

MONTHS: Final = "January February March April May June July August September October November December".split()
_PERIOD: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def period_name(period: object) -> str:
    """ "2026-05" as "May 2026"; anything else as it is: a page is shown whatever a file says."""
    match = _PERIOD.fullmatch(str(period))
    return f"{MONTHS[int(match[2]) - 1]} {match[1]}" if match else str(period)


def day_name(day: str) -> str:
    """ "2026-05-31" as "31 May 2026". Raises ValueError for what is no date."""
    of = date.fromisoformat(day)
    return f"{of.day} {MONTHS[of.month - 1]} {of.year}"
