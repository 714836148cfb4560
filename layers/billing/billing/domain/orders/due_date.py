"""When an invoice is due, counted from the invoice's own day."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta

from billing.domain.records import WRITTEN_IF_SET

LONGEST_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class NetDays:
    """Due `days` days after the invoice's day (NetSuite term: daysUntilNetDue)."""

    days: int

    def __post_init__(self) -> None:
        if not 0 <= self.days <= LONGEST_DAYS:
            raise ValueError(f"due.days must lie between 0 and {LONGEST_DAYS}, not {self.days}")


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """Due on a day of the month (NetSuite term with dateDriven: dayOfMonthNetDue).

    `next_month_if_within` is NetSuite's dueNextMonthIfWithinDays: an invoice issued that many days or
    fewer before the due day is due a month later. None when the term has no such rule.
    """

    day_of_month: int
    next_month_if_within: int | None = field(default=None, metadata=WRITTEN_IF_SET)

    def __post_init__(self) -> None:
        if not 1 <= self.day_of_month <= 31:
            raise ValueError(f"due.day_of_month must lie between 1 and 31, not {self.day_of_month}")
        if self.next_month_if_within is not None and not 0 <= self.next_month_if_within <= 366:
            raise ValueError("due.next_month_if_within must lie between 0 and 366")


Due = NetDays | DayOfMonth


def due_date(due: Due, invoice_day: date) -> date:
    """The date on which an invoice of `invoice_day` is due.

    Standard terms: so many days after the invoice's day. Date-driven terms: the next due day strictly after
    the invoice's day, and the one a month later where that lies within so many days. This is the one reading
    that fits both examples in Oracle's help for the Term record (dueNextMonthIfWithinDays):

    - "if invoices are due on the 30th of each month and you enter 5 in this field, then invoices issued
      between the 25th and 30th are due for payment by the 30th of the following month"
    - "Day of Month Net Due = 15 and Due Next Month if Within Days = 30: 5/16-6/14 move to 7/15, 6/15-7/15
      move to 8/15, 8/16-9/14 move to 10/15, 9/15-10/15 move to 11/15, 10/16-11/14 move to 12/15"

    An invoice of 6/15 is due on 8/15 only if the due day that counts is 7/15 and not its own. A day that the
    month lacks is its last day: "if you enter a date that does not exist in the month the transaction is
    due, the last day of the month becomes the due date" (the same page).
    """
    if isinstance(due, NetDays):
        return invoice_day + timedelta(days=due.days)
    year, month = invoice_day.year, invoice_day.month
    candidate = _day_in_month(year, month, due.day_of_month)
    if candidate <= invoice_day:
        year, month = _next_month(year, month)
        candidate = _day_in_month(year, month, due.day_of_month)
    window = due.next_month_if_within
    if window and candidate - invoice_day <= timedelta(days=window):
        year, month = _next_month(year, month)
        candidate = _day_in_month(year, month, due.day_of_month)
    return candidate


def _day_in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)
