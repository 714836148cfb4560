"""NetSuite's rows, findable by what the proof asks for. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from billing.domain.settlement.books import BookedDepositPayment, BookedRecord, Books, Lookalike
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import RecordType
from billing.domain.settlement.sides import OurRows, minor_of

_STRIPE_ID: Final = re.compile(r"(?:in|ch|py|pyr|re|cn|dp|du|cbtxn|po|inpay|pr)_[A-Za-z0-9]+")
_MEMO: Final = re.compile(r"Stripe: ([a-z]+_[A-Za-z0-9]+)")


def stripe_id(external_id: str) -> str:
    """The Stripe object in an externalId of ours, "" where it is none of ours."""
    found = _STRIPE_ID.match(external_id)
    rest = external_id[found.end() :] if found else "?"
    return found.group() if found and (not rest or rest[0] == "-") else ""


class BooksIndex:
    """Built once a proof. Records without an externalId of ours are left out: they are no concern of the settlement.
    `owners` are the roots of what the plans ask for, by externalId, and of the Stripe objects inside them, by id."""

    def __init__(self, books: Books, policies: SettlementPolicies, rows: OurRows, owners: Mapping[str, str]) -> None:
        ours = {
            one.internal_id: one for one in books.records if stripe_id(one.external_id) or one.external_id in owners
        }
        self.records: tuple[BookedRecord, ...] = tuple(sorted(ours.values(), key=lambda one: one.external_id))
        self.by_external_id: Mapping[str, BookedRecord] = {one.external_id: one for one in self.records}
        self.by_id: Mapping[str, BookedRecord] = ours
        self.deposited: tuple[BookedDepositPayment, ...] = books.deposited
        self.fee_accounts: frozenset[str] = frozenset(one for one in policies.fees.values() if one)
        self.owners = owners
        self._policies = policies
        self._rows = rows
        self._currencies = {one.netsuite_id: code for code, one in policies.currencies.items()}
        self._lines: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for line in books.lines:
            self._lines[line.record][line.item] += line.amount
        self._applies: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for apply in books.applies:
            self._applies[apply.record][apply.document] += apply.amount
        self._deposit_lines: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for cash in books.deposit_lines:
            self._deposit_lines[cash.deposit][cash.account] += cash.amount
        self.deposit_of: Mapping[str, BookedDepositPayment] = {one.payment: one for one in books.deposited}
        self._payments_of: dict[str, list[str]] = defaultdict(list)
        for row in books.deposited:
            self._payments_of[row.deposit].append(row.payment)
        self._orders = {one.order_id: one for one in books.orders}
        self._order_invoices = defaultdict(list)
        for bill in books.order_invoices:
            self._order_invoices[bill.order_id].append(bill)
        self._like_id: dict[str, list[Lookalike]] = defaultdict(list)
        self._like_memo: dict[tuple[RecordType, str], list[Lookalike]] = defaultdict(list)
        for alike in books.lookalikes:
            if alike.like:
                self._like_id[alike.like].append(alike)
            named = _MEMO.match(alike.memo)
            if named:
                self._like_memo[alike.type, named.group(1)].append(alike)

    def root_of(self, external_id: str) -> str:
        """The root of a record: by the plans, by our rows, or else of the object in the externalId itself."""
        if external_id in self.owners:
            return self.owners[external_id]
        row = self._rows.written.get(external_id)
        if row is not None and row.root:
            return row.root
        named = stripe_id(external_id)
        return self.owners.get(named, named)

    def currency_of(self, booked: BookedRecord) -> str:
        """Lower-case code, "" for a currency that the policy file does not name."""
        return self._currencies.get(booked.currency, "")

    def lines_of(self, booked: BookedRecord) -> Mapping[str, Decimal]:
        """Amounts by item."""
        return self._lines.get(booked.internal_id, {})

    def applies_of(self, booked: BookedRecord) -> Mapping[str, Decimal]:
        """Amounts by the document that it is applied to, by externalId, or by "#" and internal id."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for document, amount in self._applies.get(booked.internal_id, {}).items():
            known = self.by_id.get(document)
            found[known.external_id if known is not None else f"#{document}"] += amount
        return found

    def deposit_lines_of(self, booked: BookedRecord) -> Mapping[str, Decimal]:
        """A deposit's lines by account: above zero is a cost."""
        return self._deposit_lines.get(booked.internal_id, {})

    def payments_of(self, deposit: BookedRecord) -> frozenset[str]:
        """The externalIds of what a deposit took out of Undeposited Funds; "#" and internal id of what is not ours."""
        found = (self.by_id.get(one) or f"#{one}" for one in self._payments_of.get(deposit.internal_id, ()))
        return frozenset(one if isinstance(one, str) else one.external_id for one in found)

    def is_money(self, booked: BookedRecord) -> bool:
        """Whether a record moved Undeposited Funds."""
        moved = booked.type in (RecordType.PAYMENT, RecordType.REFUND)
        return moved and booked.account == self._policies.undeposited_funds and not booked.voided

    def signed(self, booked: BookedRecord, currency: str) -> int:
        """What a payment or a refund moved: a refund is below zero."""
        total = minor_of(booked.total, currency)
        return total if booked.type is RecordType.PAYMENT else -total

    def billed_of_order(self, order_id: str, roots: Collection[str]) -> Decimal:
        """The quantity that invoices of these roots bill of an order, as far as the order counts it: one that was
        reopened, or whose invoice is gone, has less. What else was billed of it (an invoice by hand, a cash sale, what
        is older than the settlement) is no concern of Stripe's."""
        order = self._orders.get(order_id)
        ours, others = Decimal(0), Decimal(0)
        for one in self._order_invoices[order_id]:
            if self.root_of(one.external_id) in roots:
                ours += one.quantity
            else:
                others += one.quantity
        return min(ours, (order.billed if order is not None else Decimal(0)) - others)

    def lookalikes_of(self, kind: RecordType, stripe_object: str, booked: BookedRecord | None) -> tuple[Lookalike, ...]:
        """Transactions without an externalId that say they are of this object, or have this invoice's number."""
        found = [*self._like_memo.get((kind, stripe_object), ())]
        if booked is not None:
            found += self._like_id.get(booked.internal_id, ())
        return tuple({one.internal_id: one for one in found}.values())
