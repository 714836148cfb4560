"""The stack parameter UpperBounds: from which amount on an invoice is one that the approver must look at twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from billing.domain.batch.month_comparison import BatchWarning
from billing.domain.errors import InputInvalid
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.money.currencies import CurrencyUnknown, rule_of
from billing.domain.money.money import AmountNotRepresentable, Money, to_minor
from billing.domain.text import truncate

ABOVE_UPPER_BOUND: Final = "above_upper_bound"

_AMOUNT: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LONGEST_SHOWN: Final = 40
_ZERO: Final = "a bound of 0 would warn about every invoice; leave the currency out to have none"


def parse_upper_bounds(text: str, where: str = "The parameter UpperBounds", zero: str = _ZERO) -> dict[str, int]:
    """ "USD 50000, EUR 40000.50, JPY 5000000" as {"usd": 5000000, "eur": 4000050, "jpy": 5000000}: minor units by
    lower-case currency. Empty text is no bound at all.

    Amounts are in major units, plain: no thousands separator, no sign, no exponent. Raises InputInvalid naming the
    parameter (`where`), the entry and the mistake; `zero` says what is wrong with a bound of 0.
    """
    if not text.strip():
        return {}
    bounds: dict[str, int] = {}
    for entry in text.split(","):
        currency, minor = _bound(entry.strip(), where, zero)
        if currency in bounds:
            raise _mistake(where, entry, f"{currency.upper()} has a bound already; keep one of them")
        bounds[currency] = minor
    return bounds


def _bound(entry: str, where: str, zero: str) -> tuple[str, int]:
    if not entry:
        raise _mistake(where, entry, "there is a comma without an entry; remove it")
    words = entry.split()
    if len(words) != 2:
        raise _mistake(
            where,
            entry,
            "it must be a currency, a space and an amount, without thousands separators (a comma ends the entry)",
        )
    currency = words[0].lower()
    try:
        rule_of(currency)
    except CurrencyUnknown:
        raise _mistake(where, entry, f"{words[0][:_LONGEST_SHOWN]} is no currency that Stripe holds") from None
    if not _AMOUNT.fullmatch(words[1]):
        raise _mistake(where, entry, "the amount must be a plain number such as 50000 or 40000.50")
    try:
        minor = to_minor(Decimal(words[1]), currency)
    except AmountNotRepresentable as error:
        raise _mistake(where, entry, error.why) from None
    if minor == 0:
        raise _mistake(where, entry, zero)
    return currency, minor


def _mistake(where: str, entry: str, mistake: str) -> InputInvalid:
    shown = entry.strip()
    shown = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "…"
    return InputInvalid(f"{where}, entry {shown!r}: {mistake}. Write it as: USD 50000, EUR 40000.50, JPY 5000000.")


def bound_warnings(plans: Iterable[InvoicePlan], bounds: Mapping[str, int]) -> tuple[BatchWarning, ...]:
    """One warning per invoice strictly above the bound of its currency, in the order of `plans`.

    It is the invoice's own total that counts, also of a part of an order or of several orders of one client. A currency
    without a bound has none.
    """
    return tuple(
        BatchWarning(
            ABOVE_UPPER_BOUND,
            f"{bound_subject(plan)} for {plan.client.name}: {Money(plan.total, plan.currency)} is above the upper "
            f"bound of {Money(bounds[plan.currency], plan.currency)} for one invoice.",
            plan.client.netsuite_id,
            plan.currency,
            plan.total,
            bounds[plan.currency],
            plan.client.name,
            bound_subject(plan),
        )
        for plan in plans
        if plan.currency in bounds and plan.total > bounds[plan.currency]
    )


def bound_subject(plan: InvoicePlan) -> str:
    """How a warning names its invoice; nothing stands before it."""
    shown = truncate(", ".join(order.number for order in plan.orders), 200)
    part = f" (part {plan.part} of {plan.parts})" if plan.parts > 1 else ""
    return f"{shown}{part}"
