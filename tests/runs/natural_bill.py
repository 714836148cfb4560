"""What a person with a pocket calculator bills for an order, from a world file's natural amounts.

Independent of the product on purpose: nothing of `billing` is imported. Amounts as a person writes them (positive,
`Decimal`, in the order's currency) become minor units at the very end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_DECIMALS = {"JPY": 0, "KWD": 3}
_STRIPE_ROUNDS_TO = {"KWD": 10}
NEGATIVE_ITEMS = frozenset({"Deposit applied"})

Order = Mapping[str, Any]


def minor_total(order: Order, tax_rates: Mapping[str, Decimal]) -> int:
    """The order's open total in minor units of its currency. `tax_rates` in per cent, by code."""
    places = Decimal(1).scaleb(-_DECIMALS.get(order["currency"], 2))

    def rounded(amount: Decimal) -> Decimal:
        return amount.quantize(places, rounding=ROUND_HALF_UP)

    goods = sum(_open_amounts(order["lines"], rounded), Decimal(0))
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
        extras += Decimal(fields["amount"])
        if fields.get("taxCode"):
            taxed[fields["taxCode"]] = taxed.get(fields["taxCode"], Decimal(0)) + Decimal(fields["amount"])
    tax = sum((rounded(base * tax_rates[code] / 100) for code, base in taxed.items()), Decimal(0))
    return int((goods + extras + tax) / places)


def line_count(order: Order) -> int:
    """How many positions with an amount the bill has at least: what is neither text, sum, closed nor billed."""
    return sum(1 for amount in _open_amounts(order["lines"], lambda value: value) if amount)


def _open_amounts(lines: Iterable[Mapping[str, Any]], rounded: Any) -> list[Decimal]:
    amounts: list[Decimal] = []
    section, above = Decimal(0), Decimal(0)
    for line in lines:
        if "text" in line:
            continue
        if line.get("subtotal"):
            above, section = section, Decimal(0)
            continue
        if "group" in line:
            members = _open_amounts(line["members"], rounded)
            amounts += members
            above = sum(members, Decimal(0))
        elif "discount" in line:
            text = line["discount"]
            above = -(rounded(above * Decimal(text[:-1]) / 100) if text.endswith("%") else Decimal(text))
            amounts.append(above)
        else:
            above = _open_amount(line, rounded)
            amounts.append(above)
        section += above
    return amounts


def _open_amount(line: Mapping[str, Any], rounded: Any) -> Decimal:
    if line.get("closed"):
        return Decimal(0)
    quantity = Decimal(str(line.get("quantity", 1)))
    whole = Decimal(line["amount"]) if "amount" in line else rounded(quantity * Decimal(line["rate"]))
    if line["item"] in NEGATIVE_ITEMS:
        whole = -whole
    billed = Decimal(str(line.get("billed", 0)))
    return rounded(whole * (quantity - billed) / quantity) if billed else whole
