"""A bar for each month, as inline SVG without a script, and the sentence that says the same to who does not see it.

Paths instead of one element a bar: fifty rows of them weigh ten kilobytes. Colours are the stylesheet's, so that the
bars are readable on paper and in the dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.period_name import period_name
from billing.pages.formatting import money_words

HEIGHT: Final = 18
_BAR: Final = 4
_STEP: Final = 5


@dataclass(frozen=True, slots=True)
class BarLine:
    """`before` and `now` are paths in a box of `width` by HEIGHT: the months before, and this one. `sentence` says what
    they show."""

    width: int
    before: str
    now: str
    sentence: str


def bar_line(periods: Sequence[str], amounts: Sequence[int], currency: str) -> BarLine:
    """One bar for each amount (minor units, the oldest month first, this one last). The tallest is the largest of them;
    a month without an invoice is a thin line, so that nobody takes it for a month that is missing."""
    most = max(*amounts, 1)
    bars = [_bar(place, max(0, amount), most) for place, amount in enumerate(amounts)]
    before = list(zip(periods, amounts, strict=True))[:-1]
    least_of = min(amount for _, amount in before)
    most_in, most_of = max(reversed(before), key=lambda one: one[1])
    between = (
        f"{money_words(most_of, currency)} every month"
        if least_of == most_of
        else f"between {money_words(least_of, currency)} and {money_words(most_of, currency)} a month, the most in "
        f"{period_name(most_in)}"
    )
    sentence = (
        f"{period_name(periods[0])} to {period_name(before[-1][0])}: {between}. "
        f"{period_name(periods[-1])}: {money_words(amounts[-1], currency)}."
    )
    return BarLine(_STEP * len(bars) - 1, "".join(bars[:-1]), bars[-1], sentence)


def _bar(place: int, amount: int, most: int) -> str:
    # In tenths: a bar of a small amount is still taller than the line of none.
    tall = max(20, amount * HEIGHT * 10 // most) if amount else 10
    return f"M{place * _STEP} {HEIGHT}v-{tall // 10}.{tall % 10}h{_BAR}V{HEIGHT}z"
