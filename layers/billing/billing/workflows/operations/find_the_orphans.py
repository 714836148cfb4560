"""Started by hand: drafts in Stripe that the ledger does not know, or the reverse. Says which, and repairs what is
certain.

{"since": "2026-05-01"}                    only says
{"since": "2026-05-01", "repair": true}    and writes the certain repairs to the ledger; never to Stripe
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from billing.domain.errors import InputInvalid
from billing.domain.ledger.ledger import UNSETTLED, Approval, EntryState, LedgerEntry
from billing.domain.ledger.orphans import OrphanKind, find_orphans
from billing.domain.ledger.stripe_invoice import StripeInvoice
from billing.domain.ledger.unwanted_drafts import orders_to_look_up, unwanted_drafts
from billing.domain.orders.outstanding import OrderState

_FIELDS = ("since", "repair")


class Invoices(Protocol):
    """Stripe's invoices."""

    def of_ours(self, created_from: int) -> list[StripeInvoice]: ...
    def drafts(self) -> list[StripeInvoice]: ...
    def read(self, invoice_id: str) -> StripeInvoice: ...


class Ledger(Protocol):
    """What has been drafted."""

    def entries_since(self, invoice_day: str) -> list[LedgerEntry]: ...
    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]: ...
    def approvals(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Approval]: ...
    def adopt(self, entry: LedgerEntry, client_id: str, currency: str, order_ids: Iterable[str]) -> bool: ...


def find_the_orphans(
    raw_input: object,
    invoices: Invoices,
    ledger: Ledger,
    order_states: Callable[[Iterable[str]], Mapping[str, OrderState]],
    zone: ZoneInfo,
) -> dict[str, Any]:
    """Answer {"orphans": [{"kind", "plan", "invoices", "message", "repaired"}], "counts": {...}}. Safe to repeat: what
    was repaired is no orphan any more once a run has finished it.

    Beside the differences it names every draft, of whatever day, whose order was cancelled, closed or deleted in
    NetSuite: nobody should send it. Messages name plans, orders and Stripe ids, no names and no amounts. Raises
    InputInvalid with the field's name.
    """
    since, repair = _input(raw_input)
    # An invoice is created on its own day or later; a day of slack covers every time zone.
    found = invoices.of_ours(int((since - timedelta(days=1)).timestamp()))
    entries = {entry.key: entry for entry in ledger.entries_since(since.date().isoformat())}
    entries |= ledger.entries({one.plan_key for one in found} - entries.keys())
    begun = [(entry.key, entry.invoice_hash) for entry in entries.values() if entry.state in UNSETTLED]
    approvals = ledger.approvals([*((one.plan_key, one.invoice_hash) for one in found if one.invoice_hash), *begun])
    approved = {pair for pair, one in approvals.items() if one.stands}
    revoked = {
        # Who and why stays in that run's report: what is answered here has no names.
        pair: f"{one.revoked.objection} in run {one.revoked.run_id}"
        for pair, one in approvals.items()
        if one.revoked is not None
    }
    answers = []
    for orphan in find_orphans(found, entries.values(), approved, revoked):
        repaired = repair and orphan.repair is not None and _repaired(orphan.repair, invoices, ledger, zone)
        answers.append(
            {
                "kind": str(orphan.kind),
                "plan": orphan.plan_key,
                "invoices": list(orphan.invoice_ids),
                "message": orphan.message,
                "repairable": orphan.repair is not None,
                "repaired": repaired,
            }
        )
    answers += _unwanted(invoices, order_states)
    return {
        "orphans": answers,
        "counts": {
            "invoices": len(found),
            "entries": len(entries),
            "orphans": len(answers),
            "repaired": sum(bool(answer["repaired"]) for answer in answers),
        },
    }


def _unwanted(
    invoices: Invoices, order_states: Callable[[Iterable[str]], Mapping[str, OrderState]]
) -> list[dict[str, Any]]:
    drafts = [one.waiting for one in invoices.drafts()]
    asked = orders_to_look_up(drafts)
    return [
        {
            "kind": str(OrphanKind.ORDER_ENDED),
            "plan": one.draft.plan_key,
            "invoices": [one.draft.id],
            "message": f"{one.draft.plan_key}: {one.why}",
            "repairable": False,
            "repaired": False,
        }
        for one in unwanted_drafts(drafts, order_states(asked) if asked else {})
    ]


def _repaired(invoice: StripeInvoice, invoices: Invoices, ledger: Ledger, zone: ZoneInfo) -> bool:
    """Note it in the ledger, and claim every order that it names for its plan."""
    whole = invoice if invoice.names_all_orders else invoices.read(invoice.id)
    client = invoice.metadata.get("netsuite_customer_id", "")
    return ledger.adopt(_adopted(invoice, zone), client, invoice.currency, whole.orders)


def _adopted(invoice: StripeInvoice, zone: ZoneInfo) -> LedgerEntry:
    """The entry as if its run had been killed just before the fact: the next run reads the invoice back and settles
    it.
    """
    return LedgerEntry(
        key=invoice.plan_key,
        state=EntryState.INTENDED,
        invoice_hash=invoice.invoice_hash,
        run_id=invoice.metadata.get("run_id", ""),
        period=invoice.metadata.get("billing_period", ""),
        attempt=1,
        invoice_day=datetime.fromtimestamp(invoice.created, zone).date().isoformat(),
        stripe_customer=invoice.customer,
        invoice_id=invoice.id,
    )


def _input(raw: object) -> tuple[datetime, bool]:
    fields = raw if isinstance(raw, Mapping) else {}
    unknown = sorted(set(fields) - set(_FIELDS))
    if unknown:
        raise InputInvalid(f'The field "{unknown[0]}" is not known here. Known are since and repair.')
    try:
        since = datetime.strptime(str(fields.get("since", "")), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputInvalid('The field "since" must be a day written as "2026-05-01".') from None
    repair = fields.get("repair", False)
    if not isinstance(repair, bool):
        raise InputInvalid('The field "repair" must be true or false.')
    return since, repair
