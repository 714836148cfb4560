"""What a person with a pocket calculator bills for an order, from a world file's natural amounts.

Independent of the product on purpose: nothing of `billing` is imported. Amounts as a person writes them (positive,
`Decimal`, in the order's currency) become minor units at the very end. The rule for shares is decision 0003.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_DECIMALS = {"JPY": 0, "KWD": 3}
_PAYMENTS_RECEIVED = frozenset({"Deposit applied"})

Order = Mapping[str, Any]
Rounded = Callable[[Decimal], Decimal]


def minor_total(order: Order, tax_rates: Mapping[str, Decimal]) -> int:
    """The order's open total in minor units of its currency. `tax_rates` in per cent, by code."""
    places = Decimal(1).scaleb(-_DECIMALS.get(order["currency"], 2))

    def rounded(amount: Decimal) -> Decimal:
        return amount.quantize(places, rounding=ROUND_HALF_UP)

    goods = sum(_amounts(order["lines"], rounded), Decimal(0))
    share = goods / sum(_amounts(order["lines"], rounded, whole=True), Decimal(0)) if goods else Decimal(0)
    reduction = order.get("discount")
    if isinstance(reduction, Mapping):
        reduction = reduction["value"]
    if reduction is not None:
        text = str(reduction)
        goods -= rounded(goods * Decimal(text[:-1]) / 100) if text.endswith("%") else Decimal(text)
    taxed = {order["taxCode"]: goods} if order.get("taxCode") else {}
    extras = Decimal(0)
    for name in ("shipping", "handling"):
        charge = order.get(name)
        if charge is None:
            continue
        fields = charge if isinstance(charge, Mapping) else {"amount": charge}
        amount = rounded(Decimal(fields["amount"]) * share)
        extras += amount
        if fields.get("taxCode"):
            taxed[fields["taxCode"]] = taxed.get(fields["taxCode"], Decimal(0)) + amount
    tax = sum((rounded(base * tax_rates[code] / 100) for code, base in taxed.items()), Decimal(0))
    return int((goods + extras + tax) / places)


def minor_goods(order: Order) -> list[int]:
    """The open amount of each position that is sold or taken off, in minor units and the order's own sequence; without
    discounts on the whole order, shipping and tax."""
    places = Decimal(1).scaleb(-_DECIMALS.get(order["currency"], 2))
    amounts = _amounts(order["lines"], lambda amount: amount.quantize(places, rounding=ROUND_HALF_UP))
    return [int(amount / places) for amount in amounts if amount]


def _amounts(lines: Iterable[Mapping[str, Any]], rounded: Rounded, whole: bool = False) -> list[Decimal]:
    """The lines' amounts: what is open of them, or all of them."""
    amounts: list[Decimal] = []
    section, above = Decimal(0), Decimal(0)
    for line in lines:
        if "text" in line:
            continue
        if line.get("subtotal"):
            above, section = section, Decimal(0)
            continue
        if "group" in line:
            members = _amounts(line["members"], rounded, whole)
            amounts += members
            above = sum(members, Decimal(0))
        elif "discount" in line:
            text = str(line["discount"])
            above = -(rounded(above * Decimal(text[:-1]) / 100) if text.endswith("%") else Decimal(text))
            amounts.append(above)
        else:
            above = _amount(line, rounded, whole)
            amounts.append(above)
        section += above
    return amounts


def _amount(line: Mapping[str, Any], rounded: Rounded, whole: bool) -> Decimal:
    quantity = Decimal(str(line.get("quantity", 1)))
    amount = Decimal(str(line["amount"])) if "amount" in line else rounded(quantity * Decimal(str(line["rate"])))
    if line["item"] in _PAYMENTS_RECEIVED:
        amount = -amount
    if whole:
        return amount
    if line.get("closed"):
        return Decimal(0)
    billed = Decimal(str(line.get("billed", 0)))
    # What is not delivered waits; a line without "fulfilled" is delivered, or is nothing that is.
    delivered = Decimal(str(line.get("fulfilled", quantity)))
    return rounded(amount * (quantity - billed) / quantity) - rounded(amount * (quantity - delivered) / quantity)
