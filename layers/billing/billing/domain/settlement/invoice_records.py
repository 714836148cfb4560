"""The invoice, or the invoices, that NetSuite holds for one Stripe invoice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from billing.domain.money.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.order_invoices import order_invoices
from billing.domain.settlement.other_invoices import invoice_lines
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, memo
from billing.domain.settlement.records import (
    Hold,
    ItemRef,
    ItemRole,
    NetSuiteRecord,
    Phase,
    RecordLine,
    RecordType,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import Invoice, InvoiceFacts

_NETSUITE_CUSTOMER = "netsuite_customer_id"


@dataclass(frozen=True, slots=True)
class InvoiceRecords:
    """What was built of an invoice, before money and memos."""

    records: tuple[NetSuiteRecord, ...] = ()
    holds: tuple[Hold, ...] = ()
    nothing_because: str = ""

    @property
    def receivables(self) -> tuple[NetSuiteRecord, ...]:
        """The invoices among them."""
        return tuple(one for one in self.records if one.type is RecordType.INVOICE)

    @property
    def orders(self) -> tuple[NetSuiteRecord, ...]:
        """The invoices that are made from a sales order."""
        return tuple(one for one in self.receivables if one.transform is not None)

    def order_of(self, external_id: str) -> str | None:
        """The sales order of an invoice, None for one that is made from none."""
        return next(
            (one.transform.order_id for one in self.orders if one.external_id == external_id and one.transform), None
        )

    def invoice_of(self, order_id: str) -> str:
        """The invoice of a sales order; the first of all for what is of none, "" if there is none."""
        found = next((one for one in self.orders if one.transform and one.transform.order_id == order_id), None)
        found = found or next(iter(self.receivables), None)
        return found.external_id if found is not None else ""

    def place_of(self, external_id: str) -> int:
        """Where an invoice is among all: the oldest order first."""
        return next((place for place, one in enumerate(self.receivables) if one.external_id == external_id), -1)

    @property
    def netsuite_customer(self) -> str | None:
        """The NetSuite customer of the invoices, where the plan knows it."""
        return next((one.netsuite_customer for one in self.records if one.netsuite_customer), None)


def invoice_records(facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar) -> InvoiceRecords:
    """One invoice an order for what our monthly run drafted, else one invoice with Stripe's lines. Pure."""
    invoice = facts.invoice
    if facts.orders and policies.choice("orders") == "off":
        return InvoiceRecords(nothing_because="It bills sales orders, and the policy 'orders' is 'off'.")
    if any(entry.type == "invoice_too_small" for entry in facts.balance):
        return _too_small(facts)
    # The revision of an invoice must not bill its order once more: the order was billed by the invoice it replaces.
    if facts.orders and policies.choice("orders") == "transform" and invoice.revises is None:
        records, holds = order_invoices(facts, policies, calendar)
        if not holds:
            records += _balance_debit(invoice, calendar, records[0].netsuite_customer)
        return InvoiceRecords(tuple(records), tuple(holds))
    unknown = _unknown_orders(facts, policies)
    return unknown if unknown is not None else _plain(facts, policies, calendar)


def _unknown_orders(facts: InvoiceFacts, policies: SettlementPolicies) -> InvoiceRecords | None:
    """Lines name sales orders, and nobody knows what they bill of them: an invoice beside the orders would leave these
    open, and a later run would bill them once more. None for every other invoice."""
    invoice = facts.invoice
    named = sorted({one for line in facts.lines if (one := line.metadata.get("netsuite_so_id"))})
    if facts.orders or not named or invoice.revises is not None or policies.choice("orders") != "transform":
        return None
    if invoice.status == "void" and not facts.payments and not facts.credit_notes:
        return InvoiceRecords(
            nothing_because="It was voided before NetSuite had it, and other invoices bill its orders since."
        )
    return InvoiceRecords(
        holds=(
            Hold(
                "order_not_in_ledger",
                f"The lines of {invoice.id} name the sales orders {', '.join(named)}, but our ledger has not drafted "
                "this invoice (it was copied in Stripe, for instance). Void it and let the monthly run bill the "
                "orders, or take the orders out of its lines' metadata to have it written beside them.",
            ),
        )
    )


def _too_small(facts: InvoiceFacts) -> InvoiceRecords:
    if not facts.orders:
        return InvoiceRecords(
            nothing_because="It is below what Stripe charges: the customer's balance collects it with a later invoice."
        )
    numbers = ", ".join(order.order_number for order in facts.orders)
    return InvoiceRecords(
        holds=(
            Hold(
                "below_minimum_charge",
                f"Stripe moved the invoice of {numbers} to the customer's balance, because it is below the least that "
                "Stripe charges. Bill the order in NetSuite by hand, and settle the customer's next invoice by hand.",
            ),
        )
    )


def _plain(facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar) -> InvoiceRecords:
    invoice = facts.invoice
    trial = all(line.amount == 0 for line in facts.lines) and not invoice.total and not facts.orders
    if trial and policies.choice("trial_invoices") == "ignore":
        return InvoiceRecords(nothing_because="All of its lines are 0, and the policy 'trial_invoices' is 'ignore'.")
    lines, holds = invoice_lines(facts, policies, calendar)
    lines += _debit_lines(invoice)
    total = sum(line.amount for line in lines)
    expected = invoice.total + balance_debit(invoice)
    if not holds and total != expected:
        holds.append(
            Hold(
                "lines_do_not_add_up",
                f"The lines of Stripe's invoice {invoice.id} do not add up to its total.",
                (("total", str(Money(expected, invoice.currency)), str(Money(total, invoice.currency))),),
            )
        )
    if holds:
        return InvoiceRecords(holds=tuple(holds))
    customer = invoice.metadata.get(_NETSUITE_CUSTOMER)
    negative = total < 0
    if negative and policies.choice("negative_invoice") == "credit_memo":
        record = _record(
            invoice,
            calendar,
            RecordType.CREDIT_MEMO,
            external_ids.negative_memo(invoice.id),
            tuple(_negated(line) for line in lines),
            customer,
            policies,
        )
    else:
        # Stripe turned the negative total into credit, which is written when it is used: until then the invoice is 0.
        kept = tuple(_zero(line) for line in lines) if negative else tuple(lines)
        record = _record(
            invoice, calendar, RecordType.INVOICE, external_ids.invoice(invoice.id), kept, customer, policies
        )
    return InvoiceRecords((record,))


def _record(
    invoice: Invoice,
    calendar: Calendar,
    kind: RecordType,
    external_id: str,
    lines: tuple[RecordLine, ...],
    customer: str | None,
    policies: SettlementPolicies,
) -> NetSuiteRecord:
    is_invoice = kind is RecordType.INVOICE
    return NetSuiteRecord(
        type=kind,
        phase=Phase.INVOICES if is_invoice else Phase.CREDITS,
        external_id=external_id,
        stripe_customer=invoice.customer,
        currency=invoice.currency,
        amount=sum(line.amount for line in lines),
        on=invoice_day(invoice, calendar),
        memo=memo(
            invoice.id,
            f"Replaces {invoice.revises}" if invoice.revises else "",
            f"Replaced by {invoice.revised_by}" if invoice.revised_by else "",
        ),
        netsuite_customer=customer,
        lines=lines,
        number=invoice.number,
        due=calendar.day(invoice.due_date) if is_invoice and invoice.due_date is not None else None,
        fields=mapped_fields(policies, kind, invoice.metadata),
        write_backs=(WriteBack(invoice.id, "netsuite_invoice_id" if is_invoice else "netsuite_credit_memo_id"),),
    )


def mapped_fields(
    policies: SettlementPolicies, kind: RecordType, metadata: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """The policy's defaults of a record type, and what its mappings take from metadata."""
    values = dict(policies.defaults.get(kind.value, {}))
    for key, field in policies.mappings.get(kind.value, {}).items():
        if metadata.get(key):
            values[field] = metadata[key]
    return tuple(sorted(values.items()))


def invoice_day(invoice: Invoice, calendar: Calendar) -> date:
    """The day on the printed invoice: `effective_at`, which is the day of finalizing where nobody set it."""
    at = invoice.effective_at if invoice.effective_at is not None else invoice.finalized_at
    return calendar.day(at if at is not None else invoice.created)


def balance_debit(invoice: Invoice) -> int:
    """The debt on the customer's balance that the invoice collects: Stripe's amount due is above its total by it."""
    if invoice.starting_balance <= 0:
        return 0
    return invoice.starting_balance - max(0, invoice.ending_balance)


def _debit_lines(invoice: Invoice) -> list[RecordLine]:
    debit = balance_debit(invoice)
    return [RecordLine(ItemRef(ItemRole.BALANCE_DEBIT), debit, "Balance brought forward")] if debit else []


def _balance_debit(invoice: Invoice, calendar: Calendar, customer: str | None) -> list[NetSuiteRecord]:
    """A balance that is collected with an order's invoice is no part of the order: an invoice of its own."""
    lines = tuple(_debit_lines(invoice))
    if not lines:
        return []
    return [
        NetSuiteRecord(
            type=RecordType.INVOICE,
            phase=Phase.INVOICES,
            external_id=external_ids.balance_debit(invoice.id),
            stripe_customer=invoice.customer,
            currency=invoice.currency,
            amount=lines[0].amount,
            on=invoice_day(invoice, calendar),
            memo=memo(invoice.id, "Balance brought forward"),
            netsuite_customer=customer,
            lines=lines,
        )
    ]


def _negated(line: RecordLine) -> RecordLine:
    return RecordLine(line.item, -line.amount, line.description, line.quantity, line.rev_rec, line.stripe_line)


def _zero(line: RecordLine) -> RecordLine:
    return RecordLine(line.item, 0, line.description, line.quantity, line.rev_rec, line.stripe_line)
