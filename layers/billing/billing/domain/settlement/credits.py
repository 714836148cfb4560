"""Credit memos: credit notes, credit from the customer's balance, and the memos that close what nobody will pay."""

from __future__ import annotations

from datetime import date

from billing.domain.settlement import external_ids
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
from billing.domain.settlement.stripe_objects import BalanceEntry, CreditNote, InvoiceFacts

_MEMO_KEY = "netsuite_credit_memo_id"


def balance_used(
    entry: BalanceEntry,
    facts: InvoiceFacts,
    policies: SettlementPolicies,
    calendar: Calendar,
    built: InvoiceRecords,
    dues: Dues,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """Credit of the customer's balance that the invoice used up: a memo with the balance item, applied to it. Stripe
    writes using credit up as an amount above zero. Under `when_funded` the credit has a memo since it was given, and
    that one is applied, oldest first, when the pass writes."""
    if entry.type != "applied_to_invoice" or entry.amount <= 0:
        return [], []
    if policies.choice("balance") == "when_funded":
        return [], [
            Hold(
                "balance_credit_to_apply",
                f"{facts.invoice.id} used credit of the customer's balance. Under the policy balance='when_funded' its "
                "memo exists since the credit was given: apply the customer's oldest unapplied memos to the invoice.",
            )
        ]
    lines = (RecordLine(ItemRef(ItemRole.BALANCE), entry.amount, "Customer balance"),)
    return [
        _memo(
            facts,
            built,
            entry.id,
            lines,
            dues.take(entry.amount),
            calendar.day(entry.created),
            memo(entry.id, f"Customer balance used by {facts.invoice.id}"),
        )
    ], []


def credit_note(
    note: CreditNote,
    facts: InvoiceFacts,
    policies: SettlementPolicies,
    calendar: Calendar,
    built: InvoiceRecords,
    dues: Dues | None,
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """The memo of a credit note. What lowered the amount due is applied to the invoice (`dues` is None as long as it
    waits for the invoice to be paid); what was refunded, or given back outside Stripe, stays unapplied until its refund
    is applied to it. What became credit on the customer's balance is written once: when it is used, or now, by policy.
    """
    if note.status == "void":
        return [], [
            Hold(
                "credit_note_voided",
                f"The credit note {note.id} was voided in Stripe. If NetSuite has its memo, reverse it by hand: the "
                "settlement deletes and voids nothing.",
            )
        ]
    refunded = sum(amount for _, amount in note.refunds)
    kept = refunded + note.out_of_band
    if policies.choice("balance") == "when_funded":
        kept += note.to_balance
    amount = note.pre_payment + kept
    if not amount:
        return [], []
    lines, holds = _note_lines(note, facts, policies)
    if holds:
        return [], holds
    day = calendar.day(note.effective_at if note.effective_at is not None else note.created)
    applies = dues.take(note.pre_payment) if dues is not None else ()
    records = []
    for external_id, part, applied in _per_invoice(note.id, amount, applies, built):
        weights = [line.amount for line in lines]
        records.append(
            _memo(
                facts,
                built,
                external_id,
                tuple(
                    RecordLine(
                        line.item, share, line.description, None, line.rev_rec, line.stripe_line, line.order_line
                    )
                    for line, share in zip(lines, shares(part, weights), strict=True)
                    if share
                ),
                applied,
                day,
                memo(note.id, f"Credit note {note.number} of {facts.invoice.id}"),
                fields=mapped_fields(policies, RecordType.CREDIT_MEMO, dict(note.metadata)),
                write_back=WriteBack(note.id, _MEMO_KEY),
            )
        )
    return records, []


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
    holds = []
    if uncollectible and invoice.paid_at is not None and invoice.paid_at >= at:
        holds.append(
            Hold(
                "uncollectible_then_paid",
                f"{invoice.id} was paid after it had been written off. Its memo stands in NetSuite and the payment is "
                "unapplied: undo the memo by hand and apply the payment, or keep both.",
            )
        )
    if uncollectible and policies.choice("uncollectible") == "keep_open":
        return [], []
    bad_debt = uncollectible and policies.choice("uncollectible") == "bad_debt_item"
    records = []
    for receivable in built.receivables:
        due = dues.close(receivable.external_id)
        if not due:
            continue
        lines = (RecordLine(ItemRef(ItemRole.BAD_DEBT), due, "Written off"),) if bad_debt else ()
        records.append(
            _memo(
                facts,
                built,
                external_ids.void_memo(receivable.external_id),
                lines,
                (Apply(receivable.external_id, due),),
                calendar.day(at),
                memo(
                    invoice.id,
                    "Uncollectible" if uncollectible else "Voided",
                    f"Replaced by {invoice.revised_by}" if invoice.revised_by else "",
                ),
                amount=due,
                credits=receivable.external_id,
            )
        )
    return records, holds


def _memo(
    facts: InvoiceFacts,
    built: InvoiceRecords,
    external_id: str,
    lines: tuple[RecordLine, ...],
    applies: tuple[Apply, ...],
    on: date,
    text: str,
    *,
    amount: int | None = None,
    credits: str | None = None,
    fields: tuple[tuple[str, str], ...] = (),
    write_back: WriteBack | None = None,
) -> NetSuiteRecord:
    invoice = facts.invoice
    about = credits or next((one.external_id for one in applies), None) or built.receivables[0].external_id
    return NetSuiteRecord(
        type=RecordType.CREDIT_MEMO,
        phase=Phase.CREDITS,
        external_id=external_id,
        stripe_customer=invoice.customer,
        currency=invoice.currency,
        amount=sum(line.amount for line in lines) if amount is None else amount,
        on=on,
        memo=text,
        netsuite_customer=built.netsuite_customer,
        lines=lines,
        applies=applies,
        credits=about,
        fields=fields,
        write_back=write_back,
    )


def _per_invoice(
    external_id: str, amount: int, applies: tuple[Apply, ...], built: InvoiceRecords
) -> list[tuple[str, int, tuple[Apply, ...]]]:
    """(externalId, amount, applied) of each memo: one for each NetSuite invoice, what is not applied shared by the
    invoices' totals."""
    orders = [one for one in built.receivables if one.transform is not None]
    if not orders:
        return [(external_id, amount, applies)]
    applied = {one.external_id: one.amount for one in applies}
    rest = shares(amount - sum(applied.values()), [one.amount for one in orders])
    found = []
    for order, share in zip(orders, rest, strict=True):
        part = share + applied.get(order.external_id, 0)
        if part and order.transform is not None:
            mine = tuple(one for one in applies if one.external_id == order.external_id)
            found.append((external_ids.per_invoice(external_id, order.transform.order_id), part, mine))
    # A balance that was collected with the invoice is a receivable of its own.
    others = tuple(one for one in applies if all(one.external_id != order.external_id for order in orders))
    if others:
        found[0] = (found[0][0], found[0][1] + sum(one.amount for one in others), (*found[0][2], *others))
    return found


def _note_lines(
    note: CreditNote, facts: InvoiceFacts, policies: SettlementPolicies
) -> tuple[list[RecordLine], list[Hold]]:
    by_id = {line.id: line for line in facts.lines}
    order_lines = {
        line.line_id: line.order_line for order in facts.orders for line in order.lines if line.kind == "item"
    }
    lines: list[RecordLine] = []
    for line in note.lines:
        inside = sum(tax.amount for tax in line.taxes if tax.inclusive)
        source = by_id.get(line.invoice_line)
        if source is None:
            item, order_line = ItemRef(ItemRole.CUSTOM_CREDIT), ""
        else:
            item = item_of(source)
            order_line = order_lines.get(source.metadata.get("netsuite_line_id", ""), "")
        lines.append(
            RecordLine(
                item,
                line.amount - inside - line.discount,
                line.description,
                stripe_line=line.invoice_line,
                order_line=order_line,
            )
        )
    if note.shipping:
        lines.append(RecordLine(ItemRef(ItemRole.SHIPPING), note.shipping, "Shipping"))
    taxes, holds = tax_lines([tax for line in note.lines for tax in line.taxes], policies)
    lines += taxes
    if not lines or sum(line.amount for line in lines) <= 0:
        lines = [RecordLine(ItemRef(ItemRole.CUSTOM_CREDIT), note.total, f"Credit note {note.number}")]
    return lines, holds
