"""What the settlement reads of Stripe, as the domain's types. It reads only; ids go back into metadata elsewhere.

Sources: Stripe's API reference. Since 2025-03-31 an invoice names no charge: its payments are listed, and a payment
intent's charges too, because one that failed later is no longer its latest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import stripe

from billing.adapters.stripe.client import Caller
from billing.domain.settlement.payout import earlier_of
from billing.domain.settlement.stripe_objects import (
    BalanceEntry,
    BalanceTransaction,
    Charge,
    ChargeFacts,
    CreditNote,
    CreditNoteLine,
    Discount,
    Dispute,
    Invoice,
    InvoiceFacts,
    InvoiceLine,
    InvoicePayment,
    Payout,
    PayoutFacts,
    PayoutMember,
    Refund,
    RootOfCharge,
    Tax,
)
from billing.domain.stripe_failures import ObjectMissing

Json = Mapping[str, Any]
_PAGE = 100


@dataclass(frozen=True, slots=True)
class SettlementReads:
    """Reads of one Stripe account, with the pinned API version whatever version an event was written in."""

    client: stripe.StripeClient
    call: Caller

    def invoice(self, invoice_id: str) -> InvoiceFacts | None:
        """Everything about an invoice; None if it was deleted (a draft) or never existed. Orders of ours are not filled
        in: the ledger knows their lines."""
        invoices = self.client.v1.invoices
        try:
            found = self._invoice_object(invoice_id)
        except ObjectMissing:
            return None
        if found.get("deleted"):
            return None
        invoice = _invoice(found)
        if invoice.finalized_at is None:
            return InvoiceFacts(invoice, ())
        held = found.get("lines") or {}
        lines = list(held.get("data") or [])
        if held.get("has_more") or any(line.get("taxes") or line.get("discount_amounts") for line in lines):
            # Only this list names the coupon of a discount and the jurisdiction of a tax: four levels are the most that
            # Stripe expands, and from the invoice it would be five.
            listed = self._all(
                "list invoice lines",
                lambda params: invoices.line_items.list(invoice_id, params),
                {"expand": ["data.discount_amounts.discount", "data.taxes.tax_rate_details.tax_rate"]},
            )
            lines = list(listed)
        payments = self._payments_of(invoice_id)
        notes = self._notes_of(invoice_id)
        history: tuple[BalanceEntry, ...] = ()
        if invoice.starting_balance or invoice.ending_balance or (invoice.status == "paid" and not invoice.amount_due):
            # All of it: an entry does not say which credit it used up.
            balance = self.client.v1.customers.balance_transactions
            newest_first = self._all(
                "list customer balance transactions", lambda params: balance.list(invoice.customer, params)
            )
            in_currency = [one for one in newest_first if one.get("currency", invoice.currency) == invoice.currency]
            history = tuple(_balance_entry(one) for one in reversed(in_currency))
        return InvoiceFacts(
            invoice,
            tuple(_line(line) for line in lines),
            tuple(one for payment in payments for one in self._payments(payment)),
            tuple(_credit_note(note, self._note_lines(note)) for note in notes),
            balance=tuple(one for one in history if one.invoice == invoice_id),
            balance_history=history,
        )

    def charge(self, charge_id: str) -> ChargeFacts | None:
        """A charge with its refunds and disputes; None if it never succeeded or does not exist."""
        try:
            found = self._charge_object(charge_id)
        except ObjectMissing:
            return None
        charge = self._charge(found)
        return ChargeFacts(charge) if charge is not None else None

    def invoice_of_charge(self, charge_id: str, payment_intent: str) -> str | None:
        """The invoice that a charge pays, None for a charge without one.

        Stripe finds invoice payments by payment intent or payment record only: a charge of the old Charges API, which
        has no intent, counts as one without an invoice.
        """
        intent = payment_intent
        if not intent and charge_id.startswith(("ch_", "py_")):
            try:
                charge = self._one("retrieve charge", lambda: self.client.v1.charges.retrieve(charge_id))
            except ObjectMissing:
                return None
            intent = _id(charge.get("payment_intent"))
        if not intent:
            return None
        params = {"payment": {"type": "payment_intent", "payment_intent": intent}, "limit": 1}
        listed = self._page("list invoice payments", self.client.v1.invoice_payments.list, params)
        return next((_id(one.get("invoice")) for one in listed["data"]), None)

    def root_of_charge(self, charge_id: str) -> RootOfCharge | None:
        """What a charge belongs to; None for one that does not exist."""
        try:
            charge = self._one("retrieve charge", lambda: self.client.v1.charges.retrieve(charge_id))
        except ObjectMissing:
            return None
        own = _metadata(charge)
        invoice_id = self.invoice_of_charge(charge_id, _id(charge.get("payment_intent")))
        if invoice_id is None:
            return RootOfCharge(charge_id, own, own)
        found = self._one("retrieve invoice", lambda: self.client.v1.invoices.retrieve(invoice_id))
        return RootOfCharge(invoice_id, _metadata(found), own)

    def payout(self, payout_id: str, grouped_since: int | None = None) -> PayoutFacts | None:
        """A payout and what is in it. Only automatic payouts list their movements. With `grouped_since` (epoch seconds:
        the policy negative_payout is "group"), also the payouts since then that wait for this one."""
        try:
            found = self._one("retrieve payout", lambda: self.client.v1.payouts.retrieve(payout_id))
        except ObjectMissing:
            return None
        payout = _payout(found)
        if not payout.automatic or payout.reconciliation_status != "completed":
            return PayoutFacts(payout, ())
        earlier: tuple[Payout, ...] = ()
        if grouped_since is not None:
            params = {"destination": payout.destination, "status": "paid", "created": {"gte": grouped_since}}
            listed = self._all("list payouts", self.client.v1.payouts.list, params)
            earlier = earlier_of(payout, (_payout(one) for one in listed))
        members = [
            _member(one)
            for each in (*earlier, payout)
            for one in self._all(
                "list balance transactions",
                self.client.v1.balance_transactions.list,
                {"payout": each.id, "expand": ["data.source"]},
            )
            if one.get("type") != "payout"
        ]
        return PayoutFacts(payout, tuple(members), earlier)

    def events(self, types: Sequence[str], since: int, undelivered_only: bool = False) -> Iterator[Json]:
        """Events of these types (at most 20) created at or after `since`, newest first; Stripe keeps 30 days."""
        params: dict[str, Any] = {"types": list(types), "created": {"gte": since}}
        if undelivered_only:
            params["delivery_success"] = False
        return self._all("list events", self.client.v1.events.list, params)

    def _payments(self, payment: Json) -> Iterator[InvoicePayment]:
        """An invoice payment as its successful charges: of a payment intent there may be one that failed later and
        another that took its place."""
        source = payment.get("payment") or {}
        paid_at = int(
            (payment.get("status_transitions") or {}).get("paid_at") or payment.get("created") or 0,
        )
        amount = int(payment.get("amount_paid") or 0)
        payment_id = str(payment["id"])
        if source.get("type") == "payment_record":
            if amount:
                yield InvoicePayment(_id(source.get("payment_record")) or payment_id, amount, paid_at, None)
            return
        charges: list[Charge] = []
        if source.get("type") == "charge":
            charges = [one for one in [self._charge(self._charge_object(_id(source.get("charge"))))] if one is not None]
        elif source.get("type") == "payment_intent":
            listed = self._charges_of(_id(source.get("payment_intent")))
            charges = [one for one in map(self._charge, listed) if one is not None]
        requested = int(payment.get("amount_requested") or 0)
        for charge in charges:
            # One that failed later paid what was asked for then; it is applied to nothing.
            part = amount or min(charge.amount, requested or charge.amount)
            yield InvoicePayment(payment_id if charge is charges[0] else charge.id, part, charge.created, charge)

    def _charge(self, found: Json) -> Charge | None:
        """None for a charge that never succeeded, or is authorised and not captured."""
        failed_later = found.get("failure_balance_transaction")
        if not failed_later and (found.get("status") != "succeeded" or not found.get("captured", True)):
            return None
        charge_id = str(found["id"])
        # Always asked: a refund that failed leaves no amount refunded behind.
        refunds = self._refunds_of(charge_id)
        disputes = self._disputes_of(charge_id) if found.get("disputed") else []
        failed_at = None
        if failed_later:
            failed_at = int(self._movement(failed_later)["created"])
        details = found.get("billing_details") or {}
        method = (found.get("payment_method_details") or {}).get("type") or "card"
        return Charge(
            id=charge_id,
            customer=_id(found.get("customer")) or None,
            amount=int(found.get("amount_captured") or found["amount"]),
            currency=str(found["currency"]),
            created=int(found["created"]),
            live=bool(found.get("livemode")),
            method=str(method),
            email=details.get("email"),
            name=details.get("name"),
            failed_later_at=failed_at,
            refunds=tuple(self._refund(one) for one in refunds),
            disputes=tuple(_dispute(one) for one in disputes),
            metadata=_metadata(found),
        )

    # What a proof of many objects reads page by page instead (settlement_span.py).

    def _invoice_object(self, invoice_id: str) -> Json:
        return self._one("retrieve invoice", lambda: self.client.v1.invoices.retrieve(invoice_id))

    def _charge_object(self, charge_id: str) -> Json:
        return self._one("retrieve charge", lambda: self.client.v1.charges.retrieve(charge_id))

    def _payments_of(self, invoice_id: str) -> list[Json]:
        return list(self._all("list invoice payments", self.client.v1.invoice_payments.list, {"invoice": invoice_id}))

    def _notes_of(self, invoice_id: str) -> list[Json]:
        return list(self._all("list credit notes", self.client.v1.credit_notes.list, {"invoice": invoice_id}))

    def _charges_of(self, payment_intent: str) -> list[Json]:
        return list(self._all("list charges", self.client.v1.charges.list, {"payment_intent": payment_intent}))

    def _refunds_of(self, charge_id: str) -> list[Json]:
        return list(self._all("list refunds", self.client.v1.refunds.list, {"charge": charge_id}))

    def _disputes_of(self, charge_id: str) -> list[Json]:
        return list(self._all("list disputes", self.client.v1.disputes.list, {"charge": charge_id}))

    def _movement(self, value: Any) -> Json:
        if isinstance(value, Mapping):
            return value
        return self._one(
            "retrieve balance transaction", lambda: self.client.v1.balance_transactions.retrieve(str(value))
        )

    def _refund(self, found: Json) -> Refund:
        failed = found.get("failure_balance_transaction")
        return Refund(
            id=str(found["id"]),
            charge=_id(found.get("charge")),
            amount=int(found["amount"]),
            currency=str(found["currency"]),
            created=int(found["created"]),
            status=str(found.get("status") or ""),
            balance_transaction=_id(found.get("balance_transaction")) or None,
            failure_balance_transaction=_id(failed) or None,
            failed_at=int(self._movement(failed)["created"]) if failed else None,
            metadata=_metadata(found),
        )

    def _note_lines(self, note: Json) -> list[Json]:
        held = note.get("lines") or {}
        if not held.get("has_more"):
            return list(held.get("data") or [])
        note_id = str(note["id"])
        lines = self.client.v1.credit_notes.line_items
        return list(self._all("list credit note lines", lambda params: lines.list(note_id, params)))

    def _one(self, endpoint: str, get: Callable[[], Any]) -> Json:
        return cast(Json, self.call(endpoint, get).to_dict(for_json=True))

    def _page(self, endpoint: str, list_page: Callable[[Any], Any], params: Mapping[str, Any]) -> Json:
        return cast(Json, self.call(endpoint, lambda: list_page(dict(params))).to_dict(for_json=True))

    def _all(
        self, endpoint: str, list_page: Callable[[Any], Any], params: Mapping[str, Any] | None = None
    ) -> Iterator[Json]:
        """Every object of a list, page by page."""
        asked = {**(params or {}), "limit": _PAGE}
        while True:
            page = self._page(endpoint, list_page, asked)
            data = page.get("data") or []
            yield from data
            if not page.get("has_more") or not data:
                return
            asked["starting_after"] = data[-1]["id"]


def _invoice(found: Json) -> Invoice:
    times = found.get("status_transitions") or {}
    revises = found.get("from_invoice") or {}
    shipping = found.get("shipping_cost") or {}
    return Invoice(
        id=str(found["id"]),
        status=found.get("status") or "draft",
        customer=_id(found.get("customer")),
        currency=str(found["currency"]),
        live=bool(found.get("livemode")),
        number=found.get("number"),
        total=int(found["total"]),
        amount_due=int(found.get("amount_due") or 0),
        amount_paid=int(found.get("amount_paid") or 0),
        amount_remaining=int(found.get("amount_remaining") or 0),
        created=int(found["created"]),
        finalized_at=times.get("finalized_at"),
        effective_at=found.get("effective_at"),
        paid_at=times.get("paid_at"),
        voided_at=times.get("voided_at"),
        uncollectible_at=times.get("marked_uncollectible_at"),
        due_date=found.get("due_date"),
        starting_balance=int(found.get("starting_balance") or 0),
        ending_balance=int(found.get("ending_balance") or 0),
        overpaid=int(found.get("amount_overpaid") or 0),
        paid_off_stripe=int(found.get("amount_paid_off_stripe") or 0),
        pre_payment_credit=int(found.get("pre_payment_credit_notes_amount") or 0),
        post_payment_credit=int(found.get("post_payment_credit_notes_amount") or 0),
        revises=(_id(revises.get("invoice")) or None) if revises.get("action") == "revision" else None,
        revised_by=_id(found.get("latest_revision")) or None,
        shipping=int(shipping.get("amount_subtotal") or 0),
        shipping_taxes=tuple(_tax(one) for one in shipping.get("taxes") or ()),
        metadata=_metadata(found),
    )


def _line(found: Json) -> InvoiceLine:
    period = found.get("period") or {}
    pricing = found.get("pricing") or {}
    price = pricing.get("price_details") or {}
    parent = found.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    quantity = found.get("quantity_decimal") or found.get("quantity")
    return InvoiceLine(
        id=str(found["id"]),
        amount=int(found["amount"]),
        description=str(found.get("description") or ""),
        quantity=str(quantity) if quantity is not None else None,
        period=(int(period["start"]), int(period["end"])) if period.get("start") and period.get("end") else None,
        price=_id(price.get("price")),
        one_time=not parent.get("subscription_item_details"),
        proration=bool(details.get("proration")),
        discounts=tuple(_discount(one) for one in found.get("discount_amounts") or ()),
        taxes=tuple(_tax(one) for one in found.get("taxes") or ()),
        metadata=_metadata(found),
    )


def _discount(found: Json) -> Discount:
    discount = found.get("discount")
    coupon = ""
    if isinstance(discount, Mapping):
        source = discount.get("source") or {}
        coupon = _id(source.get("coupon")) or _id(discount.get("coupon"))
    return Discount(int(found["amount"]), _id(discount), coupon)


def _tax(found: Json) -> Tax:
    """A tax of a line, or of shipping: there the rate itself is held, and says whether it is inclusive."""
    details = found.get("tax_rate_details") or {}
    rate = details.get("tax_rate") or found.get("rate")
    inclusive = isinstance(rate, Mapping) and bool(rate.get("inclusive"))
    if found.get("tax_behavior"):
        inclusive = found["tax_behavior"] == "inclusive"
    return Tax(
        amount=int(found["amount"]),
        taxable=int(found.get("taxable_amount") or 0),
        inclusive=inclusive,
        rate=_id(rate),
        country=str(rate.get("country") or "") if isinstance(rate, Mapping) else "",
        jurisdiction=str(rate.get("jurisdiction") or "") if isinstance(rate, Mapping) else "",
    )


def _credit_note(found: Json, lines: Sequence[Json]) -> CreditNote:
    refunds = tuple(
        (_id(one.get("refund")), int(one.get("amount_refunded") or 0))
        for one in found.get("refunds") or ()
        if one.get("type", "refund") == "refund" and one.get("refund")
    )
    post = int(found.get("post_payment_amount") or 0)
    out_of_band = int(found.get("out_of_band_amount") or 0)
    to_balance = 0
    if found.get("customer_balance_transaction"):
        to_balance = post - out_of_band - sum(amount for _, amount in refunds)
    shipping = found.get("shipping_cost") or {}
    return CreditNote(
        id=str(found["id"]),
        number=str(found.get("number") or ""),
        status=found.get("status") or "issued",
        total=int(found["total"]),
        pre_payment=int(found.get("pre_payment_amount") or 0),
        post_payment=post,
        created=int(found["created"]),
        effective_at=found.get("effective_at"),
        voided_at=found.get("voided_at"),
        out_of_band=out_of_band,
        to_balance=max(0, to_balance),
        refunds=refunds,
        lines=tuple(
            CreditNoteLine(
                amount=int(line["amount"]),
                description=str(line.get("description") or ""),
                invoice_line=str(line.get("invoice_line_item") or ""),
                taxes=tuple(_tax(one) for one in line.get("taxes") or ()),
                discount=int(line.get("discount_amount") or 0),
            )
            for line in lines
        ),
        shipping=int(shipping.get("amount_subtotal") or 0),
        shipping_taxes=tuple(_tax(one) for one in shipping.get("taxes") or ()),
        metadata=_metadata(found),
    )


def _balance_entry(found: Json) -> BalanceEntry:
    return BalanceEntry(
        str(found["id"]),
        str(found["type"]),
        int(found["amount"]),
        int(found["created"]),
        _id(found.get("credit_note")) or None,
        _id(found.get("invoice")) or None,
    )


def _dispute(found: Json) -> Dispute:
    return Dispute(
        id=str(found["id"]),
        charge=_id(found.get("charge")),
        amount=int(found["amount"]),
        currency=str(found["currency"]),
        created=int(found["created"]),
        status=str(found.get("status") or ""),
        movements=tuple(_movement(one) for one in found.get("balance_transactions") or ()),
        metadata=_metadata(found),
    )


def _movement(found: Json) -> BalanceTransaction:
    return BalanceTransaction(
        id=str(found["id"]),
        type=str(found["type"]),
        amount=int(found["amount"]),
        fee=int(found.get("fee") or 0),
        net=int(found["net"]),
        currency=str(found["currency"]),
        created=int(found["created"]),
        source=_id(found.get("source")),
        reporting_category=str(found.get("reporting_category") or ""),
        fees=tuple((str(one["type"]), int(one["amount"])) for one in found.get("fee_details") or ()),
    )


def _payout(found: Json) -> Payout:
    trace = found.get("trace_id") or {}
    return Payout(
        id=str(found["id"]),
        amount=int(found["amount"]),
        currency=str(found["currency"]),
        status=str(found.get("status") or ""),
        automatic=bool(found.get("automatic")),
        reconciliation_status=str(found.get("reconciliation_status") or ""),
        arrival_date=int(found["arrival_date"]),
        created=int(found["created"]),
        live=bool(found.get("livemode")),
        method=str(found.get("method") or "standard"),
        destination=_id(found.get("destination")),
        original_payout=_id(found.get("original_payout")) or None,
        trace_id=str(trace.get("value") or "") if isinstance(trace, Mapping) else "",
        metadata=_metadata(found),
    )


def _member(found: Json) -> PayoutMember:
    movement, source = _movement(found), found.get("source")
    source = source if isinstance(source, Mapping) else {"id": _id(source)}
    kind = str(source.get("object") or "")
    source_id = str(source.get("id") or "")
    if kind == "dispute" or source_id.startswith(("dp_", "du_")):
        return PayoutMember(movement, charge=_id(source.get("charge")), dispute=source_id)
    if kind == "refund" or source_id.startswith(("re_", "pyr_")):
        return PayoutMember(movement, charge=_id(source.get("charge")), refund=source_id)
    if kind == "charge" or source_id.startswith(("ch_", "py_")):
        return PayoutMember(movement, charge=source_id, metadata=_metadata(source))
    return PayoutMember(movement)


def _metadata(found: Json) -> dict[str, str]:
    return {str(key): str(value) for key, value in (found.get("metadata") or {}).items()}


def _id(value: Any) -> str:
    """An id, or the id of an expanded object; "" for none."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""
