"""Money that went back to the client: refunds, disputes, and what came back of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from billing.domain.money.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.credits import note_memos, refund_applies
from billing.domain.settlement.dues import Dues, shares
from billing.domain.settlement.invoice_records import InvoiceRecords, mapped_fields
from billing.domain.settlement.payments import party_of
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, Party, memo
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
Found = tuple[list[NetSuiteRecord], list[Hold]]


@dataclass(frozen=True, slots=True)
class _Taken:
    """Money that a refund or a dispute took. `at` is epoch seconds."""

    id: str
    amount: int
    currency: str
    at: int
    text: str
    metadata: Mapping[str, str] = field(default_factory=dict)


def for_invoice(
    facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar, built: InvoiceRecords, party: Party
) -> Found:
    """Refunds and disputes of the charges that paid an invoice: a customer refund on the memo of its credit note, and a
    memo of its own for what no credit note covers."""
    records: list[NetSuiteRecord] = []
    holds: list[Hold] = []
    covered = _covered(facts, policies, calendar, built)
    for charge in _charges(facts, policies):
        for refund in charge.refunds:
            hold = _not_moved(refund)
            if refund.balance_transaction is None:
                holds += [hold] if hold is not None else []
                continue
            applies = list(covered.get(refund.id, ()))
            rest = refund.amount - sum(one.amount for one in applies)
            taken = _taken(refund)
            if rest > 0:
                memos = _memos(
                    external_ids.refund_memo(refund.id),
                    replace(taken, amount=rest),
                    None if rest == facts.invoice.total or len(facts.lines) == 1 else ItemRole.PARTIAL_REFUND,
                    built,
                    party,
                    calendar,
                )
                records += memos
                applies += [Apply(one.external_id, one.amount) for one in memos]
            records.append(_refund(taken, party, tuple(applies), policies, calendar))
            records += _came_back(refund, party, policies, calendar)
            holds += [hold] if hold is not None else []
        for dispute in charge.disputes:
            more, wrong = _dispute(dispute, policies, calendar, built, party)
            records += more
            holds += wrong
    return records, holds


def for_charge(charge: Charge, policies: SettlementPolicies, calendar: Calendar) -> Found:
    """Refunds and disputes of a charge without an invoice: customer refunds on its unapplied payment."""
    records: list[NetSuiteRecord] = []
    holds: list[Hold] = []
    party = party_of(charge, policies)
    left = Dues([(charge.id, charge.amount)])
    taken = [(refund.created, refund.id, _taken(refund)) for refund in charge.refunds if refund.balance_transaction]
    for dispute in charge.disputes:
        if dispute.moved_again:
            holds.append(_moved_again(dispute))
        elif dispute.withdrawn is not None:
            taken.append((dispute.withdrawn.created, dispute.id, _taken_by(dispute)))
    for _, _, one in sorted(taken, key=lambda each: each[:2]):
        applies = left.take(one.amount)
        if sum(apply.amount for apply in applies) == one.amount:
            records.append(_refund(one, party, applies, policies, calendar))
            continue
        holds.append(
            Hold(
                "refunded_more_than_paid",
                f"{one.id} takes more than is left of {charge.id}: NetSuite refunds no more than a payment brought. "
                "Post it by hand.",
                (("refund", str(Money(one.amount, one.currency)), str(Money(left.total, charge.currency))),),
                one.id,
            )
        )
    for refund in charge.refunds:
        hold = _not_moved(refund)
        holds += [hold] if hold is not None else []
        records += _came_back(refund, party, policies, calendar)
    for dispute in charge.disputes:
        if not dispute.moved_again:
            records += _won(dispute, party, policies, calendar, ())
    return records, holds


def _charges(facts: InvoiceFacts, policies: SettlementPolicies) -> list[Charge]:
    found: dict[str, Charge] = {}
    for payment in sorted(facts.payments, key=lambda one: (one.paid_at, one.id)):
        if payment.charge is not None and not policies.blocks(payment.charge.metadata):
            found[payment.charge.id] = payment.charge
    return list(found.values())


def _covered(
    facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar, built: InvoiceRecords
) -> dict[str, list[Apply]]:
    """The memos of credit notes that each refund is applied to."""
    covered: dict[str, list[Apply]] = {}
    for note in sorted(facts.credit_notes, key=lambda one: (one.created, one.id)):
        memos, _ = note_memos(note, facts, policies, calendar, built)
        for refund, applies in refund_applies(note, memos).items():
            covered.setdefault(refund, []).extend(applies)
    return covered


def _taken(refund: Refund) -> _Taken:
    text = memo(refund.id, f"Refund of {refund.charge}")
    return _Taken(refund.id, refund.amount, refund.currency, refund.created, text, refund.metadata)


def _taken_by(dispute: Dispute) -> _Taken:
    at = dispute.withdrawn.created if dispute.withdrawn is not None else dispute.created
    text = memo(dispute.id, f"Dispute of {dispute.charge}")
    return _Taken(dispute.id, dispute.amount, dispute.currency, at, text, dispute.metadata)


def _memos(
    external_id: str,
    taken: _Taken,
    role: ItemRole | None,
    built: InvoiceRecords,
    party: Party,
    calendar: Calendar,
) -> list[NetSuiteRecord]:
    """Memos that nothing but refunds is applied to, shared by the invoices' totals. Without a role they credit the
    invoice's own lines; a part of an invoice of several lines has an item of its own, because Stripe does not say which
    lines it was for."""
    receivables = list(built.orders or built.receivables)
    weights = [one.amount for one in receivables]
    parts = shares(taken.amount, weights) if sum(weights) else [taken.amount]
    return [
        NetSuiteRecord(
            type=RecordType.CREDIT_MEMO,
            phase=Phase.CREDITS,
            external_id=external_ids.per_invoice(external_id, built.order_of(receivable.external_id)),
            stripe_customer=party.stripe_customer,
            currency=taken.currency,
            amount=part,
            on=calendar.day(taken.at),
            memo=taken.text,
            netsuite_customer=party.netsuite_customer,
            lines=() if role is None else (RecordLine(ItemRef(role), part, taken.text),),
            credits=receivable.external_id,
        )
        for receivable, part in zip(receivables, parts, strict=False)
        if part
    ]


def _refund(
    taken: _Taken, party: Party, applies: tuple[Apply, ...], policies: SettlementPolicies, calendar: Calendar
) -> NetSuiteRecord:
    return NetSuiteRecord(
        type=RecordType.REFUND,
        phase=Phase.REFUNDS,
        external_id=taken.id,
        stripe_customer=party.stripe_customer,
        currency=taken.currency,
        amount=taken.amount,
        on=calendar.day(taken.at),
        memo=taken.text,
        netsuite_customer=party.netsuite_customer,
        applies=applies,
        account=policies.undeposited_funds,
        fields=mapped_fields(policies, RecordType.REFUND, taken.metadata),
        write_backs=(WriteBack(taken.id, _REFUND_KEY),),
    )


def _not_moved(refund: Refund) -> Hold | None:
    """What a person must know of a refund that is not simply paid out."""
    if refund.failure_balance_transaction is not None:
        return Hold(
            "refund_failed",
            f"The refund {refund.id} failed and its money came back. NetSuite has it as the unapplied payment "
            f"{external_ids.money_back(refund.id)}: give it to the client in another way, or keep it as credit.",
            about=refund.id,
        )
    if refund.status == "succeeded" and refund.balance_transaction is None:
        return Hold(
            "refund_without_movement",
            f"The refund {refund.id} succeeded and moved nothing on Stripe's balance (it went to the customer's cash "
            "balance, for instance). Post it in NetSuite by hand.",
            about=refund.id,
        )
    return None


def _came_back(refund: Refund, party: Party, policies: SettlementPolicies, calendar: Calendar) -> list[NetSuiteRecord]:
    """A refund that failed: the client never got it, and the money is on Stripe's balance again. It becomes an
    unapplied payment, and a person decides how the client gets it."""
    if refund.balance_transaction is None or refund.failure_balance_transaction is None:
        return []
    return [
        NetSuiteRecord(
            type=RecordType.PAYMENT,
            phase=Phase.PAYMENTS,
            external_id=external_ids.money_back(refund.id),
            stripe_customer=party.stripe_customer,
            currency=refund.currency,
            amount=refund.amount,
            on=calendar.day(refund.failed_at or refund.created),
            memo=memo(refund.id, "The refund failed: the money came back"),
            netsuite_customer=party.netsuite_customer,
            account=policies.undeposited_funds,
        )
    ]


def _moved_again(dispute: Dispute) -> Hold:
    return Hold(
        "dispute_moved_twice",
        f"Money of the dispute {dispute.id} was taken or brought back more than once. Post its movements by hand.",
        about=dispute.id,
    )


def _dispute(
    dispute: Dispute, policies: SettlementPolicies, calendar: Calendar, built: InvoiceRecords, party: Party
) -> Found:
    """Only what moved money: an inquiry has no movement and becomes nothing."""
    if dispute.moved_again:
        return [], [_moved_again(dispute)]
    if dispute.withdrawn is None:
        return [], []
    taken = _taken_by(dispute)
    memos = _memos(external_ids.dispute_memo(dispute.id), taken, ItemRole.DISPUTE, built, party, calendar)
    applies = tuple(Apply(one.external_id, one.amount) for one in memos)
    won = _won(dispute, party, policies, calendar, None)
    return [*memos, _refund(taken, party, applies, policies, calendar), *won], []


def _won(
    dispute: Dispute,
    party: Party,
    policies: SettlementPolicies,
    calendar: Calendar,
    applied: tuple[Apply, ...] | None,
) -> list[NetSuiteRecord]:
    """Under `payment`, money that a won dispute brought back is a payment. The dispute's memo took the revenue away, so
    an invoice over the dispute's item brings it back, and the payment is applied to it (`applied` is None then). Under
    `other_line` the payout's deposit has a line for it and nothing is written here."""
    back = dispute.reinstated
    if back is None or policies.choice("disputes_won") != "payment":
        return []
    day = calendar.day(back.created)
    records = []
    if applied is None:
        external_id = external_ids.dispute_invoice(dispute.id)
        text = memo(dispute.id, "The dispute was won")
        records.append(
            NetSuiteRecord(
                type=RecordType.INVOICE,
                phase=Phase.INVOICES,
                external_id=external_id,
                stripe_customer=party.stripe_customer,
                currency=dispute.currency,
                amount=dispute.amount,
                on=day,
                memo=text,
                netsuite_customer=party.netsuite_customer,
                lines=(RecordLine(ItemRef(ItemRole.DISPUTE), dispute.amount, text),),
            )
        )
        applied = (Apply(external_id, dispute.amount),)
    return [
        *records,
        NetSuiteRecord(
            type=RecordType.PAYMENT,
            phase=Phase.PAYMENTS,
            external_id=external_ids.reinstated(dispute.id),
            stripe_customer=party.stripe_customer,
            currency=dispute.currency,
            amount=dispute.amount,
            on=day,
            memo=memo(dispute.id, "The dispute was won: the money came back"),
            netsuite_customer=party.netsuite_customer,
            applies=applied,
            account=policies.undeposited_funds,
        ),
    ]
