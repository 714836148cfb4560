"""Customer payments: one for each successful charge, applied to what is due."""

from __future__ import annotations

from billing.domain.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.dues import Dues
from billing.domain.settlement.invoice_records import mapped_fields
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, memo
from billing.domain.settlement.records import (
    Apply,
    Hold,
    NetSuiteRecord,
    Phase,
    RecordType,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import Charge, InvoiceFacts, InvoicePayment

PAYMENT_KEY = "netsuite_customer_payment_id"


def of_invoice(
    payment: InvoicePayment, facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar, dues: Dues
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """What one payment of an invoice becomes.

    A charge is a customer payment over the whole charge, applied up to what it paid of the invoice; the rest stays
    unapplied. One that failed later (ACH) is unapplied again and given back by a customer refund, so that the invoice
    is open again. Money that Stripe did not process never goes through Undeposited Funds: no payout would bring it.
    """
    invoice = facts.invoice
    charge = payment.charge
    netsuite_customer = _customer(facts)
    if charge is None:
        if policies.choice("out_of_band") == "nothing":
            return [], []
        external_id = payment.id
        return [
            NetSuiteRecord(
                type=RecordType.PAYMENT,
                phase=Phase.PAYMENTS,
                external_id=external_id,
                stripe_customer=invoice.customer,
                currency=invoice.currency,
                amount=payment.amount,
                on=calendar.day(payment.paid_at),
                memo=memo(external_id, f"Paid outside Stripe: {invoice.id}"),
                netsuite_customer=netsuite_customer,
                applies=dues.take(payment.amount),
                account=policies.out_of_band_account,
            )
        ], []
    holds = []
    applies: tuple[Apply, ...] = ()
    records = []
    if charge.failed_later_at is None:
        wanted = min(payment.amount, charge.amount)
        applies = dues.take(wanted)
        applied = sum(one.amount for one in applies)
        if applied < wanted and policies.choice("duplicate_payment") == "hold":
            holds.append(
                Hold(
                    "duplicate_payment",
                    f"{charge.id} pays {invoice.id}, of which less is due in NetSuite than it pays. The payment is not "
                    "written: decide whether it is a duplicate, and refund it in Stripe or apply it by hand.",
                    (("payment", str(Money(wanted, charge.currency)), str(Money(applied, charge.currency))),),
                )
            )
            return [], holds
    records.append(_payment(charge, invoice.customer, netsuite_customer, applies, policies, calendar))
    if charge.failed_later_at is not None:
        records.append(_given_back(charge, invoice.customer, netsuite_customer, policies, calendar))
    return records, holds


def without_invoice(
    charge: Charge, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """A charge that pays no invoice: an unapplied payment of its customer, or of the fallback customer."""
    customer = charge.customer or ""
    if not customer and not policies.fallback_customer:
        return [], [
            Hold(
                "customer_missing",
                f"{charge.id} has no customer in Stripe, and the policy customer.fallback names none in NetSuite.",
            )
        ]
    netsuite_customer = None if customer else policies.fallback_customer
    records = [_payment(charge, customer, netsuite_customer, (), policies, calendar)]
    if charge.failed_later_at is not None:
        records.append(_given_back(charge, customer, netsuite_customer, policies, calendar))
    return records, []


def _payment(
    charge: Charge,
    customer: str,
    netsuite_customer: str | None,
    applies: tuple[Apply, ...],
    policies: SettlementPolicies,
    calendar: Calendar,
) -> NetSuiteRecord:
    return NetSuiteRecord(
        type=RecordType.PAYMENT,
        phase=Phase.PAYMENTS,
        external_id=charge.id,
        stripe_customer=customer,
        currency=charge.currency,
        amount=charge.amount,
        on=calendar.day(charge.created),
        memo=memo(charge.id),
        netsuite_customer=netsuite_customer,
        applies=applies,
        account=policies.undeposited_funds,
        fields=mapped_fields(policies, RecordType.PAYMENT, charge.metadata),
        write_back=WriteBack(charge.id, PAYMENT_KEY),
    )


def _given_back(
    charge: Charge, customer: str, netsuite_customer: str | None, policies: SettlementPolicies, calendar: Calendar
) -> NetSuiteRecord:
    external_id = external_ids.failed_payment(charge.id)
    return NetSuiteRecord(
        type=RecordType.REFUND,
        phase=Phase.REFUNDS,
        external_id=external_id,
        stripe_customer=customer,
        currency=charge.currency,
        amount=charge.amount,
        on=calendar.day(charge.failed_later_at or charge.created),
        memo=memo(charge.id, "The payment failed after it had succeeded"),
        netsuite_customer=netsuite_customer,
        applies=(Apply(charge.id, charge.amount),),
        account=policies.undeposited_funds,
    )


def _customer(facts: InvoiceFacts) -> str | None:
    if facts.orders:
        return facts.orders[0].netsuite_customer
    return facts.invoice.metadata.get("netsuite_customer_id")
