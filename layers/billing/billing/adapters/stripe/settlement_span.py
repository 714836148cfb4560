"""Everything that happened in Stripe since a day, read page by page: a hundred objects a call instead of five calls an
object. What an object has beyond the span is read by itself, so nothing is missing.

Sources: Stripe's API reference; each of these lists takes `created`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from billing.adapters.stripe.settlement import Json, SettlementReads
from billing.domain.settlement.event_roots import RootKind


@dataclass(frozen=True, slots=True)
class _Kept:
    """The objects of the span."""

    invoices: dict[str, Json]
    charges: dict[str, Json]
    payments: dict[str, list[Json]]
    notes: dict[str, list[Json]]
    by_intent: dict[str, list[Json]]
    refunds: dict[str, list[Json]]
    disputes: dict[str, list[Json]]
    invoice_of_intent: dict[str, str]


def _nothing() -> _Kept:
    return _Kept({}, {}, {}, {}, {}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class SpanReads(SettlementReads):
    """The same reads, answered from the pages where the object was made since `since` (epoch seconds): whatever belongs
    to it was made later. Call `roots` first."""

    since: int = 0
    kept: list[_Kept] = field(default_factory=lambda: [_nothing()])

    def roots(self, known: Callable[[list[str]], Mapping[str, str]]) -> dict[str, RootKind]:
        """Every root object that was made or touched since, and every invoice that is open. `known` gives the root of a
        charge where our rows have it, by the charge's id."""
        kept = self._read()
        self.kept[0] = kept
        found: dict[str, RootKind] = dict.fromkeys(kept.invoices, RootKind.INVOICE)
        for status in ("open", "uncollectible"):
            listed = self._all("list invoices", self.client.v1.invoices.list, {"status": status})
            found.update({str(one["id"]): RootKind.INVOICE for one in listed if one["id"] not in found})
        found.update(dict.fromkeys((*kept.notes, *kept.payments), RootKind.INVOICE))
        touched: dict[str, str] = {one: _text(charge, "payment_intent") for one, charge in kept.charges.items()}
        for group in (*kept.refunds.values(), *kept.disputes.values()):
            for one in group:
                touched.setdefault(_text(one, "charge"), _text(one, "payment_intent"))
        found.update(self._roots_of(touched, known))
        payouts = self._all("list payouts", self.client.v1.payouts.list, self._span())
        found.update({str(one["id"]): RootKind.PAYOUT for one in payouts})
        return found

    def roots_of_charges(
        self, charges: list[str], known: Callable[[list[str]], Mapping[str, str]]
    ) -> dict[str, RootKind]:
        """The roots of charges, wherever they are from."""
        return self._roots_of(dict.fromkeys(charges, ""), known)

    def _roots_of(
        self, intents: Mapping[str, str], known: Callable[[list[str]], Mapping[str, str]]
    ) -> dict[str, RootKind]:
        found: dict[str, RootKind] = {}
        left: list[str] = []
        for charge, intent in intents.items():
            invoice = self.kept[0].invoice_of_intent.get(
                intent or _text(self.kept[0].charges.get(charge, {}), "payment_intent")
            )
            if invoice:
                found[invoice] = RootKind.INVOICE
            elif charge:
                left.append(charge)
        rooted = known(left)
        for charge in left:
            root = rooted.get(charge) or self.invoice_of_charge(charge, intents[charge]) or charge
            found[root] = RootKind.INVOICE if root.startswith("in_") else RootKind.CHARGE
        return found

    def _span(self) -> dict[str, Any]:
        return {"created": {"gte": self.since}}

    def _read(self) -> _Kept:
        api, span = self.client.v1, self._span()
        invoices = {str(one["id"]): one for one in self._all("list invoices", api.invoices.list, span)}
        kept = _Kept(invoices, {}, _lists(), _lists(), _lists(), _lists(), _lists(), {})
        for one in self._all("list invoice payments", api.invoice_payments.list, span):
            invoice = _text(one, "invoice")
            kept.payments[invoice].append(one)
            intent = _text(one.get("payment") or {}, "payment_intent")
            if intent:
                kept.invoice_of_intent[intent] = invoice
        for one in self._all("list charges", api.charges.list, span):
            kept.charges[str(one["id"])] = one
            kept.by_intent[_text(one, "payment_intent")].append(one)
        for one in self._all("list refunds", api.refunds.list, span):
            kept.refunds[_text(one, "charge")].append(one)
        for one in self._all("list disputes", api.disputes.list, span):
            kept.disputes[_text(one, "charge")].append(one)
        for one in self._all("list credit notes", api.credit_notes.list, span):
            kept.notes[_text(one, "invoice")].append(one)
        return kept

    # An invoice or a charge of the span has all that belongs to it in the span; of any other it is asked for.

    def _invoice_object(self, invoice_id: str) -> Json:
        return self.kept[0].invoices.get(invoice_id) or SettlementReads._invoice_object(self, invoice_id)

    def _charge_object(self, charge_id: str) -> Json:
        return self.kept[0].charges.get(charge_id) or SettlementReads._charge_object(self, charge_id)

    def _payments_of(self, invoice_id: str) -> list[Json]:
        if invoice_id in self.kept[0].invoices:
            return self.kept[0].payments.get(invoice_id, [])
        return SettlementReads._payments_of(self, invoice_id)

    def _notes_of(self, invoice_id: str) -> list[Json]:
        if invoice_id in self.kept[0].invoices:
            return self.kept[0].notes.get(invoice_id, [])
        return SettlementReads._notes_of(self, invoice_id)

    def _charges_of(self, payment_intent: str) -> list[Json]:
        # The intent of an older invoice may have older charges that failed: only a span's invoice is complete.
        if self.kept[0].invoice_of_intent.get(payment_intent, "") in self.kept[0].invoices:
            return self.kept[0].by_intent.get(payment_intent, [])
        return SettlementReads._charges_of(self, payment_intent)

    def _refunds_of(self, charge_id: str) -> list[Json]:
        if charge_id in self.kept[0].charges:
            return self.kept[0].refunds.get(charge_id, [])
        return SettlementReads._refunds_of(self, charge_id)

    def _disputes_of(self, charge_id: str) -> list[Json]:
        if charge_id in self.kept[0].charges:
            return self.kept[0].disputes.get(charge_id, [])
        return SettlementReads._disputes_of(self, charge_id)


def _lists() -> dict[str, list[Json]]:
    return defaultdict(list)


def _text(found: Json, key: str) -> str:
    """An id, or the id of an expanded object; "" for none."""
    value = found.get(key)
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""
