"""The month that a run bills, and the day from which orders are listed.

Listings are half-open: an order is listed when listed_from <= its transaction date < listed_before.
NetSuite's transaction date has no time of day and no zone, so only the choice of the month depends on the firm's zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from billing.domain.errors import InputInvalid

MONTHS_BEFORE = 12
"""So that the same month of last year stands at the beginning."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> BillingPeriod:
        """Read "2026-05". Raises ValueError for anything else."""
        match = _MONTH.fullmatch(text)
        if match is None or not 2000 <= int(match[1]) <= 9000:
            raise ValueError(f'must be a month written as "2026-05", not {text[:40]!r}')
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def before(cls, instant: datetime, zone: ZoneInfo) -> BillingPeriod:
        """The calendar month before the one that `instant` (aware) falls in, on the firm's own calendar.

        09:00 on the first in Sydney is still the day before in UTC: the zone decides, never UTC.
        """
        local = instant.astimezone(zone)
        year, month = _shifted(local.year, local.month, -1)
        return cls(year, month)

    @property
    def name(self) -> str:
        """ "2026-05" """
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def previous(self) -> BillingPeriod:
        """The month before."""
        return BillingPeriod(*_shifted(self.year, self.month, -1))

    @property
    def first_day(self) -> date:
        """The period's own first day."""
        return date(self.year, self.month, 1)

    def listed_from(self, bill_from: date) -> date:
        """The first transaction date that is listed, where the firm bills from `bill_from` on.

        A period that ended by then is run only by hand, by somebody who asks for this very month: it lists itself and
        nothing more, so that it neither moves the start nor reaches into months that nobody asked for.
        """
        return self.first_day if bill_from >= self.listed_before else bill_from

    @property
    def listed_before(self) -> date:
        """The first transaction date that is no longer listed."""
        return date(*_shifted(self.year, self.month, 1), 1)


def months_to_read(period: str) -> tuple[str, ...]:
    """The names of the months that are drawn, the oldest first, and `period` itself at the end."""
    names = [BillingPeriod.parse(period)]
    for _ in range(MONTHS_BEFORE):
        names.append(names[-1].previous)
    return tuple(one.name for one in reversed(names))


def parse_bill_from(text: str) -> date | None:
    """Read the parameter BillFrom: a day as "2026-05-01", or None where it is empty. Raises InputInvalid."""
    if not text:
        return None
    if _DAY.fullmatch(text) and text >= "2000":
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise InputInvalid(f'The parameter BillFrom must be empty or a day written as "2026-05-01", not {text[:40]!r}.')


def _shifted(year: int, month: int, by: int) -> tuple[int, int]:
    index = year * 12 + (month - 1) + by
    return index // 12, index % 12 + 1
