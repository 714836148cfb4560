"""The month that a run bills.

Periods are half-open: an order belongs to the period when first_day <= its transaction date < next_first_day.
NetSuite's transaction date has no time of day and no zone, so only the choice of the month depends on the firm's zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """A calendar month, and how far back open orders are looked for."""

    year: int
    month: int
    lookback_months: int = 0

    @classmethod
    def parse(cls, text: str, lookback_months: int = 0) -> BillingPeriod:
        """Read "2026-05". Raises ValueError for anything else."""
        match = _MONTH.fullmatch(text)
        if match is None or not 2000 <= int(match[1]) <= 9000:
            raise ValueError(f'must be a month written as "2026-05", not {text[:40]!r}')
        return cls(int(match[1]), int(match[2]), lookback_months)

    @classmethod
    def before(cls, instant: datetime, zone: ZoneInfo, lookback_months: int = 0) -> BillingPeriod:
        """The calendar month before the one that `instant` (aware) falls in, on the firm's own calendar.

        09:00 on the first in Sydney is still the day before in UTC: the zone decides, never UTC.
        """
        local = instant.astimezone(zone)
        year, month = _shifted(local.year, local.month, -1)
        return cls(year, month, lookback_months)

    @property
    def name(self) -> str:
        """ "2026-05" """
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def previous(self) -> BillingPeriod:
        """The month before, without a lookback."""
        return BillingPeriod(*_shifted(self.year, self.month, -1))

    @property
    def first_day(self) -> date:
        """The period's own first day."""
        return date(self.year, self.month, 1)

    @property
    def listed_from(self) -> date:
        """The first transaction date that is listed: the lookback's first day."""
        return date(*_shifted(self.year, self.month, -self.lookback_months), 1)

    @property
    def listed_before(self) -> date:
        """The first transaction date that is no longer listed."""
        return date(*_shifted(self.year, self.month, 1), 1)


def _shifted(year: int, month: int, by: int) -> tuple[int, int]:
    index = year * 12 + (month - 1) + by
    return index // 12, index % 12 + 1
