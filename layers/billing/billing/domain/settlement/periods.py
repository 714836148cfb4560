"""The accounting period that a record posts to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AccountingPeriod:
    """A period of NetSuite's. Both days are included. Source: accountingPeriod in NetSuite's REST API Browser."""

    id: str
    name: str
    first: date
    last: date
    closed: bool
    receivables_locked: bool
    is_quarter: bool = False
    is_year: bool = False
    is_adjustment: bool = False

    @property
    def is_posting_month(self) -> bool:
        """Quarters and years hold their months; adjustment periods are for accountants."""
        return not (self.is_quarter or self.is_year or self.is_adjustment)

    @property
    def takes_receivables(self) -> bool:
        """Whether invoices and payments may be posted to it."""
        return not (self.closed or self.receivables_locked)


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a record goes: its period, the transaction date, and whether that date had to move."""

    period: AccountingPeriod
    on: date
    moved: bool


@dataclass(frozen=True, slots=True)
class Parked:
    """The record waits: `reason` names the period and what to do. It is tried again every night."""

    reason: str


def posting(day: date, periods: Iterable[AccountingPeriod], closed_period: str) -> Posting | Parked:
    """Where a record of `day` goes under the policy `closed_period` ("park" or "first_open"). Pure.

    The period is always sent: left to itself NetSuite picks one by a preference when the day's own is closed.
    """
    months = sorted((one for one in periods if one.is_posting_month), key=lambda one: one.first)
    own = next((one for one in months if one.first <= day <= one.last), None)
    if own is not None and own.takes_receivables:
        return Posting(own, day, moved=False)
    if own is None:
        return Parked(f"NetSuite has no accounting period for {day.isoformat()}. Set the periods up, then redrive.")
    if closed_period == "first_open":
        after = next((one for one in months if one.first > day and one.takes_receivables), None)
        if after is not None:
            return Posting(after, after.first, moved=True)
    return Parked(
        f"The accounting period {own.name} is closed or its receivables are locked. Open it, then redrive; or set the "
        "policy closed_period to 'first_open'."
    )
