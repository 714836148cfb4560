"""The lines of an invoice that is not made from a sales order: subscriptions, prorations, one-time prices, by hand, and
the revision of an invoice of ours, whose order was billed before."""

from __future__ import annotations

from collections.abc import Iterable

from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import Hold, ItemRef, ItemRole, RecordLine
from billing.domain.settlement.stripe_objects import BilledLine, InvoiceFacts, InvoiceLine, Tax

_LONGEST_DESCRIPTION = 999
ORDER_TAX = "order"
"""The key of tax.items for tax that is a line of a sales order: Stripe knows no rate of it."""


def invoice_lines(
    facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[RecordLine], list[Hold]]:
    """Stripe's lines as item lines: each line net of inclusive tax, below it one line for each of its discounts; then
    shipping, then the taxes. Amounts are Stripe's own, never worked out from a percentage again.
    """
    invoice = facts.invoice
    lines: list[RecordLine] = []
    holds: list[Hold] = []
    for line in facts.lines:
        item, hold = item_of(line, facts, policies)
        holds += [hold] if hold is not None else []
        lines.append(_goods(line, item, calendar))
        lines += [
            RecordLine(ItemRef(ItemRole.DISCOUNT, one.coupon or one.discount), -one.amount, stripe_line=line.id)
            for one in line.discounts
            if one.amount
        ]
    if invoice.shipping:
        inside = sum(tax.amount for tax in invoice.shipping_taxes if tax.inclusive)
        lines.append(
            RecordLine(ItemRef(ItemRole.SHIPPING), invoice.shipping - inside, "Shipping", stripe_line="shipping")
        )
    taxes, wrong = tax_lines(
        [
            *((line.id, tax) for line in facts.lines for tax in line.taxes),
            *(("shipping", tax) for tax in invoice.shipping_taxes),
        ],
        policies,
    )
    return [*lines, *taxes], [*holds, *wrong]


def item_of(line: InvoiceLine, facts: InvoiceFacts, policies: SettlementPolicies) -> tuple[ItemRef, Hold | None]:
    """Which item a line is sold as. A line of a sales order of ours keeps the order's item; its tax, shipping and
    discount have those of the policy."""
    order_id, line_id = line.metadata.get("netsuite_so_id"), line.metadata.get("netsuite_line_id")
    if order_id and line_id:
        return _item_of_order(order_id, line_id, _billed_line(order_id, line_id, facts), policies)
    if not line.price:
        return ItemRef(ItemRole.UNLINKED), None
    return ItemRef(ItemRole.ONE_TIME if line.one_time else ItemRole.PRICE, line.price), None


def _billed_line(order_id: str, line_id: str, facts: InvoiceFacts) -> BilledLine | None:
    return next(
        (
            line
            for order in facts.orders
            if order.order_id == order_id
            for line in order.lines
            if line.line_id == line_id
        ),
        None,
    )


def _item_of_order(
    order_id: str, line_id: str, billed: BilledLine | None, policies: SettlementPolicies
) -> tuple[ItemRef, Hold | None]:
    kind = billed.kind if billed is not None else "item"
    if kind == "tax":
        item_id = policies.tax_items.get(ORDER_TAX, "")
        hold = None if item_id else _not_mapped("of a sales order", f"tax.items.{ORDER_TAX}", "Give it an item there.")
        return ItemRef(ItemRole.TAX, ORDER_TAX, item_id), hold
    if kind == "shipping":
        return ItemRef(ItemRole.SHIPPING), None
    item_id = billed.item if billed is not None else ""
    if kind == "discount" and not item_id:
        return ItemRef(ItemRole.DISCOUNT), None
    return ItemRef(ItemRole.ORDER_LINE, f"{order_id}/{line_id}", item_id), None


def tax_lines(taxes: Iterable[tuple[str, Tax]], policies: SettlementPolicies) -> tuple[list[RecordLine], list[Hold]]:
    """Taxes, each with the id of the line that it is on, inclusive and exclusive alike: under `item_lines` one line for
    each rate, under `suitetax` one for each line and rate, as SuiteTax keeps them. A tax that the policy has no place
    for is held by its name: a total without it would be wrong, and NetSuite must not work out a tax of its own beside
    Stripe's.
    """
    mode = policies.choice("tax.mode")
    amounts: dict[tuple[str, Tax], tuple[int, int]] = {}
    for on_line, tax in taxes:
        of_rate = Tax(0, 0, False, tax.rate, tax.country, tax.jurisdiction)
        place = on_line if mode == "suitetax" else "", of_rate
        amount, taxable = amounts.get(place, (0, 0))
        amounts[place] = amount + tax.amount, taxable + tax.taxable
    lines: list[RecordLine] = []
    holds: dict[str, Hold] = {}
    for (stripe_line, key), (amount, taxable) in amounts.items():
        if not amount:
            continue
        named = key.rate or key.jurisdiction or key.country or "without a rate"
        if mode == "none":
            holds[named] = _not_mapped(
                named, "tax.mode 'none'", "Set it to 'item_lines' or 'suitetax', and give the rate its item or code."
            )
            continue
        known = policies.tax_items if mode == "item_lines" else policies.tax_codes
        found = next((one for one in (key.rate, key.jurisdiction, key.country) if one and one in known), "")
        if not found:
            table = "tax.items" if mode == "item_lines" else "tax.codes"
            holds[named] = _not_mapped(named, table, "Add its rate, jurisdiction or country to the policy file.")
            continue
        item_id = known[found] if mode == "item_lines" else ""
        lines.append(
            RecordLine(
                ItemRef(ItemRole.TAX, found, item_id), amount, f"Tax {named}", stripe_line=stripe_line, taxable=taxable
            )
        )
    return lines, list(holds.values())


def _not_mapped(tax: str, place: str, what_to_do: str) -> Hold:
    return Hold(
        "tax_not_mapped", f"Stripe bills tax ({tax}), which has no place under the policy {place}. {what_to_do}"
    )


def _goods(line: InvoiceLine, item: ItemRef, calendar: Calendar) -> RecordLine:
    inside = sum(tax.amount for tax in line.taxes if tax.inclusive)
    return RecordLine(
        item=item,
        amount=line.amount - inside,
        description=line.description[:_LONGEST_DESCRIPTION],
        quantity=line.quantity,
        rev_rec=calendar.service_days(line.period),
        stripe_line=line.id,
    )
