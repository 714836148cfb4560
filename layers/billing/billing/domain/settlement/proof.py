"""What a nightly proof says: six equations a currency, and every difference by its class. It is a stored file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from billing.domain.money.money import rule_of

QUANTITY_DECIMALS: Final = 8
"""Quantities of orders are whole numbers of 10^-8: NetSuite keeps fewer decimals."""


class EquationName(StrEnum):
    """The six equations."""

    RECEIVABLES = "receivables"
    UNDEPOSITED_FUNDS = "undeposited_funds"
    BANK = "bank"
    FEES = "fees"
    REVENUE = "revenue"
    ORDERS = "orders"


class DifferenceKind(StrEnum):
    """What a difference is. `there` is NetSuite, `here` is Stripe."""

    MISSING_HERE = "missing here"  # NetSuite has it, and Stripe's state asks for no such record
    MISSING_THERE = "missing there"  # Stripe asks for it, NetSuite has none
    AMOUNT = "amount"
    CURRENCY = "currency"
    CUSTOMER = "customer"
    DATE = "date"
    STATUS = "status"
    APPLIED = "applied amount"
    EXTRA = "extra"  # it has an externalId of ours, and Stripe does not know the object
    DUPLICATE = "duplicate"
    EDITED = "edited by hand"
    DEPOSITED_ELSEWHERE = "deposited elsewhere"
    WAITING = "waiting"
    BEFORE_START = "before start date"


EXPLAINED: Final = frozenset({DifferenceKind.WAITING, DifferenceKind.BEFORE_START})
"""Known and named: no fault of the books."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation in one currency, in minor units (`decimals` of them); orders are quantities.

    `waiting` is what objects that wait for a person, a period or a member would still move. `difference` is what that
    does not explain: Stripe - NetSuite - waiting. Of revenue (by item) and of orders (by order) it is the sum of the
    absolute differences, so that two wrongs never make a right."""

    name: EquationName
    currency: str
    stripe: int
    netsuite: int
    waiting: int
    difference: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `stripe` and `netsuite` are both sides as a person reads them; `off` is Stripe less NetSuite in
    minor units where both are amounts. `fix`: the settlement may write it, if its bell is rung. `opened` is the day of
    the proof that saw it first."""

    kind: DifferenceKind
    root: str
    record: str
    external_id: str
    netsuite_id: str
    currency: str
    stripe: str
    netsuite: str
    reason: str
    off: int = 0
    fix: bool = False
    opened: str = ""
    stripe_link: str = ""
    netsuite_link: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same difference tomorrow."""
        return self.kind.value, self.root, self.external_id or self.netsuite_id, self.record


@dataclass(frozen=True, slots=True)
class ClosedDifference:
    """A difference of the proof before that is gone."""

    kind: DifferenceKind
    root: str
    external_id: str
    netsuite_id: str
    opened: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A night's proof. `records` is how many records were compared, `roots` of how many objects of Stripe's, `since`
    the first day that was read whole. `previous` is the day of the proof that this was compared with, and its hash."""

    day: str
    since: str
    roots: int
    records: int
    equations: tuple[Equation, ...]
    differences: tuple[Difference, ...]
    closed: tuple[ClosedDifference, ...] = ()
    previous: str = ""
    previous_sha256: str = ""

    @property
    def wrong(self) -> tuple[Difference, ...]:
        """Differences that nothing explains."""
        return tuple(one for one in self.differences if one.kind not in EXPLAINED)

    @property
    def explained(self) -> tuple[Difference, ...]:
        """What waits, and what is older than the settlement."""
        return tuple(one for one in self.differences if one.kind in EXPLAINED)

    @property
    def agrees(self) -> bool:
        """Both books say the same, but for what waits."""
        return not self.wrong and not any(one.difference for one in self.equations)


def decimals_of(name: EquationName, currency: str) -> int:
    """The decimals of an equation's numbers."""
    return QUANTITY_DECIMALS if name is EquationName.ORDERS else rule_of(currency).exponent
