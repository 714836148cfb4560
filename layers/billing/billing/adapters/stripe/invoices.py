"""Stripe's draft invoices: looked for, created, given their lines, and read back. Amounts are integers in minor
units.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import stripe

from billing.adapters.stripe.client import Caller
from billing.domain.ledger.stripe_invoice import (
    DELETED,
    LINE_ID,
    ORDER_IDS,
    PAID,
    PLAN_KEY,
    REMOVED,
    LookedUp,
    StripeInvoice,
)
from billing.domain.stripe_failures import ObjectMissing

_STATUSES = ("draft", "open", PAID)
_FEW = 3
_EXTRA_PAGES = 10


@dataclass(frozen=True, slots=True)
class StripeInvoices:
    """Every write carries an idempotency key that the caller derives from what is written."""

    client: stripe.StripeClient
    call: Caller

    def of_customer(self, customer: str, created_from: int) -> list[StripeInvoice]:
        """The customer's invoices that bear a plan's key, whatever their status, created at or after `created_from`
        (epoch seconds).

        Lists are strongly consistent where search lags. Lines are not read here.
        """
        return self._ours({"customer": customer, "created": {"gte": created_from}})

    def of_ours(self, created_from: int) -> list[StripeInvoice]:
        """Every invoice that bears a plan's key, whatever its status, created at or after `created_from`. Without
        lines.
        """
        return self._ours({"created": {"gte": created_from}})

    def drafts(self) -> list[StripeInvoice]:
        """Every draft that bears a plan's key, a hundred a call. One whose metadata does not hold all its orders is
        read with its lines."""
        found = self._ours({"status": "draft", "collection_method": "send_invoice"})
        return [one if one.names_all_orders else self.read(one.id) for one in found]

    def unpaid(self) -> list[StripeInvoice]:
        """Every draft and every open invoice that bears a plan's key, a hundred a call; see `drafts`."""
        sent = self._ours({"status": "open", "collection_method": "send_invoice"})
        return [*self.drafts(), *(one if one.names_all_orders else self.read(one.id) for one in sent)]

    def _ours(self, which: Mapping[str, Any]) -> list[StripeInvoice]:
        found: list[StripeInvoice] = []
        params: dict[str, Any] = {**which, "limit": 100}
        while True:
            page = self.call("list invoices", lambda: self.client.v1.invoices.list(dict(params)))  # type: ignore[arg-type]
            found += [invoice for invoice in map(_invoice, page.data) if invoice.metadata.get(PLAN_KEY)]
            if not page.has_more or not page.data:
                return found
            params["starting_after"] = page.data[-1].id

    def looked_up(self, invoice_ids: Collection[str], *, without_unpaid: bool = False) -> LookedUp:
        """Which of these invoices a person has voided or deleted, and which are paid, in as few calls as can be.

        A few are read one by one. Of many, drafts are found on pages of a hundred, then open ones, then paid ones, the
        newest first; what no page shows (deleted, void, uncollectible, or far down a list) is read after that. So a
        look costs ceil(drafts / 100) + ceil(open / 100) pages, and of each invoice that was paid, voided or deleted
        since the last look at most one call. `without_unpaid` says that none of them is a draft or open
        (see `unpaid`).
        """
        left = set(invoice_ids)
        paid: set[str] = set()
        statuses = (PAID,) if without_unpaid else _STATUSES
        for status in statuses if len(left) > _FEW else ():
            # An account that Stripe serves for other things too may have more than is worth turning over.
            pages = _EXTRA_PAGES + 2 * len(left) // 100
            params: dict[str, Any] = {"status": status, "collection_method": "send_invoice", "limit": 100}
            for _ in range(pages):
                if not left:
                    break
                page = self.call("list invoices", lambda params=params: self.client.v1.invoices.list(dict(params)))  # type: ignore[misc, arg-type]
                found = {str(one.id) for one in page.data} & left
                left -= found
                paid |= found if status == PAID else set()
                if not page.has_more or not page.data:
                    break
                params["starting_after"] = page.data[-1].id
        read = {invoice_id: self._status(invoice_id) for invoice_id in sorted(left)}
        return LookedUp(
            frozenset(one for one, status in read.items() if status in REMOVED),
            frozenset(paid | {one for one, status in read.items() if status == PAID}),
        )

    def _status(self, invoice_id: str) -> str:
        try:
            invoice = self.call("retrieve invoice", lambda: self.client.v1.invoices.retrieve(invoice_id))
        except ObjectMissing:
            return DELETED
        return DELETED if getattr(invoice, "deleted", False) else str(invoice.status)

    def create(self, params: Mapping[str, Any], idempotency_key: str) -> StripeInvoice:
        """Create a draft without lines."""
        arguments: Any = dict(params)
        options: Any = {"idempotency_key": idempotency_key}
        return _invoice(
            self.call("create invoice", lambda: self.client.v1.invoices.create(params=arguments, options=options))
        )

    def add_lines(self, invoice_id: str, lines: Sequence[Mapping[str, Any]], idempotency_key: str) -> None:
        """Add up to LINES_PER_CALL lines in one call."""
        arguments: Any = {"lines": [dict(line) for line in lines]}
        options: Any = {"idempotency_key": idempotency_key}
        self.call(
            "add invoice lines",
            lambda: self.client.v1.invoices.add_lines(invoice_id, params=arguments, options=options),
        )

    def mark(self, invoice_id: str, metadata: Mapping[str, str], idempotency_key: str) -> None:
        """Set metadata."""
        arguments: Any = {"metadata": dict(metadata)}
        options: Any = {"idempotency_key": idempotency_key}
        self.call(
            "update invoice", lambda: self.client.v1.invoices.update(invoice_id, params=arguments, options=options)
        )

    def delete(self, invoice_id: str) -> None:
        """Delete a draft. Stripe refuses to delete anything else; one that is gone already is none the less deleted."""
        with contextlib.suppress(ObjectMissing):
            self.call("delete invoice", lambda: self.client.v1.invoices.delete(invoice_id))

    def set_days(self, invoice_id: str, days: Mapping[str, int], idempotency_key: str) -> None:
        """Set a draft's `due_date` and `effective_at`, epoch seconds. Stripe takes both while it is a draft."""
        arguments: Any = dict(days)
        options: Any = {"idempotency_key": idempotency_key}
        self.call(
            "update invoice", lambda: self.client.v1.invoices.update(invoice_id, params=arguments, options=options)
        )

    def read(self, invoice_id: str) -> StripeInvoice:
        """The invoice with all its lines. The invoice itself carries only the first ten of them."""
        invoice = self.call("retrieve invoice", lambda: self.client.v1.invoices.retrieve(invoice_id))
        lines = list(invoice.lines.data)
        while invoice.lines.has_more and lines:
            after = lines[-1].id
            page = self.call(
                "list invoice lines",
                lambda after=after: self.client.v1.invoices.line_items.list(  # type: ignore[misc]
                    invoice_id, {"limit": 100, "starting_after": after}
                ),
            )
            lines += page.data
            if not page.has_more:
                break
        return _invoice(invoice, lines)


def _invoice(invoice: stripe.Invoice, lines: Iterable[stripe.InvoiceLineItem] = ()) -> StripeInvoice:
    customer = invoice.customer
    labels = [line.metadata.to_dict() if line.metadata else {} for line in lines]
    return StripeInvoice(
        id=str(invoice.id),
        status=str(invoice.status),
        customer=customer if isinstance(customer, str) else str(getattr(customer, "id", "")),
        currency=invoice.currency,
        total=invoice.total,
        total_excluding_tax=(invoice.total if invoice.total_excluding_tax is None else invoice.total_excluding_tax),
        live_mode=bool(invoice.livemode),
        created=invoice.created,
        metadata=invoice.metadata.to_dict() if invoice.metadata else {},
        line_ids=tuple(label.get(LINE_ID, "") for label in labels),
        line_orders=tuple(dict.fromkeys(label[ORDER_IDS] for label in labels if ORDER_IDS in label)),
        due_date=getattr(invoice, "due_date", None),
        effective_at=getattr(invoice, "effective_at", None),
    )
