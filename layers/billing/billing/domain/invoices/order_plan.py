"""One sales order, by the firm's policy: its invoice (or numbered parts of it), or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.domain.invoices.billing_policy import BillingPolicy, fill_template
from billing.domain.invoices.line_text import (
    LONGEST_DESCRIPTION,
    LONGEST_FIELD_VALUE,
    LONGEST_FOOTER,
    describe,
    unit_price,
)
from billing.domain.invoices.parts import split_lines
from billing.domain.invoices.plan_record import (
    InvoicePlan,
    LineKind,
    LineSource,
    LineTax,
    PlanClient,
    PlanLine,
    PlanOrder,
    PlanWarning,
    ServicePeriod,
    with_lines,
)
from billing.domain.invoices.tax import bills_tax_lines, tax_code, tax_rate
from billing.domain.money.money import Money, plain_amount, round_half_up, rule_of, terminating_decimal
from billing.domain.money.price_text import plain, price_text
from billing.domain.orders.billing_email import billing_email
from billing.domain.orders.due_date import Due, NetDays
from billing.domain.orders.open_amount import OpenLine, OpenOrder, billing_schedules, lines_of_unknown_state, open_order
from billing.domain.orders.previewed_amounts import PreviewDiffers, as_netsuite_would_bill
from billing.domain.orders.sales_order import LineRole, Problem, Reason, SalesOrder
from billing.domain.text import truncate

PO_FIELD: Final = "PO number"

_KIND_OF_ROLE: Final[dict[LineRole, LineKind]] = {
    LineRole.GOODS: "item",
    LineRole.MARKUP: "item",
    LineRole.DISCOUNT: "discount",
    LineRole.PAYMENT: "payment",
    LineRole.SHIPPING: "shipping",
    LineRole.TAX: "tax",
}
_PLACE_ON_INVOICE: Final[dict[LineKind, int]] = {
    "item": 0,
    "discount": 0,
    "shipping": 1,
    "tax": 2,
    "payment": 3,
}
_MOST_NAMED: Final = 5
_MOST_PLACES_AT_STRIPE: Final = 12
"""Stripe: unit_amount_decimal and quantity_decimal take at most twelve decimals."""


def plan_order(order: SalesOrder, policy: BillingPolicy) -> tuple[InvoicePlan, ...] | Problem:
    """The plans of one order: one, several numbered parts beyond 250 lines, or a problem.

    A zero or negative open total is never drafted: Stripe would mark the invoice paid, or turn it into
    credit that the client's next invoice uses up (Stripe API reference, invoices).
    """
    opened = open_order(order, policy.invoice_in_advance)
    if order.preview is not None and opened.lines and opened.in_part:
        try:
            opened = as_netsuite_would_bill(order, opened, order.preview, bills_tax_lines(policy.tax))
        except PreviewDiffers as differs:
            return _refused(
                order,
                "preview",
                Reason.PREVIEW_DIFFERS,
                sum(line.amount for line in opened.lines),
                str(differs),
                "bill this part in NetSuite, or correct the order there",
            )
    lines_now = _in_place(opened, policy)
    refused = _not_billable(order, opened, lines_now, policy)
    if refused is not None:
        return refused
    lines = tuple(_plan_line(line, order, policy) for line in lines_now)
    total = sum(line.amount for line in lines)
    if total == 0:
        return _refused(
            order,
            "foreigntotal",
            Reason.TOTAL_ZERO,
            total,
            "has an open total of 0, and Stripe would mark such an invoice paid",
            "close it in NetSuite, or correct its amounts",
        )
    if total < 0:
        return _refused(
            order,
            "foreigntotal",
            Reason.TOTAL_NEGATIVE,
            total,
            f"has a negative open total of {Money(total, order.currency)}; Stripe would turn it into credit",
            "credit the client by a credit note, or correct its amounts",
        )
    parts = split_lines(lines)
    if parts is None:
        return _refused(
            order,
            "line",
            Reason.PART_NOT_POSITIVE,
            total,
            f"has {len(lines)} lines, more than one invoice holds, and cannot be split into parts above zero",
            "split it into several orders in NetSuite",
        )
    whole = _whole(order, policy, lines, opened.notes)
    return tuple(_part(whole, part, number, len(parts)) for number, part in enumerate(parts, 1))


def _not_billable(
    order: SalesOrder, opened: OpenOrder, lines: Sequence[OpenLine], policy: BillingPolicy
) -> Problem | None:
    """Why the open part cannot be billed by us, or None. `lines` are those that the policy bills."""
    if not opened.lines and opened.undelivered:
        return _refused(
            order,
            "quantityshiprecv",
            Reason.NOT_DELIVERED,
            0,
            f"has nothing to bill yet, because it was not delivered: {_listed(opened.undelivered)}",
            "fulfill it in NetSuite, or set InvoiceInAdvanceOfFulfillment if the firm bills before it delivers",
        )
    if not opened.lines:
        return _refused(
            order,
            "quantitybilled",
            Reason.NOTHING_OPEN,
            0,
            "has nothing left to bill: every line is closed or fully billed",
            "nothing is to do if that is right; else reopen the line in NetSuite",
        )
    total = sum(line.amount for line in lines)
    schedules = billing_schedules(order, opened)
    if schedules:
        next_bill = f", next on {order.next_bill.isoformat()}" if order.next_bill is not None else ""
        return _refused(
            order,
            "billingschedule",
            Reason.BILLING_SCHEDULE,
            total,
            f"is billed by a schedule ({_listed(schedules)}{next_bill}), and NetSuite does not say how much of it is "
            "due",
            "bill it by its schedule in NetSuite, or take the schedule off the order if all of it is due",
        )
    unknown = lines_of_unknown_state(order) if order.preview is None else ()
    if unknown:
        return _refused(
            order,
            "quantity",
            Reason.BILLED_PART_UNKNOWN,
            total,
            f"is partly billed, and {', '.join(unknown)[:200]} has no quantity to tell how far it is",
            "enter a quantity in NetSuite, or close the line if it is billed",
        )
    if opened.tax_unknown and bills_tax_lines(policy.tax):
        taxes = [f"{tax_code(line)} of {Money(line.amount, order.currency)}" for line in opened.tax_unknown]
        return _refused(
            order,
            "linetaxcode",
            Reason.TAX_BASE_UNKNOWN,
            total,
            f"is billed in part, and nobody can tell which of its lines are taxed by {_listed(taxes)}",
            "let the integration's role see the tax codes of order lines, or bill this order in NetSuite",
        )
    billed = {line.line.id for line in lines}
    unholdable = [(line, exact) for line, exact in opened.unholdable if line.id in billed]
    if unholdable:
        line, exact = unholdable[0]
        return _refused(
            order,
            "foreignamount",
            Reason.SHARE_NOT_REPRESENTABLE,
            total,
            f"is billed in part, and that part of line {line.line or line.id} comes to "
            f"{_in_major_units(exact, order.currency)} {order.currency.upper()}, which Stripe holds only in steps of "
            f"{plain_amount(rule_of(order.currency).step, order.currency)}",
            "bill this part in NetSuite, or change quantity or amount so that it divides",
        )
    return None


def _listed(names: Sequence[str]) -> str:
    """As many as one sentence holds; how many are left is said."""
    left = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {left} more" if left > 0 else "")


def _in_major_units(minor: Fraction, currency: str) -> str:
    exact = terminating_decimal(abs(minor) / int(10 ** rule_of(currency).exponent), _MOST_PLACES_AT_STRIPE)
    return plain(exact) if exact is not None else str(minor)


def _in_place(opened: OpenOrder, policy: BillingPolicy) -> list[OpenLine]:
    """Goods and their discounts as the order has them, then shipping, tax and payments received."""
    kept = [line for line in opened.lines if line.line.role is not LineRole.TAX or bills_tax_lines(policy.tax)]
    return sorted(kept, key=lambda line: _PLACE_ON_INVOICE[_KIND_OF_ROLE[line.line.role]])


def _plan_line(line: OpenLine, order: SalesOrder, policy: BillingPolicy) -> PlanLine:
    source = line.line
    kind = _KIND_OF_ROLE[source.role]
    price = unit_price(line, order.currency)
    stripe_price = _stripe_price(line, price, order.currency) if policy.line_style == "quantity" else None
    tax = LineTax(truncate(tax_code(source), 100), tax_rate(source, order)) if kind == "tax" else None
    text = describe(line, order.currency, show_quantity=stripe_price is None)
    if tax is not None:
        # Many firms name the rate in the code already ("VAT 20%").
        text = tax.code if tax.rate is None or tax.rate in tax.code else f"{tax.code} {tax.rate}"
    return PlanLine(
        id=source.id,
        kind=kind,
        description=text,
        amount=line.amount,
        quantity=plain(line.quantity) if line.quantity is not None else None,
        unit_amount=price_text(price, order.currency) if price is not None else None,
        unit_amount_minor_decimal=stripe_price,
        service_period=_service_period(line, order) if kind == "item" else None,
        tax=tax,
        netsuite=LineSource(order.id, source.line, source.item_id),
    )


def _stripe_price(line: OpenLine, price: Decimal | None, currency: str) -> str | None:
    """The unit price in minor units, where Stripe's quantity times price gives NetSuite's amount exactly.

    Stripe multiplies quantity_decimal by unit_amount_decimal (at most twelve decimals each) and rounds
    the line to whole minor units; its example rounds 1.5 up to 2 (Stripe documentation, "Decimal
    amounts"). That example does not tell half up from half to even [unsure], so a half is accepted only
    where both give the amount. Everything else stays an amount line.
    """
    if price is None or line.quantity is None:
        return None
    minor = terminating_decimal(Fraction(price) * int(10 ** rule_of(currency).exponent), _MOST_PLACES_AT_STRIPE)
    quantity = terminating_decimal(Fraction(line.quantity), _MOST_PLACES_AT_STRIPE)
    if minor is None or quantity is None:
        return None
    product = Fraction(minor) * Fraction(quantity)
    if round_half_up(product) != line.amount or round(product) != line.amount:
        return None
    return plain(minor)


def _service_period(line: OpenLine, order: SalesOrder) -> ServicePeriod | None:
    """The line's own dates, else the order's; only where both ends are known and in order."""
    for start, end in ((line.line.start, line.line.end), (order.start, order.end)):
        if start is not None and end is not None and start <= end:
            return ServicePeriod(start.isoformat(), end.isoformat())
    return None


def _whole(
    order: SalesOrder,
    policy: BillingPolicy,
    lines: tuple[PlanLine, ...],
    notes: tuple[tuple[str, str], ...],
) -> InvoicePlan:
    email, email_notes = billing_email(order.client, policy.email_fields)
    warnings = [PlanWarning(code, message) for code, message in (*order.notes, *notes, *email_notes)]
    po_number = order.po_number
    if po_number is not None and len(po_number) > LONGEST_FIELD_VALUE:
        warnings.append(PlanWarning("po_cut", f"The PO number was cut to Stripe's {LONGEST_FIELD_VALUE} characters."))
    plan = InvoicePlan(
        key=f"order-{order.id}",
        orders=(PlanOrder(order.id, order.number, order.ordered_on.isoformat()),),
        part=1,
        parts=1,
        client=PlanClient(
            order.client.netsuite_id, order.client.number, order.client.name, email, order.client.stripe_id
        ),
        currency=order.currency,
        lines=(),
        total=0,
        net_total=0,
        tax_total=0,
        due=due_of(order, policy),
        description="",
        footer="",
        custom_fields=((PO_FIELD, truncate(po_number, LONGEST_FIELD_VALUE)),) if po_number else (),
        memo=order.memo,
        warnings=tuple(warnings),
        status=order.status,
        last_modified=order.last_modified,
    )
    return with_lines(with_texts(plan, policy, po_number or ""), lines)


def due_of(order: SalesOrder, policy: BillingPolicy) -> Due:
    """The order's own terms; the policy's days where it has none, or none that could be read."""
    if order.terms is not None and order.terms.due is not None:
        return order.terms.due
    return NetDays(policy.default_due_days)


def with_texts(plan: InvoicePlan, policy: BillingPolicy, po_number: str) -> InvoicePlan:
    """`plan` with description and footer from the policy's templates, within Stripe's lengths."""
    values = {
        "orders": ", ".join(order.number for order in plan.orders),
        "client": plan.client.name,
        "client_number": plan.client.number,
        "po": po_number,
        "memo": plan.memo or "",
        "period": policy.period,
    }
    # Room for " (part 12 of 34)".
    return replace(
        plan,
        description=truncate(fill_template(policy.description_template, values).strip(), LONGEST_DESCRIPTION - 30),
        footer=truncate(fill_template(policy.footer_template, values).strip(), LONGEST_FOOTER),
    )


def _part(whole: InvoicePlan, lines: list[PlanLine], number: int, count: int) -> InvoicePlan:
    if count == 1:
        return whole
    part = replace(whole, key=f"{whole.key}-part-{number}", part=number, parts=count)
    return with_lines(replace(part, description=f"{part.description} (part {number} of {count})"), lines)


def _refused(order: SalesOrder, field: str, reason: Reason, total: int, what: str, to_do: str) -> Problem:
    return Problem(
        order_id=order.id,
        order_number=order.number,
        field=field,
        reason_code=reason.value,
        message=f"Order {order.number} {what}: {to_do}.",
        currency=order.currency,
        total_minor=total,
        client_id=order.client.netsuite_id,
        client_name=order.client.name,
    )
