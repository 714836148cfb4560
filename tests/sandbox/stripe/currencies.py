"""Currencies as Stripe holds them: which, in what unit, and the least it can charge.

Source: Stripe's docs on currencies (zero-decimal, three-decimal and special cases; minimum charge amounts).
Those tables change rarely but they do: the minimums are of 2024.
"""

from __future__ import annotations

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
HUNDREDFOLD = frozenset(("isk", "ugx"))
"""Have no minor unit, yet are sent times 100 for backwards compatibility and must divide by 100."""

SUPPORTED = (
    frozenset(
        "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn "
        "bzd cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq "
        "gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd "
        "mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar "
        "ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah "
        "uyu uzs wst xcd yer zar zmw".split()
    )
    | ZERO_DECIMAL
    | THREE_DECIMAL
    | HUNDREDFOLD
)

MINIMUM_CHARGE = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
"""Minor units. A currency that is not listed is treated as having no minimum (Stripe converts first)."""


def step(currency: str) -> int:
    """Every amount of the currency must divide by this many minor units."""
    if currency in HUNDREDFOLD:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def decimals(currency: str) -> int:
    """How many decimals the minor unit has."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
