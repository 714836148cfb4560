"""Money that went back to the client: refunds, disputes, and what came back of both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from billing.domain.settlement import external_ids
from billing.domain.settlement.dues import shares
from billing.domain.settlement.invoice_records import InvoiceRecords, mapped_fields
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, memo
from billing.domain.settlement.records import (
    Apply,
    Hold,
    ItemRef,
    ItemRole,
    NetSuiteRecord,
    Phase,
    RecordLine,
    RecordType,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import Charge, Dispute, InvoiceFacts, Refund

_REFUND_KEY = "netsuite_customer_refund_id"


def for_invoice(
    facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar, built: InvoiceRecords
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """Refunds and disputes of the charges that paid an invoice: a customer refund on the memo of its credit note, and a
    memo of its own for what no credit note covers."""
    records: list[NetSuiteRecord] = []
    holds: list[Hold] = []
    covered = _covered(facts)
    for charge in _charges(facts):
        for refund in charge.refunds:
            of_notes = covered.get(refund.id, [])
            rest = refund.amount - sum(amount for _, amount in of_notes)
            applies = [apply for note, amount in of_notes for apply in _of_note(note, amount, built)]
            if rest > 0:
                memos = _memos(
                    external_ids.refund_memo(refund.id),
                    rest,
                    ItemRole.PARTIAL_REFUND,
                    rest == facts.invoice.total,
                    facts,
                    built,
                    calendar.day(refund.created),
                    memo(refund.id, f"Refund of {charge.id}"),
                )
                records += memos
                applies += [Apply(one.external_id, one.amount) for one in memos]
            records.append(
                _refund(
                    refund.id,
                    refund.amount,
                    refund.currency,
                    calendar.day(refund.created),
                    memo(refund.id, f"Refund of {charge.id}"),
                    facts.invoice.customer,
                    built.netsuite_customer,
                    tuple(applies),
                    policies,
                    refund.metadata,
                )
            )
            back, wrong = _came_back(refund, facts.invoice.customer, built.netsuite_customer, policies, calendar)
            records += back
            holds += wrong
        for dispute in charge.disputes:
            records += _dispute(dispute, facts, policies, calendar, built)
    return records, holds


def for_charge(
    charge: Charge, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """Refunds and disputes of a charge without an invoice: customer refunds on its unapplied payment."""
    records: list[NetSuiteRecord] = []
    holds: list[Hold] = []
    customer = charge.customer or ""
    netsuite_customer = None if customer else policies.fallback_customer or None
    for refund in charge.refunds:
        records.append(
            _refund(
                refund.id,
                refund.amount,
                refund.currency,
                calendar.day(refund.created),
                memo(refund.id, f"Refund of {charge.id}"),
                customer,
                netsuite_customer,
                (Apply(charge.id, refund.amount),),
                policies,
                refund.metadata,
            )
        )
        back, wrong = _came_back(refund, customer, netsuite_customer, policies, calendar)
        records += back
        holds += wrong
    for dispute in charge.disputes:
        taken = dispute.withdrawn
        if taken is None:
            continue
        records.append(
            _refund(
                dispute.id,
                dispute.amount,
                dispute.currency,
                calendar.day(taken.created),
                memo(dispute.id, f"Dispute of {charge.id}"),
                customer,
                netsuite_customer,
                (Apply(charge.id, dispute.amount),),
                policies,
                dispute.metadata,
            )
        )
        records += _won(dispute, customer, netsuite_customer, policies, calendar, applied=())
    return records, holds


def _charges(facts: InvoiceFacts) -> list[Charge]:
    found: dict[str, Charge] = {}
    for payment in facts.payments:
        if payment.charge is not None:
            found[payment.charge.id] = payment.charge
    return list(found.values())


def _covered(facts: InvoiceFacts) -> dict[str, list[tuple[str, int]]]:
    """What credit notes cover of each refund, as (credit note, amount)."""
    covered: dict[str, list[tuple[str, int]]] = {}
    for note in facts.credit_notes:
        if note.status == "void":
            continue
        for refund, amount in note.refunds:
            if amount:
                covered.setdefault(refund, []).append((note.id, amount))
    return covered


def _of_note(note: str, amount: int, built: InvoiceRecords) -> list[Apply]:
    """The memos of a credit note that a refund is applied to: one, or one for each order's invoice. A memo's part that
    is not applied to its invoice was shared by the invoices' totals; the refund follows it."""
    orders = [one for one in built.receivables if one.transform is not None]
    if not orders:
        return [Apply(note, amount)]
    parts = shares(amount, [one.amount for one in orders])
    return [
        Apply(external_ids.per_invoice(note, order.transform.order_id), part)
        for order, part in zip(orders, parts, strict=True)
        if part and order.transform is not None
    ]


def _memos(
    external_id: str,
    amount: int,
    role: ItemRole,
    whole: bool,
    facts: InvoiceFacts,
    built: InvoiceRecords,
    on: date,
    text: str,
) -> list[NetSuiteRecord]:
    """Memos that nothing but refunds is applied to. `whole` credits the invoice's own lines; a part of an invoice of
    several lines has an item of its own, because Stripe does not say which lines it was for."""
    receivables = [one for one in built.receivables if one.transform is not None] or list(built.receivables)
    parts = shares(amount, [one.amount for one in receivables]) if sum(one.amount for one in receivables) else [amount]
    memos = []
    for receivable, part in zip(receivables, parts, strict=False):
        if not part:
            continue
        order = receivable.transform.order_id if receivable.transform is not None else None
        memos.append(
            NetSuiteRecord(
                type=RecordType.CREDIT_MEMO,
                phase=Phase.CREDITS,
                external_id=external_ids.per_invoice(external_id, order),
                stripe_customer=facts.invoice.customer,
                currency=facts.invoice.currency,
                amount=part,
                on=on,
                memo=text,
                netsuite_customer=built.netsuite_customer,
                lines=() if whole else (RecordLine(ItemRef(role), part, text),),
                credits=receivable.external_id,
            )
        )
    return memos


def _refund(
    external_id: str,
    amount: int,
    currency: str,
    on: date,
    text: str,
    customer: str,
    netsuite_customer: str | None,
    applies: tuple[Apply, ...],
    policies: SettlementPolicies,
    metadata: object,
) -> NetSuiteRecord:
    return NetSuiteRecord(
        type=RecordType.REFUND,
        phase=Phase.REFUNDS,
        external_id=external_id,
        stripe_customer=customer,
        currency=currency,
        amount=amount,
        on=on,
        memo=text,
        netsuite_customer=netsuite_customer,
        applies=applies,
        account=policies.undeposited_funds,
        fields=mapped_fields(policies, RecordType.REFUND, metadata),
        write_back=WriteBack(external_id, _REFUND_KEY),
    )


def _came_back(
    refund: Refund,
    customer: str,
    netsuite_customer: str | None,
    policies: SettlementPolicies,
    calendar: Calendar,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """A refund that failed: the client never got it, and the money is on Stripe's balance again. It becomes an
    unapplied payment, and a person decides how the client gets it."""
    if refund.status not in ("failed", "canceled"):
        return [], []
    external_id = external_ids.money_back(refund.id)
    record = NetSuiteRecord(
        type=RecordType.PAYMENT,
        phase=Phase.PAYMENTS,
        external_id=external_id,
        stripe_customer=customer,
        currency=refund.currency,
        amount=refund.amount,
        on=calendar.day(refund.failed_at or refund.created),
        memo=memo(refund.id, "The refund failed: the money came back"),
        netsuite_customer=netsuite_customer,
        account=policies.undeposited_funds,
    )
    hold = Hold(
        "refund_failed",
        f"The refund {refund.id} failed and its money came back. NetSuite has it as the unapplied payment "
        f"{external_id}: give it to the client in another way, or keep it as credit.",
    )
    return [record], [hold]


def _dispute(
    dispute: Dispute, facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar, built: InvoiceRecords
) -> Iterable[NetSuiteRecord]:
    """Only what moved money: an inquiry has no movement and becomes nothing."""
    taken = dispute.withdrawn
    if taken is None:
        return
    day, text = calendar.day(taken.created), memo(dispute.id, f"Dispute of {dispute.charge}")
    memos = _memos(
        external_ids.dispute_memo(dispute.id), dispute.amount, ItemRole.DISPUTE, False, facts, built, day, text
    )
    yield from memos
    yield _refund(
        dispute.id,
        dispute.amount,
        dispute.currency,
        day,
        text,
        facts.invoice.customer,
        built.netsuite_customer,
        tuple(Apply(one.external_id, one.amount) for one in memos),
        policies,
        dispute.metadata,
    )
    yield from _won(dispute, facts.invoice.customer, built.netsuite_customer, policies, calendar, applied=None)


def _won(
    dispute: Dispute,
    customer: str,
    netsuite_customer: str | None,
    policies: SettlementPolicies,
    calendar: Calendar,
    applied: tuple[Apply, ...] | None,
) -> Iterable[NetSuiteRecord]:
    """Under `payment`, money that a won dispute brought back is a payment. The dispute's memo took the revenue away, so
    an invoice over the dispute's item brings it back, and the payment is applied to it. Under `other_line` the payout's
    deposit has a line for it and nothing is written here."""
    back = dispute.reinstated
    if back is None or policies.choice("disputes_won") != "payment":
        return
    day = calendar.day(back.created)
    external_id = external_ids.reinstated(dispute.id)
    if applied is None:
        invoice_id = f"{external_id}-in"
        text = memo(dispute.id, "The dispute was won")
        yield NetSuiteRecord(
            type=RecordType.INVOICE,
            phase=Phase.INVOICES,
            external_id=invoice_id,
            stripe_customer=customer,
            currency=dispute.currency,
            amount=dispute.amount,
            on=day,
            memo=text,
            netsuite_customer=netsuite_customer,
            lines=(RecordLine(ItemRef(ItemRole.DISPUTE), dispute.amount, text),),
        )
        applied = (Apply(invoice_id, dispute.amount),)
    yield NetSuiteRecord(
        type=RecordType.PAYMENT,
        phase=Phase.PAYMENTS,
        external_id=external_id,
        stripe_customer=customer,
        currency=dispute.currency,
        amount=dispute.amount,
        on=day,
        memo=memo(dispute.id, "The dispute was won: the money came back"),
        netsuite_customer=netsuite_customer,
        applies=applied,
        account=policies.undeposited_funds,
    )
