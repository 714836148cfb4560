"""Customer payments: one for each successful charge, applied to what is due."""

from __future__ import annotations

from billing.domain.money.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.dues import Dues
from billing.domain.settlement.invoice_records import mapped_fields
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, Party, memo
from billing.domain.settlement.records import (
    Apply,
    Hold,
    NetSuiteRecord,
    Phase,
    RecordType,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import Charge, Invoice, InvoicePayment

_PAYMENT_KEY = "netsuite_customer_payment_id"


def of_invoice(
    payment: InvoicePayment,
    invoice: Invoice,
    party: Party,
    policies: SettlementPolicies,
    calendar: Calendar,
    dues: Dues,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """What one payment of an invoice becomes.

    A charge is a customer payment over the whole charge, applied up to what it paid of the invoice; the rest stays
    unapplied. One that failed later (ACH) is unapplied again and given back by a customer refund, so that the invoice
    is open again. Money that Stripe did not process never goes through Undeposited Funds: no payout would bring it.
    """
    charge = payment.charge
    if charge is None:
        return _outside_stripe(payment, invoice, party, policies, calendar, dues), []
    if policies.blocks(charge.metadata):
        return [], [
            Hold(
                "payment_blocked",
                f"{charge.id} pays {invoice.id} and is on the block list: the invoice stays open in NetSuite, and the "
                "payout with this payment cannot be deposited. Take the block away, or post both by hand.",
                about=charge.id,
            )
        ]
    if charge.failed_later_at is not None:
        return [
            _payment(charge, party, (), policies, calendar),
            _given_back(charge, charge.amount, party, policies, calendar),
        ], []
    if _is_duplicate(invoice, payment, dues) and policies.choice("duplicate_payment") == "hold":
        return [], [
            Hold(
                "duplicate_payment",
                f"{charge.id} pays {invoice.id}, of which nothing is due any more. The payment is not written: refund "
                "it in Stripe if it is a duplicate, or set the policy duplicate_payment to 'unapplied'.",
                (("payment", str(Money(charge.amount, charge.currency)), "nothing due"),),
                charge.id,
            )
        ]
    applies = dues.take(min(payment.amount, charge.amount))
    return [_payment(charge, party, applies, policies, calendar)], []


def without_invoice(
    charge: Charge, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """A charge that pays no invoice: an unapplied payment of its customer, or of the fallback customer."""
    if not charge.customer and not policies.fallback_customer:
        return [], [
            Hold(
                "customer_missing",
                f"{charge.id} has no customer in Stripe, and the policy customer.fallback names none in NetSuite.",
            )
        ]
    party = party_of(charge, policies)
    records = [_payment(charge, party, (), policies, calendar)]
    if charge.failed_later_at is not None:
        refunded = sum(refund.amount for refund in charge.refunds if refund.balance_transaction)
        rest = charge.amount - refunded
        if rest > 0:
            records.append(_given_back(charge, rest, party, policies, calendar))
        if refunded:
            return records, [
                Hold(
                    "refunded_and_failed",
                    f"{charge.id} was refunded and failed afterwards: Stripe took more money back than it brought. "
                    "Post the difference by hand.",
                )
            ]
    return records, []


def party_of(charge: Charge, policies: SettlementPolicies) -> Party:
    """Whose payment a charge without invoice is."""
    return Party(charge.customer or "", None if charge.customer else policies.fallback_customer or None)


def _is_duplicate(invoice: Invoice, payment: InvoicePayment, dues: Dues) -> bool:
    """Nothing was due when it came, and not because the invoice had been written off."""
    written_off = invoice.uncollectible_at is not None and invoice.uncollectible_at <= payment.paid_at
    return not dues.total and payment.amount > 0 and not written_off


def _outside_stripe(
    payment: InvoicePayment,
    invoice: Invoice,
    party: Party,
    policies: SettlementPolicies,
    calendar: Calendar,
    dues: Dues,
) -> list[NetSuiteRecord]:
    if policies.choice("out_of_band") == "nothing":
        return []
    return [
        NetSuiteRecord(
            type=RecordType.PAYMENT,
            phase=Phase.PAYMENTS,
            external_id=payment.id,
            stripe_customer=party.stripe_customer,
            currency=invoice.currency,
            amount=payment.amount,
            on=calendar.day(payment.paid_at),
            memo=memo(payment.id, f"Paid outside Stripe: {invoice.id}"),
            netsuite_customer=party.netsuite_customer,
            applies=dues.take(payment.amount),
            account=policies.outside_account(invoice.currency),
        )
    ]


def _payment(
    charge: Charge, party: Party, applies: tuple[Apply, ...], policies: SettlementPolicies, calendar: Calendar
) -> NetSuiteRecord:
    return NetSuiteRecord(
        type=RecordType.PAYMENT,
        phase=Phase.PAYMENTS,
        external_id=charge.id,
        stripe_customer=party.stripe_customer,
        currency=charge.currency,
        amount=charge.amount,
        on=calendar.day(charge.created),
        memo=memo(charge.id),
        netsuite_customer=party.netsuite_customer,
        applies=applies,
        account=policies.undeposited_funds,
        fields=mapped_fields(policies, RecordType.PAYMENT, charge.metadata),
        write_backs=(WriteBack(charge.id, _PAYMENT_KEY),),
    )


def _given_back(
    charge: Charge, amount: int, party: Party, policies: SettlementPolicies, calendar: Calendar
) -> NetSuiteRecord:
    return NetSuiteRecord(
        type=RecordType.REFUND,
        phase=Phase.REFUNDS,
        external_id=external_ids.failed_payment(charge.id),
        stripe_customer=party.stripe_customer,
        currency=charge.currency,
        amount=amount,
        on=calendar.day(charge.failed_later_at or charge.created),
        memo=memo(charge.id, "The payment failed after it had succeeded"),
        netsuite_customer=party.netsuite_customer,
        applies=(Apply(charge.id, amount),),
        account=policies.undeposited_funds,
    )
