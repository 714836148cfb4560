"""More lines than one Stripe invoice holds: numbered parts whose totals add up to the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from billing.domain.invoices.plan_record import PlanLine

MOST_LINES: Final = 250
"""Stripe takes at most 250 items on one invoice."""

Parts = list[list[PlanLine]]


def split_lines(lines: Sequence[PlanLine], most: int = MOST_LINES) -> Parts | None:
    """As few parts as possible, each of at most `most` lines and with a total above zero.

    The lines keep their order, in parts of nearly the same length. Only where that leaves a part at zero
    or below (Stripe would mark it paid or turn it into credit) are they arranged anew: dealt out evenly,
    then with what reduces the invoice next to its largest lines. None when no arrangement helps.
    """
    count = max(1, -(-len(lines) // most))
    arrangements: tuple[Callable[[Sequence[PlanLine], int, int], Parts | None], ...] = (
        _in_order,
        _dealt_evenly,
        _reductions_next_to_the_largest,
    )
    place = {line.id: index for index, line in enumerate(lines)}
    for arrange in arrangements:
        parts = arrange(lines, count, most)
        if parts is not None and all(_total(part) > 0 for part in parts):
            return [sorted(part, key=lambda line: place[line.id]) for part in parts]
    return None


def _in_order(lines: Sequence[PlanLine], count: int, _most: int) -> Parts:
    length, longer = divmod(len(lines), count)
    parts: Parts = []
    start = 0
    for index in range(count):
        end = start + length + (1 if index < longer else 0)
        parts.append(list(lines[start:end]))
        start = end
    return parts


def _dealt_evenly(lines: Sequence[PlanLine], count: int, most: int) -> Parts:
    """The largest lines first, each to the smallest total; then the reductions, each to the largest."""
    parts: Parts = [[] for _ in range(count)]
    for line in sorted((line for line in lines if line.amount >= 0), key=_largest_first):
        min((part for part in parts if len(part) < most), key=_total).append(line)
    for line in sorted((line for line in lines if line.amount < 0), key=_smallest_first):
        max((part for part in parts if len(part) < most), key=_total).append(line)
    return parts


def _reductions_next_to_the_largest(lines: Sequence[PlanLine], count: int, most: int) -> Parts | None:
    """All reductions in the first part with the largest lines; every other part starts with a small one."""
    reducing = [line for line in lines if line.amount < 0]
    adding = sorted((line for line in lines if line.amount > 0), key=_largest_first)
    if len(reducing) >= most or len(adding) < count:
        return None
    seeds = adding[len(adding) - (count - 1) :]
    filling = adding[: len(adding) - (count - 1)] + [line for line in lines if line.amount == 0]
    parts: Parts = [reducing, *([seed] for seed in seeds)]
    for line in filling:
        next(part for part in parts if len(part) < most).append(line)
    return parts


def _largest_first(line: PlanLine) -> int:
    return -line.amount


def _smallest_first(line: PlanLine) -> int:
    return line.amount


def _total(lines: Sequence[PlanLine]) -> int:
    return sum(line.amount for line in lines)
