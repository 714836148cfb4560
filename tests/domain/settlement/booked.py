"""NetSuite's books as a bookkeeper would keep them who entered what the settlement planned: due and unused amounts,
lines, deposits. Kept apart from the code under test; a test then changes them behind its back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billing.domain.settlement.books import (
    BookedApply,
    BookedDepositLine,
    BookedDepositPayment,
    BookedLines,
    BookedOrder,
    BookedOrderInvoice,
    BookedRecord,
    Books,
)
from billing.domain.settlement.desired_invoice import desired_for_charge, desired_for_invoice
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.item_choice import items_of
from billing.domain.settlement.payout import desired_for_payout
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import NetSuiteRecord, RecordType
from billing.domain.settlement.sides import Facts, OurRows, ProvenRoot
from billing.domain.settlement.stripe_objects import ChargeFacts, InvoiceFacts
from billing.domain.settlement.written import WriteState, WrittenRecord
from tests.domain.settlement.facts import CALENDAR, FUNDS, RECEIVABLE, policies

CENTS = {"usd": 2, "eur": 2, "jpy": 0}
CUSTOMER = "500"


def root_of(facts: Facts, policy: SettlementPolicies | None = None, **more: Any) -> ProvenRoot:
    """What Stripe says of an object, planned."""
    chosen = policy or policies()
    if isinstance(facts, InvoiceFacts):
        plan = desired_for_invoice(facts, chosen, CALENDAR)
        return ProvenRoot(facts.invoice.id, RootKind.INVOICE, facts, plan, **more)
    if isinstance(facts, ChargeFacts):
        plan = desired_for_charge(facts, chosen, CALENDAR)
        return ProvenRoot(facts.charge.id, RootKind.CHARGE, facts, plan, **more)
    plan = desired_for_payout(facts, chosen, CALENDAR)
    return ProvenRoot(facts.payout.id, RootKind.PAYOUT, facts, plan, **more)


def major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-CENTS[currency])


def books_of(roots: Iterable[ProvenRoot], policy: SettlementPolicies | None = None) -> Books:
    """Every planned record entered."""
    chosen = policy or policies()
    pairs = [(one, record) for one in roots for record in one.plan.records]
    ids = {record.external_id: str(1000 + place) for place, (_, record) in enumerate(pairs)}
    taken: dict[str, int] = defaultdict(int)
    for _, record in pairs:
        for apply in record.applies:
            taken[apply.external_id] += apply.amount
            taken[record.external_id] += apply.amount
    lines: dict[str, dict[str, int]] = {}
    for one, record in pairs:
        if record.type in (RecordType.INVOICE, RecordType.CREDIT_MEMO):
            lines[record.external_id] = _lines(one, record, chosen, lines)
    return Books(
        records=tuple(_record(record, ids, taken[record.external_id], chosen) for _, record in pairs),
        lines=tuple(
            BookedLines(ids[record.external_id], item, _signed(record, amount))
            for _, record in pairs
            for item, amount in lines.get(record.external_id, {}).items()
        ),
        applies=tuple(
            BookedApply(ids[record.external_id], ids[apply.external_id], major(apply.amount, record.currency))
            for _, record in pairs
            for apply in record.applies
        ),
        deposited=tuple(
            BookedDepositPayment(ids[record.external_id], record.external_id, ids[paid.external_id])
            for _, record in pairs
            if record.deposit
            for paid in record.deposit.payments
        ),
        deposit_lines=tuple(
            BookedDepositLine(ids[record.external_id], line.account, major(-line.amount, record.currency))
            for _, record in pairs
            if record.deposit
            for line in record.deposit.lines
        ),
        orders=tuple(_orders(pairs)),
        order_invoices=tuple(_order_invoices(pairs, ids)),
    )


def rows_of(roots: Iterable[ProvenRoot]) -> OurRows:
    """Every planned record written, and its customer known."""
    return OurRows(
        {
            record.external_id: WrittenRecord(
                record.external_id, record.type, WriteState.WRITTEN, one.root, "1", "", "2026-06-20T02:30:00+00:00"
            )
            for one in roots
            for record in one.plan.records
        },
        {record.stripe_customer: CUSTOMER for one in roots for record in one.plan.records if record.stripe_customer},
    )


def changed(books: Books, external_id: str, **more: Any) -> Books:
    """One record otherwise; `lines` by item, `applied` by externalId."""
    found = next(one for one in books.records if one.external_id == external_id)
    by_name = {one.external_id: one.internal_id for one in books.records}
    lines, applied = more.pop("lines", None), more.pop("applied", None)
    if lines is not None:
        own = tuple(BookedLines(found.internal_id, item, Decimal(amount)) for item, amount in lines.items())
        books = replace(books, lines=(*(one for one in books.lines if one.record != found.internal_id), *own))
    if applied is not None:
        kept = (one for one in books.applies if one.record != found.internal_id)
        own_applies = (BookedApply(found.internal_id, by_name[to], Decimal(part)) for to, part in applied.items())
        books = replace(books, applies=(*kept, *own_applies))
    return replace(books, records=tuple(replace(one, **more) if one is found else one for one in books.records))


def without(books: Books, external_id: str) -> Books:
    """One record deleted, with all that hangs on it."""
    found = next(one for one in books.records if one.external_id == external_id).internal_id
    return replace(
        books,
        records=tuple(one for one in books.records if one.internal_id != found),
        lines=tuple(one for one in books.lines if one.record != found),
        applies=tuple(one for one in books.applies if found not in (one.record, one.document)),
        deposited=tuple(one for one in books.deposited if found not in (one.deposit, one.payment)),
        deposit_lines=tuple(one for one in books.deposit_lines if one.deposit != found),
    )


def _record(record: NetSuiteRecord, ids: dict[str, str], taken: int, policy: SettlementPolicies) -> BookedRecord:
    accounts = {RecordType.INVOICE: RECEIVABLE, RecordType.CREDIT_MEMO: RECEIVABLE, RecordType.DEPOSIT: record.account}
    open_amount = major(record.amount - taken, record.currency)
    first = record.on.replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    is_invoice = record.type is RecordType.INVOICE
    has_unused = record.type in (RecordType.PAYMENT, RecordType.CREDIT_MEMO)
    return BookedRecord(
        internal_id=ids[record.external_id],
        type=record.type,
        external_id=record.external_id,
        customer="" if record.type is RecordType.DEPOSIT else record.netsuite_customer or CUSTOMER,
        currency=policy.currencies[record.currency].netsuite_id,
        total=major(record.amount, record.currency),
        on=record.on,
        due=open_amount if is_invoice else Decimal(0),
        unused=open_amount if has_unused else Decimal(0),
        account=accounts.get(record.type, record.account or FUNDS),
        modified="2026-06-20 02:31:00",
        period=(first, last),
        memo=record.memo,
    )


def _signed(record: NetSuiteRecord, amount: int) -> Decimal:
    return major(amount if record.type is RecordType.INVOICE else -amount, record.currency)


def _lines(
    one: ProvenRoot, record: NetSuiteRecord, policy: SettlementPolicies, former: dict[str, dict[str, int]]
) -> dict[str, int]:
    """Amounts by item: of an order its own items, of a memo without lines its invoice's, the last taking the rest."""
    found: dict[str, int] = defaultdict(int)
    if record.transform is not None:
        assert isinstance(one.facts, InvoiceFacts)
        for order in one.facts.orders:
            if order.order_id == record.transform.order_id:
                for line in order.lines:
                    found[line.item] += line.amount
    elif record.lines:
        chosen = items_of(record, policy, {})
        for each in record.lines:
            found[chosen[each.item]] += each.amount
    else:
        of = former[record.credits or ""]
        whole, left = sum(of.values()), record.amount
        for place, (item, amount) in enumerate(of.items(), 1):
            part = left if place == len(of) else record.amount * amount // whole
            found[item] += part
            left -= part
    return {item: amount for item, amount in found.items() if amount}


def _orders(pairs: Iterable[tuple[ProvenRoot, NetSuiteRecord]]) -> Iterator[BookedOrder]:
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for _, record in pairs:
        if record.transform is not None:
            billed[record.transform.order_id] += _quantity(record)
    yield from (BookedOrder(order_id, "G", quantity) for order_id, quantity in billed.items())


def _order_invoices(
    pairs: Iterable[tuple[ProvenRoot, NetSuiteRecord]], ids: dict[str, str]
) -> Iterator[BookedOrderInvoice]:
    for _, record in pairs:
        if record.transform is not None:
            name = record.external_id
            yield BookedOrderInvoice(record.transform.order_id, ids[name], name, _quantity(record))


def _quantity(record: NetSuiteRecord) -> Decimal:
    assert record.transform is not None
    return sum((Decimal(line.quantity) for line in record.transform.lines if line.quantity), Decimal(0))


def day(text: str) -> date:
    return date.fromisoformat(text)
