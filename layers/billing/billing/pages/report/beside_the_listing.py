"""What is told about orders that a run does not ask about: those of earlier runs that wait elsewhere, those before the
start, and those that are done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from billing.domain.batch.batch import Batch, LeftAlone
from billing.domain.orders.other_subsidiaries import OtherSubsidiary
from billing.domain.orders.outstanding import CarriedGone, Outstanding
from billing.domain.period_name import period_name
from billing.pages.formatting import counted, day_words, money_words

OUTSTANDING_TITLE: Final = "Left over from earlier runs, not listed now"
GONE_TITLE: Final = "Ended since, and not billed"
_MOST_NAMED: Final = 10
_MOST_CURRENCIES: Final = 12


def outstanding_words(one: Outstanding) -> str:
    """Since when the order waits, why it was not drafted then, and how it is now."""
    return " ".join(filter(None, (f"First listed for {period_name(one.period)}.", one.reason, one.state)))


def gone_words(one: CarriedGone) -> str:
    """Since when the order had waited, and how it was ended."""
    return f"First listed for {period_name(one.period)}. {one.state}".strip()


def outstanding_numbers(outstanding: Sequence[Outstanding], most: int = _MOST_NAMED) -> str:
    """ "SO-1001, SO-1002 and 34 more"."""
    rest = len(outstanding) - most
    named = ", ".join(one.number or one.order_id for one in outstanding[:most])
    return f"{named} and {rest:,} more" if rest > 0 else named


def left_alone_words(left_alone: Sequence[LeftAlone] | None, bill_from: str) -> str:
    """What lies before the start, by count and total; "" where that was told before."""
    if left_alone is None or not bill_from:
        return ""
    day = day_words(bill_from)
    orders = sum(one.orders for one in left_alone)
    if not orders:
        return f"This stack bills orders dated from {day} on. NetSuite has no open order before that day."
    sums = [
        money_words(one.total, one.currency)
        if one.total is not None
        else f"an unknown amount of {one.currency.upper() or 'an unknown currency'}"
        for one in left_alone[:_MOST_CURRENCIES]
    ]
    rest = len(left_alone) - len(sums)
    total = ", ".join([*sums, *([counted(rest, "more currency", "more currencies")] if rest > 0 else [])])
    return (
        f"This stack bills orders dated from {day} on. {counted(orders, 'open order')} dated before that day "
        f"{'is' if orders == 1 else 'are'} left alone, {total} in all by NetSuite's totals: no run lists or bills "
        f"{'it' if orders == 1 else 'them'}. The parameter BillFrom sets that date."
    )


def of_others_words(of_others: Sequence[OtherSubsidiary]) -> str:
    """The open orders of subsidiaries that this stack does not bill, with the numbers of the first; "" for none."""
    if not of_others:
        return ""
    groups = [_of_one(one) for one in of_others[:_MOST_CURRENCIES]]
    rest = sum(one.orders for one in of_others[_MOST_CURRENCIES:])
    orders = sum(one.orders for one in of_others)
    return (
        f"{counted(orders, 'open order')} {'belongs' if orders == 1 else 'belong'} to subsidiaries that "
        f"this stack does not bill (parameter Subsidiaries), and {'is' if orders == 1 else 'are'} not part of this "
        "run: "
        f"{'; '.join([*groups, *([f'{rest:,} more'] if rest else [])])}. Make sure that another stack bills "
        f"{'it' if orders == 1 else 'them'}."
    )


def _of_one(one: OtherSubsidiary) -> str:
    who = " ".join(filter(None, (one.name or "no subsidiary", f"(id {one.subsidiary})" if one.subsidiary else "")))
    total = money_words(one.total, one.currency) if one.total is not None else "an unknown amount"
    rest = one.orders - len(one.numbers[:_MOST_NAMED])
    named = ", ".join(one.numbers[:_MOST_NAMED]) + (f" and {rest:,} more" if rest else "")
    return f"{who}: {counted(one.orders, 'order')}, {total} by NetSuite's totals ({named})"


def batch_notes(batch: Batch) -> tuple[str, ...]:
    """What an approver reads above the invoices about everything that is not among them."""
    notes = [left_alone_words(batch.left_alone, batch.run.bill_from), of_others_words(batch.of_others or ())]
    if batch.outstanding:
        waits = counted(len(batch.outstanding), "order of earlier runs waits", "orders of earlier runs wait")
        notes.append(f"{waits} outside this request: {outstanding_numbers(batch.outstanding)}.")
    known = sum(1 for one in batch.ended if not one.first_named_in(batch.run.id))
    if known:
        were = counted(known, "listed order was", "listed orders were")
        notes.append(
            f"{were} ended by a person, as an earlier report has named, and {'has' if known == 1 else 'have'} "
            "not changed since."
        )
    return tuple(note for note in notes if note)


def done_note(batch: Batch) -> tuple[str, ...]:
    """How many of the listed orders are drafted and unchanged."""
    done = len({one.order_id for one in batch.done})
    if not done:
        return ()
    drafted = counted(done, "listed order was", "listed orders were")
    return (f"{drafted} drafted before, with no change since, and not shown below.",)
