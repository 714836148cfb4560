"""What the months before have billed, client by client and in all: what the page draws beside this month's amounts.

It is made of the rows that each month keeps for the comparison with the month after (see month_comparison), so it costs
NetSuite and Stripe no call. It is part of the batch, and so of what is signed for: a page that is looked at twice shows
the same past.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from billing.domain.batch.month_comparison import MonthInvoice

_NONE: Final[Mapping[str, tuple[int, ...]]] = {}


@dataclass(frozen=True, slots=True)
class PastMonths:
    """Sums in minor units, by currency, one for each of `periods` (YYYY-MM, the oldest first).

    The last period is the batch's own: its sum is what earlier runs have drafted of it, to which the batch comes.
    `clients` are those with something to draft, by NetSuite's internal id; `totals` are over all clients.
    """

    periods: tuple[str, ...]
    totals: Mapping[str, tuple[int, ...]]
    clients: Mapping[str, Mapping[str, tuple[int, ...]]]

    def check_as_read(self) -> None:
        """Raise ValueError if a sum is missing: it would move every month that follows."""
        if len(self.periods) < 2:
            raise ValueError("there is no month before the batch's own")
        if any(
            len(sums) != len(self.periods) for each in (self.totals, *self.clients.values()) for sums in each.values()
        ):
            raise ValueError("not every month has a sum")

    @property
    def last_month(self) -> str:
        """The period before the batch's own."""
        return self.periods[-2]

    def of_client(self, client_id: str, currency: str, now: int) -> tuple[int, ...]:
        """A client's sums, and in the last place this month's with `now`, what the batch bills."""
        return self._with(self.clients.get(client_id, _NONE).get(currency), now)

    def of_all(self, currency: str, now: int) -> tuple[int, ...]:
        """The same over all clients."""
        return self._with(self.totals.get(currency), now)

    def _with(self, sums: tuple[int, ...] | None, now: int) -> tuple[int, ...]:
        if sums is None:
            return (*(0 for _ in self.periods[1:]), now)
        return (*sums[:-1], sums[-1] + now)


def past_months(months: Iterable[tuple[str, Iterable[MonthInvoice]]], clients: Collection[str]) -> PastMonths | None:
    """The past of `months`, (period, what it billed), the oldest first and the batch's own last. Of the clients, those
    with an id in `clients` are kept. None if no month before has billed anything: there is nothing to draw."""
    kept = [(period, tuple(invoices)) for period, invoices in months]
    if not any(invoices for _, invoices in kept[:-1]):
        return None
    totals: dict[str, list[int]] = {}
    of_clients: dict[str, dict[str, list[int]]] = {}
    for place, (_, invoices) in enumerate(kept):
        for one in invoices:
            totals.setdefault(one.currency, [0] * len(kept))[place] += one.total
            if one.client_id in clients:
                by_currency = of_clients.setdefault(one.client_id, {})
                by_currency.setdefault(one.currency, [0] * len(kept))[place] += one.total
    return PastMonths(
        tuple(period for period, _ in kept),
        _sorted(totals),
        {client: _sorted(sums) for client, sums in sorted(of_clients.items())},
    )


def _sorted(sums: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {currency: tuple(amounts) for currency, amounts in sorted(sums.items())}
