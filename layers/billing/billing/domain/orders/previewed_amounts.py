"""The open part of an order with the amounts that NetSuite itself would bill. docs/decisions/0003-open-amount.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import islice, product
from math import prod
from typing import Final

from billing.domain.money.money import rule_of, terminating_decimal
from billing.domain.money.price_text import price_text
from billing.domain.orders.invoice_preview import InvoicePreview
from billing.domain.orders.open_amount import OpenLine, OpenOrder
from billing.domain.orders.sales_order import LineRole, SalesOrder, SalesOrderLine

_SOLD: Final = frozenset({LineRole.GOODS, LineRole.DISCOUNT, LineRole.MARKUP, LineRole.PAYMENT})
_MOST_PLACES: Final = 12
_MOST_COMBINATIONS: Final = 4_096


class PreviewDiffers(ValueError):
    """NetSuite's preview and the order's lines cannot be brought together. The text completes "Order SO-1 ..."."""


def as_netsuite_would_bill(order: SalesOrder, opened: OpenOrder, preview: InvoicePreview, with_tax: bool) -> OpenOrder:
    """`opened` with NetSuite's amounts in place of ours: its lines, its discount, its shipping, its tax.

    Tax: the preview says how much in all (`tax`, else what is left of the total). One tax line takes it. Several keep
    their shares where these come to it, a cent of rounding a line going to the largest; those whose base nobody could
    tell take the one combination that comes to it. Without `with_tax` no invoice shows tax, and nobody needs to know
    which it is. Raises PreviewDiffers.
    """
    if preview.refused:
        raise PreviewDiffers(f"would not be invoiced by NetSuite, which says: {preview.refused}")
    currency = order.currency
    previewed = {one.line: one for one in preview.lines}
    stray = sum(
        (one.amount for one in preview.lines if one.line not in {line.line for line in order.lines}), Decimal(0)
    )
    if stray:
        raise PreviewDiffers(
            f"would be invoiced by NetSuite with {_major(_minor(stray, currency), currency)} on lines that it did not "
            "have when it was listed"
        )
    amounts: dict[str, Fraction] = {}
    quantities: dict[str, Decimal | None] = {}
    for line in order.lines:
        if line.role in _SOLD and not line.whole_order and line.line in previewed:
            amounts[line.id] = _minor(previewed[line.line].amount, currency)
            quantities[line.id] = previewed[line.line].quantity
    amounts |= _together(
        [line for line in order.lines if line.role in _SOLD and line.whole_order], preview.discount, opened, currency
    )
    amounts |= _together(
        [line for line in order.lines if line.role is LineRole.SHIPPING], preview.shipping, opened, currency
    )
    net, total = sum(amounts.values(), Fraction(0)), _minor(preview.total, currency)
    tax = total - net if preview.tax is None else _minor(preview.tax, currency)
    if net + tax != total:
        raise PreviewDiffers(
            f"would be invoiced by NetSuite over {_major(total, currency)}, and we can place only "
            f"{_major(net + tax, currency)} of it on the order's lines"
        )
    if with_tax:
        amounts |= _taxes(order, opened, tax)
    lines = [
        OpenLine(line, int(amounts[line.id]), quantities.get(line.id) if line.role is LineRole.GOODS else None)
        for line in order.lines
        if line.id in amounts and (amounts[line.id] or line.role is LineRole.GOODS)
    ]
    step = rule_of(currency).step
    unholdable = [(one.line, amounts[one.line.id]) for one in lines if amounts[one.line.id] % step]
    return replace(opened, lines=tuple(lines), tax_unknown=(), unholdable=tuple(unholdable))


def _together(
    lines: Sequence[SalesOrderLine], amount: Decimal, opened: OpenOrder, currency: str
) -> dict[str, Fraction]:
    """One amount for lines that the preview does not tell apart. Raises PreviewDiffers."""
    minor = _minor(amount, currency)
    ours = {one.line.id: Fraction(one.amount) for one in opened.lines}
    shares = {line.id: ours.get(line.id, Fraction(0)) for line in lines}
    if len(lines) == 1:
        return {lines[0].id: minor}
    if sum(shares.values(), Fraction(0)) != minor:
        named = "discounts" if lines and lines[0].role is not LineRole.SHIPPING else "shipping"
        raise PreviewDiffers(
            f"would be invoiced by NetSuite with {_major(minor, currency)} of {named}, and nobody can tell which of "
            f"its {len(lines)} lines that is"
        )
    return shares


def _taxes(order: SalesOrder, opened: OpenOrder, tax: Fraction) -> dict[str, Fraction]:
    taxes = [line for line in order.lines if line.role is LineRole.TAX]
    if not taxes:
        if tax:
            raise PreviewDiffers(
                f"would be invoiced by NetSuite with {_major(tax, order.currency)} of tax, and it has no tax line"
            )
        return {}
    if abs(tax) > abs(sum(line.amount for line in taxes)) + len(taxes):
        raise PreviewDiffers(
            f"would be invoiced by NetSuite with {_major(tax, order.currency)} of tax, more than all of it has"
        )
    if len(taxes) == 1:
        return {taxes[0].id: tax}
    unknown = {line.id for line in opened.tax_unknown}
    ours = {one.line.id: Fraction(one.amount) for one in opened.lines if one.line.role is LineRole.TAX}
    amounts = {line.id: ours.get(line.id, Fraction(0)) for line in taxes if line.id not in unknown}
    left = tax - sum(amounts.values(), Fraction(0))
    if len(unknown) == 1:
        return {**amounts, unknown.pop(): left}
    if unknown:
        return amounts | _combination(order, opened, left)
    if abs(left) > len(taxes):
        raise PreviewDiffers(
            f"would be invoiced by NetSuite with {_major(tax, order.currency)} of tax, and the shares of its tax lines "
            f"come to {_major(tax - left, order.currency)}"
        )
    largest = max(amounts, key=lambda line_id: abs(amounts[line_id]))
    return {**amounts, largest: amounts[largest] + left}


def _combination(order: SalesOrder, opened: OpenOrder, left: Fraction) -> dict[str, Fraction]:
    """The one way in which the tax lines of unknown base come to `left`. Raises PreviewDiffers."""
    choices: Mapping[str, Sequence[Fraction]] = dict(opened.tax_choices)
    found: set[tuple[Fraction, ...]] = set()
    if all(choices.values()) and prod(len(one) for one in choices.values()) <= _MOST_COMBINATIONS:
        found = {one for one in islice(product(*choices.values()), _MOST_COMBINATIONS) if sum(one) == left}
    if len(found) != 1:
        raise PreviewDiffers(
            f"would be invoiced by NetSuite with {_major(left, order.currency)} of tax, and nobody can tell how much "
            "of it is on which of its tax lines"
        )
    return dict(zip(choices, found.pop(), strict=True))


def _minor(amount: Decimal, currency: str) -> Fraction:
    return Fraction(amount) * int(10 ** rule_of(currency).exponent)


def _major(minor: Fraction, currency: str) -> str:
    exact = terminating_decimal(minor / int(10 ** rule_of(currency).exponent), _MOST_PLACES)
    # Sums of NetSuite's own decimals always end.
    return f"{minor if exact is None else price_text(exact, currency)} {currency.upper()}"
