"""Both sides of the equations, added up root by root, so that what waits can be told from what differs. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from billing.domain.money.money import rule_of
from billing.domain.settlement.books import BookedRecord
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.item_choice import items_of
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.proof import QUANTITY_DECIMALS, Equation, EquationName, decimals_of
from billing.domain.settlement.records import Hold, NetSuiteRecord, SettlementPlan
from billing.domain.settlement.stripe_objects import Charge, ChargeFacts, InvoiceFacts, PayoutFacts
from billing.domain.settlement.written import WrittenRecord

Facts = InvoiceFacts | ChargeFacts | PayoutFacts


@dataclass(frozen=True, slots=True)
class ProvenRoot:
    """A root object: what Stripe says, what follows from it, and what its bell says it waits for, since when (ISO).
    `facts` is None for an object that Stripe does not have."""

    root: str
    kind: RootKind
    facts: Facts | None
    plan: SettlementPlan
    bell: Hold | None = None
    since: str = ""

    @property
    def waits(self) -> Hold | None:
        """Why it is not settled: what its bell says, or the plan's own hold."""
        return self.bell or next(iter(self.plan.holds), None)

    @property
    def left_out(self) -> bool:
        """Whether the settlement has nothing to do with it: a draft, blocked, before its start."""
        return bool(self.plan.nothing_because) and not self.plan.records

    @property
    def currency(self) -> str:
        """Lower-case code, "" for an object that Stripe does not have."""
        if isinstance(self.facts, InvoiceFacts):
            return self.facts.invoice.currency
        if isinstance(self.facts, ChargeFacts):
            return self.facts.charge.currency
        return self.facts.payout.currency if self.facts is not None else ""


@dataclass(frozen=True, slots=True)
class OurRows:
    """What the settlement's own rows say: records by externalId, NetSuite's customers by Stripe's id, and items by the
    key of `item_choice.item_key`."""

    written: Mapping[str, WrittenRecord] = field(default_factory=dict)
    customers: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)


def objects_of(facts: Facts | None) -> Iterator[str]:
    """The ids of the Stripe objects whose records belong to a root."""
    if isinstance(facts, ChargeFacts):
        yield from _objects_of_charge(facts.charge)
    elif isinstance(facts, PayoutFacts):
        yield from (one.id for one in (facts.payout, *facts.earlier))
    elif facts is not None:
        yield facts.invoice.id
        yield from (one.id for one in facts.credit_notes)
        yield from (one.id for one in facts.balance)
        for payment in facts.payments:
            yield payment.id
            yield from _objects_of_charge(payment.charge) if payment.charge is not None else ()


def _objects_of_charge(charge: Charge) -> Iterator[str]:
    yield charge.id
    yield from (one.id for one in charge.refunds)
    yield from (one.id for one in charge.disputes)


_Key = tuple[EquationName, str, str]


@dataclass(slots=True)
class Sides:
    """Sums by equation, currency and key (an item, an order; "" where there is one sum). `waiting` are the roots whose
    differences are explained."""

    waiting: Collection[str]
    _stripe: dict[_Key, int] = field(default_factory=lambda: defaultdict(int))
    _netsuite: dict[_Key, int] = field(default_factory=lambda: defaultdict(int))
    _waiting: dict[_Key, int] = field(default_factory=lambda: defaultdict(int))

    def stripe(self, root: str, name: EquationName, currency: str, amount: int, key: str = "") -> None:
        """Add to Stripe's side."""
        self._add(self._stripe, root, (name, currency, key), amount, amount)

    def netsuite(self, root: str, name: EquationName, currency: str, amount: int, key: str = "") -> None:
        """Add to NetSuite's side."""
        self._add(self._netsuite, root, (name, currency, key), amount, -amount)

    def _add(self, side: dict[_Key, int], root: str, key: _Key, amount: int, off: int) -> None:
        side[key] += amount
        if root in self.waiting:
            self._waiting[key] += off

    def equations(self) -> tuple[Equation, ...]:
        """Six for each currency in which there was anything."""
        keys = {*self._stripe, *self._netsuite}
        return tuple(
            self._equation(name, currency)
            for currency in sorted({currency for _, currency, _ in keys if currency})
            for name in EquationName
        )

    def _equation(self, name: EquationName, currency: str) -> Equation:
        keys = [one for one in {*self._stripe, *self._netsuite} if one[:2] == (name, currency)]
        off = [self._stripe.get(one, 0) - self._netsuite.get(one, 0) - self._waiting.get(one, 0) for one in keys]
        by_key = name in (EquationName.REVENUE, EquationName.ORDERS)
        return Equation(
            name,
            currency,
            sum(self._stripe.get(one, 0) for one in keys),
            sum(self._netsuite.get(one, 0) for one in keys),
            sum(self._waiting.get(one, 0) for one in keys),
            sum(map(abs, off)) if by_key else sum(off),
            decimals_of(name, currency),
        )


def minor_of(amount: Decimal, currency: str) -> int:
    """Minor units; what Stripe could not hold is rounded, and shows as a difference."""
    return int(amount.scaleb(rule_of(currency).exponent).to_integral_value())


def quantity_of(quantity: Decimal | str) -> int:
    """A quantity in units of 10^-8."""
    return int(Decimal(quantity).scaleb(QUANTITY_DECIMALS).to_integral_value())


@dataclass(frozen=True, slots=True)
class ExpectedItems:
    """What an invoice or a memo holds by item (NetSuite's internal id), in minor units. `rest` is what the plan leaves
    to NetSuite, None for nothing: of an order its tax, shipping and discounts (which may add up to 0), lines of items
    that our ledger does not know."""

    items: Mapping[str, int]
    rest: int | None = None

    @property
    def total(self) -> int:
        """Of the whole record."""
        return sum(self.items.values()) + (self.rest or 0)

    def beside(self, there: Mapping[str, int]) -> dict[str, int]:
        """By item, beside what NetSuite's record holds (the same signs): the rest is split as it is there, and what
        NetSuite's split lacks of it is of no item."""
        found = dict(self.items)
        if self.rest is not None:
            split = {item: amount for item, amount in there.items() if item and item not in found}
            found.update(split)
            found[""] = found.get("", 0) + self.rest - sum(split.values())
        return {item: amount for item, amount in found.items() if amount}


def expected_items(
    record: NetSuiteRecord, facts: Facts | None, policies: SettlementPolicies, items: Mapping[str, str]
) -> ExpectedItems | None:
    """What an invoice or a memo holds by item; None where the plan leaves the items to NetSuite (a memo that takes its
    invoice's lines in proportion, an order's line of which our ledger kept no item)."""
    if record.transform is not None:
        return _items_of_order(record, facts)
    if record.credits and not record.lines:
        return None
    chosen = items_of(record, policies, items)
    found: dict[str, int] = defaultdict(int)
    for line in record.lines:
        if line.amount and line.item not in chosen and not line.taxable:
            return None
        found[chosen.get(line.item, "")] += line.amount
    return ExpectedItems(dict(found))


def _items_of_order(record: NetSuiteRecord, facts: Facts | None) -> ExpectedItems | None:
    orders = facts.orders if isinstance(facts, InvoiceFacts) else ()
    order = next((one for one in orders if record.transform and one.order_id == record.transform.order_id), None)
    if order is None or any(line.amount and not line.item for line in order.lines if line.kind == "item"):
        return None
    found: dict[str, int] = defaultdict(int)
    for line in order.lines:
        if line.kind == "item":
            found[line.item] += line.amount
    others = [line.amount for line in order.lines if line.kind != "item"]
    return ExpectedItems(dict(found), sum(others) if others else None)


def booked_items(booked: BookedRecord, lines: Mapping[str, Decimal], currency: str) -> dict[str, int]:
    """What NetSuite's record holds by item, above zero for revenue. What its total has beside the lines (tax that is no
    line) is under ""."""
    sign = 1 if booked.type.value == "invoice" else -1
    found = {item: minor_of(amount, currency) for item, amount in lines.items()}
    rest = sign * minor_of(booked.total, currency) - sum(found.values())
    if rest:
        found[""] = found.get("", 0) + rest
    return {item: amount for item, amount in found.items() if amount}
