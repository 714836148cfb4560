"""The Stripe side of the equations: from Stripe's own amounts, not from the records that were planned of them. Pure.

Policies decide what counts: an uncollectible invoice is still a receivable where they are kept open, money outside
Stripe leaves an invoice due where it is not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billing.domain.settlement import external_ids
from billing.domain.settlement.payout import FEE_TYPES
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.stripe_objects import Charge, ChargeFacts, Invoice, InvoiceFacts, PayoutFacts

_OWES: tuple[str, ...] = ("open", "paid")


@dataclass(frozen=True, slots=True)
class Movement:
    """Money into Undeposited Funds (above zero) or out of it, in the currency in which the client paid, and the
    externalId of the record that holds it."""

    external_id: str
    amount: int
    currency: str


def movements_of(facts: InvoiceFacts | ChargeFacts, policies: SettlementPolicies) -> tuple[Movement, ...]:
    """Every movement of an invoice's charges, or of a charge: payments, refunds, disputes, and what came back."""
    is_invoice = isinstance(facts, InvoiceFacts)
    return tuple(move for charge in _charges(facts, policies) for move in _of_charge(charge, policies, is_invoice))


def receivable_of(facts: InvoiceFacts | ChargeFacts, policies: SettlementPolicies) -> int:
    """What the client owes by an invoice, less the credit that it left: minor units. A charge without an invoice is
    credit as long as it was not given back."""
    if isinstance(facts, ChargeFacts):
        return -sum(one.amount for one in movements_of(facts, policies))
    invoice = facts.invoice
    if invoice.total < 0:
        return invoice.total if policies.choice("negative_invoice") == "credit_memo" else 0
    return _due(facts, policies) - _credit_left(facts, policies)


def outside_of(facts: InvoiceFacts | ChargeFacts, policies: SettlementPolicies) -> int:
    """Money that reached the firm outside Stripe, where the policy has an account for it: minor units."""
    if isinstance(facts, ChargeFacts) or policies.choice("out_of_band") == "nothing":
        return 0
    return _out_of_band(facts) - sum(note.out_of_band for note in facts.credit_notes if note.status == "issued")


def banked(facts: PayoutFacts) -> int:
    """What reached the bank by a payout, with those that waited for it: minor units of the bank's currency."""
    return facts.payout.amount + sum(one.amount for one in facts.earlier)


def fees_of(facts: PayoutFacts) -> int:
    """What Stripe kept: fees of the movements, and movements that are fees."""
    return sum(
        one.movement.fee - (one.movement.amount if one.movement.type in FEE_TYPES else 0) for one in facts.members
    )


def _due(facts: InvoiceFacts, policies: SettlementPolicies) -> int:
    invoice = facts.invoice
    due = invoice.amount_remaining if _is_receivable(invoice, policies) else 0
    if invoice.status in _OWES and policies.choice("out_of_band") == "nothing":
        due += _out_of_band(facts)
    return due


def _is_receivable(invoice: Invoice, policies: SettlementPolicies) -> bool:
    kept_open = invoice.status == "uncollectible" and policies.choice("uncollectible") == "keep_open"
    return invoice.status == "open" or kept_open


def _credit_left(facts: InvoiceFacts, policies: SettlementPolicies) -> int:
    """Money and memos that are applied to nothing: overpayments, refunds that failed, credit given and not used."""
    charges = [one for one in _charges(facts, policies) if one.failed_later_at is None]
    kept = sum(one.amount for one in charges) - (facts.invoice.amount_paid - _out_of_band(facts))
    came_back = sum(
        refund.amount
        for charge in _charges(facts, policies)
        for refund in charge.refunds
        if refund.balance_transaction and refund.failure_balance_transaction
    )
    notes = [one for one in facts.credit_notes if one.status == "issued"]
    given = sum(one.out_of_band for one in notes) if policies.choice("out_of_band") == "nothing" else 0
    if policies.choice("balance") == "when_funded":
        given += sum(one.to_balance for one in notes)
    return kept + came_back + given


def _out_of_band(facts: InvoiceFacts) -> int:
    return sum(one.amount for one in facts.payments if one.charge is None)


def _charges(facts: InvoiceFacts | ChargeFacts, policies: SettlementPolicies) -> list[Charge]:
    if isinstance(facts, ChargeFacts):
        return [facts.charge]
    found = {one.charge.id: one.charge for one in facts.payments if one.charge is not None}
    return [one for one in found.values() if not policies.blocks(one.metadata)]


def _of_charge(charge: Charge, policies: SettlementPolicies, is_invoice: bool) -> Iterator[Movement]:
    yield Movement(charge.id, charge.amount, charge.currency)
    if charge.failed_later_at is not None:
        refunded = 0 if is_invoice else sum(one.amount for one in charge.refunds if one.balance_transaction)
        if charge.amount > refunded:
            yield Movement(external_ids.failed_payment(charge.id), refunded - charge.amount, charge.currency)
    for refund in charge.refunds:
        if refund.balance_transaction:
            yield Movement(refund.id, -refund.amount, refund.currency)
            if refund.failure_balance_transaction:
                yield Movement(external_ids.money_back(refund.id), refund.amount, refund.currency)
    for dispute in charge.disputes:
        if dispute.moved_again:
            continue
        if dispute.withdrawn is not None:
            yield Movement(dispute.id, -dispute.amount, dispute.currency)
        if dispute.reinstated is not None and policies.choice("disputes_won") == "payment":
            yield Movement(external_ids.reinstated(dispute.id), dispute.amount, dispute.currency)
