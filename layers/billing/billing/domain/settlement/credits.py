"""Credit memos: credit notes, credit from the customer's balance, and the memos that close what nobody will pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from billing.domain.money.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.balance_uses import uses_of
from billing.domain.settlement.dues import Dues, shares
from billing.domain.settlement.invoice_records import InvoiceRecords, mapped_fields
from billing.domain.settlement.other_invoices import item_of, tax_lines
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
from billing.domain.settlement.stripe_objects import BalanceEntry, CreditNote, InvoiceFacts, InvoicePayment

_MEMO_KEY = "netsuite_credit_memo_id"
_REFUND_KEY = "netsuite_customer_refund_id"


def balance_used(
    entry: BalanceEntry,
    facts: InvoiceFacts,
    policies: SettlementPolicies,
    calendar: Calendar,
    built: InvoiceRecords,
    dues: Dues,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """Credit of the customer's balance that the invoice used up (Stripe writes that as an amount above zero): a memo
    applied to it, one for each NetSuite invoice.

    What came from an overpayment has no memo: NetSuite holds it already, as the unapplied rest of that payment; under
    `when_funded` it holds all of it already. A person applies it: those records belong to other Stripe invoices.
    """
    if entry.type != "applied_to_invoice" or entry.amount <= 0:
        return [], []
    held_already, fresh = [], 0
    for use in uses_of(entry, facts.balance_history):
        overpaid = use.source is not None and use.source.type == "invoice_overpaid"
        if overpaid or policies.choice("balance") == "when_funded":
            held_already.append(use)
        else:
            fresh += use.amount
    holds = []
    if held_already:
        columns = tuple(
            (
                (use.source.credit_note or use.source.invoice or use.source.id) if use.source else "unknown credit",
                str(Money(use.amount, facts.invoice.currency)),
                "unapplied",
            )
            for use in held_already
        )
        holds.append(
            Hold(
                "balance_credit_to_apply",
                f"{facts.invoice.id} used credit of the customer's balance that NetSuite has already, as an unapplied "
                "payment or memo of the objects named. Apply those amounts to the invoice by hand, oldest first.",
                columns,
            )
        )
    item, hold = ItemRef(ItemRole.BALANCE), None
    if len(facts.lines) == 1 and not facts.orders:
        item, hold = item_of(facts.lines[0], facts, policies)
    if hold is not None:
        return [], [*holds, hold]
    blank = NetSuiteRecord(
        type=RecordType.CREDIT_MEMO,
        phase=Phase.CREDITS,
        external_id=entry.id,
        stripe_customer=facts.invoice.customer,
        currency=facts.invoice.currency,
        amount=0,
        on=calendar.day(entry.created),
        memo=memo(entry.id, f"Customer balance used by {facts.invoice.id}"),
        netsuite_customer=built.netsuite_customer,
    )
    records = []
    for apply in dues.take(fresh):
        external_id = external_ids.per_invoice(entry.id, built.order_of(apply.external_id))
        if apply.external_id == external_ids.balance_debit(facts.invoice.id):
            external_id = f"{entry.id}-debit"
        records.append(
            replace(
                blank,
                external_id=external_id,
                amount=apply.amount,
                lines=(RecordLine(item, apply.amount, "Customer balance"),),
                applies=(apply,),
                credits=apply.external_id,
            )
        )
    return records, holds


@dataclass(frozen=True, slots=True)
class NoteMemo:
    """The memo of a credit note on one NetSuite invoice. `before` lowers what is due of it, `after` is refunded, given
    back outside Stripe, or (under `when_funded`) credit of the customer."""

    external_id: str
    invoice: str
    lines: tuple[RecordLine, ...]
    before: int
    after: int


def note_memos(
    note: CreditNote, facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar, built: InvoiceRecords
) -> tuple[list[NoteMemo], list[Hold]]:
    """The memos of a credit note: one, or one for each order that it credits lines of. What became credit on the
    customer's balance is left out under `when_used`: it has its memo when an invoice uses it. Pure."""
    after = sum(amount for _, amount in note.refunds) + note.out_of_band
    if policies.choice("balance") == "when_funded":
        after += note.to_balance
    whole = note.pre_payment + after
    if not whole or note.status == "void":
        return [], []
    lines, holds = _note_lines(note, facts, policies, calendar)
    if holds:
        return [], holds
    parts = shares(whole, [line.amount for _, line in lines])
    of_invoice: dict[str, list[RecordLine]] = {}
    for (order_id, line), part in zip(lines, parts, strict=True):
        if part:
            of_invoice.setdefault(built.invoice_of(order_id), []).append(replace(line, amount=part))
    if any(sum(line.amount for line in group) <= 0 for group in of_invoice.values()):
        # Discounts of one order beside goods of another: one memo over all of it.
        of_invoice = {next(iter(of_invoice)): [line for group in of_invoice.values() for line in group]}
    memos, before = [], note.pre_payment
    for invoice in sorted(of_invoice, key=built.place_of):
        amount = sum(line.amount for line in of_invoice[invoice])
        lowers = min(amount, before)
        before -= lowers
        memos.append(
            NoteMemo(
                external_ids.per_invoice(note.id, built.order_of(invoice)),
                invoice,
                tuple(of_invoice[invoice]),
                lowers,
                amount - lowers,
            )
        )
    return memos, []


def credit_note(
    note: CreditNote,
    facts: InvoiceFacts,
    policies: SettlementPolicies,
    calendar: Calendar,
    built: InvoiceRecords,
    dues: Dues | None,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """The memos of a credit note. What lowered the amount due is applied to the invoice (`dues` is None as long as it
    waits for the invoice to be paid); what was refunded stays unapplied until its refund is applied to it. What was
    given back outside Stripe is refunded from the policy's account, or left unapplied for a person."""
    if note.status == "void":
        return [], [
            Hold(
                "credit_note_voided",
                f"The credit note {note.id} was voided in Stripe. If NetSuite has its memo, reverse it by hand: the "
                "settlement deletes and voids nothing.",
                about=note.id,
            )
        ]
    memos, holds = note_memos(note, facts, policies, calendar, built)
    day = calendar.day(note.effective_at if note.effective_at is not None else note.created)
    records = [
        NetSuiteRecord(
            type=RecordType.CREDIT_MEMO,
            phase=Phase.CREDITS,
            external_id=one.external_id,
            stripe_customer=facts.invoice.customer,
            currency=facts.invoice.currency,
            amount=one.before + one.after,
            on=day,
            memo=memo(note.id, f"Credit note {note.number} of {facts.invoice.id}"),
            netsuite_customer=built.netsuite_customer,
            lines=one.lines,
            applies=dues.take(one.before, first=one.invoice) if dues is not None else (),
            credits=one.invoice or None,
            fields=mapped_fields(policies, RecordType.CREDIT_MEMO, note.metadata),
            write_backs=(WriteBack(note.id, _MEMO_KEY),),
        )
        for one in memos
    ]
    if note.out_of_band and memos and policies.choice("out_of_band") == "payment_to_account":
        records.append(
            NetSuiteRecord(
                type=RecordType.REFUND,
                phase=Phase.REFUNDS,
                external_id=external_ids.outside_refund(note.id),
                stripe_customer=facts.invoice.customer,
                currency=facts.invoice.currency,
                amount=note.out_of_band,
                on=day,
                memo=memo(note.id, "Given back outside Stripe"),
                netsuite_customer=built.netsuite_customer,
                applies=refund_applies(note, memos)[_OUT_OF_BAND],
                account=policies.outside_account(facts.invoice.currency),
                write_backs=(WriteBack(note.id, _REFUND_KEY),),
            )
        )
    return records, holds


_OUT_OF_BAND = ""


def refund_applies(note: CreditNote, memos: Sequence[NoteMemo]) -> dict[str, tuple[Apply, ...]]:
    """Which memos each refund of a credit note is applied to, exactly and none twice; "" is what was given back outside
    Stripe."""
    left = Dues((one.external_id, one.after) for one in memos)
    found: dict[str, tuple[Apply, ...]] = {}
    for refund, amount in note.refunds:
        found[refund] = (*found.get(refund, ()), *left.take(amount))
    found[_OUT_OF_BAND] = left.take(note.out_of_band)
    return found


def closing(
    at: int,
    facts: InvoiceFacts,
    policies: SettlementPolicies,
    calendar: Calendar,
    built: InvoiceRecords,
    dues: Dues,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """The memo that closes what is still due of a voided or uncollectible invoice, on its day. It takes what is due in
    NetSuite and never Stripe's total: what was paid or credited before is not credited again."""
    invoice = facts.invoice
    uncollectible = at == invoice.uncollectible_at and at != invoice.voided_at
    if uncollectible and policies.choice("uncollectible") == "keep_open":
        return [], []
    holds = []
    if uncollectible and any(_pays_after(payment, at) for payment in facts.payments):
        holds.append(
            Hold(
                "uncollectible_then_paid",
                f"{invoice.id} was paid after it had been written off. NetSuite has its memo, and the payment is "
                "unapplied: undo the memo by hand and apply the payment, or keep both.",
            )
        )
    bad_debt = uncollectible and policies.choice("uncollectible") == "bad_debt_item"
    records = []
    for receivable in built.receivables:
        due = dues.close(receivable.external_id)
        if not due:
            continue
        records.append(
            NetSuiteRecord(
                type=RecordType.CREDIT_MEMO,
                phase=Phase.CREDITS,
                external_id=external_ids.void_memo(receivable.external_id),
                stripe_customer=invoice.customer,
                currency=invoice.currency,
                amount=due,
                on=calendar.day(at),
                memo=memo(
                    invoice.id,
                    "Uncollectible" if uncollectible else "Voided",
                    f"Replaced by {invoice.revised_by}" if invoice.revised_by else "",
                ),
                netsuite_customer=built.netsuite_customer,
                lines=(RecordLine(ItemRef(ItemRole.BAD_DEBT), due, "Written off"),) if bad_debt else (),
                applies=(Apply(receivable.external_id, due),),
                credits=receivable.external_id,
            )
        )
    return records, holds


def _pays_after(payment: InvoicePayment, at: int) -> bool:
    failed = payment.charge is not None and payment.charge.failed_later_at is not None
    return payment.paid_at >= at and not failed


def _note_lines(
    note: CreditNote, facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[tuple[str, RecordLine]], list[Hold]]:
    """(sales order, line) of what a credit note credits, "" for what is of no order."""
    by_id = {line.id: line for line in facts.lines}
    lines: list[tuple[str, RecordLine]] = []
    holds: list[Hold] = []
    for line in note.lines:
        inside = sum(tax.amount for tax in line.taxes if tax.inclusive)
        source = by_id.get(line.invoice_line)
        item, order_id, rev_rec = ItemRef(ItemRole.CUSTOM_CREDIT), "", None
        if source is not None:
            item, hold = item_of(source, facts, policies)
            holds += [hold] if hold is not None else []
            order_id = source.metadata.get("netsuite_so_id", "")
            rev_rec = calendar.service_days(source.period)
        amount = line.amount - inside - line.discount
        lines.append((order_id, RecordLine(item, amount, line.description, None, rev_rec, line.invoice_line)))
    if note.shipping:
        inside = sum(tax.amount for tax in note.shipping_taxes if tax.inclusive)
        lines.append(("", RecordLine(ItemRef(ItemRole.SHIPPING), note.shipping - inside, "Shipping")))
    taxes, wrong = tax_lines(
        [
            *((line.invoice_line, tax) for line in note.lines for tax in line.taxes),
            *(("", tax) for tax in note.shipping_taxes),
        ],
        policies,
    )
    lines += [("", line) for line in taxes]
    if sum(line.amount for _, line in lines) <= 0:
        lines = [("", RecordLine(ItemRef(ItemRole.CUSTOM_CREDIT), note.total, f"Credit note {note.number}"))]
    return lines, [*holds, *wrong]
