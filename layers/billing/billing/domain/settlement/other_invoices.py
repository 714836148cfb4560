"""The lines of an invoice that bills no sales order of ours: subscriptions, prorations, one-time prices, by hand."""

from __future__ import annotations

from collections.abc import Iterable

from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import Hold, ItemRef, ItemRole, RecordLine
from billing.domain.settlement.stripe_objects import InvoiceFacts, InvoiceLine, Tax

_LONGEST_DESCRIPTION = 999


def invoice_lines(
    facts: InvoiceFacts, policies: SettlementPolicies, calendar: Calendar
) -> tuple[list[RecordLine], list[Hold]]:
    """Stripe's lines as item lines: each line net of inclusive tax, below it one line for each of its discounts; then
    shipping, then one line for each tax. Amounts are Stripe's own, never worked out from a percentage again.
    """
    invoice = facts.invoice
    lines: list[RecordLine] = []
    for line in facts.lines:
        lines.append(_goods(line, calendar))
        lines += [
            RecordLine(ItemRef(ItemRole.DISCOUNT, one.coupon or one.discount), -one.amount, stripe_line=line.id)
            for one in line.discounts
            if one.amount
        ]
    if invoice.shipping:
        inside = sum(tax.amount for tax in invoice.shipping_taxes if tax.inclusive)
        lines.append(RecordLine(ItemRef(ItemRole.SHIPPING), invoice.shipping - inside, "Shipping"))
    taxes, holds = tax_lines([*(tax for line in facts.lines for tax in line.taxes), *invoice.shipping_taxes], policies)
    return [*lines, *taxes], holds


def item_of(line: InvoiceLine) -> ItemRef:
    """Which item a line is sold as."""
    if not line.price:
        return ItemRef(ItemRole.UNLINKED)
    return ItemRef(ItemRole.ONE_TIME if line.one_time else ItemRole.PRICE, line.price)


def tax_lines(taxes: Iterable[Tax], policies: SettlementPolicies) -> tuple[list[RecordLine], list[Hold]]:
    """One line for each tax rate, inclusive and exclusive tax alike. A tax that the policy has no place for is held by
    its name: a total without it would be wrong, and NetSuite must not work out a tax of its own beside Stripe's.
    """
    amounts: dict[Tax, int] = {}
    for tax in taxes:
        key = Tax(0, 0, False, tax.rate, tax.country, tax.jurisdiction)
        amounts[key] = amounts.get(key, 0) + tax.amount
    mode = policies.choice("tax.mode")
    lines, holds = [], []
    for key, amount in amounts.items():
        if not amount:
            continue
        named = key.rate or key.jurisdiction or key.country or "a tax without a rate"
        if mode == "none":
            holds.append(
                Hold(
                    "tax_not_mapped",
                    f"Stripe bills tax ({named}), and the policy tax.mode is 'none'. Set it to "
                    "'item_lines' or 'suitetax', and give the rate its item or code.",
                )
            )
            continue
        place = policies.tax_items if mode == "item_lines" else policies.tax_codes
        found = next((place[one] for one in (key.rate, key.jurisdiction, key.country) if one and one in place), "")
        if not found:
            table = "tax.items" if mode == "item_lines" else "tax.codes"
            holds.append(
                Hold(
                    "tax_not_mapped",
                    f"Stripe bills tax ({named}) that {table} does not name: add its rate, "
                    "jurisdiction or country to the policy file.",
                )
            )
            continue
        item_id = found if mode == "item_lines" else ""
        lines.append(RecordLine(ItemRef(ItemRole.TAX, key.rate or named, item_id), amount, f"Tax {named}"))
    return lines, holds


def _goods(line: InvoiceLine, calendar: Calendar) -> RecordLine:
    inside = sum(tax.amount for tax in line.taxes if tax.inclusive)
    return RecordLine(
        item=item_of(line),
        amount=line.amount - inside,
        description=line.description[:_LONGEST_DESCRIPTION],
        quantity=line.quantity,
        rev_rec=calendar.service_days(line.period),
        stripe_line=line.id,
    )
