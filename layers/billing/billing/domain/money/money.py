"""Money as an integer of Stripe's minor units with its currency; never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.domain.money.currencies import (
    CurrencyRule,
    CurrencyUnknown,
    maximum_charge,
    minimum_charge,
    rule_of,
)

__all__ = [
    "AmountNotRepresentable",
    "CurrenciesDiffer",
    "CurrencyRule",
    "CurrencyUnknown",
    "Money",
    "format_amount",
    "maximum_charge",
    "minimum_charge",
    "plain_amount",
    "round_half_up",
    "rule_of",
    "terminating_decimal",
    "to_minor",
]

_LARGEST_EXPONENT = 15
_SMALLEST_EXPONENT = -40


class AmountNotRepresentable(ValueError):
    """Stripe cannot hold this amount exactly; rounding it is nobody's to decide but a person's."""

    def __init__(self, amount: Decimal, currency: str, why: str) -> None:
        super().__init__(f"{amount} {currency.upper()}: {why}")
        self.amount = amount
        self.currency = currency
        self.why = why


class CurrenciesDiffer(ValueError):
    """Two amounts of different currencies cannot be added or compared."""


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` in Stripe's minor units (may be negative), `currency` lower-case ISO 4217.

    Raises CurrencyUnknown when Stripe does not hold the currency.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        rule_of(self.currency)

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        return f"{format_amount(self.minor, self.currency)} {self.currency.upper()}"

    def _same_currency(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrenciesDiffer(f"{self.currency} and {other.currency} cannot be added")


def to_minor(amount: Decimal, currency: str) -> int:
    """`amount` in major units as Stripe's integer of minor units, exactly.

    Raises CurrencyUnknown, and AmountNotRepresentable for what Stripe cannot hold: 0.005 USD, 0.5 JPY,
    1.234 KWD (the last of three decimals must be 0), 10.50 ISK (whole units only). Source: Stripe,
    "Supported currencies".
    """
    rule = rule_of(currency)
    if not amount.is_finite():
        raise AmountNotRepresentable(amount, currency, "it is not a number")
    if amount and not _SMALLEST_EXPONENT <= amount.adjusted() <= _LARGEST_EXPONENT:
        raise AmountNotRepresentable(amount, currency, "it is out of any invoice's range")
    minor = Fraction(amount) * _major_unit(rule)
    if minor.denominator != 1 or minor.numerator % rule.step:
        smallest = plain_amount(rule.step, currency)
        raise AmountNotRepresentable(amount, currency, f"Stripe holds it only in steps of {smallest}")
    return minor.numerator


def round_half_up(value: Fraction | Decimal, step: int = 1) -> int:
    """`value` rounded to a multiple of `step`; halves go away from zero, as NetSuite rounds amounts."""
    exact = Fraction(value) / step
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return step * (magnitude if exact >= 0 else -magnitude)


def terminating_decimal(value: Fraction, places: int) -> Decimal | None:
    """`value` as an exact decimal of at most `places` decimals, or None when it has more."""
    scaled = value * int(10**places)
    if scaled.denominator != 1:
        return None
    sign = 1 if scaled.numerator < 0 else 0
    digits = tuple(int(digit) for digit in str(abs(scaled.numerator)))
    return _without_trailing_zeros(Decimal((sign, digits, -places)))


def plain_amount(minor: int, currency: str) -> str:
    """`minor` in major units without separators: "1234.50", "-3", "1.230"."""
    return _in_major_units(minor, currency, "")


def format_amount(minor: int, currency: str) -> str:
    """`minor` in major units as a person reads it: "1,234.50"; the currency is not part of it."""
    return _in_major_units(minor, currency, ",")


def _in_major_units(minor: int, currency: str, separator: str) -> str:
    rule = rule_of(currency)
    whole, rest = divmod(abs(minor), _major_unit(rule))
    # An ISK amount off the step cannot arise from to_minor; show it in full rather than hide it.
    decimals = rule.decimals if rest == 0 or rule.decimals else rule.exponent
    sign = "-" if minor < 0 else ""
    text = f"{whole:,}".replace(",", separator)
    if decimals == 0:
        return f"{sign}{text}"
    return f"{sign}{text}.{rest:0{rule.exponent}d}"


def _major_unit(rule: CurrencyRule) -> int:
    return int(10**rule.exponent)


def _without_trailing_zeros(value: Decimal) -> Decimal:
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
