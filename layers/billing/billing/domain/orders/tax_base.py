"""Which lines each of NetSuite's tax lines is on, so that the tax of part of an order is the tax of that part.

NetSuite keeps tax as lines of its own and says on each taxed line by which code it is taxed. Where an account does not
show the code, amount and rate of the tax often allow only one answer; where they allow several, nobody guesses.
docs/decisions/0003-open-amount.md, rule 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.domain.money.money import round_half_up
from billing.domain.orders.row_values import CellUnreadable, number
from billing.domain.orders.sales_order import LineRole, SalesOrderLine

_MOST_SUMS: Final = 20_000
"""Ways to choose lines that are kept apart before nobody can tell."""

TAXABLE: Final = frozenset({LineRole.GOODS, LineRole.DISCOUNT, LineRole.MARKUP, LineRole.SHIPPING})


@dataclass(frozen=True, slots=True)
class Parts:
    """Two exact parts of a line between 0 and 1: what is not billed yet, and what of that is not to be billed now."""

    left: Fraction
    waits: Fraction


@dataclass(frozen=True, slots=True)
class _Taxed:
    """A line that may be taxed, or several with one code: the amount, and its two parts, in minor units."""

    amount: Fraction
    left: Fraction
    waits: Fraction
    amounts: tuple[int, ...]


def tax_parts(
    lines: Sequence[SalesOrderLine], parts: Mapping[str, Parts], whole_order: Parts, step: Fraction
) -> dict[str, Parts | None]:
    """The parts of each tax line of `lines`, by line id; None where its base cannot be told.

    `parts` holds those of every other line that is billed, `whole_order` those of all goods together; `step` is
    NetSuite's smallest amount in minor units.

    In this order, the first that answers:

    1. Where all lines that may be taxed are open by one fraction, tax is too, whatever it is on.
    2. The lines' own codes (else their rates, where these tell the tax lines apart).
    3. The whole order, where the tax line's rate of it is its amount; without shipping, if it is not with it.
    4. The choices of lines of which the rate gives the amount, if the same part of the tax follows from all of them.
    5. A single tax line that nothing fits (no rate, a tax typed in by hand) follows goods and discounts.
    """
    taxes = [line for line in lines if line.role is LineRole.TAX]
    taxed = [line for line in lines if line.role in TAXABLE and line.amount]
    found: dict[str, Parts | None] = {}
    different = {parts[line.id] for line in taxed} or {whole_order}
    if len(different) == 1:
        return dict.fromkeys((line.id for line in taxes), different.pop())
    by_code = _bases_by_code(taxes, taxed)
    for line in taxes:
        if not line.amount:
            found[line.id] = Parts(Fraction(0), Fraction(0))
        elif line.id in by_code:
            found[line.id] = _of(by_code[line.id], parts)
        else:
            found[line.id] = _inferred(line, taxed, parts, whole_order if len(taxes) == 1 else None, step)
    return found


def rates_of(line: SalesOrderLine) -> tuple[Fraction, ...]:
    """What a tax line's rate may mean, as fractions: "20%" is 0.2; a bare 20 is per cent, or, below 1, a fraction:
    NetSuite's answers leave that open [unsure]. Empty where the line has no rate."""
    if line.rate is None:
        return ()
    percent = line.rate.endswith("%")
    try:
        rate = number({"rate": line.rate.removesuffix("%").strip()}, "rate")
    except CellUnreadable:
        return ()
    if not rate:
        return ()
    exact = abs(Fraction(rate))
    return (exact / 100,) if percent else (exact / 100, exact)


def _bases_by_code(taxes: Sequence[SalesOrderLine], taxed: Sequence[SalesOrderLine]) -> dict[str, list[SalesOrderLine]]:
    """The lines that each tax line is on by NetSuite's own word; tax lines of which it says nothing are absent.

    Source: on a sales order a line's `taxcode` is the internal id of a tax code or tax group, and a tax line's `item`
    is that of a tax code. Of a group the order has one tax line for each of its codes, none with the group's own id:
    so where the lines have one code only that no tax line has, the tax lines without lines are that group's.
    """
    coded = [line for line in taxed if line.tax_code is not None]
    own = {line.item_id for line in taxes}
    bases: dict[str, list[SalesOrderLine]] = {}
    for tax in taxes:
        base = [line for line in coded if line.tax_code == tax.item_id]
        if base:
            bases[tax.id] = base
    others = [line for line in coded if line.tax_code not in own and line.tax_rate != 0]
    left_over = [tax for tax in taxes if tax.id not in bases and tax.amount]
    if left_over and len({line.tax_code for line in others}) == 1:
        bases |= {tax.id: others for tax in left_over}
    elif left_over and not coded:
        bases |= _bases_by_rate(left_over, taxed)
    return bases


def _bases_by_rate(taxes: Sequence[SalesOrderLine], taxed: Sequence[SalesOrderLine]) -> dict[str, list[SalesOrderLine]]:
    """By the lines' rates, where no two tax lines share one and every taxed line's rate is a tax line's."""
    rated = [line for line in taxed if line.tax_rate]
    rates = [{rate * 100 for rate in rates_of(tax)} for tax in taxes]
    bases = {
        tax.id: [line for line in rated if Fraction(line.tax_rate or Decimal(0)) in rate]
        for tax, rate in zip(taxes, rates, strict=True)
    }
    placed = [line.id for base in bases.values() for line in base]
    complete = sorted(placed) == sorted(line.id for line in rated)
    return bases if complete and all(bases.values()) else {}


def _inferred(
    tax: SalesOrderLine,
    taxed: Sequence[SalesOrderLine],
    parts: Mapping[str, Parts],
    otherwise: Parts | None,
    step: Fraction,
) -> Parts | None:
    """`otherwise` is for a single tax line that nothing fits and whose goods come to nothing."""
    rates = rates_of(tax)
    without_shipping = [line for line in taxed if line.role is not LineRole.SHIPPING]
    for base in (list(taxed), without_shipping):
        if any(_fits(tax.amount, _unit(base, parts), rate, step) for rate in rates):
            return _of(base, parts)
    outcomes = tax_choices(tax, taxed, parts, step)
    if outcomes is None:
        return None
    if len(outcomes) == 1:
        (only,) = outcomes
        return only if 0 <= only.waits <= only.left <= 1 else None
    if outcomes or otherwise is None:
        return None
    return _of(without_shipping, parts) or otherwise


def tax_choices(
    tax: SalesOrderLine, taxed: Sequence[SalesOrderLine], parts: Mapping[str, Parts], step: Fraction
) -> list[Parts] | None:
    """The parts of `tax` by every choice of lines of which its rate gives its amount, those that come to the same
    amounts once; None where there are too many choices to try."""
    units = [_unit([line], parts) for line in taxed]
    outcomes: dict[tuple[Fraction, Fraction], Parts] = {}
    for rate in rates_of(tax):
        sums = _sums(units, rate, step)
        if sums is None:
            return None
        for chosen in sums:
            if chosen.amount and _fits_rounded(tax.amount, chosen, rate, step):
                of = Parts(chosen.left / chosen.amount, chosen.waits / chosen.amount)
                outcomes[_rounded(tax.amount, of, step)] = of
    return list(outcomes.values())


@dataclass(frozen=True, slots=True)
class _Sum:
    """Lines chosen together: their amount, its two parts, and their tax rounded line by line, in minor units."""

    amount: Fraction
    left: Fraction
    waits: Fraction
    tax: Fraction


def _sums(units: Sequence[_Taxed], rate: Fraction, step: Fraction) -> set[_Sum] | None:
    """Every choice of `units`, those that come to the same kept once; None where there are too many."""
    sums = {_Sum(Fraction(0), Fraction(0), Fraction(0), Fraction(0))}
    for unit in units:
        tax = round_to(unit.amount * rate, step)
        sums |= {
            _Sum(one.amount + unit.amount, one.left + unit.left, one.waits + unit.waits, one.tax + tax) for one in sums
        }
        if len(sums) > _MOST_SUMS:
            return None
    return sums


def _fits(amount: int, base: _Taxed, rate: Fraction, step: Fraction) -> bool:
    """Whether NetSuite would tax `base` by this amount: rounded on the sum, or line by line."""
    by_line = sum((round_to(one * rate, step) for one in base.amounts), Fraction(0))
    return amount in (round_to(base.amount * rate, step), by_line)


def _fits_rounded(amount: int, chosen: _Sum, rate: Fraction, step: Fraction) -> bool:
    return amount in (round_to(chosen.amount * rate, step), chosen.tax)


def _rounded(amount: int, of: Parts, step: Fraction) -> tuple[Fraction, Fraction]:
    return round_to(amount * of.left, step), round_to(amount * of.waits, step)


def round_to(value: Fraction, step: Fraction) -> Fraction:
    """`value` rounded half up to a multiple of `step`, which may be finer than a minor unit."""
    return round_half_up(value / step) * step


def _unit(lines: Sequence[SalesOrderLine], parts: Mapping[str, Parts]) -> _Taxed:
    return _Taxed(
        Fraction(sum(line.amount for line in lines)),
        sum((line.amount * parts[line.id].left for line in lines), Fraction(0)),
        sum((line.amount * parts[line.id].waits for line in lines), Fraction(0)),
        tuple(line.amount for line in lines),
    )


def _of(base: Sequence[SalesOrderLine], parts: Mapping[str, Parts]) -> Parts | None:
    """The parts of `base` by its net amount; None where that is not between 0 and 1, or there is no amount."""
    unit = _unit(base, parts)
    if unit.amount <= 0:
        return None
    found = Parts(unit.left / unit.amount, unit.waits / unit.amount)
    return found if 0 <= found.waits <= found.left <= 1 else None
