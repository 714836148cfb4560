"""What one run would bill: every plan with what is to be done with it, and every order that cannot be billed.

The batch is written once, hashed, shown to the approvers and signed for. What is drafted are pieces of the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from billing.domain.batch.month_comparison import BatchWarning
from billing.domain.batch.past_months import PastMonths
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.invoices.invoice_days import InvoiceDays, days_by_terms
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.ledger.customer_match import MatchedCustomer
from billing.domain.ledger.ended_orders import EndedListed
from billing.domain.ledger.ledger import Disposition, OrderLink
from billing.domain.money.money import round_half_up, rule_of
from billing.domain.orders.other_subsidiaries import OtherSubsidiary
from billing.domain.orders.outstanding import Carried, CarriedGone, Outstanding
from billing.domain.orders.sales_order import Problem
from billing.domain.records import WRITTEN_IF_SET, read_stored, stored, written_as
from billing.domain.records_of_format_1 import (
    batch_of_format_1,
    item_of_format_1,
    piece_of_format_1,
    reasons_of_format_1,
)
from billing.domain.run import RunFrame


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a plan lies in the run's NDJSON file: bytes [offset, offset + length), and their SHA-256."""

    offset: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BatchInvoice:
    """A plan, what is done with it and why, and whom Stripe bills. `piece` exists for those that may be drafted.

    `orders` links to the ledger's records of the plan's orders. `replaces` are invoices of ours that a person deleted
    or voided in Stripe and that this one takes the place of. `billed_by` is the plan key of the invoice that has billed
    it already. `carried_from` is the period in which an earlier run listed the
    order without drafting it. `gives_up` are plans whose drafting was begun with its orders and which it takes the
    place of; `deletes` are the drafts in Stripe that they, or other content of its own, left behind. `days` are
    the days that are signed for, None for what is not drafted and in batches that were written before they were kept.
    """

    plan: InvoicePlan
    invoice_hash: str = field(metadata=written_as("content_hash"))
    disposition: Disposition
    reason: str
    customer: MatchedCustomer | None
    invoice_id: str | None = None
    piece: Piece | None = None
    orders: tuple[OrderLink, ...] = ()
    replaces: tuple[str, ...] = ()
    carried_from: str | None = None
    billed_by: str = ""
    gives_up: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    days: InvoiceDays | None = None
    open_minor: int | None = None

    @property
    def total(self) -> int:
        """What it is about, in minor units: the plan's total, and of a held one what is still open of it."""
        return self.plan.total if self.open_minor is None else self.open_minor


@dataclass(frozen=True, slots=True)
class DoneOrder:
    """An invoice's worth of an order that is drafted already, and about which nothing has changed since: it is counted
    and kept for the report, and nobody is shown it. `total` is in minor units; `run_id` drafted it as `billed_by`."""

    key: str
    order_id: str
    number: str
    client_id: str
    client: str
    currency: str
    total: int
    invoice_id: str
    invoice_hash: str = field(metadata=written_as("content_hash"))
    reason: str
    billed_by: str
    run_id: str


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Open orders of one currency dated before the day from which the firm bills with this stack. `total` is the sum of
    their totals in minor units, None where the currency is not known."""

    currency: str
    orders: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """A run's whole content. `run` is its public frame: id, cycle, period, listed dates, filter. `warnings` are about
    the batch as a whole: against last month, and above the bounds. `done` is what was listed, drafted before and is
    unchanged; `ended` are listed orders that a person has ended, and that have not changed since; `outstanding` and
    `carried_gone` are orders of earlier runs outside the listing; `left_alone` is what lies before the start, None
    where that was told before; `paid` are invoices that were seen paid for the first time; `billed_otherwise` are those
    of `outstanding` that come back until a person has looked (see billed_otherwise); `past` is what the months before
    billed, None where none has billed anything, in a trial, and in batches that were written before it was kept;
    `of_others` are open orders of subsidiaries that this stack does not bill, None for none."""

    run: RunFrame
    invoices: tuple[BatchInvoice, ...]
    problems: tuple[Problem, ...]
    absent_columns: tuple[str, ...] = ()
    warnings: tuple[BatchWarning, ...] = ()
    carried_gone: tuple[CarriedGone, ...] = ()
    ended: tuple[EndedListed, ...] = ()
    done: tuple[DoneOrder, ...] = ()
    outstanding: tuple[Outstanding, ...] = ()
    left_alone: tuple[LeftAlone, ...] | None = None
    paid: tuple[str, ...] = ()
    billed_otherwise: tuple[Carried, ...] = ()
    past: PastMonths | None = field(default=None, metadata=WRITTEN_IF_SET)
    of_others: tuple[OtherSubsidiary, ...] | None = field(default=None, metadata=WRITTEN_IF_SET)

    @property
    def says_nothing(self) -> bool:
        """Whether everything that was listed is drafted and unchanged, and nobody has to hear of anything."""
        unnamed = [one for one in self.ended if not one.ended.named_in]
        named = (self.invoices, self.problems, self.warnings, self.carried_gone, self.outstanding, unnamed)
        return not any(named) and self.left_alone is None

    def of(self, *dispositions: Disposition) -> tuple[BatchInvoice, ...]:
        """The invoices with one of these dispositions, in the batch's order."""
        return tuple(invoice for invoice in self.invoices if invoice.disposition in dispositions)

    @property
    def to_draft(self) -> tuple[BatchInvoice, ...]:
        """What will be drafted if the batch is approved."""
        return self.of(Disposition.ASK, Disposition.FINISH)

    def days_of(self, invoice: BatchInvoice) -> InvoiceDays | None:
        """The days that are signed for; None for what is not drafted, or was begun by a version that kept none."""
        if invoice.days is not None or invoice.disposition is not Disposition.ASK or not self.run.invoice_date:
            return invoice.days
        return days_by_terms(invoice.plan.due, self.run.invoice_date)

    def day_of(self, now: datetime) -> date:
        """The day that `now` is in the cycle's zone."""
        return now.astimezone(ZoneInfo(self.run.zone)).date()

    def due_days(self, today: date) -> dict[str, str]:
        """The due day (YYYY-MM-DD) of each draft that would be made `today`, by plan key."""
        days = {one.plan.key: self.days_of(one) for one in self.to_draft}
        return {key: of.due_if_drafted(today) for key, of in days.items() if of is not None}


def read_batch(data: Any) -> Batch:
    """The batch that this version or an earlier one wrote. Raises RecordUnreadable."""
    return read_stored(Batch, data, "the run's file batch.json", batch_of_format_1)


def left_alone(currency_code: str, orders: int, total: str) -> LeftAlone:
    """One currency of what lies before the start, from NetSuite's texts. The sum is rounded to the smallest amount: it
    is told, and never billed."""
    currency = currency_code.strip().lower()
    try:
        rule = rule_of(currency)
        minor: int | None = round_half_up(Fraction(Decimal(total)) * 10**rule.exponent, rule.step)
    except (ValueError, ArithmeticError):
        minor = None
    return LeftAlone(currency, orders, minor)


@dataclass(frozen=True, slots=True)
class Approved:
    """What the approvers signed for: the plan, its customer, the ledger's records of its orders as they were, and the
    removed invoices that it takes the place of, the begun plans that it gives up, and the drafts of these that we
    delete. `days` is None in a piece that was written before days were kept. It is a line of invoices.ndjson."""

    plan: InvoicePlan
    invoice_hash: str = field(metadata=written_as("content_hash"))
    customer: MatchedCustomer
    orders: tuple[OrderLink, ...]
    replaces: tuple[str, ...]
    gives_up: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    days: InvoiceDays | None = None


@dataclass(frozen=True, slots=True)
class MapItem:
    """One item of the Map state, for one invoice: a small reference without names or amounts. `order` are the orders'
    numbers; after `draft_before` (ISO, UTC) nothing is drafted from it, "" in an item of an older version, which does
    not say."""

    key: str
    order: str
    invoice_hash: str = field(metadata=written_as("content_hash"))
    piece: Piece
    draft_before: str = ""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why plans are not drafted, by plan key: the files held.json and changed.json."""

    reasons: Mapping[str, str]


def read_piece(data: Any, key: str) -> Approved:
    """What was signed for of the plan `key`. Raises RecordUnreadable."""
    return read_stored(Approved, data, f"what was signed for of {key}", piece_of_format_1)


def read_item(data: Any) -> MapItem:
    """An item of the Map state. Raises RecordUnreadable."""
    return read_stored(MapItem, data, "an item of the run's file items.json", item_of_format_1)


def read_reasons(data: Any, name: str) -> Mapping[str, str]:
    """The reasons in the file `name`, held.json or changed.json. Raises RecordUnreadable."""
    return read_stored(Reasons, data, f"the run's file {name}", reasons_of_format_1).reasons


def with_pieces(invoices: Iterable[BatchInvoice]) -> tuple[tuple[BatchInvoice, ...], bytes]:
    """Lay the plans that may be drafted into one NDJSON file. Answers the invoices with their pieces, and the file."""
    placed: list[BatchInvoice] = []
    lines: list[bytes] = []
    offset = 0
    for invoice in invoices:
        if invoice.disposition not in (Disposition.ASK, Disposition.FINISH) or invoice.customer is None:
            placed.append(invoice)
            continue
        piece = Approved(
            plan=invoice.plan,
            invoice_hash=invoice.invoice_hash,
            customer=invoice.customer,
            orders=invoice.orders,
            replaces=invoice.replaces,
            gives_up=invoice.gives_up,
            deletes=invoice.deletes,
            days=invoice.days,
        )
        line = canonical_json(stored(piece))
        placed.append(replace(invoice, piece=Piece(offset, len(line), sha256_hex(line))))
        lines.append(line + b"\n")
        offset += len(line) + 1
    return tuple(placed), b"".join(lines)


def totals(invoices: Iterable[BatchInvoice]) -> dict[str, int]:
    """Sum of the plans' totals by currency, in minor units."""
    sums: dict[str, int] = {}
    for invoice in invoices:
        sums[invoice.plan.currency] = sums.get(invoice.plan.currency, 0) + invoice.plan.total
    return dict(sorted(sums.items()))


def check_holds_until(checked: datetime, drafts: int, at_once: int) -> datetime:
    """How long drafting may rely on a check for changes: an hour, and as long as so many drafts take, `at_once` of them
    at the same time. A Map that was aborted and is redriven days later takes up the items of its first start."""
    return checked + _A_CHECK_HOLDS + _ONE_DRAFT * -(-drafts // max(1, at_once))


_A_CHECK_HOLDS = timedelta(hours=1)
_ONE_DRAFT = timedelta(seconds=20)
"""Generous: Stripe answers the four or five requests of a draft in two or three seconds, and retries take longer."""


def map_items(invoices: Sequence[BatchInvoice], draft_before: datetime | None = None) -> list[MapItem]:
    """The Map state's items, one for each invoice that may be drafted. After `draft_before` nothing is drafted from
    them (check_holds_until)."""
    before = "" if draft_before is None else draft_before.isoformat()
    return [
        MapItem(
            invoice.plan.key,
            ", ".join(order.number for order in invoice.plan.orders)[:200],
            invoice.invoice_hash,
            invoice.piece,
            before,
        )
        for invoice in invoices
        if invoice.piece is not None
    ]
