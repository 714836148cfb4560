"""The month's report as it goes on after the run: of each order that was billed, NetSuite's invoice, and what of it was
paid and deposited. From NetSuite's rows. Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from billing.domain.settlement.ledger_index import BooksIndex
from billing.domain.settlement.records import NetSuiteRecord, RecordType
from billing.domain.settlement.sides import ProvenRoot, minor_of
from billing.domain.settlement.stripe_objects import Invoice, InvoiceFacts

_PERIOD: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class SettledOrder:
    """An order on an invoice of a billing period ("2026-05"). Amounts are minor units: what Stripe bills of the order,
    and what of NetSuite's invoice was credited, paid, deposited and is due. `netsuite_invoice` is its internal id, ""
    while there is none; `deposits` are externalIds, "#" and the internal id for one that a person made. `waits` is the
    name of what holds the invoice."""

    period: str
    orders: str
    stripe_invoice: str
    number: str
    status: str
    currency: str
    amount: int
    netsuite_invoice: str = ""
    credited: int = 0
    paid: int = 0
    due: int = 0
    deposited: int = 0
    deposits: tuple[str, ...] = ()
    waits: str = ""


@dataclass(slots=True)
class _Applied:
    """What is applied to the invoices, in minor units by their externalIds."""

    credited: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    deposited: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    deposits: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def settled_months(roots: Iterable[ProvenRoot], books: BooksIndex, since: date) -> dict[str, tuple[SettledOrder, ...]]:
    """The orders of each billing period, by its name. Only periods that began at or after `since`, the day from which
    both books were read whole: of older ones not every invoice was read."""
    applied = _applied(books)
    found: dict[str, list[SettledOrder]] = defaultdict(list)
    for one in roots:
        if not isinstance(one.facts, InvoiceFacts):
            continue
        period = one.facts.invoice.metadata.get("billing_period", "")
        if _PERIOD.fullmatch(period) and date.fromisoformat(f"{period}-01") >= since:
            found[period] += _orders(one, one.facts.invoice, books, applied)
    return {
        period: tuple(sorted(orders, key=lambda each: (each.orders, each.stripe_invoice)))
        for period, orders in sorted(found.items())
    }


def _orders(one: ProvenRoot, invoice: Invoice, books: BooksIndex, applied: _Applied) -> Iterator[SettledOrder]:
    waits = one.waits.name if one.waits is not None else ""
    period = invoice.metadata["billing_period"]
    named = invoice.metadata.get("netsuite_so_number", "")
    made = [record for record in one.plan.records if record.type is RecordType.INVOICE]
    if not made:
        yield SettledOrder(
            period,
            named,
            invoice.id,
            invoice.number or "",
            invoice.status,
            invoice.currency,
            invoice.total,
            waits=waits,
        )
    for record in made:
        booked = books.by_external_id.get(record.external_id)
        yield SettledOrder(
            period,
            _order_of(record) or named,
            invoice.id,
            invoice.number or "",
            invoice.status,
            invoice.currency,
            record.amount,
            booked.internal_id if booked is not None else "",
            applied.credited[record.external_id],
            applied.paid[record.external_id],
            minor_of(booked.due, invoice.currency) if booked is not None else record.amount,
            applied.deposited[record.external_id],
            tuple(sorted(applied.deposits[record.external_id])),
            waits,
        )


def _order_of(record: NetSuiteRecord) -> str:
    return record.transform.order_number if record.transform is not None else ""


def _applied(books: BooksIndex) -> _Applied:
    found = _Applied()
    for booked in books.records:
        currency = books.currency_of(booked)
        if booked.voided or not currency or booked.type not in (RecordType.PAYMENT, RecordType.CREDIT_MEMO):
            continue
        deposit = books.deposit_of.get(booked.internal_id)
        for document, amount in books.applies_of(booked).items():
            minor = minor_of(amount, currency)
            if booked.type is RecordType.CREDIT_MEMO:
                found.credited[document] += minor
                continue
            found.paid[document] += minor
            if deposit is not None:
                found.deposited[document] += minor
                found.deposits[document].add(deposit.deposit_external_id or f"#{deposit.deposit}")
    return found
