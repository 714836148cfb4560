"""This month's invoices against last month's, client by client: what the approver must look at twice.

What a month has billed is kept invoice by invoice as the runs close, so that the next month has something to compare
with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from billing.domain.money.money import Money

NO_LAST_MONTH = "no_last_month"
NEW_CLIENT = "new_client"
CLIENT_GONE = "client_gone"
CLIENT_CHANGED = "client_changed"


@dataclass(frozen=True, slots=True)
class BatchWarning:
    """Something about the batch that every approver must see; it does not change what is billed.

    `client` is NetSuite's internal id of the client whom it concerns, None for the whole batch. The message holds names
    and amounts: it belongs on the approval page and in the report, never in a log.

    The rest says the same as data, in minor units of `currency` (lower-case ISO 4217): `now` is the client's sum of
    this month, or the invoice's total where it lies above a bound; `last` the sum of last month, or the bound; `name`
    the client's, and `orders` the order numbers of an invoice. "" and 0 in batches of versions that kept none.
    """

    code: str
    message: str
    client: str | None
    currency: str = ""
    now: int = 0
    last: int = 0
    name: str = ""
    orders: str = ""


@dataclass(frozen=True, slots=True)
class MonthInvoice:
    """One invoice of a month: whom it bills (NetSuite's internal id), and `total` in minor units of `currency`
    (lower-case ISO 4217)."""

    client_id: str
    client_name: str
    currency: str
    total: int


def compare_with_last_month(
    now: Iterable[MonthInvoice], before: Iterable[MonthInvoice] | None, percent: int
) -> tuple[BatchWarning, ...]:
    """Per client and currency: new, gone, or changed by more than `percent` per cent of last month's sum.

    A change of exactly `percent` is no warning; the arithmetic is in whole numbers. A client whose currency changed is
    gone in one and new in the other. `before` None means that there is no record of last month, which is one warning of
    its own: silence would read as "nothing changed". An empty `before` is a month in which nothing was billed.

    By currency, and within a currency the biggest change in money first: without an exchange rate, amounts of two
    currencies cannot be ranked. Raises ValueError if `percent` is negative.
    """
    if percent < 0:
        raise ValueError(f"percent must be 0 or more, not {percent}")
    if before is None:
        return (
            BatchWarning(
                NO_LAST_MONTH,
                "There is no record of last month's invoices, so nothing could be compared with it: look at every "
                "client's sum yourself.",
                None,
            ),
        )
    sums_now, names_now = _by_client(now)
    sums_before, names_before = _by_client(before)
    names = {**names_before, **names_now}
    found: list[tuple[str, int, str, BatchWarning]] = []
    for client, currency in sorted(sums_now.keys() | sums_before.keys()):
        this = sums_now.get((client, currency), 0)
        last = sums_before.get((client, currency), 0)
        warning = _warning(client, names[client], Money(last, currency), Money(this, currency), percent)
        if warning is not None:
            found.append((currency, -abs(this - last), client, warning))
    return tuple(warning for *_, warning in sorted(found, key=lambda each: each[:3]))


def _warning(client: str, name: str, last: Money, this: Money, percent: int) -> BatchWarning | None:
    if last.minor == this.minor:
        return None
    if last.minor == 0:
        said = f"{name}: new, {this} now; had nothing in this currency last month."
        return BatchWarning(NEW_CLIENT, said, client, this.currency, this.minor, last.minor, name)
    if this.minor == 0:
        said = f"{name}: gone, {last} last month; has nothing in this currency in this batch."
        return BatchWarning(CLIENT_GONE, said, client, this.currency, this.minor, last.minor, name)
    change = abs(this.minor - last.minor)
    if change * 100 <= percent * abs(last.minor):
        return None
    direction = "more" if this.minor > last.minor else "less"
    # Rounded down, so that "more than 20%" is never said of 20.9% as 21%.
    share = f"{change * 100 // abs(last.minor)}%"
    return BatchWarning(
        CLIENT_CHANGED,
        f"{name}: {this} now, {last} last month: {Money(change, this.currency)} ({share}) {direction}, and the limit "
        f"is {percent}%.",
        client,
        this.currency,
        this.minor,
        last.minor,
        name,
    )


def _by_client(invoices: Iterable[MonthInvoice]) -> tuple[dict[tuple[str, str], int], dict[str, str]]:
    """Sums by (client, currency), and the clients' names (the last one that was given)."""
    sums: dict[tuple[str, str], int] = {}
    names: dict[str, str] = {}
    for invoice in invoices:
        key = (invoice.client_id, invoice.currency)
        sums[key] = sums.get(key, 0) + invoice.total
        names[invoice.client_id] = invoice.client_name
    return sums, names
