"""The proof of both books: six equations a currency, and each difference by its class. Pure.

Each equation is added up root by root, from Stripe's own amounts on one side and from NetSuite's rows on the other:

receivables         due of our invoices - unused payments and memos   = amounts remaining - credit left
undeposited funds   payments - refunds not on a deposit               = money moved - money in payouts
bank                deposits on the bank account of the currency      = payouts
fees                deposits' lines on the fee accounts               = fees of those payouts
revenue, by item    invoices - memos                                  = billed - credited
orders, by order    quantity billed, without what others billed       = quantity on our invoices

What an object that waits would still move is shown apart (docs/decisions/0025-the-nightly-proof.md).

"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from billing.domain.settlement.books import BookedRecord, Books
from billing.domain.settlement.differences import (
    Comparison,
    booked_difference,
    compare,
    deposit_by_hand,
    is_by_hand,
    waiting,
)
from billing.domain.settlement.ledger_index import BooksIndex
from billing.domain.settlement.payout import is_itemized, record_of
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.proof import ClosedDifference, Difference, DifferenceKind, Equation, EquationName, Proof
from billing.domain.settlement.records import NetSuiteRecord, RecordType
from billing.domain.settlement.sides import (
    OurRows,
    ProvenRoot,
    Sides,
    booked_items,
    expected_items,
    minor_of,
    objects_of,
    quantity_of,
)
from billing.domain.settlement.stripe_objects import ChargeFacts, InvoiceFacts, PayoutFacts
from billing.domain.settlement.stripe_side import Movement, banked, fees_of, movements_of, outside_of, receivable_of


def reconcile(
    roots: Iterable[ProvenRoot], books: Books, rows: OurRows, policies: SettlementPolicies
) -> tuple[tuple[Equation, ...], tuple[Difference, ...]]:
    """The equations, and the differences in a fixed order. Pure."""
    all_roots = tuple(sorted(roots, key=lambda one: one.root))
    proving = _Proving(all_roots, index_of(all_roots, books, rows, policies), rows, policies)
    return proving.equations(), proving.differences()


def index_of(roots: Iterable[ProvenRoot], books: Books, rows: OurRows, policies: SettlementPolicies) -> BooksIndex:
    """NetSuite's rows, findable, with the roots that they belong to. Pure."""
    all_roots = tuple(sorted(roots, key=lambda one: one.root))
    owners = {named: one.root for one in all_roots for named in objects_of(one.facts)}
    owners.update({record.external_id: one.root for one in all_roots for record in one.plan.records})
    return BooksIndex(books, policies, rows, owners)


def compared_with(proof: Proof, former: Proof | None, former_sha256: str) -> Proof:
    """The proof beside the one before: differences that it had keep the day on which they were opened, and those that
    are gone are closed. Pure."""
    known = {one.key: one for one in former.differences} if former is not None else {}
    now = tuple(
        replace(one, opened=known[one.key].opened if one.key in known else proof.day) for one in proof.differences
    )
    still = {one.key for one in now}
    closed = tuple(
        ClosedDifference(one.kind, one.root, one.external_id, one.netsuite_id, one.opened)
        for key, one in known.items()
        if key not in still
    )
    return replace(
        proof,
        differences=now,
        closed=closed,
        previous=former.day if former is not None else "",
        previous_sha256=former_sha256,
    )


@dataclass(slots=True)
class _Proving:
    roots: tuple[ProvenRoot, ...]
    books: BooksIndex
    rows: OurRows
    policies: SettlementPolicies

    # --- equations ----------------------------------------------------------------------------------------

    def equations(self) -> tuple[Equation, ...]:
        sides = Sides({one.root for one in self.roots if one.waits is not None})
        movements = self._movements()
        for one in self.roots:
            if one.facts is None or one.left_out:
                continue
            if isinstance(one.facts, PayoutFacts):
                self._payout(sides, one, one.facts, movements)
            else:
                self._invoice_or_charge(sides, one, one.facts)
        left_out = {one.root for one in self.roots if one.left_out and one.facts is not None}
        for booked in self.books.records:
            root = self.books.root_of(booked.external_id)
            if root not in left_out:
                self._booked(sides, root, booked)
        self._deposited(sides, left_out)
        self._orders(sides)
        return sides.equations()

    def _invoice_or_charge(self, sides: Sides, one: ProvenRoot, facts: InvoiceFacts | ChargeFacts) -> None:
        owed = receivable_of(facts, self.policies)
        moved = 0
        sides.stripe(one.root, EquationName.RECEIVABLES, one.currency, owed)
        for move in movements_of(facts, self.policies):
            sides.stripe(one.root, EquationName.UNDEPOSITED_FUNDS, move.currency, move.amount)
            moved += move.amount
        # Whatever was billed and not credited is owed, or it was paid.
        billed = owed + moved + outside_of(facts, self.policies)
        for record in one.plan.records:
            for item, amount in self._items(one, record).items():
                sides.stripe(one.root, EquationName.REVENUE, one.currency, amount, item)
                billed -= amount
        if billed:
            sides.stripe(one.root, EquationName.REVENUE, one.currency, billed)

    def _items(self, one: ProvenRoot, record: NetSuiteRecord) -> dict[str, int]:
        """What a planned invoice or memo adds to each item's revenue."""
        if record.type not in (RecordType.INVOICE, RecordType.CREDIT_MEMO):
            return {}
        sign = 1 if record.type is RecordType.INVOICE else -1
        expected = expected_items(record, one.facts, self.policies, self.rows.items)
        booked = self.books.by_external_id.get(record.external_id)
        there = booked_items(booked, self.books.lines_of(booked), record.currency) if booked is not None else {}
        if expected is not None and expected.total == record.amount:
            by_item = expected.beside({item: sign * amount for item, amount in there.items()})
            return {item: sign * amount for item, amount in by_item.items()}
        # Where the plan leaves the items to NetSuite, they are NetSuite's; what the totals differ by is of no item.
        there[""] = there.get("", 0) + sign * record.amount - sum(there.values())
        return there

    def _payout(self, sides: Sides, one: ProvenRoot, facts: PayoutFacts, movements: dict[str, Movement]) -> None:
        sides.stripe(one.root, EquationName.BANK, one.currency, banked(facts))
        sides.stripe(one.root, EquationName.FEES, one.currency, fees_of(facts))
        for member in facts.members:
            external_id = record_of(member, self.policies)
            if not external_id:
                continue
            paid = movements.get(external_id) or Movement(external_id, member.movement.amount, one.currency)
            sides.stripe(one.root, EquationName.UNDEPOSITED_FUNDS, paid.currency, -paid.amount)

        if not is_itemized(facts.payout):
            self._deposited_by_hand(sides, one)

    def _deposited_by_hand(self, sides: Sides, one: ProvenRoot) -> None:
        """Stripe does not say what is in it; whoever made its deposit has said so in NetSuite. That the deposit is
        worth the payout is what the bank's equation proves."""
        deposit = self.books.by_external_id.get(one.root)
        if deposit is None:
            return
        for external_id in self.books.payments_of(deposit):
            payment = self.books.by_external_id.get(external_id)
            if payment is not None and self.books.is_money(payment):
                currency = self.books.currency_of(payment)
                moved = self.books.signed(payment, currency)
                sides.stripe(one.root, EquationName.UNDEPOSITED_FUNDS, currency, -moved)
        for account, cost in self.books.deposit_lines_of(deposit).items():
            if account in self.books.fee_accounts:
                sides.stripe(one.root, EquationName.FEES, one.currency, minor_of(cost, one.currency))

    def _movements(self) -> dict[str, Movement]:
        return {
            move.external_id: move
            for one in self.roots
            if isinstance(one.facts, InvoiceFacts | ChargeFacts)
            for move in movements_of(one.facts, self.policies)
        }

    def _booked(self, sides: Sides, root: str, booked: BookedRecord) -> None:
        currency = self.books.currency_of(booked)
        if not currency or booked.voided:
            return
        total = minor_of(booked.total, currency)
        if booked.type is RecordType.DEPOSIT:
            if booked.account == self.policies.currencies[currency].bank:
                sides.netsuite(root, EquationName.BANK, currency, total)
            for account, cost in self.books.deposit_lines_of(booked).items():
                if account in self.books.fee_accounts:
                    sides.netsuite(root, EquationName.FEES, currency, minor_of(cost, currency))
            return
        if booked.type in (RecordType.INVOICE, RecordType.CREDIT_MEMO):
            for item, amount in booked_items(booked, self.books.lines_of(booked), currency).items():
                sides.netsuite(root, EquationName.REVENUE, currency, amount, item)
        owed = (
            minor_of(booked.due, currency) if booked.type is RecordType.INVOICE else -minor_of(booked.unused, currency)
        )
        if booked.type is not RecordType.REFUND:
            sides.netsuite(root, EquationName.RECEIVABLES, currency, owed)
        if self.books.is_money(booked):
            sides.netsuite(root, EquationName.UNDEPOSITED_FUNDS, currency, self.books.signed(booked, currency))

    def _deposited(self, sides: Sides, left_out: set[str]) -> None:
        for row in self.books.deposited:
            payment = self.books.by_id.get(row.payment)
            if payment is None or not self.books.is_money(payment):
                continue
            currency = self.books.currency_of(payment)
            deposit = self.books.by_external_id.get(row.deposit_external_id)
            root = (
                self.books.root_of(deposit.external_id)
                if deposit is not None
                else self.books.root_of(payment.external_id)
            )
            if currency and root not in left_out and self.books.root_of(payment.external_id) not in left_out:
                sides.netsuite(root, EquationName.UNDEPOSITED_FUNDS, currency, -self.books.signed(payment, currency))

    def _orders(self, sides: Sides) -> None:
        """Quantities by order. What other invoices than ours bill of an order is no concern of Stripe's."""
        for order_id, ours in self._ordered().items():
            one = next((each for each in ours if each.waits is not None), ours[0])
            for each in ours:
                for record in each.plan.records:
                    if record.transform is not None and record.transform.order_id == order_id:
                        billed = sum(quantity_of(line.quantity) for line in record.transform.lines if line.quantity)
                        sides.stripe(one.root, EquationName.ORDERS, one.currency, billed, order_id)
            there = self.books.billed_of_order(order_id, {each.root for each in ours})
            sides.netsuite(one.root, EquationName.ORDERS, one.currency, quantity_of(there), order_id)

    def _ordered(self) -> dict[str, list[ProvenRoot]]:
        found: dict[str, dict[str, ProvenRoot]] = defaultdict(dict)
        for one in self.roots:
            for record in one.plan.records:
                if record.transform is not None:
                    found[record.transform.order_id][one.root] = one
        return {order_id: list(ours.values()) for order_id, ours in found.items()}

    # --- differences --------------------------------------------------------------------------------------

    def differences(self) -> tuple[Difference, ...]:
        comparison = Comparison(self.books, self.rows, self.policies, self._payout_of())
        found: list[Difference] = []
        expected: set[str] = set()
        by_root = {one.root: one for one in self.roots}
        for one in self.roots:
            hold = one.waits
            if hold is not None:
                found.append(waiting(one, hold))
            for record in one.plan.records:
                expected.add(record.external_id)
                found += compare(comparison, one, record)
        by_hand = {one.root for one in self.roots if is_by_hand(one)}
        found += [each for one in self.roots if one.root in by_hand for each in deposit_by_hand(comparison, one)]
        for booked in self.books.records:
            if booked.external_id not in expected and booked.external_id not in by_hand:
                root = self.books.root_of(booked.external_id)
                found += booked_difference(self.books, by_root.get(root), root, booked)
        found += self._orders_that_differ()
        found += comparison.elsewhere(by_root)
        return tuple(sorted(dict.fromkeys(found), key=lambda each: (each.root, each.external_id, each.kind)))

    def _orders_that_differ(self) -> Iterable[Difference]:
        for order_id, ours in self._ordered().items():
            if any(one.waits is not None for one in ours) or any(
                record.external_id not in self.books.by_external_id
                for one in ours
                for record in one.plan.records
                if record.transform is not None and record.transform.order_id == order_id
            ):
                continue
            wanted = sum(
                quantity_of(line.quantity)
                for one in ours
                for record in one.plan.records
                if record.transform is not None and record.transform.order_id == order_id
                for line in record.transform.lines
                if line.quantity
            )
            booked = self.books.billed_of_order(order_id, {one.root for one in ours})
            if quantity_of(booked) != wanted:
                yield Difference(
                    DifferenceKind.STATUS,
                    ours[0].root,
                    "salesOrder",
                    "",
                    order_id,
                    ours[0].currency,
                    f"{Decimal(wanted).scaleb(-8).normalize():f} billed",
                    f"{booked.normalize():f} billed",
                    "The sales order's billed quantity is not what its invoices in Stripe bill.",
                )

    def _payout_of(self) -> dict[str, str]:
        """{externalId of a payment or refund: the payout that it is in}."""
        return {
            external_id: one.root
            for one in self.roots
            if isinstance(one.facts, PayoutFacts)
            for member in one.facts.members
            if (external_id := record_of(member, self.policies))
        }
