"""Which of several amounts in different currencies is about the largest: for the order in which they are named, and for
nothing else. No amount is ever converted.

A run has no exchange rates, and one of today is not needed to know that a million yen is less than fifty thousand
dollars. The table is of the end of 2025, to one or two digits: where two totals are worth nearly the same, either may
come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from billing.domain.money.currencies import CurrencyUnknown, rule_of

_HUNDREDTHS_TO_A_DOLLAR: Final[Mapping[str, int]] = {
    "aed": 367, "ars": 140_000, "aud": 152, "bdt": 12_000, "bgn": 170, "bhd": 38, "brl": 550, "cad": 140, "chf": 80,
    "clp": 95_000, "cny": 710, "cop": 400_000, "crc": 50_000, "czk": 2_100, "dkk": 650, "dop": 6_300, "egp": 4_800,
    "eur": 87, "gbp": 76, "ghs": 1_100, "gtq": 770, "hkd": 780, "huf": 34_000, "idr": 1_650_000, "ils": 330,
    "inr": 8_800, "isk": 12_500, "jod": 71, "jpy": 15_500, "kes": 13_000, "krw": 145_000, "kwd": 31, "kzt": 52_000,
    "lbp": 9_000_000, "lkr": 30_000, "mad": 920, "mmk": 210_000, "mur": 4_600, "mxn": 1_850, "myr": 415,
    "ngn": 145_000, "nok": 1_010, "nzd": 175, "omr": 38, "pen": 340, "php": 5_900, "pkr": 28_000, "pln": 370,
    "pyg": 700_000, "qar": 364, "ron": 440, "rsd": 10_200, "rub": 8_000, "sar": 375, "sek": 950, "sgd": 130,
    "thb": 3_250, "tnd": 295, "try": 4_200, "twd": 3_100, "tzs": 245_000, "uah": 4_200, "ugx": 360_000, "usd": 100,
    "uyu": 4_000, "uzs": 1_200_000, "vnd": 2_600_000, "xaf": 57_000, "xof": 57_000, "xpf": 10_400, "zar": 1_720,
}  # fmt: skip
"""Hundredths of a unit that make about one US dollar. A currency that is not here counts as a dollar."""


def rough_worth(minor: int, currency: str) -> Fraction:
    """About how many US dollars `minor` units of a lower-case ISO currency are, without its sign; zero for one that
    Stripe does not hold."""
    try:
        unit = 10 ** rule_of(currency).exponent
    except CurrencyUnknown:
        return Fraction(0)
    return Fraction(abs(minor) * 100, unit * _HUNDREDTHS_TO_A_DOLLAR.get(currency, 100))


def largest_first(sums: Mapping[str, int]) -> dict[str, int]:
    """Sums in minor units by currency, the one that is worth about the most first; equals by their names."""
    return dict(sorted(sums.items(), key=lambda one: (-rough_worth(one[1], one[0]), one[0])))
