"""Everything that NetSuite should hold for one Stripe invoice: the invoice itself, then money and memos in the order in
which they happened.

The plan is computed from Stripe's present state and never from an event: the same state gives the same plan, so that
repeated, late and shuffled events change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from billing.domain.settlement import credits, payments, refunds
from billing.domain.settlement.dues import Dues
from billing.domain.settlement.invoice_records import InvoiceRecords, invoice_records
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, Party
from billing.domain.settlement.records import PHASES, Apply, Hold, NetSuiteRecord, SettlementPlan
from billing.domain.settlement.stripe_objects import ChargeFacts, Invoice, InvoiceFacts


@dataclass(frozen=True, slots=True)
class _Move:
    """Something that changes what is due, at its time. Of the same instant, the lower rank comes first."""

    at: int
    rank: int
    id: str
    play: Callable[[], tuple[list[NetSuiteRecord], list[Hold]]]


_BALANCE, _CREDIT_AT_ONCE, _PAYMENT, _CREDIT_WHEN_CLOSED, _CLOSING = range(5)


def desired_for_invoice(facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar) -> SettlementPlan:
    """The plan of one invoice. Pure."""
    invoice = facts.invoice
    nothing = left_out(invoice, policies, calendar)
    if nothing:
        return SettlementPlan(invoice.id, nothing_because=nothing, holds=_paid_since_start(facts, policies, calendar))
    built = invoice_records(facts, policies, calendar)
    if not built.records or built.holds:
        # Nothing is applied to an invoice that is not there.
        return SettlementPlan(invoice.id, built.records, built.holds, built.nothing_because)
    party = Party(invoice.customer, built.netsuite_customer)
    dues = Dues((one.external_id, one.amount) for one in built.receivables)
    records, holds = list(built.records), list(built.holds)
    for move in sorted(_moves(facts, policies, calendar, built, dues), key=lambda one: (one.at, one.rank, one.id)):
        more, wrong = move.play()
        records += more
        holds += wrong
    more, wrong = refunds.for_invoice(facts, policies, calendar, built, party)
    return SettlementPlan(invoice.id, _in_order([*records, *more]), (*holds, *wrong, *_stays_billed(facts, built)))


def desired_for_charge(facts: ChargeFacts, policies: SettlementPolicies, calendar: Calendar) -> SettlementPlan:
    """The plan of a charge that pays no invoice: an unapplied payment, and what was given back of it. Pure."""
    charge = facts.charge
    if not policies.admits(charge.metadata):
        return SettlementPlan(charge.id, nothing_because="It is on the block list, or not on the allow list.")
    if policies.start_date is not None and calendar.day(charge.created) < policies.start_date:
        return SettlementPlan(charge.id, nothing_because="It is dated before the settlement's start date.")
    records, holds = payments.without_invoice(charge, policies, calendar)
    if not records:
        return SettlementPlan(charge.id, holds=tuple(holds))
    more, wrong = refunds.for_charge(charge, policies, calendar)
    return SettlementPlan(charge.id, _in_order([*records, *more]), (*holds, *wrong))


def _stays_billed(facts: InvoiceFacts, built: InvoiceRecords) -> tuple[Hold, ...]:
    """Orders whose invoice was voided after NetSuite had made it of them. The memo closes the invoice and does not
    reopen the order, so that no later run lists it: a person must hear of it."""
    invoice = facts.invoice
    if invoice.voided_at is None or invoice.revised_by is not None or not built.orders:
        return ()
    left = ", ".join(one.order_number for one in facts.orders if not one.billed_again)
    if not left:
        return ()
    return (
        Hold(
            "order_stays_billed",
            f"{invoice.id} was voided, and its memo does not reopen {left}: NetSuite counts the goods as billed, so no "
            "later run bills them by itself. To bill them again, delete the memo and then the invoice in NetSuite, or "
            "copy the order. If they are not to be billed, say so (see the runbook).",
        ),
    )


def _paid_since_start(facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar) -> tuple[Hold, ...]:
    """Money that came after the start date for an invoice from before it: its payout needs it."""
    start = policies.start_date
    if start is None or not policies.admits(facts.invoice.metadata):
        return ()
    charges = [one.charge for one in facts.payments if one.charge is not None]
    late = sorted({one.id for one in charges if calendar.day(one.created) >= start})
    if not late:
        return ()
    return (
        Hold(
            "invoice_before_start_date",
            f"{facts.invoice.id} was finalized before the settlement's start date and paid since by {', '.join(late)}: "
            "enter the payment in NetSuite by hand with that as its externalId, so that its payout can be deposited.",
        ),
    )


def left_out(invoice: Invoice, policies: SettlementPolicies, calendar: Calendar) -> str:
    """Why nothing is written for an invoice, "" if something is."""
    if invoice.status in ("draft", "deleted") or invoice.finalized_at is None:
        return "It is a draft: a receivable begins when it is finalized."
    if policies.start_date is not None and calendar.day(invoice.finalized_at) < policies.start_date:
        return "It was finalized before the settlement's start date."
    if not policies.admits(invoice.metadata):
        return "It is on the block list, or not on the allow list."
    return ""


def _moves(
    facts: InvoiceFacts,
    policies: SettlementPolicies,
    calendar: Calendar,
    built: InvoiceRecords,
    dues: Dues,
) -> Iterable[_Move]:
    invoice = facts.invoice
    closed_at = _closed_at(invoice)
    for entry in facts.balance:
        yield _Move(
            entry.created,
            _BALANCE,
            entry.id,
            lambda entry=entry: credits.balance_used(entry, facts, policies, calendar, built, dues),  # type: ignore[misc]
        )
    at_once = policies.choice("prepayment_credit_notes") == "at_once"
    for note in facts.credit_notes:
        # Where memos wait for the invoice to be paid, its other ends count as well: a memo that stayed unapplied when
        # the invoice was voided would be credit that nobody was given.
        applied_at = note.created if at_once else closed_at
        yield _Move(
            max(note.created, applied_at or note.created),
            _CREDIT_AT_ONCE if at_once else _CREDIT_WHEN_CLOSED,
            note.id,
            lambda note=note, applied=applied_at is not None: credits.credit_note(  # type: ignore[misc]
                note, facts, policies, calendar, built, dues if applied else None
            ),
        )
    for payment in facts.payments:
        yield _Move(
            payment.paid_at,
            _PAYMENT,
            payment.id,
            lambda payment=payment: payments.of_invoice(  # type: ignore[misc]
                payment, invoice, Party(invoice.customer, built.netsuite_customer), policies, calendar, dues
            ),
        )
    for at in sorted({at for at in (invoice.voided_at, invoice.uncollectible_at) if at is not None}):
        yield _Move(
            at,
            _CLOSING,
            invoice.id,
            lambda at=at: credits.closing(at, facts, policies, calendar, built, dues),  # type: ignore[misc]
        )


def _closed_at(invoice: Invoice) -> int | None:
    times = [at for at in (invoice.paid_at, invoice.voided_at, invoice.uncollectible_at) if at is not None]
    return min(times) if times else None


def _in_order(records: Iterable[NetSuiteRecord]) -> tuple[NetSuiteRecord, ...]:
    """By phase, as they are written. A charge that pays in two parts is one payment that is applied by both."""
    found: dict[str, NetSuiteRecord] = {}
    for record in records:
        former = found.get(record.external_id)
        if former is None:
            found[record.external_id] = record
            continue
        amounts: dict[str, int] = {}
        for apply in (*former.applies, *record.applies):
            amounts[apply.external_id] = amounts.get(apply.external_id, 0) + apply.amount
        found[record.external_id] = replace(former, applies=tuple(Apply(*one) for one in amounts.items()))
    return tuple(sorted(found.values(), key=lambda record: PHASES.index(record.phase)))
