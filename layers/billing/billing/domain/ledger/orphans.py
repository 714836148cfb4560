"""Invoices in Stripe that the ledger does not know, and the reverse: which they are, and what of it is certain.

Invoice and ledger are two systems: a run that was killed between them, or a person who deleted something in one of
them, leaves a difference. Each is named with what to do; only what cannot be wrong is repaired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from billing.domain.ledger.ledger import UNSETTLED, EntryState, LedgerEntry
from billing.domain.ledger.stripe_invoice import StripeInvoice

_GONE: Final = frozenset({"void"})
"""Stripe: a void invoice asks nobody for money. A deleted draft is not listed at all."""

_NEVER_REVOKED: Final[Mapping[tuple[str, str], str]] = {}


class OrphanKind(StrEnum):
    """What does not fit, the worst first."""

    TWICE = "twice"  # two live invoices of one plan
    WRONG_CUSTOMER = "wrong_customer"  # the ledger names another Stripe customer
    OTHER_CONTENT = "other_content"  # the invoice was made of other content than the ledger's
    OTHER_INVOICE = "other_invoice"  # the ledger names another invoice, which is gone
    ORDER_ENDED = "order_ended"  # a draft waits whose order was cancelled, closed or deleted (unwanted_drafts)
    SUPERSEDED = "superseded"  # its orders are billed in another form since
    APPROVAL_GONE = "approval_gone"  # begun and not settled, and approvers have said no to it since
    UNKNOWN_TO_LEDGER = "unknown_to_ledger"  # Stripe has it, the ledger has no entry
    MISSING_IN_STRIPE = "missing_in_stripe"  # the ledger names an invoice, Stripe has none
    UNFINISHED = "unfinished"  # begun and not settled; the next run finishes it


@dataclass(frozen=True, slots=True)
class Orphan:
    """A difference between Stripe and the ledger. `invoice_ids` are Stripe's live invoices of the plan, or the one that
    the ledger names and Stripe has no more. `repair` is the invoice whose entry can be written with certainty, as
    intended and with its id, on condition that the ledger's row is still as it was read; None where a person must look,
    or nothing is to be done. Nothing is ever written to Stripe."""

    kind: OrphanKind
    plan_key: str
    invoice_ids: tuple[str, ...]
    message: str
    repair: StripeInvoice | None


def find_orphans(
    found: Iterable[StripeInvoice],
    entries: Iterable[LedgerEntry],
    approved: Collection[tuple[str, str]],
    revoked: Mapping[tuple[str, str], str] = _NEVER_REVOKED,
) -> tuple[Orphan, ...]:
    """Compare what Stripe has with what the ledger says; at most one orphan per plan, the worst first, then by key.

    `found` must be complete: every invoice that bears our metadata, void ones included. `entries` is the ledger,
    `approved` holds (plan key, content hash) of every approval that stands, `revoked` those that approvers took away
    ("held back in run 7f3a"). A failed or intended entry without an invoice
    in Stripe is no orphan: nothing exists, and the next run begins anew.
    """
    invoices = {one.id: one for one in found}  # pages of a list may overlap; an invoice met twice is one invoice
    by_plan: dict[str, list[StripeInvoice]] = {}
    for invoice in sorted(invoices.values(), key=lambda one: (one.created, one.id)):
        by_plan.setdefault(invoice.plan_key, []).append(invoice)
    ledger = {entry.key: entry for entry in entries}
    orphans = [
        orphan
        for key in by_plan.keys() | ledger.keys()
        if (orphan := _orphan(key, by_plan.get(key, []), ledger.get(key), approved, revoked)) is not None
    ]
    kinds = list(OrphanKind)
    return tuple(sorted(orphans, key=lambda one: (kinds.index(one.kind), one.plan_key)))


def _orphan(
    key: str,
    found: Sequence[StripeInvoice],
    entry: LedgerEntry | None,
    approved: Collection[tuple[str, str]],
    revoked: Mapping[tuple[str, str], str],
) -> Orphan | None:
    live = [one for one in found if one.status not in _GONE]
    if len(live) > 1:
        return _twice(key, live, entry)
    if not live:
        return _missing(key, found, entry, entry is not None and (key, entry.invoice_hash) in revoked)
    signed = (key, live[0].invoice_hash)
    if entry is None:
        return _unknown(live[0], signed in approved, revoked.get(signed, ""))
    return _contradiction(live[0], entry) or _unfinished(live[0], entry, signed in approved, revoked.get(signed, ""))


def _twice(key: str, live: Sequence[StripeInvoice], entry: LedgerEntry | None) -> Orphan:
    ids = tuple(one.id for one in live)
    known = entry.invoice_id if entry is not None else None
    if known in ids:
        to_do = f"The ledger knows {known}: keep it, and delete or void the others"
    elif known is not None:
        to_do = f"The ledger names {known}, which is none of them: look which is right, and delete or void the others"
    else:
        to_do = "The ledger names none of them: look which is right, and delete or void the others"
    return Orphan(
        OrphanKind.TWICE,
        key,
        ids,
        f"{key}: Stripe has {len(ids)} live invoices for it ({', '.join(ids)}). {to_do}.",
        None,
    )


def _missing(key: str, found: Sequence[StripeInvoice], entry: LedgerEntry | None, revoked: bool) -> Orphan | None:
    """Nothing live in Stripe. Only an entry that names an invoice says that there should be one."""
    if entry is None or entry.state is EntryState.ABANDONED or (entry.invoice_id is None and entry.state in UNSETTLED):
        return None
    named = entry.invoice_id or "an invoice without id"
    void = any(one.id == entry.invoice_id for one in found)
    what = "is void in Stripe" if void else "is not in Stripe, or no longer bears our metadata"
    if entry.state in UNSETTLED:
        then = "asks for approval again" if revoked else "drafts it anew"
        message = f"{key}: {named}, whose drafting began and did not end, {what}. The next run {then}."
    else:
        message = (
            f"{key}: {named} was drafted in {entry.period} and {what}. The next run asks for approval again. If it "
            "must not be billed any more, close the order in NetSuite."
        )
    return Orphan(OrphanKind.MISSING_IN_STRIPE, key, (entry.invoice_id,) if entry.invoice_id else (), message, None)


def _unknown(invoice: StripeInvoice, approved: bool, revoked: str) -> Orphan:
    """Certain only where somebody signed for exactly the content that the invoice bears."""
    what = f"{invoice.plan_key}: Stripe has {invoice.id} ({invoice.status}) for it, and the ledger has no entry."
    if approved:
        message = (
            f"{what} Its content was approved: an intended entry with this invoice lets the next run read it back and "
            "finish it."
        )
    elif revoked:
        message = f"{what} Its content was approved and then {revoked}: delete or void it."
    else:
        message = (
            f"{what} Nobody is on record as having approved its content: look who made it, and delete or void it, or "
            "leave it and keep the order out of the run."
        )
    return Orphan(
        OrphanKind.UNKNOWN_TO_LEDGER,
        invoice.plan_key,
        (invoice.id,),
        message,
        invoice if approved else None,
    )


def _contradiction(invoice: StripeInvoice, entry: LedgerEntry) -> Orphan | None:
    """One live invoice and an entry that say different things: never repaired, for either may be the wrong one."""
    kind: OrphanKind
    if entry.stripe_customer is not None and entry.stripe_customer != invoice.customer:
        kind = OrphanKind.WRONG_CUSTOMER
        what = (
            f"{invoice.id} ({invoice.status}) bills {invoice.customer}, and the ledger says {entry.stripe_customer}. "
            "Look whose order it is; delete or void the invoice if it is not that customer's, then run again"
        )
    elif entry.invoice_hash != invoice.invoice_hash:
        kind = OrphanKind.OTHER_CONTENT
        what = (
            f"{invoice.id} ({invoice.status}) was made of other content than the ledger's ({entry.state}). Compare it "
            "with the order; if it is out of date, delete or void it and run again"
        )
    elif entry.invoice_id is not None and entry.invoice_id != invoice.id:
        kind = OrphanKind.OTHER_INVOICE
        what = (
            f"the ledger names {entry.invoice_id} ({entry.state}), which is void or not in Stripe, and Stripe has "
            f"{invoice.id} ({invoice.status}) with the same content. Look who made it; if it is not to be sent, delete "
            "or void it and run again"
        )
    elif entry.state is EntryState.ABANDONED:
        kind = OrphanKind.SUPERSEDED
        what = (
            f"{invoice.id} ({invoice.status}) was given up, and its orders are billed in another form since. Delete or "
            "void it"
        )
    else:
        return None
    return Orphan(kind, invoice.plan_key, (invoice.id,), f"{invoice.plan_key}: {what}.", None)


def _unfinished(invoice: StripeInvoice, entry: LedgerEntry, approved: bool, revoked: str) -> Orphan | None:
    """Same plan, customer and content. The next run reads the invoice back and adds what is missing; but where
    approvers took the approval away, a person has to say what becomes of the draft."""
    if entry.state not in UNSETTLED:
        return None
    remembered = entry.invoice_id == invoice.id
    first = (
        f"{invoice.plan_key}: {invoice.id} ({invoice.status}) was begun in {entry.period or 'an earlier run'} and not "
        f"finished (ledger: {entry.state})."
    )
    if revoked:
        message = (
            f"{first} Its approval is gone: it was {revoked}, whose report says by whom and why. If it must not be "
            "billed, delete or void it. The next run asks for approval again, and finishes it only if it gets one."
        )
        return Orphan(
            OrphanKind.APPROVAL_GONE, invoice.plan_key, (invoice.id,), message, None if remembered else invoice
        )
    note = "" if remembered else " The ledger does not name it yet; with its id"
    then = "the next run finishes it" if approved else "the next run asks for approval again and then finishes it"
    message = f"{first}{note} {then}." if note else f"{first} {then[0].upper()}{then[1:]}."
    return Orphan(
        OrphanKind.UNFINISHED,
        invoice.plan_key,
        (invoice.id,),
        message,
        None if remembered else invoice,
    )
