"""Which orders come back in the next run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from billing.domain.orders.outstanding import Carried
from billing.domain.runs.report import LineOutcome, ReportLine, order_fates


def carry_over(
    lines: Iterable[ReportLine],
    period: str,
    carried: Mapping[str, Carried],
    gone: Iterable[str],
    contents: Mapping[str, str],
) -> tuple[tuple[Carried, ...], tuple[str, ...]]:
    """What the list becomes after a run: orders to keep on it, and ids to take off. Pure.

    Whatever was listed and is neither drafted nor skipped comes back, with the period in which it was listed first.
    What was drafted, and what was ended in NetSuite (`gone`), leaves the list. What a person has ended stays on it, so
    that it is seen when it changes, and what was not listed stays as it is. `contents` are those of the orders that
    were listed now.
    """
    lines = tuple(lines)
    names = {order_id: number for line in lines for order_id, number in zip(line.order_ids, line.orders, strict=True)}
    reasons = {order_id: line.reason for line in lines for order_id in line.order_ids if line.reason}
    keep, drop = [], set(gone)
    for order_id, fate in order_fates(lines).items():
        if fate in (LineOutcome.DRAFTED, LineOutcome.SKIPPED):
            drop.add(order_id)
        else:
            first = carried[order_id].period if order_id in carried else period
            content = contents.get(order_id) or (carried[order_id].content if order_id in carried else "")
            keep.append(Carried(order_id, names[order_id], first, reasons.get(order_id, ""), content))
    return tuple(keep), tuple(sorted(drop.intersection({*carried, *names}) | set(gone)))
