"""How far the drafting of an approved batch has come, by the ledger: what approvers see after they have signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.ledger.ledger import EntryState, LedgerEntry


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice of the batch that is in Stripe. `total` is in minor units of `currency`, as Stripe answered it."""

    client: str
    orders: tuple[str, ...]
    currency: str
    total: int
    invoice_id: str
    live: bool


@dataclass(frozen=True, slots=True)
class NotDrafted:
    """An invoice of the batch that could not be drafted, or differs in Stripe from what was signed for, and why."""

    client: str
    orders: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Drafting:
    """`asked` invoices were approved; what is neither drafted nor failed is still to come."""

    asked: int
    drafted: tuple[Draft, ...]
    failed: tuple[NotDrafted, ...]


def drafting(batch: Batch, entries: Mapping[str, LedgerEntry]) -> Drafting:
    """Where each invoice of the batch stands. `entries` are the ledger's by plan key; one of other content than was
    signed for is another invoice's, and a failure of an earlier run is no news."""
    drafted: list[Draft] = []
    failed: list[NotDrafted] = []
    for invoice in batch.to_draft:
        entry = entries.get(invoice.plan.key)
        if entry is None or entry.invoice_hash != invoice.invoice_hash:
            continue
        if entry.state is EntryState.DRAFTED and entry.invoice_id is not None:
            drafted.append(_draft(invoice, entry, entry.invoice_id))
        elif entry.state in (EntryState.FAILED, EntryState.DIFFERS) and entry.run_id == batch.run.id:
            failed.append(NotDrafted(invoice.plan.client.name, _numbers(invoice), entry.reason or ""))
    return Drafting(len(batch.to_draft), tuple(drafted), tuple(failed))


def _draft(invoice: BatchInvoice, entry: LedgerEntry, invoice_id: str) -> Draft:
    plan = invoice.plan
    total = plan.total if entry.total is None else entry.total
    live = entry.live_mode is not False
    return Draft(plan.client.name, _numbers(invoice), entry.currency or plan.currency, total, invoice_id, live)


def _numbers(invoice: BatchInvoice) -> tuple[str, ...]:
    return tuple(order.number for order in invoice.plan.orders)
