"""The invoice as it will be drafted: the record that is approved, hashed and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.money.money import rule_of
from billing.domain.orders.due_date import Due
from billing.domain.records import to_record

LineKind = Literal["item", "shipping", "tax", "discount", "payment"]


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """A sales order that the invoice bills: NetSuite's internal id, its number, its date (YYYY-MM-DD)."""

    id: str
    number: str
    date: str


@dataclass(frozen=True, slots=True)
class PlanClient:
    """Who is billed. `stripe_id` is what NetSuite has stored, if anything; it is a hint, not content."""

    netsuite_id: str
    number: str
    name: str
    email: str | None
    stripe_id: str | None


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """First and last day of the service, both included (YYYY-MM-DD)."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class LineTax:
    """NetSuite's tax code and rate ("10%") of a tax line."""

    code: str
    rate: str | None


@dataclass(frozen=True, slots=True)
class LineSource:
    """Where the line comes from in NetSuite: order's internal id, line id, item's internal id."""

    order_id: str
    line: str
    item: str | None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the invoice.

    `amount` is in minor units, signed. `quantity` (open quantity) and `unit_amount` (major units) are
    plain decimals for reading. `unit_amount_minor_decimal` is set only when the line may be sent to
    Stripe as quantity and unit price: quantity times it is exactly `amount`.
    """

    id: str
    kind: LineKind
    description: str
    amount: int
    quantity: str | None
    unit_amount: str | None
    unit_amount_minor_decimal: str | None
    service_period: ServicePeriod | None
    tax: LineTax | None
    netsuite: LineSource


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """Something that the approver must see; it does not change what is billed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InvoicePlan:
    """One invoice, ready to be drafted.

    Amounts are minor units of `currency`. `total` is the sum of `lines` always; under Stripe's automatic
    tax that sum is net and Stripe's own total will be higher by its tax. `net_total` is the lines without
    tax, `tax_total` the tax lines. `part` of `parts` counts from 1.
    """

    key: str
    orders: tuple[PlanOrder, ...]
    part: int
    parts: int
    client: PlanClient
    currency: str
    lines: tuple[PlanLine, ...]
    total: int
    net_total: int
    tax_total: int
    due: Due
    description: str
    footer: str
    custom_fields: tuple[tuple[str, str], ...]
    memo: str | None
    warnings: tuple[PlanWarning, ...]
    status: str
    last_modified: str

    def check_as_read(self) -> None:
        """Raise ValueError if the sums do not add up, or the currency is none: the plan was altered."""
        rule_of(self.currency)
        if self != with_lines(self, self.lines):
            raise ValueError(f"{self.key} does not add up")


def with_lines(plan: InvoicePlan, lines: Sequence[PlanLine]) -> InvoicePlan:
    """`plan` with these lines and the totals that follow from them."""
    tax_total = sum(line.amount for line in lines if line.kind == "tax")
    total = sum(line.amount for line in lines)
    return replace(plan, lines=tuple(lines), total=total, net_total=total - tax_total, tax_total=tax_total)


def plan_hash(plan: InvoicePlan) -> str:
    """SHA-256 (hex) over what is billed: who, what, how much, when due, and the texts.

    Left out is what may change without changing the invoice: the stored Stripe id, warnings, NetSuite's
    status and time of last change. An approval counts for exactly this content.
    """
    content = to_record(plan)
    for field in ("warnings", "status", "last_modified"):
        del content[field]
    del content["client"]["stripe_id"]
    return sha256_hex(canonical_json({"format": 1, **content}))
