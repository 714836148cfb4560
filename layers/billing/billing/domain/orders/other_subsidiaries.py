"""Open orders of subsidiaries that this stack does not bill. In OneWorld each subsidiary may have a Stripe account, and
so a stack, of its own: what belongs to the others is named by every run, so that none is lost between two stacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.domain.money.money import round_half_up, rule_of

_NUMBERS_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class OtherSubsidiary:
    """The open orders of one subsidiary (NetSuite's internal id and its name, "" for orders that name none) in one
    currency. `total` is the sum of NetSuite's totals in minor units, None where the currency is not known. `numbers`
    are those of the first fifty, by internal id."""

    subsidiary: str
    name: str
    currency: str
    orders: int
    total: int | None
    numbers: tuple[str, ...]


def other_subsidiaries(rows: Iterable[Mapping[str, str]]) -> tuple[OtherSubsidiary, ...]:
    """Sum up NetSuite's rows, one an order: number, subsidiary, subsidiaryname, currencycode, total. Pure."""
    groups: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
    for row in rows:
        key = row.get("subsidiary", ""), row.get("subsidiaryname", ""), row.get("currencycode", "").strip().lower()
        groups.setdefault(key, []).append(row)
    return tuple(
        OtherSubsidiary(
            subsidiary,
            name,
            currency,
            len(found),
            _minor([row.get("total", "0") for row in found], currency),
            tuple(row.get("number") or row.get("id", "") for row in found[:_NUMBERS_KEPT]),
        )
        for (subsidiary, name, currency), found in sorted(groups.items())
    )


def _minor(totals: Iterable[str], currency: str) -> int | None:
    """The sum is rounded to the smallest amount: it is told, and never billed."""
    try:
        rule = rule_of(currency)
        return round_half_up(
            sum((Fraction(Decimal(one)) for one in totals), Fraction(0)) * 10**rule.exponent, rule.step
        )
    except (ValueError, ArithmeticError):
        return None
