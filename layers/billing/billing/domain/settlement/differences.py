"""What differs between one planned record and NetSuite's, by its class. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from billing.domain.money.money import Money
from billing.domain.settlement.books import BookedRecord
from billing.domain.settlement.ledger_index import BooksIndex, stripe_id
from billing.domain.settlement.payout import DEPOSIT_KEY, is_itemized
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.proof import Difference, DifferenceKind
from billing.domain.settlement.records import Deposit, Hold, NetSuiteRecord, RecordType
from billing.domain.settlement.sides import OurRows, ProvenRoot, booked_items, expected_items, minor_of
from billing.domain.settlement.stripe_objects import PayoutFacts
from billing.domain.settlement.stripe_side import banked
from billing.domain.settlement.written import WriteState

_APPLIED_TYPES: Final = (RecordType.PAYMENT, RecordType.CREDIT_MEMO, RecordType.REFUND)
_SHOWN = 5
_A_STATE: Final = timedelta(minutes=15)
"""A row's time is that of the state that wrote the record, which may have run as long as a function can."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing needs. `payout_of` says in which payout a payment or refund is, by externalId."""

    books: BooksIndex
    rows: OurRows
    policies: SettlementPolicies
    payout_of: Mapping[str, str]

    def elsewhere(self, roots: Mapping[str, ProvenRoot]) -> Iterator[Difference]:
        """Payments and refunds of ours on a deposit that is not their payout's."""
        for row in self.books.deposited:
            payment = self.books.by_id.get(row.payment)
            if payment is None:
                continue
            payout = self.payout_of.get(payment.external_id, "")
            deposit = self.books.by_external_id.get(row.deposit_external_id)
            on = self.books.root_of(row.deposit_external_id) if deposit is not None else ""
            # Another deposit of ours shows it itself: it holds what its payout does not.
            if on or (payout and payout in roots and roots[payout].waits is not None):
                continue
            yield Difference(
                DifferenceKind.DEPOSITED_ELSEWHERE,
                self.books.root_of(payment.external_id),
                payment.type.value,
                payment.external_id,
                payment.internal_id,
                self.books.currency_of(payment),
                payout or "in no payout yet",
                f"deposit {row.deposit}",
                "It is on a deposit that the settlement did not make. Take it off that deposit; if the deposit is that "
                f"of a manual payout, write {row.deposit} into the payout's metadata as {DEPOSIT_KEY}.",
            )


def waiting(one: ProvenRoot, hold: Hold) -> Difference:
    """An object that is not settled, with its reason."""
    left, right = "", ""
    if hold.columns:
        what, left, right = hold.columns[0]
        left = f"{what}: {left}"
    known = bool(one.plan.nothing_because) and hold.name == "invoice_before_start_date"
    return Difference(
        DifferenceKind.BEFORE_START if known else DifferenceKind.WAITING,
        one.root,
        one.kind.value,
        "",
        "",
        one.currency,
        left,
        right,
        f"{hold.name}: {hold.reason}",
    )


def compare(comparison: Comparison, one: ProvenRoot, record: NetSuiteRecord) -> list[Difference]:
    """Everything in which NetSuite's record is not the planned one. What waits is named once, with its reason."""
    booked = comparison.books.by_external_id.get(record.external_id)
    alike = comparison.books.lookalikes_of(record.type, _named(record), booked)
    found = _Found(one, record, booked)
    if booked is None:
        if one.bell is None:
            reason, fix = _missing(comparison, record, [each.internal_id for each in alike])
            found.add(
                DifferenceKind.MISSING_THERE, _money(record.amount, record.currency), "none", reason, record.amount, fix
            )
        return found.differences
    if alike:
        found.add(
            DifferenceKind.DUPLICATE,
            booked.external_id,
            ", ".join(each.internal_id for each in alike[:_SHOWN]),
            "NetSuite has it once more, without an externalId: reverse the one that was entered by hand.",
        )
    found.add_all(_fields(comparison, record, booked))
    if one.bell is None:
        found.add_all(_applied(comparison, one, record, booked))
    found.add_all(_inside(comparison, one, record, booked))
    return found.differences


def booked_difference(books: BooksIndex, one: ProvenRoot | None, root: str, booked: BookedRecord) -> list[Difference]:
    """A record with an externalId of ours that no plan asks for."""
    amount = _money(minor_of(booked.total, books.currency_of(booked)), books.currency_of(booked))
    if one is not None and one.waits is not None:
        return []
    kind, here = DifferenceKind.EXTRA, "unknown"
    reason = "Stripe does not know it: another Stripe account, test data, or an externalId that a person typed."
    if one is not None and one.facts is not None:
        kind, here = DifferenceKind.MISSING_HERE, "asks for none"
        reason = "Stripe's present state asks for no such record. Reverse it in NetSuite by a record of its own."
        if "start date" in one.plan.nothing_because:
            kind = DifferenceKind.BEFORE_START
            reason = one.plan.nothing_because
    return [
        Difference(
            kind,
            root,
            booked.type.value,
            booked.external_id,
            booked.internal_id,
            books.currency_of(booked),
            here,
            amount,
            reason,
        )
    ]


def is_by_hand(one: ProvenRoot) -> bool:
    """Whether it is a payout whose deposit a person has made and said so: Stripe does not itemize it, and nothing about
    it waits."""
    facts = one.facts
    return isinstance(facts, PayoutFacts) and not is_itemized(facts.payout) and not one.left_out and one.waits is None


def deposit_by_hand(comparison: Comparison, one: ProvenRoot) -> list[Difference]:
    """What of a person's deposit is not as the payout: it must be there, with its total, on the bank account of its
    currency. What it holds is theirs to say."""
    facts = one.facts
    if not isinstance(facts, PayoutFacts):
        return []
    amount, currency = _money(banked(facts), one.currency), comparison.policies.currencies.get(one.currency)
    booked = comparison.books.by_external_id.get(one.root)

    def differs(kind: DifferenceKind, here: str, there: str, reason: str, off: int = 0) -> Difference:
        made = booked.internal_id if booked is not None else ""
        return Difference(
            kind, one.root, RecordType.DEPOSIT.value, one.root, made, one.currency, here, there, reason, off
        )

    if booked is None or booked.type is not RecordType.DEPOSIT or booked.voided:
        reason = f"It was settled by hand, and its metadata ({DEPOSIT_KEY}) names no deposit of NetSuite's."
        return [differs(DifferenceKind.MISSING_THERE, amount, "none", reason, banked(facts))]
    found = []
    total = minor_of(booked.total, one.currency)
    if comparison.books.currency_of(booked) != one.currency:
        code = comparison.books.currency_of(booked).upper() or f"currency {booked.currency}"
        found.append(
            differs(
                DifferenceKind.CURRENCY, one.currency.upper(), code, "The deposit made by hand has another currency."
            )
        )
    elif total != banked(facts):
        reason = "The deposit made by hand has another total than the payout."
        found.append(differs(DifferenceKind.AMOUNT, amount, _money(total, one.currency), reason, banked(facts) - total))
    if currency is not None and currency.bank and booked.account != currency.bank:
        reason = "The deposit made by hand is on another account than the payouts of its currency."
        found.append(
            differs(DifferenceKind.DEPOSITED_ELSEWHERE, f"account {currency.bank}", f"account {booked.account}", reason)
        )
    return found


_Row = tuple[DifferenceKind, str, str, str] | tuple[DifferenceKind, str, str, str, int]
"""Kind, both sides, reason, and by how many minor units where both are amounts."""


@dataclass(slots=True)
class _Found:
    one: ProvenRoot
    record: NetSuiteRecord
    booked: BookedRecord | None
    differences: list[Difference]

    def __init__(self, one: ProvenRoot, record: NetSuiteRecord, booked: BookedRecord | None) -> None:
        self.one, self.record, self.booked, self.differences = one, record, booked, []

    def add(
        self, kind: DifferenceKind, stripe: str, netsuite: str, reason: str, off: int = 0, fix: bool = False
    ) -> None:
        self.differences.append(
            Difference(
                kind,
                self.one.root,
                self.record.type.value,
                self.record.external_id,
                self.booked.internal_id if self.booked is not None else "",
                self.record.currency,
                stripe,
                netsuite,
                reason,
                off,
                fix,
            )
        )

    def add_all(self, found: Iterable[_Row]) -> None:
        for one in found:
            self.add(*one)


def _named(record: NetSuiteRecord) -> str:
    """The object that a planned record's memo names."""
    return stripe_id(record.memo.removeprefix("Stripe: ").partition(".")[0].partition(" ")[0])


def _missing(comparison: Comparison, record: NetSuiteRecord, alike: list[str]) -> tuple[str, bool]:
    """Why a record may be missing, and whether ringing its bell would write it."""
    row = comparison.rows.written.get(record.external_id)
    if alike:
        return (
            f"Transaction {', '.join(alike[:_SHOWN])} was entered by hand for it. Keep one: the settlement asks.",
            False,
        )
    if row is not None and row.state is WriteState.WRITTEN:
        gone = f"The settlement wrote it as {row.internal_id}, and NetSuite has it no more: it was deleted there."
        return f"{gone} Enter it by hand, with its externalId.", False
    return "NetSuite has no such record. Ringing the object's bell writes it.", True


def _fields(comparison: Comparison, record: NetSuiteRecord, booked: BookedRecord) -> Iterator[_Row]:
    """Type, currency, amount, customer, days and status."""
    if booked.type is not record.type:
        yield DifferenceKind.STATUS, record.type.value, booked.type.value, "It is a record of another type."
        return
    policy = comparison.policies.currencies.get(record.currency)
    if policy is not None and booked.currency != policy.netsuite_id:
        yield (
            DifferenceKind.CURRENCY,
            record.currency.upper(),
            comparison.books.currency_of(booked).upper() or f"currency {booked.currency}",
            "The currencies differ.",
        )
    else:
        total = minor_of(booked.total, record.currency)
        if total != record.amount:
            edited = _edited(comparison, booked)
            yield (
                DifferenceKind.EDITED if edited else DifferenceKind.AMOUNT,
                _money(record.amount, record.currency),
                _money(total, record.currency),
                f"Somebody changed it in NetSuite on {booked.modified[:10]}, after it was written."
                if edited
                else "The amounts differ.",
                record.amount - total,
            )
    customer = record.netsuite_customer or comparison.rows.customers.get(record.stripe_customer, "")
    if record.type is not RecordType.DEPOSIT and customer and booked.customer != customer:
        yield DifferenceKind.CUSTOMER, f"customer {customer}", f"customer {booked.customer}", "The customers differ."
    original = f"Original transaction date: {record.on.isoformat()}"
    if booked.on != record.on and original not in booked.memo:
        yield DifferenceKind.DATE, record.on.isoformat(), booked.on.isoformat(), "The dates differ."
    if booked.period is not None and not booked.period[0] <= booked.on <= booked.period[1]:
        first, last = booked.period
        yield (
            DifferenceKind.DATE,
            booked.on.isoformat(),
            f"{first} to {last}",
            "It posts to another period than its date's.",
        )
    if booked.voided:
        yield DifferenceKind.STATUS, "posted", "voided", "It was voided in NetSuite."
    elif not booked.posting:
        yield (
            DifferenceKind.STATUS,
            "posted",
            "does not post",
            "It waits for approval in NetSuite, and posts nothing yet.",
        )


def _edited(comparison: Comparison, booked: BookedRecord) -> bool:
    row = comparison.rows.written.get(booked.external_id)
    if row is None or not row.settled_at or not booked.modified:
        return False
    return _time(booked.modified) > _time(row.settled_at) + _A_STATE


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _applied(comparison: Comparison, one: ProvenRoot, record: NetSuiteRecord, booked: BookedRecord) -> Iterator[_Row]:
    """What it is applied to. What a person applied to other objects' documents beside is theirs to decide."""
    if record.type not in _APPLIED_TYPES or booked.type is not record.type:
        return
    wanted = {apply.external_id: apply.amount for apply in record.applies}
    own = {each.external_id for each in one.plan.records}
    held = {
        document: minor_of(amount, record.currency)
        for document, amount in comparison.books.applies_of(booked).items()
        if document in wanted or document in own
    }
    for document in sorted({*wanted, *held}):
        asked, there = wanted.get(document, 0), held.get(document, 0)
        if asked != there:
            yield (
                DifferenceKind.APPLIED,
                f"{_money(asked, record.currency)} to {document}",
                _money(there, record.currency),
                "Another amount of it is applied.",
                asked - there,
            )


def _inside(comparison: Comparison, one: ProvenRoot, record: NetSuiteRecord, booked: BookedRecord) -> Iterator[_Row]:
    """Lines, accounts, and what a deposit holds."""
    if booked.type is not record.type or minor_of(booked.total, record.currency) != record.amount:
        return
    if record.account and booked.account and booked.account != record.account:
        yield (
            DifferenceKind.DEPOSITED_ELSEWHERE,
            f"account {record.account}",
            f"account {booked.account}",
            "The money is on another account.",
        )
    if record.deposit is not None:
        yield from _of_deposit(comparison, record, record.deposit, booked)
    if record.type in (RecordType.INVOICE, RecordType.CREDIT_MEMO):
        wanted = expected_items(record, one.facts, comparison.policies, comparison.rows.items)
        sign = 1 if record.type is RecordType.INVOICE else -1
        lines = booked_items(booked, comparison.books.lines_of(booked), record.currency)
        if wanted is None or wanted.total != record.amount:
            return
        held = {item: sign * amount for item, amount in lines.items()}
        by_item = wanted.beside(held)
        for item in sorted({*by_item, *held}):
            asked, there = by_item.get(item, 0), held.get(item, 0)
            if asked != there:
                yield (
                    DifferenceKind.EDITED if _edited(comparison, booked) else DifferenceKind.AMOUNT,
                    f"item {item or 'none'}: {_money(asked, record.currency)}",
                    _money(there, record.currency),
                    "Its lines use other items or amounts, although the totals agree.",
                    asked - there,
                )


def _of_deposit(
    comparison: Comparison, record: NetSuiteRecord, deposit: Deposit, booked: BookedRecord
) -> Iterator[_Row]:
    wanted = {one.external_id for one in deposit.payments}
    held = comparison.books.payments_of(booked)
    for external_id in sorted(wanted ^ held):
        there = external_id in held
        yield (
            DifferenceKind.APPLIED,
            "not in the payout" if there else external_id,
            external_id if there else "not on the deposit",
            "The deposit holds other payments than the payout.",
        )
    lines: dict[str, int] = {}
    for line in deposit.lines:
        lines[line.account] = lines.get(line.account, 0) - line.amount
    there_by = {
        account: minor_of(amount, record.currency)
        for account, amount in comparison.books.deposit_lines_of(booked).items()
    }
    for account in sorted({*lines, *(comparison.books.fee_accounts & there_by.keys())}):
        asked, there_is = lines.get(account, 0), there_by.get(account, 0)
        if asked != there_is:
            yield (
                DifferenceKind.AMOUNT,
                f"account {account}: {_money(asked, record.currency)}",
                _money(there_is, record.currency),
                "The deposit's lines on this account differ from the payout's fees.",
                asked - there_is,
            )


def _money(minor: int, currency: str) -> str:
    return str(Money(minor, currency)) if currency else str(minor)
