"""What clients, banks and people do with invoices, as methods of the stand-in. Objects may be given as ids or whole."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from tests.sandbox.stripe import credit_notes, invoice_states, made_invoices, payments, shapes
from tests.sandbox.stripe.balance import Fee
from tests.sandbox.stripe.credit_notes import Credit, CreditLine
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.expansion import find
from tests.sandbox.stripe.made_invoices import InvoiceExtras, InvoiceLine
from tests.sandbox.stripe.records import Invoice, Json
from tests.sandbox.stripe.store import Store

Named = str | Json


def identity(named: Named) -> str:
    """The id of an object, or the id itself."""
    return named if isinstance(named, str) else str(named["id"])


def charge_of(store: Store, named: Named) -> Json:
    """The charge that is meant: by its own id, or the newest of its payment intent or invoice payment."""
    identifier = identity(named)
    if identifier in store.objects["invoice_payment"]:
        identifier = store.objects["invoice_payment"][identifier]["payment"].get("payment_intent", "")
    if identifier in store.objects["payment_intent"]:
        identifier = store.objects["payment_intent"][identifier]["latest_charge"] or ""
    if identifier not in store.objects["charge"]:
        raise KeyError(f"no charge {identity(named)} in the Stripe stand-in")
    return store.objects["charge"][identifier]


def object_of(store: Store, kind: str, named: Named) -> Json:
    """The object of this kind; KeyError if there is none."""
    held = store.objects[kind]
    if identity(named) not in held:
        raise KeyError(f"no {kind} {identity(named)} in the Stripe stand-in")
    return held[identity(named)]


class InvoiceLife(ABC):
    """Invoices and what is paid and credited of them."""

    @abstractmethod
    def _settled(self) -> AbstractContextManager[Store]: ...

    @abstractmethod
    def as_person(self, method: str, path: str, params: dict[str, Any] | None = None) -> Json:
        """Do what an API call would, by hand."""

    def object(self, named: Named) -> Json:
        """Any object as the API shows it now; KeyError if there is none of that id."""
        with self._settled() as store:
            found = find(store, identity(named))
            if found is None:
                raise KeyError(f"nothing {identity(named)} in the Stripe stand-in")
            return copy.deepcopy(found)

    def _invoice_of(self, store: Store, named: Named) -> Invoice:
        if identity(named) not in store.invoices:
            raise KeyError(f"no invoice {identity(named)} in the Stripe stand-in")
        return store.invoices[identity(named)]

    def bill(
        self,
        customer: Named,
        lines: Sequence[InvoiceLine],
        currency: str = "usd",
        extras: InvoiceExtras | None = None,
        *,
        finalise: bool = True,
    ) -> Json:
        """An invoice that is not of the monthly run: by hand, or of a subscription."""
        with self._settled() as store:
            made = made_invoices.create(store, identity(customer), currency, lines, extras or InvoiceExtras())
            identifier = made.id
            shape = copy.deepcopy(shapes.invoice(store, made))
        return self.finalise(identifier) if finalise else shape

    def coupon(
        self, identifier: str, *, percent_off: Decimal | int | None = None, amount_off: int | None = None,
        currency: str = "usd",
    ) -> Json:  # fmt: skip
        """A coupon for `bill`."""
        with self._settled() as store:
            percent = None if percent_off is None else Decimal(percent_off)
            return copy.deepcopy(made_invoices.coupon(store, identifier, percent, amount_off, currency))

    def finalise(self, invoice: Named) -> Json:
        """Finalise a draft."""
        return self.as_person("POST", f"/v1/invoices/{identity(invoice)}/finalize")

    def revise(self, invoice: Named) -> Json:
        """A draft that replaces the invoice when it is finalised; edit it before."""
        given = {"action": "revision", "invoice": identity(invoice)}
        return self.as_person("POST", "/v1/invoices", {"from_invoice": given})

    def void(self, invoice: Named, *, even_uncollectible: bool = False) -> Json:
        """Void it. An uncollectible one is refused, as recorded, unless told to do what the docs say."""
        if even_uncollectible:
            with self._settled() as store:
                found = self._invoice_of(store, invoice)
                if found.status == "uncollectible" and not found.amount_paid:
                    invoice_states.void_record(store, found)
                    shape = invoice_states.touched(store, found, "invoice.voided", "invoice.updated")
                    return copy.deepcopy(shape)
        return self.as_person("POST", f"/v1/invoices/{identity(invoice)}/void")

    def mark_uncollectible(self, invoice: Named) -> Json:
        """Write it off."""
        return self.as_person("POST", f"/v1/invoices/{identity(invoice)}/mark_uncollectible")

    def pay(
        self,
        invoice: Named,
        amount: int | None = None,
        method: str = "card",
        *,
        pending: bool = False,
        fees: Sequence[Fee] | None = None,
    ) -> Json:
        """Pay all that remains, or `amount` (less is a part payment, more an overpayment), and return the charge.

        method: card, ach, bank_transfer, or out_of_band (returns the payment record). pending: leave the charge pending
        until `succeed` or `fail`. fees: instead of Stripe's prices. A draft is finalised on the way.
        """
        if self.object(invoice)["status"] == "draft":
            self.finalise(invoice)
        with self._settled() as store:
            found = self._invoice_of(store, invoice)
            if method == "out_of_band":
                if found.status not in ("open", "uncollectible"):
                    raise Refusal(f"This invoice is {found.status}.")
                paid = payments.pay_off_stripe(store, found, amount or found.amount_remaining)
                return copy.deepcopy(paid)
            charge = payments.begin(store, found, amount, payments.method_named(method))
            if pending:
                intent = payments.intent_of(store, charge)
                assert intent is not None
                store.emit("charge.pending", charge)
                store.emit("payment_intent.processing", intent)
            else:
                payments.succeed(store, charge, fees)
            return copy.deepcopy(charge)

    def decline(self, invoice: Named, method: str = "card") -> Json:
        """A payment that fails at once: the invoice stays open. Returns the failed charge."""
        with self._settled() as store:
            found = self._invoice_of(store, invoice)
            charge = payments.begin(store, found, None, payments.method_named(method))
            payments.fail(store, charge, payments.DECLINED)
            return copy.deepcopy(charge)

    def succeed(self, payment: Named, fees: Sequence[Fee] | None = None) -> Json:
        """A pending payment (charge, payment intent or invoice payment) arrives."""
        with self._settled() as store:
            charge = charge_of(store, payment)
            payments.succeed(store, charge, fees)
            return copy.deepcopy(charge)

    def fail(self, payment: Named, fees: Sequence[Fee] = ()) -> Json:
        """A payment fails: a pending one never arrives, one that had succeeded is taken back days later (ACH)."""
        with self._settled() as store:
            charge = charge_of(store, payment)
            payments.fail(store, charge, payments.RETURNED, fees)
            return copy.deepcopy(charge)

    def credit(self, invoice: Named, amount: int | None = None, lines: Sequence[CreditLine] = (), **ways: Any) -> Json:
        """Issue a credit note: over `lines`, over a custom line of `amount`, or over the whole invoice.

        ways: the other fields of `Credit` (refund, to_balance, out_of_band, refunds, shipping, reason, memo, metadata).
        """
        with self._settled() as store:
            found = self._invoice_of(store, invoice)
            if amount is not None:
                lines = [*lines, CreditLine(amount, description="Credit")]
            elif not lines and "shipping" not in ways:
                lines = [CreditLine(item.amount, item.line_id) for item in store.lines(found.id) if item.amount]
                ways["shipping"] = found.shipping_cost is not None
            return copy.deepcopy(credit_notes.create(store, found, Credit(lines, **ways)))

    def void_credit_note(self, note: Named) -> Json:
        """Take back a credit note of an invoice that is still open."""
        return self.as_person("POST", f"/v1/credit_notes/{identity(note)}/void")

    def adjust_balance(self, customer: Named, amount: int, currency: str = "usd", kind: str = "adjustment") -> Json:
        """Book on the customer's balance: below zero is credit. Returns the customer balance transaction."""
        with self._settled() as store:
            store.move_balance(identity(customer), currency, amount, kind, None)
            return copy.deepcopy(store.balance_transactions[-1])
