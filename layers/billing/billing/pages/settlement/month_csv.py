"""The month's report as it goes on after the run, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable

from billing.domain.settlement.settled_months import SettledOrder
from billing.pages.csv_file import Amount, Cell, csv_bytes

HEAD = (
    "Period",
    "Sales order",
    "Stripe invoice",
    "Invoice number",
    "Status in Stripe",
    "Currency",
    "Amount",
    "NetSuite invoice",
    "Credited",
    "Paid",
    "Due",
    "Deposited",
    "Deposits",
    "Waits for",
)


def month_csv(orders: Iterable[SettledOrder]) -> bytes:
    """A row an order; amounts in major units, "NetSuite invoice" is its internal id."""
    return csv_bytes(HEAD, (_row(one) for one in orders))


def _row(one: SettledOrder) -> tuple[Cell, ...]:
    def money(minor: int) -> Amount:
        return Amount(minor, one.currency)

    return (
        one.period,
        one.orders,
        one.stripe_invoice,
        one.number,
        one.status,
        one.currency.upper(),
        money(one.amount),
        one.netsuite_invoice,
        money(one.credited),
        money(one.paid),
        money(one.due),
        money(one.deposited),
        ", ".join(one.deposits),
        one.waits,
    )
