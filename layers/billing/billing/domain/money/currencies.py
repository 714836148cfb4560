"""How Stripe holds money, currency by currency.

Source of every table here: Stripe's documentation page "Supported currencies" (zero-decimal,
three-decimal and special-case currencies, minimum and maximum charge amounts). Codes are
ISO 4217 in lower case, as Stripe writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL: Final = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
"""One minor unit is one unit of the currency."""

THREE_DECIMAL: Final = _codes("bhd jod kwd omr tnd")
"""Sent times 1,000, and Stripe takes only amounts whose last digit is 0."""

WHOLE_UNITS_TIMES_100: Final = _codes("isk ugx")
"""Have no decimals any more, yet are sent times 100; the amount must divide by 100.

Stripe lists UGX as zero-decimal as well; the special case overrides that list.
"""

TWO_DECIMAL: Final = _codes(
    # huf and twd have no decimals in payouts but are charged with two (Stripe, special cases).
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf
    cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils
    inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad
    ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std
    szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd xcg yer zar zmw
    """
)

_MINIMUM_CHARGE: Final[dict[str, int]] = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
_MAXIMUM_DIGITS: Final[dict[str, int]] = {"idr": 12}
_MAXIMUM_DIGITS_ELSEWHERE: Final = 8


@dataclass(frozen=True, slots=True)
class CurrencyRule:
    """How one currency is sent to Stripe.

    `exponent`: a major unit is 10**exponent minor units. `step`: an amount in minor units must be a
    multiple of it. `decimals`: how many decimals a person reads.
    """

    exponent: int
    step: int
    decimals: int


class CurrencyUnknown(ValueError):
    """Stripe does not hold this currency."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"Stripe holds no currency {currency[:12]!r}")
        self.currency = currency


def rule_of(currency: str) -> CurrencyRule:
    """The rule of a lower-case ISO code. Raises CurrencyUnknown."""
    if currency in TWO_DECIMAL:
        return CurrencyRule(exponent=2, step=1, decimals=2)
    if currency in ZERO_DECIMAL:
        return CurrencyRule(exponent=0, step=1, decimals=0)
    if currency in THREE_DECIMAL:
        return CurrencyRule(exponent=3, step=10, decimals=3)
    if currency in WHOLE_UNITS_TIMES_100:
        return CurrencyRule(exponent=2, step=100, decimals=0)
    raise CurrencyUnknown(currency)


def minimum_charge(currency: str) -> int | None:
    """The least that Stripe charges, in minor units; None where Stripe's table names none.

    The table is by settlement currency; we compare with the invoice's own currency, which is the same
    only where the firm settles in it. So it serves a warning and never a refusal.
    """
    return _MINIMUM_CHARGE.get(currency)


def maximum_charge(currency: str) -> int:
    """The most that one Stripe charge can take, in minor units (eight digits; rupiah twelve)."""
    digits: int = _MAXIMUM_DIGITS.get(currency, _MAXIMUM_DIGITS_ELSEWHERE)
    return int("9" * digits)
