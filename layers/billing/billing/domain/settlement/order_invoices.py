"""Invoices of our own monthly run: made from their sales orders, so that the orders become Billed.

NetSuite works out discounts, shipping and tax of a transform by itself. So the body names exactly the lines and
quantities that Stripe bills, and what NetSuite would save (its create-form) is compared with Stripe's share of the
order before anything is saved: one minor unit of difference is held, with both columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from billing.domain.money.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, memo
from billing.domain.settlement.records import (
    Hold,
    NetSuiteRecord,
    Phase,
    RecordType,
    Transform,
    TransformLine,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import BilledOrder, InvoiceFacts

ORDER_DIFFERS = "order_and_invoice_differ"


def order_invoices(
    facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[NetSuiteRecord], list[Hold]]:
    """One invoice for each order on the Stripe invoice, the orders' shares adding up to its total. Pure."""
    invoice = facts.invoice
    foreign = [line for line in facts.lines if not line.metadata.get("netsuite_so_id")]
    if foreign:
        return [], [
            Hold(
                "line_without_order",
                f"{len(foreign)} of the lines of {invoice.id} are of no sales order: somebody added them in Stripe. "
                "Bill the order in NetSuite by hand, or void the invoice and run again.",
            )
        ]
    billed = {order.order_id: order.total for order in facts.orders}
    in_stripe: dict[str, int] = {}
    for line in facts.lines:
        order_id = line.metadata["netsuite_so_id"]
        in_stripe[order_id] = in_stripe.get(order_id, 0) + line.amount
    if billed != in_stripe or sum(in_stripe.values()) != invoice.total:
        return [], [_edited(facts, billed, in_stripe)]
    refused = _cannot_be_made(facts)
    if refused is not None:
        return [], [refused]
    at = invoice.effective_at if invoice.effective_at is not None else invoice.finalized_at
    day = calendar.day(at or invoice.created)
    records = [
        NetSuiteRecord(
            type=RecordType.INVOICE,
            phase=Phase.INVOICES,
            external_id=external_ids.invoice(invoice.id, order.order_id),
            stripe_customer=invoice.customer,
            currency=invoice.currency,
            amount=order.total,
            on=day,
            memo=memo(
                invoice.id, order.order_number, f"Replaced by {invoice.revised_by}" if invoice.revised_by else ""
            ),
            netsuite_customer=order.netsuite_customer,
            transform=_transform(order),
            number=invoice.number,
            due=calendar.day(invoice.due_date) if invoice.due_date is not None else None,
            fields=tuple(sorted(policies.defaults.get("invoice", {}).items())),
            write_backs=(WriteBack(invoice.id, "netsuite_invoice_id"),),
        )
        for order in facts.orders
    ]
    return records, []


def _cannot_be_made(facts: InvoiceFacts) -> Hold | None:
    """Shares that NetSuite has no invoice for, or that one payment could not pay."""
    negative = [order.order_number for order in facts.orders if order.total < 0]
    if negative:
        return Hold(
            "order_below_zero",
            f"The share of {', '.join(negative)} on {facts.invoice.id} is below zero, and NetSuite takes no such "
            "invoice. Bill the order in NetSuite by hand, or void the invoice and correct the order.",
        )
    customers = sorted({order.netsuite_customer for order in facts.orders})
    if len(customers) > 1:
        return Hold(
            "several_customers",
            f"{facts.invoice.id} bills orders of the NetSuite customers {', '.join(customers)}: one payment cannot be "
            "applied to invoices of several. Void it and bill them apart.",
        )
    return None


def _edited(facts: InvoiceFacts, billed: Mapping[str, int], in_stripe: Mapping[str, int]) -> Hold:
    invoice = facts.invoice
    numbers = {order.order_id: order.order_number for order in facts.orders}

    def shown(amounts: Mapping[str, int], order_id: str) -> str:
        return str(Money(amounts[order_id], invoice.currency)) if order_id in amounts else "nothing"

    columns = [
        (f"order {numbers.get(order_id, order_id)}", shown(in_stripe, order_id), shown(billed, order_id))
        for order_id in sorted({*billed, *in_stripe})
        if billed.get(order_id) != in_stripe.get(order_id)
    ]
    columns.append(
        (
            "total",
            str(Money(invoice.total, invoice.currency)),
            str(Money(sum(billed.values()), invoice.currency)),
        )
    )
    return Hold(
        "edited_in_stripe",
        f"{invoice.id} was changed in Stripe after it was drafted: it no longer bills what was approved. The columns "
        "are Stripe's invoice and our ledger.",
        tuple(columns),
    )


def _transform(order: BilledOrder) -> Transform:
    goods = [line for line in order.lines if line.kind == "item"]
    others: dict[str, int] = {}
    for line in order.lines:
        if line.kind != "item":
            others[line.kind] = others.get(line.kind, 0) + line.amount
    return Transform(
        order.order_id,
        order.order_number,
        tuple(TransformLine(line.order_line, line.line_id, line.quantity, line.amount, line.item) for line in goods),
        tuple(sorted(others.items())),
        kept=tuple(line.line_id for line in order.lines if line.kind in ("discount", "payment")),
    )


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """An item line of the invoice that NetSuite would save. `quantity` is None where the line has none, `order_line` is
    "" for a line that is of no order's line, `item` its item's internal id."""

    order_line: str
    quantity: Decimal | None
    amount: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The invoice that NetSuite would save, in minor units of its currency. `discount` is that of the whole order, zero
    or less. `tax` is None where the account's REST does not show it (legacy tax): the total decides then. `subsidiary`
    is an internal id, "" in an account without OneWorld."""

    customer: str
    currency: str
    total: int
    lines: tuple[PreviewLine, ...]
    tax: int | None = None
    shipping: int = 0
    discount: int = 0
    subsidiary: str = ""


def of_another_subsidiary(record: NetSuiteRecord, preview: Preview, subsidiary: str) -> Hold | None:
    """The hold for an order of another subsidiary than that of this Stripe account (an internal id, "" for none): its
    payment would reach this subsidiary's bank, and no deposit takes another's. Pure."""
    if record.transform is None or not subsidiary or preview.subsidiary in ("", subsidiary):
        return None
    return Hold(
        "invalid_subsidiary",
        f"Order {record.transform.order_number} belongs to subsidiary {preview.subsidiary} in NetSuite, and this "
        f"Stripe account to subsidiary {subsidiary}. Void the Stripe invoice and bill the order from its own account; "
        "the parameter Subsidiaries keeps orders of others out of the run.",
        (("subsidiary", subsidiary, preview.subsidiary),),
    )


def rounding_of(record: NetSuiteRecord, preview: Preview, allowed: int) -> int:
    """What the policy's rounding line adds to make the totals equal: at most `allowed` minor units, and only where
    customer, currency and every line of the order agree. 0 for nothing. Pure."""
    missing = record.amount - preview.total
    if record.transform is None or not 0 < abs(missing) <= allowed:
        return 0
    agrees = not any((*_header_columns(record, preview), *_line_columns(record, record.transform, preview)))
    return missing if agrees else 0


def compare(record: NetSuiteRecord, preview: Preview, rounding: int = 0) -> Hold | None:
    """None if NetSuite would save exactly what Stripe billed of the order; else the hold with both columns. `rounding`
    is what the policy's rounding line adds in the preview: sums may differ by it, the total may not. Pure."""
    transform = record.transform
    if transform is None:
        raise ValueError(f"{record.external_id} is made from no sales order")
    columns = [*_header_columns(record, preview), *_line_columns(record, transform, preview)]
    if not rounding or columns or preview.total != record.amount:
        columns += _sum_columns(record, transform, preview)
    if not columns:
        return None
    return Hold(
        ORDER_DIFFERS,
        f"What NetSuite would invoice of order {transform.order_number} is not what Stripe billed of it. Nothing was "
        "saved. Correct the order in NetSuite (or credit the difference in Stripe) and redrive.",
        tuple(columns),
    )


def _header_columns(record: NetSuiteRecord, preview: Preview) -> Iterator[tuple[str, str, str]]:
    if preview.customer != record.netsuite_customer:
        yield "customer", record.netsuite_customer or "", preview.customer
    if preview.currency != record.currency:
        yield "currency", record.currency.upper(), preview.currency.upper()


def _line_columns(record: NetSuiteRecord, transform: Transform, preview: Preview) -> Iterator[tuple[str, str, str]]:
    would = {line.order_line: line for line in preview.lines}
    for line in transform.lines:
        found = would.get(line.order_line)
        name = f"line {line.order_line}"
        if found is None:
            yield name, _shown(line.amount, record), "not on the invoice"
            continue
        if line.item and found.item and line.item != found.item:
            yield f"{name}, item", line.item, found.item
        if line.quantity is not None and found.quantity is not None and Decimal(line.quantity) != found.quantity:
            yield f"{name}, quantity", line.quantity, f"{found.quantity:f}"
        if found.amount != line.amount:
            yield name, _shown(line.amount, record), _shown(found.amount, record)


def _sum_columns(record: NetSuiteRecord, transform: Transform, preview: Preview) -> Iterator[tuple[str, str, str]]:
    """Discounts and payments are lines of their own on the order; on Stripe's invoice they go by kind."""
    others = dict(transform.other_lines)
    named = {line.order_line for line in transform.lines}
    leftover = [line for line in preview.lines if line.order_line not in named and line.amount]
    names = ", ".join(sorted(f"line {line.order_line}" if line.order_line else "new" for line in leftover))
    in_stripe = others.get("discount", 0) + others.get("payment", 0)
    sums = [
        (f"discounts ({names or 'of the order'})", in_stripe, sum(one.amount for one in leftover) + preview.discount),
        ("shipping", others.get("shipping", 0), preview.shipping),
        ("tax", others.get("tax", 0), others.get("tax", 0) if preview.tax is None else preview.tax),
        ("total", record.amount, preview.total),
    ]
    for name, billed, would in sums:
        if billed != would:
            yield name, _shown(billed, record), _shown(would, record)


def _shown(minor: int, record: NetSuiteRecord) -> str:
    return str(Money(minor, record.currency))
