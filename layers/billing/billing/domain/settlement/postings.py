"""Dates, memos and amounts as NetSuite takes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.domain.money.money import rule_of

_LONGEST_MEMO = 999


class AmountNotHeld(ValueError):
    """NetSuite's currency has fewer decimals than the amount needs. The sentence has no amount."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days in the firm's zone."""

    zone: ZoneInfo

    def day(self, at: int) -> date:
        """The day of an instant (epoch seconds)."""
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone).date()

    def service_days(self, period: tuple[int, int] | None) -> tuple[date, date] | None:
        """First and last day of a service period, both included. Stripe's end is exclusive, ours is 23:59:59, and
        NetSuite's last day is inclusive: the day of (end - 1 second) is right for both. None for an instant."""
        if period is None or period[0] >= period[1]:
            return None
        start, end = period
        first = self.day(start)
        return first, max(first, self.day(end - int(timedelta(seconds=1).total_seconds())))


@dataclass(frozen=True, slots=True)
class Party:
    """Whose records they are: the customer in Stripe, and in NetSuite where the plan knows it."""

    stripe_customer: str
    netsuite_customer: str | None = None


def in_netsuite(minor: int, currency: str, precision: int) -> Decimal:
    """`minor` of Stripe in NetSuite's major units, with at most `precision` (0 or 2) decimals.

    Raises AmountNotHeld where NetSuite's currency cannot hold it (a currency set to no decimals there).
    """
    value = Decimal(minor).scaleb(-rule_of(currency).exponent)
    held = value.quantize(Decimal(1).scaleb(-precision))
    if held != value:
        raise AmountNotHeld(
            f"NetSuite's {currency.upper()} has {precision} decimals, and the amount in Stripe needs more."
        )
    return held


def from_netsuite(amount: Decimal, currency: str) -> int:
    """An amount of NetSuite in Stripe's minor units. Raises AmountNotHeld for one that Stripe cannot hold."""
    minor = amount.scaleb(rule_of(currency).exponent)
    if minor != minor.to_integral_value():
        raise AmountNotHeld(f"NetSuite gives an amount that Stripe cannot hold in {currency.upper()}.")
    return int(minor)


def memo(what: str, *more: str) -> str:
    """ "Stripe: in_1 ..." as the connector begins its memos; no longer than NetSuite's field takes."""
    text = ". ".join(["Stripe: " + what, *(one for one in more if one)])
    return text if len(text) <= _LONGEST_MEMO else text[: _LONGEST_MEMO - 1] + "…"


def moved(text: str, original: date) -> str:
    """A memo whose record's date had to move, as the connector writes it."""
    return memo(text.removeprefix("Stripe: "), f"Original transaction date: {original.isoformat()}")
