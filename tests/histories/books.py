"""The firm's own books: what is ordered, what people have billed in NetSuite, and what Stripe holds for it.

Kept by the test beside the product, from what people do and from what lies in Stripe's stand-in. No rule of the product
is used here; amounts are whole cents, quantities whole hours, and taxes come out even, so nothing is ever rounded.

An hour that is drafted in Stripe and then billed in NetSuite is one hour: an accountant who bills in NetSuite bills
what was invoiced already before anything else (`mirrored`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TAG = re.compile(r"\bW(\d+)-(\d+)\b")
"""What a line's description begins with: the order's and the line's number, so that Stripe's lines are told apart by
what a client would read."""

BILLABLE = ("E", "F")
ENDED = ("C", "H")
OVER = ("C", "G", "H")
"""NetSuite's status letters: Cancelled, Billed, Closed."""


def number_of(order: int) -> str:
    return f"SO-{order}"


@dataclass
class OrderedLine:
    """One line of an order: `quantity` hours at `rate` cents. `billed` hours were invoiced in NetSuite for
    `billed_cents` before tax; `mirrored` cents of these were in Stripe already."""

    number: int
    quantity: int
    rate: int
    tax_percent: int = 0
    closed: bool = False
    billed: int = 0
    billed_cents: int = 0
    mirrored: int = 0

    @property
    def open_hours(self) -> int:
        return 0 if self.closed else self.quantity - self.billed


@dataclass
class OrderBook:
    """One order as it is in NetSuite. `client` is the client's e-mail address, `day` its date as YYYY-MM-DD, `status`
    NetSuite's letter. `was_open` says that something was open when the last run ended,
    `gone` that it was deleted in NetSuite."""

    order: int
    client: str
    currency: str
    day: str
    status: str
    lines: list[OrderedLine]
    was_open: bool = False
    gone: bool = False

    @property
    def number(self) -> str:
        return number_of(self.order)


@dataclass(frozen=True)
class Alive:
    """What a live invoice in Stripe holds of one order, in cents: before tax by line, and in whole. `client` is the
    client's e-mail address, as Stripe's customer has it."""

    invoice: str
    status: str
    currency: str
    client: str
    by_line: Mapping[int, int]
    total: int


@dataclass(frozen=True)
class Standing:
    """One order against all that is known of it, in cents. `gap` is what is ordered and in nobody's bill (below zero:
    billed beyond what is ordered)."""

    number: str
    ordered: int
    in_stripe: int
    in_netsuite: int
    mirrored: int
    moved: bool

    @property
    def billed(self) -> int:
        return self.in_stripe + self.in_netsuite - self.mirrored

    @property
    def gap(self) -> int:
        return self.ordered - self.billed


@dataclass
class Books:
    """All orders. `frozen` remembers a draft as it was before a person edited it: what they changed is theirs."""

    orders: dict[int, OrderBook] = field(default_factory=dict)
    frozen: dict[str, dict[int, Alive]] = field(default_factory=dict)

    def copy(self) -> Books:
        """As everything is now."""
        orders = {key: replace(one, lines=[replace(line) for line in one.lines]) for key, one in self.orders.items()}
        return Books(orders, self.frozen)

    # Stripe.

    def alive(self, invoices: Iterable[Mapping[str, Any]]) -> dict[int, list[Alive]]:
        """Of each order, what Stripe's live invoices hold."""
        found: dict[int, list[Alive]] = {}
        for invoice in invoices:
            if invoice["status"] == "void":
                continue
            for order, share in self.frozen.get(invoice["id"], shares_of(invoice)).items():
                found.setdefault(order, []).append(replace(share, status=invoice["status"]))
        return found

    def settle(self, invoices: Iterable[Mapping[str, Any]]) -> None:
        """Note what was deleted or voided in Stripe: what is no longer there mirrors nothing."""
        alive = self.alive(invoices)
        for key, order in self.orders.items():
            for line in order.lines:
                there = sum(one.by_line.get(line.number, 0) for one in alive.get(key, []))
                line.mirrored = min(line.mirrored, there)

    def bill_in_netsuite(self, order: int, line_number: int, hours: int, invoices: Iterable[Mapping[str, Any]]) -> None:
        """A person invoices hours of a line in NetSuite: those that Stripe has first."""
        line = self.line(order, line_number)
        there = sum(one.by_line.get(line_number, 0) for one in self.alive(invoices).get(order, []))
        line.billed += hours
        line.billed_cents += hours * line.rate
        line.mirrored += max(0, min(hours * line.rate, there - line.mirrored))

    def line(self, order: int, number: int) -> OrderedLine:
        return next(line for line in self.orders[order].lines if line.number == number)

    # The equation.

    def standings(self, invoices: Iterable[Mapping[str, Any]]) -> dict[int, Standing]:
        """Every order against all that is known of it."""
        alive = self.alive(invoices)
        return {key: self._standing(order, alive.get(key, [])) for key, order in self.orders.items()}

    def _standing(self, order: OrderBook, alive: list[Alive]) -> Standing:
        billed = sum(_taxed(line.billed_cents, line) for line in order.lines)
        mirrored = sum(_taxed(line.mirrored, line) for line in order.lines)
        in_stripe = sum(one.total for one in alive)
        moved = any(one.currency != order.currency.lower() or one.client != order.client for one in alive)
        return Standing(order.number, self._ordered(order, alive), in_stripe, billed, mirrored, moved)

    @staticmethod
    def _ordered(order: OrderBook, alive: list[Alive]) -> int:
        """What NetSuite says is ordered. Of what was closed or cancelled, what has been billed by then and can no
        longer be taken back: a draft can."""
        total = 0
        for line in order.lines:
            if line.closed or order.gone or order.status in ENDED:
                sent = sum(one.by_line.get(line.number, 0) for one in alive if one.status != "draft")
                total += _taxed(line.billed_cents + max(0, sent - line.mirrored), line)
            else:
                total += _taxed(line.quantity * line.rate, line)
        return total


def shares_of(invoice: Mapping[str, Any]) -> dict[int, Alive]:
    """What one of Stripe's invoices holds of each order, told by the lines' texts; taxes by their orders' ids."""
    by_line: dict[int, dict[int, int]] = {}
    totals: dict[int, int] = {}
    order_of_id: dict[str, int] = {}
    rest: list[Mapping[str, Any]] = []
    for line in invoice["lines"]["data"]:
        found = TAG.search(line["description"] or "")
        if found is None:
            rest.append(line)
            continue
        order, number = int(found[1]), int(found[2])
        mine = by_line.setdefault(order, {})
        mine[number] = mine.get(number, 0) + line["amount"]
        totals[order] = totals.get(order, 0) + line["amount"]
        order_of_id[line["metadata"].get("netsuite_so_id", "")] = order
    for line in rest:
        order = order_of_id[line["metadata"].get("netsuite_so_id", "")]
        totals[order] += line["amount"]
    return {
        order: Alive(
            invoice["id"], invoice["status"], invoice["currency"], invoice["customer_email"] or "", lines, totals[order]
        )
        for order, lines in by_line.items()
    }


def _taxed(cents: int, line: OrderedLine) -> int:
    taxed, left = divmod(cents * (100 + line.tax_percent), 100)
    assert left == 0, "the books are made so that nothing is ever rounded"
    return taxed
