"""How periods, instants, amounts, terms and people are put into words, the same on every page and in every message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.domain.approval.approvers import Slot
from billing.domain.invoices.invoice_days import InvoiceDays
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.money.money import format_amount
from billing.domain.orders.due_date import Due, NetDays
from billing.domain.period_name import MONTHS, day_name

_WEEKDAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_FOUND: Final = {
    How.STORED: "named in NetSuite's customer record",
    How.KNOWN: "known from an earlier run",
    How.SETTLED: "settled by a person",
    How.METADATA: "found by its NetSuite id",
    How.EMAIL: "found by its e-mail address",
}


def instant_words(at: datetime | str) -> str:
    """An instant as "1 June 2026, 09:00 UTC". A text that is no instant with a zone is shown as it is."""
    if isinstance(at, str):
        try:
            instant = datetime.fromisoformat(at)
        except ValueError:
            return at
        if instant.tzinfo is None:
            return at
    else:
        instant = at
    instant = instant.astimezone(UTC)
    return f"{instant.day} {MONTHS[instant.month - 1]} {instant.year}, {instant:%H:%M} UTC"


def local_words(at: datetime | str, zone: str) -> str:
    """An instant on the firm's own clock: "Monday, 8 June 2026, 05:00 EDT (America/New_York)". A zone whose hours have
    no letters of their own is named alone: "17:00 (Asia/Singapore)". As `instant_words` where it is no instant, or the
    zone is none."""
    try:
        instant = datetime.fromisoformat(at) if isinstance(at, str) else at
        local = instant.astimezone(ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return instant_words(at)
    if instant.tzinfo is None:
        return instant_words(at)
    letters = local.tzname() or ""
    letters = f" {letters}" if letters.isalpha() else ""
    named = "" if zone == letters.strip() else f" ({zone})"
    day = f"{_WEEKDAYS[local.weekday()]}, {local.day} {MONTHS[local.month - 1]} {local.year}"
    return f"{day}, {local:%H:%M}{letters}{named}"


def change_words(now: int, last: int) -> str:
    """ "up 73%", "down 12%", "unchanged", against a `last` above zero. The share is rounded down, as the warnings of
    the month's comparison are: 20.9% is never called 21%."""
    if now == last:
        return "unchanged"
    share = abs(now - last) * 100 // last
    return f"{'up' if now > last else 'down'} {f'{share:,}%' if share else 'by less than 1%'}"


def share_words(now: int, last: int) -> str:
    """The same for a cell of a table: "+73%", "−12%", "new", "same"; `last` may be anything."""
    if now == last:
        return "same"
    if last == 0:
        return "new"
    share = abs(now - last) * 100 // abs(last)
    return f"{'+' if now > last else '−'}{f'{share:,}' if share else '<1'}%"


def day_words(day: str) -> str:
    """ "2026-05-31" as "31 May 2026"; anything else as it is."""
    try:
        return day_name(day)
    except ValueError:
        return day


def remaining_words(left: timedelta) -> str:
    """How long is left, in its two largest units: "2 days 3 hours", "40 minutes"."""
    minutes = max(0, int(left.total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [counted(days, "day"), counted(hours, "hour"), counted(minutes, "minute")]
    parts = [part for number, part in zip((days, hours, minutes), parts, strict=True) if number]
    return " ".join(parts[:2]) if parts else "less than a minute"


def counted(number: int, thing: str, things: str = "") -> str:
    """ "1 invoice", "36 invoices"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def money_words(minor: int, currency: str) -> str:
    """ "USD 12,345.67" with the currency first, so that nobody takes yen for dollars. A minus is a real minus sign."""
    return f"{currency.upper()} {amount_words(minor, currency)}"


def amount_words(minor: int, currency: str) -> str:
    """ "12,345.67", or "−12.00" with a minus sign that is as wide as a digit."""
    return format_amount(minor, currency).replace("-", "−")


def sums_words(sums: Mapping[str, int], most: int = 0) -> str:
    """ "EUR 4,000.00, USD 12,345.67"; of more than `most` currencies (0: all) the rest as a count."""
    parts = [money_words(minor, currency) for currency, minor in sums.items()]
    if most and len(parts) > most:
        parts = [*parts[:most], f"and {counted(len(parts) - most, 'more currency', 'more currencies')}"]
    return ", ".join(parts)


def due_words(due: Due, days: InvoiceDays | None = None, today: date | None = None) -> str:
    """When payment is due: the rule, and the date itself where the invoice's own days are known. With `today`: the date
    of a draft that is made today, which is another where the terms' own has passed."""
    rule = _due_rule(due)
    if days is None:
        return f"Due {rule}"
    by_terms = f"{day_words(days.due)} ({rule})"
    if today is None or not days.passed(today):
        return f"Due {by_terms}"
    return f"Due {day_words(today.isoformat())} if drafted today. By its terms it was due {by_terms}"


def _due_rule(due: Due) -> str:
    if isinstance(due, NetDays):
        if due.days == 0:
            return "on the invoice’s date"
        return f"{counted(due.days, 'day')} after the invoice’s date"
    last = "" if due.day_of_month < 29 else ", or its last day"
    rule = (
        f"on the {ordinal(due.day_of_month)} of the month{last}"
        if due.day_of_month < 31
        else "on the last day of the month"
    )
    if due.next_month_if_within:
        rule += f", a month later if that is within {counted(due.next_month_if_within, 'day')} of the invoice’s date"
    return rule


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def customer_words(customer: MatchedCustomer | None) -> str:
    """Which Stripe customer is billed, and how we know."""
    if customer is None:
        return "No Stripe customer was looked for"
    if customer.id is None:
        return "New: will be created in Stripe"
    own = ", ".join(part for part in (customer.stripe_name, customer.stripe_email) if part)
    return f"{customer.id}{f' ({own})' if own else ''}, {_FOUND[customer.how]}"


def people_words(people: Iterable[str], joint: str = "and") -> str:
    """ "ann, bob and cy"."""
    names = list(people)
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joint} {names[-1]}"


def slot_words(slot: Slot) -> str:
    """Who can satisfy a slot: "ann@firm.example", "any one of …", "both of …", "2 of …"."""
    number = len(slot.people)
    if number == 1:
        return slot.people[0]
    if slot.need == number:
        return f"{'both' if number == 2 else f'all {number}'} of {people_words(slot.people)}"
    how_many = "any one" if slot.need == 1 else f"any {slot.need}"
    return f"{how_many} of {people_words(slot.people)}"
