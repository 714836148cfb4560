"""The two days of an invoice: the one it is dated and the one it is due, from the batch that is signed to the draft.

The rule is in docs/decisions/0013-days-that-are-signed.md. Days are ISO dates (YYYY-MM-DD) of the cycle's own zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.domain.orders.due_date import Due, NetDays, due_date


@dataclass(frozen=True, slots=True)
class InvoiceDays:
    """`invoice` is the date on the invoice, `due` the day its terms give, counted from that date."""

    invoice: str
    due: str

    def check_as_read(self) -> None:
        """Raise ValueError for what is no date."""
        date.fromisoformat(self.invoice)
        date.fromisoformat(self.due)

    def due_if_drafted(self, today: date) -> str:
        """The due day of a draft that is made `today`: Stripe refuses a due date that has passed, so that one moves to
        the day of drafting."""
        return max(self.due, today.isoformat())

    def passed(self, today: date) -> bool:
        """Whether the terms' own day has passed, so that a draft made `today` is due on another."""
        return self.due < today.isoformat()


@dataclass(frozen=True, slots=True)
class SignedDays:
    """The days that an approval was given for, and the billing period ("2026-05") of the run that asked."""

    days: InvoiceDays
    period: str


def days_by_terms(due: Due, invoice_day: str) -> InvoiceDays:
    """The days of an invoice of that date. Terms count from the date on the invoice."""
    return InvoiceDays(invoice_day, due_date(due, date.fromisoformat(invoice_day)).isoformat())


def still_hold(signed: SignedDays, due: Due, period: str, today: date) -> bool:
    """Whether an invoice that was signed for and not drafted may still carry the days that were signed.

    It may within its own billing period while its due day lies ahead. A later month's run, or a due day that has come,
    would hand the client an invoice whose terms have run out: it is dated anew, which somebody has to sign for.
    "Due on the invoice's date" has no terms to run out.
    """
    if signed.period != period:
        return False
    return signed.days.due > today.isoformat() or due == NetDays(0)
